-- A resident's account at a town, linked by the resident. One row a link; ending it fills ended_at once.
create table link (
    link_id uuid primary key,
    town text not null,
    person_id bigint not null,
    linked_at timestamptz not null,
    ended_at timestamptz,
    ended_by text check (ended_by in ('resident', 'town')),
    check ((ended_at is null) = (ended_by is null))
);
create unique index link_in_force on link (town, person_id) where ended_at is null;
grant update (ended_at, ended_by) on link to gateway_app;
create function refuse_link_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.ended_at is not null or new.ended_at is null then
        raise exception 'an account is linked once and unlinked once' using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger link_once before update or delete on link for each row execute function refuse_link_change();

-- The town's name for the resident and the refresh token, sealed. Gone when the link ended and the town was told.
create table link_grant (
    link_id uuid primary key,
    town text not null,
    person_id bigint not null,
    key_id text not null,
    sealed bytea not null,                   -- AES-256-GCM or SM4-GCM of {account, refresh_token}
    renewed_at timestamptz not null,
    history_cursor text not null default '', -- what the feed held back before the consent is fetched again
    history_done_at timestamptz,
    ended_at timestamptz                     -- the link ended; the grant waits to be revoked at the town
);
create index link_grant_history on link_grant (town) where history_done_at is null;
create index link_grant_ended on link_grant (town) where ended_at is not null;
create index link_grant_renewed on link_grant (town, renewed_at);
create index link_grant_person on link_grant (person_id, town);
grant update, delete on link_grant to gateway_app;

-- A resident on the way to the town and back: minutes. What is sealed goes when the state was used.
create table link_attempt (
    attempt_id uuid primary key,
    town text not null,
    entry_id uuid not null,
    state_digest bytea not null unique,
    session_digest bytea not null,
    key_id text not null,
    sealed bytea not null,                   -- {identity, purposes, code_verifier, nonce, language}
    begun_at timestamptz not null,
    expires_at timestamptz not null,
    taken_at timestamptz,
    outcome text not null default 'open'
);
create index link_attempt_entry on link_attempt (entry_id);
create index link_attempt_age on link_attempt (begun_at);
grant update, delete on link_attempt to gateway_app;
