-- name: lock_town
-- One comparison of a town at a time; held until the transaction ends.
select pg_advisory_xact_lock(hashtextextended(%(town)s, 11)) is null as held;

-- name: copy_lines
copy statement_line (run_id, line_kind, reference, kind, points_centi, state, holder_id) from stdin;

-- name: delete_lines
delete from statement_line where run_id = %(run_id)s;

-- name: insert_elsewhere
-- Lines whose contribution has another day of its own, or whose freeze we asked for on another day.
insert into line_elsewhere (town, line_kind, reference, accounting_on)
select %(town)s, l.line_kind, l.reference, %(on)s
from statement_line l join contribution c on c.town = %(town)s and c.reference = l.reference
where l.run_id = %(run_id)s and l.line_kind = 'contribution' and c.occurred_on <> %(on)s
union all
select %(town)s, l.line_kind, l.reference, %(on)s
from statement_line l join redemption_leg g on g.town = %(town)s and g.serial = l.reference
where l.run_id = %(run_id)s and l.line_kind = 'redemption' and (g.asked_at at time zone 'Asia/Shanghai')::date <> %(on)s
on conflict do nothing;

-- name: insert_changes
-- The one comparison. Finds every difference of the day as it is now, and writes what is new of it; what no longer stands is closed.
with line as materialized (
    select line_kind, reference, kind, points_centi, state, holder_id from statement_line where run_id = %(run_id)s
), met as (
    select l.reference, l.kind, l.points_centi, c.kind as our_kind, abs(c.points_centi) as our_centi, c.reference is not null as stands,
           concat_ws(',', case when c.kind <> l.kind then 'kind' end,
                          case when abs(c.points_centi) <> l.points_centi then 'points' end,
                          case when c.holder_id is distinct from l.holder_id then 'account' end) as fields
    from line l left join contribution c on c.town = %(town)s and c.reference = l.reference
    where l.line_kind = 'contribution'
), freezes as materialized (
    -- What the town did under our serials, and what we are sure of: released, expired and reversed are all ended to us.
    select l.reference, l.state, l.points_centi, g.serial is not null as stands, g.heard, g.total_centi as our_centi,
           concat_ws(',', case when g.total_centi <> l.points_centi then 'points' end,
                          case when g.holder_id is distinct from l.holder_id then 'account' end,
                          case when g.heard <> l.state and not (l.state in ('released', 'expired', 'reversed') and g.heard in ('ended', 'absent'))
                               then 'state' end) as fields
    from line l left join redemption_leg g on g.town = %(town)s and g.serial = l.reference
    where l.line_kind = 'redemption'
), unmet as materialized (
    select reference, kind, points_centi from met where not stands
), answered as materialized (
    -- What the town was told of items we do not have: rejected (nothing kept) or quarantined. Batch ids begin with their instant.
    select distinct on (e.entry ->> 1) e.entry ->> 1 as reference, e.entry ->> 2 as status, e.entry ->> 3 as code
    from contribution_batch b cross join lateral jsonb_array_elements(b.exceptions) e(entry)
    where b.town = %(town)s and b.batch_id >= %(from_batch)s::uuid and exists (select from unmet)
      and e.entry ->> 1 in (select reference from unmet) and e.entry ->> 2 in ('rejected', 'quarantined')
    order by e.entry ->> 1, b.batch_id desc
), waiting as materialized (
    select distinct on (q.reference) q.reference, q.code from quarantined_item q
    where q.town = %(town)s and q.released_at is null and q.reference in (select reference from unmet)
    order by q.reference, q.quarantined_at desc
), theirs as (
    select 'contribution' as line_kind, u.reference, 'theirs_only' as outcome, '' as fields, '' as ours,
           u.kind || ' ' || u.points_centi as theirs,
           case when w.reference is not null then 'gateway' else 'town' end as owner,
           case when w.reference is not null then 'read-again' when a.status = 'rejected' then 'correct-and-send'
                else 'send-again' end as action,
           case when w.reference is null and a.status = 'rejected' then 'explained' else 'open' end as state,
           case when w.reference is not null then 'quarantined: ' || w.code
                when a.status is not null then a.status || ': ' || coalesce(a.code, '') else '' end as why
    from unmet u left join waiting w using (reference) left join answered a using (reference)
    union all
    select 'redemption', reference, 'theirs_only', '', '', state || ' ' || points_centi, 'bank', 'ask-by-serial', 'open', ''
    from freezes where not stands and state in ('frozen', 'confirmed')
), found as materialized (
    select line_kind, reference, outcome, fields, ours, theirs, owner, action, state, why from theirs
    union all
    select 'contribution', reference, 'differs', fields, our_kind || ' ' || our_centi, kind || ' ' || points_centi,
           case when fields = 'account' then 'gateway' else 'town' end,
           case when fields = 'account' then 'compare-registration' else 'reverse-and-send' end, 'open', ''
    from met where stands and fields <> ''
    union all
    select 'redemption', reference, 'differs', fields, heard || ' ' || our_centi, state || ' ' || points_centi, 'bank', 'ask-by-serial',
           'open', ''
    from freezes where stands and fields <> ''
    union all
    select 'redemption', g.serial, 'ours_only', '', g.heard || ' ' || g.total_centi, '', 'bank', 'ask-by-serial', 'open', ''
    from redemption_leg g
    where g.town = %(town)s and g.heard in ('frozen', 'confirmed') and g.asked_at <= %(asked_at)s
      and g.asked_at >= %(on)s::date::timestamp at time zone 'Asia/Shanghai'
      and g.asked_at < (%(on)s::date + 1)::timestamp at time zone 'Asia/Shanghai'
      and not exists (select from line l where l.line_kind = 'redemption' and l.reference = g.serial)
      and not exists (select from line_elsewhere e
                      where e.town = %(town)s and e.line_kind = 'redemption' and e.reference = g.serial)
    union all
    select 'contribution', c.reference, 'ours_only', '', c.kind || ' ' || abs(c.points_centi), '', 'town', 'list-or-reverse', 'open', ''
    from contribution c join contribution_batch b using (batch_id)
    where c.town = %(town)s and c.occurred_on = %(on)s and b.received_at <= %(asked_at)s
      and not exists (select from line l where l.line_kind = 'contribution' and l.reference = c.reference)
      and not exists (select from line_elsewhere e
                      where e.town = %(town)s and e.line_kind = 'contribution' and e.reference = c.reference)
), latest as materialized (
    select distinct on (d.line_kind, d.reference) d.*
    from difference_change d
    where d.town = %(town)s
      and (d.accounting_on = %(on)s or exists (select from line l where l.line_kind = d.line_kind and l.reference = d.reference))
    order by d.line_kind, d.reference, d.change_no desc
), step as (
    select f.line_kind, f.reference, coalesce(p.change_no, 0) + 1 as change_no, coalesce(p.accounting_on, %(on)s) as accounting_on,
           f.outcome, f.fields, f.ours, f.theirs, f.owner, f.action, f.state, f.why,
           case when p.state in ('open', 'explained') then p.found_at else %(now)s end as found_at
    from found f left join latest p using (line_kind, reference)
    where p.reference is null or p.state = 'closed'
       or (p.outcome, p.fields, p.ours, p.theirs) is distinct from (f.outcome, f.fields, f.ours, f.theirs)
       or (p.said_by = 'gateway' and (p.owner, p.action, p.state, p.why) is distinct from (f.owner, f.action, f.state, f.why))
    union all
    select p.line_kind, p.reference, p.change_no + 1, p.accounting_on, p.outcome, p.fields, p.ours, p.theirs, p.owner, 'none', 'closed',
           'both sides agree', p.found_at
    from latest p
    where p.state <> 'closed' and not exists (select from found f where f.line_kind = p.line_kind and f.reference = p.reference)
)
insert into difference_change (town, line_kind, reference, change_no, run_id, accounting_on, outcome, fields, ours, theirs, owner,
                               action, state, why, said_by, found_at, changed_at)
select %(town)s, line_kind, reference, change_no, %(run_id)s, accounting_on, outcome, fields, ours, theirs, owner, action, state, why,
       'gateway', found_at, %(now)s
from step;

-- name: count_outcomes
-- How the lines of a run met: matched, and the open or explained differences of the day.
select (select count(*) from statement_line l join contribution c on c.town = %(town)s and c.reference = l.reference
        where l.run_id = %(run_id)s and l.line_kind = 'contribution' and c.kind = l.kind and abs(c.points_centi) = l.points_centi
          and c.holder_id is not distinct from l.holder_id)
       + (select count(*) from statement_line l join redemption_leg g on g.town = %(town)s and g.serial = l.reference
          where l.run_id = %(run_id)s and l.line_kind = 'redemption' and g.total_centi = l.points_centi
            and g.holder_id is not distinct from l.holder_id
            and (g.heard = l.state or (l.state in ('released', 'expired', 'reversed') and g.heard in ('ended', 'absent')))) as matched,
       count(*) filter (where outcome = 'ours_only') as ours_only,
       count(*) filter (where outcome = 'theirs_only') as theirs_only,
       count(*) filter (where outcome = 'differs') as differing
from (select distinct on (line_kind, reference) outcome, state from difference_change
      where town = %(town)s and accounting_on = %(on)s order by line_kind, reference, change_no desc) latest
where state <> 'closed';

-- name: insert_run
insert into reconciliation (run_id, cause, town, accounting_on, said_by, statement_sha256, line_count, matched_count, ours_only_count,
                            theirs_only_count, differing_count, change_count, asked_at, reconciled_at)
values (%(run_id)s, %(cause)s, %(town)s, %(on)s, %(said_by)s, %(statement_sha256)s, %(line_count)s, %(matched)s, %(ours_only)s,
        %(theirs_only)s, %(differing)s, %(changes)s, %(asked_at)s, %(now)s);

-- name: find_last_run
select r.run_id, r.statement_sha256, r.line_count, r.matched_count, r.ours_only_count, r.theirs_only_count, r.differing_count
from reconciled_day d join reconciliation r on r.run_id = d.run_id
where d.town = %(town)s and d.accounting_on = %(on)s;

-- name: put_day
insert into reconciled_day (town, accounting_on, run_id, statement_sha256, checked_at)
values (%(town)s, %(on)s, %(run_id)s, %(statement_sha256)s, %(now)s)
on conflict (town, accounting_on) do update
set run_id = excluded.run_id, statement_sha256 = excluded.statement_sha256, checked_at = excluded.checked_at;

-- name: find_day
select d.town, d.accounting_on, d.checked_at, r.line_count, r.matched_count, r.ours_only_count, r.theirs_only_count, r.differing_count
from reconciled_day d join reconciliation r on r.run_id = d.run_id
where d.town = %(town)s and d.accounting_on = %(on)s;

-- name: list_last_days
-- The latest day of each town that was compared.
select distinct on (town) town, accounting_on, checked_at from reconciled_day order by town, accounting_on desc;

-- name: list_due_days
-- Days to compare: never compared since the first one, or with an open difference, or with items that came after the last look.
with known as (
    select min(accounting_on) as first_on from reconciled_day where town = %(town)s
), began as (
    select greatest(coalesce((select first_on from known),
                             (select min(occurred_on) from contribution where town = %(town)s), %(until)s), %(from)s) as first_on
), missed as (
    select day::date as accounting_on from began, generate_series(began.first_on, %(until)s::date, interval '1 day') day
    where not exists (select from reconciled_day r where r.town = %(town)s and r.accounting_on = day::date)
), unsettled as (
    select accounting_on from (
        select distinct on (line_kind, reference) accounting_on, state from difference_change
        where town = %(town)s and accounting_on between %(from)s and %(until)s order by line_kind, reference, change_no desc) latest
    where state = 'open'
), late as (
    select c.occurred_on as accounting_on
    from contribution_batch b join contribution c using (batch_id) join reconciled_day r
      on r.town = %(town)s and r.accounting_on = c.occurred_on and b.received_at > r.checked_at
    where b.town = %(town)s and b.batch_id >= %(from_batch)s::uuid and c.occurred_on between %(from)s and %(until)s
)
select accounting_on from missed union select accounting_on from unsettled union select accounting_on from late
order by accounting_on limit %(limit)s;

-- name: list_differences
-- How every difference stands, oldest first; `on` narrows to a day, `settled` adds those that are closed.
select town, line_kind, reference, change_no, run_id, accounting_on, outcome, fields, ours, theirs, owner, action, state, why, said_by,
       found_at, changed_at
from (select distinct on (town, line_kind, reference) * from difference_change
      where (%(town)s::text is null or town = %(town)s) and (%(on)s::date is null or accounting_on = %(on)s)
      order by town, line_kind, reference, change_no desc) latest
where state <> 'closed' or %(settled)s
order by found_at, town, reference limit %(limit)s;

-- name: count_differences
-- By town, owner and state: how many, and since when the oldest stands.
select town, owner, state, count(*) as differences, min(found_at) as oldest_at
from (select distinct on (town, line_kind, reference) town, owner, state, found_at from difference_change
      order by town, line_kind, reference, change_no desc) latest
where state <> 'closed' group by town, owner, state order by town, owner, state;

-- name: insert_word
-- A person's word about differences that are not closed: explained, or closed.
insert into difference_change (town, line_kind, reference, change_no, run_id, accounting_on, outcome, fields, ours, theirs, owner,
                               action, state, why, said_by, found_at, changed_at)
select town, line_kind, reference, change_no + 1, %(run_id)s, accounting_on, outcome, fields, ours, theirs, owner, action, %(state)s,
       %(why)s, %(said_by)s, found_at, %(now)s
from (select distinct on (line_kind, reference) * from difference_change
      where town = %(town)s and reference = any(%(references)s) order by line_kind, reference, change_no desc) latest
where state <> 'closed' and (state, why, said_by) is distinct from (%(state)s, %(why)s, %(said_by)s)
returning reference, accounting_on;

-- name: list_run_ids
select run_id::text as row_id from reconciliation
where run_id > coalesce(nullif(%(after)s, ''), '00000000-0000-0000-0000-000000000000')::uuid order by run_id limit %(limit)s;

-- name: list_runs
select run_id::text as row_id, cause, town, accounting_on, said_by, statement_sha256, line_count, matched_count, ours_only_count,
       theirs_only_count, differing_count, change_count, asked_at, reconciled_at
from reconciliation where run_id = any(%(row_ids)s::uuid[]);

-- name: list_changes_of_runs
select run_id::text as row_id, town, line_kind, reference, change_no, accounting_on, outcome, fields, ours, theirs, owner, action, state,
       why, said_by, found_at, changed_at
from difference_change where run_id = any(%(row_ids)s::uuid[])
order by run_id, line_kind collate "C", reference collate "C", town collate "C", change_no;

-- name: list_orphans
-- Steps of a difference that no run wrote.
select d.town, d.line_kind, d.reference, d.change_no, d.run_id from difference_change d
where not exists (select from reconciliation r where r.run_id = d.run_id) limit %(limit)s;
