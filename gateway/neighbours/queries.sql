-- name: list_standings
-- One neighbour or all of which anything is known.
select coalesce(s.neighbour, b.neighbour) as neighbour, coalesce(s.paused, false) as paused, coalesce(s.why, '') as why,
       coalesce(s.said_by, '') as said_by, s.switched_at, coalesce(b.state, 'closed') as state, coalesce(b.times_opened, 0) as times_opened,
       b.since, b.retry_at, coalesce(b.last_code, '') as last_code, b.last_answer_at, b.last_failure_at
from (select distinct on (neighbour) neighbour, paused, why, said_by, switched_at from neighbour_switch
      where %(neighbour)s::text is null or neighbour = %(neighbour)s
      order by neighbour, switched_at desc, switch_id desc) s
full join (select * from neighbour_breaker where %(neighbour)s::text is null or neighbour = %(neighbour)s) b using (neighbour)
order by 1;

-- name: mark_open
-- Opens what is closed or was being tried. One that is open already keeps its time.
insert into neighbour_breaker as b (neighbour, state, times_opened, since, retry_at, last_code, last_failure_at)
values (%(neighbour)s, 'open', 1, %(now)s, %(now)s + %(wait)s::interval, %(code)s, %(now)s)
on conflict (neighbour) do update
set state = 'open', times_opened = b.times_opened + 1, since = excluded.since, last_code = excluded.last_code,
    last_failure_at = excluded.last_failure_at,
    retry_at = %(now)s + least(%(wait)s::interval * (2 ^ least(b.times_opened, 10)), %(longest)s::interval)
where b.state <> 'open';

-- name: claim_probe
-- One process tries what is open and due; a try that was never finished (its process died) may be made again after its time.
update neighbour_breaker set state = 'half_open', since = %(now)s, retry_at = %(now)s + %(within)s::interval
where neighbour = %(neighbour)s and state in ('open', 'half_open') and retry_at <= %(now)s;

-- name: mark_closed
update neighbour_breaker set state = 'closed', times_opened = 0, since = %(now)s, retry_at = null, last_answer_at = %(now)s
where neighbour = %(neighbour)s and state <> 'closed';

-- name: mark_answered
insert into neighbour_breaker (neighbour, since, last_answer_at) values (%(neighbour)s, %(now)s, %(now)s)
on conflict (neighbour) do update set last_answer_at = excluded.last_answer_at;

-- name: insert_switch
insert into neighbour_switch (switch_id, neighbour, paused, why, said_by, switched_at)
select %(switch_id)s, %(neighbour)s, %(paused)s, %(why)s, %(said_by)s, %(now)s
where %(paused)s is distinct from coalesce(
    (select paused from neighbour_switch where neighbour = %(neighbour)s order by switched_at desc, switch_id desc limit 1), false);

-- name: list_switch_ids
select switch_id::text as row_id from neighbour_switch
where switch_id > coalesce(nullif(%(after)s, ''), '00000000-0000-0000-0000-000000000000')::uuid order by switch_id limit %(limit)s;

-- name: restate_switches
select switch_id::text as row_id, neighbour, paused, why, said_by, switched_at from neighbour_switch
where switch_id = any(%(row_ids)s::uuid[]);
