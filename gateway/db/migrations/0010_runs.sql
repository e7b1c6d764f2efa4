-- Runs of jobs. Consecutive runs that found nothing to do share one row (idle, repeats), so that a job each second costs little.
create table job_run (
    run_id uuid primary key,
    job text not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    outcome text not null check (outcome in ('running', 'done', 'idle', 'failed', 'lost')),
    repeats int not null default 1 check (repeats > 0),
    counts jsonb not null default '{}',
    error_code text not null default '',
    run_by text not null default '',         -- host and process
    check ((outcome = 'running') = (ended_at is null))
);
create index job_run_latest on job_run (job, started_at desc);
create index job_run_open on job_run (started_at) where outcome = 'running';
grant update (ended_at, outcome, repeats, counts, error_code), delete on job_run to gateway_app;
