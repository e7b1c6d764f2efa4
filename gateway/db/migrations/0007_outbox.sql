-- What must be said to a neighbour. Holds ids only; a person's id number is read and decrypted when it is sent.
create table outbox_message (
    message_id uuid primary key,
    position bigint generated always as identity,
    neighbour text not null,
    kind text not null,                      -- 'propose_benefit' | 'revoke_benefit'
    serial text not null,
    row_id uuid not null,                    -- the proposal or the revocation it speaks of
    lane text not null,                      -- messages of one lane are said one after another
    state text not null default 'queued' check (state in ('queued', 'sending', 'unknown', 'parked', 'done', 'cancelled')),
    abandoned boolean not null default false,  -- no longer wanted: once it is sure that nothing happened, it is not sent
    attempts int not null default 0,
    inquiries int not null default 0,
    next_attempt_at timestamptz not null,
    claimed_until timestamptz,
    claimed_by text,
    code text not null default '',           -- the last thing that was answered, or what went wrong
    correlation_id text not null default '',
    created_at timestamptz not null,
    ended_at timestamptz,
    unique (neighbour, serial),
    check ((state in ('done', 'cancelled')) = (ended_at is not null)),
    check (state <> 'sending' or claimed_until is not null)
) with (fillfactor = 80);
create index outbox_due on outbox_message (neighbour, next_attempt_at) where state = 'queued';
create index outbox_doubtful on outbox_message (neighbour, next_attempt_at) where state in ('sending', 'unknown');
create index outbox_lane on outbox_message (lane, position) where state in ('queued', 'sending', 'unknown', 'parked');
create index outbox_parked on outbox_message (created_at) where state = 'parked';
create index outbox_row on outbox_message (row_id);
grant update (state, abandoned, attempts, inquiries, next_attempt_at, claimed_until, claimed_by, code, ended_at)
    on outbox_message to gateway_app;

-- A message that was done stays done: nothing sends it again.
create function refuse_message_reopened() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.state in ('done', 'cancelled') then
        raise exception 'message % is % and stays so', old.message_id, old.state using errcode = 'integrity_constraint_violation';
    end if;
    -- Whatever may have left the house is never simply queued again: an inquiry (state unknown) comes first.
    if old.state = 'unknown' and new.state = 'sending' then
        raise exception 'message % is unknown: ask before sending again', old.message_id using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger message_ends_once before update or delete on outbox_message for each row execute function refuse_message_reopened();
create trigger no_truncate before truncate on outbox_message for each statement execute function refuse_change();
