-- Members of staff. One person has one teller number; where the bank's provider vouches for them, `subject` is its iss and sub.
create table staff (
    staff_id uuid primary key,
    name text not null,
    branch_no text not null check (branch_no ~ '^[0-9]{1,12}$'),
    teller_no text not null unique check (teller_no ~ '^[0-9A-Za-z]{1,16}$'),
    roles text[] not null check (
        cardinality(roles) > 0
        and roles <@ array['clerk', 'supervisor', 'policy_author', 'policy_approver', 'auditor', 'operator']),
    source text not null check (source in ('directory', 'provider')),
    subject text not null default '',
    enabled boolean not null default true,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    check ((source = 'provider') = (subject <> ''))
);
create unique index staff_subject on staff (subject) where subject <> '';
grant update on staff to gateway_app;

-- Every change of an account, its roles or its credentials; what the log's staff_changed records speak of.
create table staff_change (
    change_id uuid primary key,
    staff_id uuid not null,
    change text not null check (change in ('added', 'replaced', 'enabled', 'disabled', 'credentials')),
    branch_no text not null,
    teller_no text not null,
    roles text[] not null,
    source text not null,
    subject_sha256 text not null,
    enabled boolean not null,
    secret_sha256 text not null,            -- '' where there are no credentials of ours
    changed_by text not null,
    changed_at timestamptz not null
);
create index staff_change_staff on staff_change (staff_id, changed_at);
call make_append_only('staff_change');

-- Passwords (argon2id) and second factors (sealed). The auditor sees a digest of them, never themselves.
create table staff_secret (
    staff_id uuid primary key,
    password_hash text not null,
    totp_key_id text not null,
    totp_box bytea not null,
    totp_last_step bigint not null default 0,   -- a code is accepted once (RFC 6238 section 5.2)
    failed_count int not null default 0,
    locked_until timestamptz
);
grant update on staff_secret to gateway_app;
revoke select on staff_secret from gateway_auditor;

create function staff_secret_sha256(of_staff uuid) returns text
language sql stable security definer set search_path = public as $$
    select coalesce((
        select encode(sha256(convert_to(password_hash || ' ' || totp_key_id || ' ', 'UTF8') || totp_box), 'hex')
        from staff_secret where staff_id = of_staff), '')
$$;
grant execute on function staff_secret_sha256(uuid) to gateway_app, gateway_auditor;

-- Sessions live here, not in the browser: the cookie holds a random token, this table its digest.
create table staff_session (
    session_id uuid primary key,
    token_sha256 bytea not null unique,
    staff_id uuid not null,
    branch_no text not null,
    teller_no text not null,
    started_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    end_code text not null default '',
    proof_key_id text not null default '',  -- the provider's id_token, sealed: shown again at sign-out
    proof_box bytea not null default ''
);
create unique index staff_session_one on staff_session (staff_id) where ended_at is null;
create index staff_session_ended on staff_session (ended_at) where ended_at is not null;
grant update, delete on staff_session to gateway_app;
revoke select on staff_session from gateway_auditor;

-- What staff did at the doors: signed in and out, was refused. Each is a record in the log.
create table staff_event (
    event_id uuid primary key,
    staff_id uuid not null,
    event text not null check (event in ('signed_in', 'signed_out', 'refused', 'locked')),
    branch_no text not null,
    teller_no text not null,
    code text not null,
    place text not null default '',         -- the address rule that was asked for, never a query
    occurred_at timestamptz not null
);
create index staff_event_staff on staff_event (staff_id, occurred_at);
call make_append_only('staff_event');
