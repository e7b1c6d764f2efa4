-- Working days by year, as the State Council's yearly notice moves them. A correction is a new row; the newest of a year counts.
create table workday_calendar (
    calendar_id uuid primary key,
    year int not null check (year between 2000 and 2200),
    reference text not null check (reference <> ''),
    holidays text[] not null,                -- days as 2026-01-01
    workdays text[] not null,
    set_by text not null check (set_by <> ''),
    set_at timestamptz not null
);
create index workday_calendar_year on workday_calendar (year, set_at);
call make_append_only('workday_calendar');

-- What a resident asked or objected to. Their words are sealed; the log holds a salted commitment, and both go when they are erased.
create table objection (
    objection_id uuid primary key,
    serial text not null unique,             -- what the resident is told
    person_id bigint not null,
    kind text not null check (kind in ('question', 'objection', 'refusal')),
    about_kind text not null check (about_kind in ('decision', 'redemption', 'points', 'personal')),
    about_id text not null,
    channel text not null check (channel in ('branch', 'phone', 'letter', 'app', 'regulator')),
    key_id text not null,
    sealed bytea not null,                   -- {words}
    salt bytea not null,
    commitment bytea not null check (octet_length(commitment) = 32),
    due_on date not null,
    received_by text not null check (received_by <> ''),
    received_at timestamptz not null,
    recorded_at timestamptz not null
);
create index objection_person on objection (person_id, received_at);
create index objection_refusal on objection (person_id) where kind = 'refusal';

-- What happened to it. The state is where the newest event leads; one place says which may follow which (gateway/objections/states.py).
create table objection_event (
    event_id uuid primary key,
    objection_id uuid not null,
    event_no int not null check (event_no > 0),
    event text not null,
    from_state text not null,
    to_state text not null,
    due_on date not null,
    finding text not null check (finding in ('', 'explained', 'upheld', 'corrected', 'accepted')),
    decision_ids text[] not null default '{}',   -- decided again, because of it
    key_id text not null,
    sealed bytea not null,                   -- {words, letter}: the reason or the answer, and the letter as sent
    salt bytea not null,
    commitment bytea not null check (octet_length(commitment) = 32),
    recorded_by text not null check (recorded_by <> ''),
    happened_at timestamptz not null,
    constraint objection_event_order unique (objection_id, event_no),
    constraint objection_edge check ((from_state, event, to_state) in (
        ('open', 'extended', 'extended'),
        ('open', 'decided_again', 'reviewed'),
        ('extended', 'decided_again', 'reviewed'),
        ('reviewed', 'decided_again', 'reviewed'),
        ('open', 'answered', 'answered'),
        ('extended', 'answered', 'answered'),
        ('reviewed', 'answered', 'answered'),
        ('open', 'withdrawn', 'withdrawn'),
        ('extended', 'withdrawn', 'withdrawn'),
        ('reviewed', 'withdrawn', 'withdrawn'),
        ('answered', 'decided_again', 'answered'),
        ('answered', 'refusal_ended', 'ended'))),
    check ((finding <> '') = (event = 'answered'))
);

-- Nothing of these rows ever changes, but that the sealed words and their salt are emptied when the person is erased.
create function keep_objection() returns trigger language plpgsql as $$
declare
    emptied text[] := array['sealed', 'salt'];
begin
    if tg_op = 'DELETE' or (to_jsonb(new) - emptied) is distinct from (to_jsonb(old) - emptied)
        or octet_length(new.sealed) + octet_length(new.salt) > 0 then
        raise exception 'what was recorded of an objection never changes' using errcode = 'integrity_constraint_violation', table = tg_table_name;
    end if;
    return new;
end $$;
create trigger objection_stays before update or delete on objection for each row execute function keep_objection();
create trigger no_truncate before truncate on objection for each statement execute function refuse_change();
create trigger objection_event_stays before update or delete on objection_event for each row execute function keep_objection();
create trigger no_truncate before truncate on objection_event for each statement execute function refuse_change();
grant update (sealed, salt) on objection, objection_event to gateway_app;
-- Events follow one another: each begins where the one before it ended.
create function follow_objection() returns trigger language plpgsql as $$
declare
    last record;
begin
    select event_no, to_state into last from objection_event where objection_id = new.objection_id order by event_no desc limit 1;
    if new.event_no <> coalesce(last.event_no, 0) + 1 or new.from_state <> coalesce(last.to_state, 'open') then
        raise exception 'an event of an objection begins where the last one ended' using errcode = 'integrity_constraint_violation',
            table = 'objection_event', constraint = 'objection_event_order';
    end if;
    return new;
end $$;
create trigger objection_event_follows before insert on objection_event for each row execute function follow_objection();

-- Whom the sweep left to a person, because the applicant refuses decisions made only by a machine (PIPL art. 24).
create table review_waiting (
    subject_id bigint not null,
    product text not null,
    applicant_id bigint not null,
    waiting_since timestamptz not null,
    primary key (subject_id, product)
);
create index review_waiting_age on review_waiting (waiting_since);
grant delete on review_waiting to gateway_app;

-- A letter may be taken out again, and the evidence of a redemption: each is an export, with who and why.
alter table evidence_export drop constraint evidence_export_about_kind_check;
alter table evidence_export add constraint evidence_export_about_kind_check
    check (about_kind in ('decision', 'resident', 'period', 'redemption', 'letter'));
