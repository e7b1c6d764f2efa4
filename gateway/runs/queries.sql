-- name: insert_run
insert into job_run (run_id, job, started_at, outcome, run_by) values (%(run_id)s, %(job)s, %(now)s, 'running', %(run_by)s);

-- name: put_run
insert into job_run (run_id, job, started_at, ended_at, outcome, repeats, counts, error_code, run_by)
values (%(run_id)s, %(job)s, %(started_at)s, %(now)s, %(outcome)s, %(repeats)s, %(counts)s, %(error_code)s, %(run_by)s)
on conflict (run_id) do update set ended_at = excluded.ended_at, outcome = excluded.outcome, repeats = excluded.repeats,
    counts = excluded.counts, error_code = excluded.error_code;

-- name: repeat_idle
update job_run set repeats = repeats + %(repeats)s, ended_at = %(now)s
where run_id = (select run_id from job_run where job = %(job)s and run_id <> %(run_id)s order by started_at desc limit 1)
  and outcome = 'idle' and run_by = %(run_by)s;

-- name: remove_run
delete from job_run where run_id = %(run_id)s;

-- name: mark_lost
update job_run set outcome = 'lost', ended_at = %(now)s
where outcome = 'running' and run_by like 'scheduler %%' and run_by <> %(run_by)s;

-- name: list_runs
select run_id, job, started_at, ended_at, outcome, repeats, counts, error_code, run_by from job_run
where %(job)s::text is null or job = %(job)s order by started_at desc limit %(limit)s;

-- name: list_latest
select distinct on (job) run_id, job, started_at, ended_at, outcome, repeats, counts, error_code, run_by from job_run
where job = any(%(jobs)s::text[]) order by job, started_at desc;

-- name: remove_old
delete from job_run where ended_at < %(before)s;

-- name: try_lead
select pg_try_advisory_xact_lock(%(lock)s) as leads;

-- name: still_there
select 1 as here;

-- name: find_last_outcome
select outcome, error_code from job_outcome where job = %(job)s order by ended_at desc, run_id desc limit 1;

-- name: insert_outcome
insert into job_outcome (run_id, job, started_at, ended_at, outcome, error_code, counts, run_by)
values (%(run_id)s, %(job)s, %(started_at)s, %(now)s, %(outcome)s, %(error_code)s, %(counts)s, %(run_by)s)
on conflict (run_id) do nothing;

-- name: list_outcome_ids
select run_id::text as row_id from job_outcome where run_id::text > %(after)s order by row_id limit %(limit)s;

-- name: restate_outcomes
select run_id::text as run_id, job, started_at, ended_at, outcome, error_code, counts, run_by from job_outcome
where run_id = any(%(row_ids)s::uuid[]);
