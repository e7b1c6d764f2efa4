-- 0033_outcomes_and_keys
-- Outcomes of jobs that an auditor asks about: each verification, and where a watched job began to fail or went well again. What the
-- log's job_outcome records speak of; `job_run` is operations' notes and is forgotten.
create table job_outcome (
    run_id uuid primary key,
    job text not null,
    started_at timestamptz not null,
    ended_at timestamptz not null,
    outcome text not null check (outcome in ('done', 'failed')),
    error_code text not null,
    counts jsonb not null,
    run_by text not null                     -- host and process
);
create index job_outcome_latest on job_outcome (job, ended_at desc);
call make_append_only('job_outcome');

-- Keys and certificates of ours, and keys of our witnesses: when each began to be used here and when it ended. What the log's
-- own_key_changed records speak of. Public keys and digests only.
create table own_key_change (
    change_id uuid primary key,
    purpose text not null,
    public_key text not null,                -- a verifier key, a JWK thumbprint, or SHA-256 of a certificate
    change text not null check (change in ('begun', 'ended')),
    changed_at timestamptz not null
);
create index own_key_change_key on own_key_change (purpose, public_key, changed_at);
call make_append_only('own_key_change');
