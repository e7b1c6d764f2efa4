-- name: claim_keys prepared
-- Take an advisory lock on each (client, key) and see what stands there. A key whose lock somebody else holds is in progress.
with asked as (
    select client_id, idempotency_key, no
    from unnest(%(client_ids)s::text[], %(keys)s::text[]) with ordinality as a(client_id, idempotency_key, no)
), locked as materialized (
    select no, client_id, idempotency_key,
           pg_try_advisory_xact_lock(hashtextextended(client_id || e'\n' || idempotency_key, 7)) as mine
    from asked
)
select l.no - 1 as no, l.mine, b.batch_id, b.payload_sha256, b.received_at, b.item_count, b.exceptions, b.receipt
from locked l
left join contribution_batch b using (client_id, idempotency_key)
order by l.no;

-- name: find_earlier prepared
-- Items of this town that stand already under one of these references, or that reverse one of them.
select reference, content_digest, holder_id, person_id, kind, category, points_centi, occurred_on, false as reversed
from contribution
where town = %(town)s and reference = any(string_to_array(%(references)s, e'\n'));

-- name: list_reversed prepared
select reverses from contribution where town = %(town)s and reverses = any(string_to_array(%(references)s, e'\n'));

-- name: copy_contributions
copy contribution (town, reference, batch_id, item_no, kind, activity, category, holder_id, person_id, points_centi,
                   occurred_at, occurred_on, reverses, period, content_digest) from stdin;

-- name: add_month_sums prepared
-- In one order, so that two pushes never wait for each other in a circle.
insert into month_sum as m (holder_id, town, person_id, month, category, kind, points_centi, items)
select holder_id, %(town)s, person_id, month, category, kind, points, items
from unnest(%(holders)s::bigint[], %(persons)s::bigint[], %(months)s::int[],
            string_to_array(%(categories)s, e'\n'), string_to_array(%(kinds)s, e'\n'),
            %(points)s::bigint[], %(items)s::bigint[])
     as s(holder_id, person_id, month, category, kind, points, items)
order by holder_id, person_id, month, category, kind
on conflict (holder_id, town, person_id, month, category, kind)
do update set points_centi = m.points_centi + excluded.points_centi, items = m.items + excluded.items;

-- name: insert_batches prepared
-- Batch rows, their encrypted bytes, and their places in the queue for evaluation, in one statement.
with given as materialized (
    select * from json_to_recordset(%(batches)s::json) as t(
        batch_id uuid, client_id text, idempotency_key text, payload_sha256 text, adapter text, received_at timestamptz,
        item_count int, accepted_count int, exceptions jsonb, item_digests text, receipt text, key_id text, sealed text, whole boolean)
), raw as (
    insert into raw_push (batch_id, key_id, sealed, whole, received_at)
    select batch_id, key_id, decode(sealed, 'base64'), whole, %(now)s::timestamptz from given
), changed as (
    insert into changed_batch (batch_id, queued_at)
    select batch_id, %(now)s::timestamptz from given where accepted_count > 0
)
insert into contribution_batch (batch_id, town, client_id, idempotency_key, payload_sha256, adapter, received_at, item_count,
                                accepted_count, exceptions, item_digests, receipt)
select batch_id, %(town)s, client_id, idempotency_key, decode(payload_sha256, 'hex'), adapter, received_at, item_count,
       accepted_count, exceptions, decode(item_digests, 'base64'), receipt
from given;

-- name: copy_quarantined
copy quarantined_item (batch_id, item_no, town, reference, code, detail, quarantined_at, keep_until) from stdin;

-- name: find_batch
select batch_id, town, client_id, received_at, item_count, accepted_count, exceptions, receipt
from contribution_batch where batch_id = %(batch_id)s;

-- name: list_batches_after
-- Batch ids are UUIDv7, so their order is that of time.
select b.batch_id, b.client_id, b.received_at, b.item_count, b.accepted_count, b.exceptions,
       exists (select from contribution c where c.batch_id = b.batch_id and c.kind = 'reversal') as corrects
from contribution_batch b where b.batch_id > %(after)s and b.town = %(town)s order by b.batch_id limit %(limit)s;

-- name: find_batch_of
select batch_id from contribution_batch where client_id = %(client_id)s and idempotency_key = %(idempotency_key)s;

-- name: list_batch_items
select item_no, reference from contribution where batch_id = %(batch_id)s order by item_no;

-- name: list_codes
select activity, category from activity_code where town = %(town)s;

-- name: list_month_sums
select holder_id, town, person_id, month, category, kind, points_centi
from month_sum
where holder_id = any(%(holder_ids)s::bigint[]) and month >= %(from_month)s
order by holder_id, town, person_id, month, category, kind;

-- name: list_first_and_last
-- First month with anything, and the last day something was contributed.
select h.holder_id,
       (select min(month) from month_sum m where m.holder_id = h.holder_id) as first_month,
       (select max(occurred_on) from contribution c
        where c.holder_id = h.holder_id and c.kind in ('award', 'deduction')) as last_on
from unnest(%(holder_ids)s::bigint[]) h(holder_id);

-- name: list_posted_scores
-- What stands of each period that had been posted by the day: a later list or a correction names the score it replaces.
select distinct on (holder_id, town, period) holder_id, town, period, points_centi from (
    select c.holder_id, c.town, c.period, c.points_centi, c.occurred_at, c.batch_id,
           min(c.occurred_on) over (partition by c.holder_id, c.town, c.period) as posted_on,
           exists (select from contribution r where r.town = c.town and r.reverses = c.reference) as replaced
    from contribution c
    where c.holder_id = any(%(holder_ids)s::bigint[]) and c.kind = 'posted_score'
) scored
where not replaced and posted_on <= %(on)s
order by holder_id, town, period, occurred_at desc, batch_id desc;

-- name: list_batch_ids
select batch_id::text as row_id from contribution_batch
where batch_id > coalesce(nullif(%(after)s, ''), '00000000-0000-0000-0000-000000000000')::uuid order by batch_id limit %(limit)s;

-- name: restate_batches
select batch_id::text as row_id, town, client_id, idempotency_key, payload_sha256, adapter, received_at, item_count,
       accepted_count, exceptions, item_digests, receipt
from contribution_batch where batch_id = any(%(row_ids)s::uuid[]);

-- name: list_rows_of_batches
select batch_id::text as row_id, item_no, town, reference, kind, activity, category, holder_id, person_id, points_centi,
       occurred_at, occurred_on, reverses, period, content_digest
from contribution where batch_id = any(%(row_ids)s::uuid[])
order by batch_id, item_no;

-- name: list_orphans
-- Contributions of a batch that does not exist.
select c.batch_id::text as row_id, c.item_no, c.reference from contribution c
where not exists (select from contribution_batch b where b.batch_id = c.batch_id)
limit %(limit)s;

-- name: list_month_faults
-- Month sums that differ from the contributions they sum (a reversal takes from the month and kind of its original).
with each_row as (
    select coalesce(o.holder_id, c.holder_id) as holder_id, c.town, coalesce(o.person_id, c.person_id) as person_id,
           (extract(year from coalesce(o.occurred_on, c.occurred_on)) * 100
            + extract(month from coalesce(o.occurred_on, c.occurred_on)))::int as month,
           coalesce(o.category, c.category) as category, coalesce(o.kind, c.kind) as kind,
           case when c.kind = 'reversal' then -c.points_centi else c.points_centi end as points
    from contribution c
    left join contribution o on c.kind = 'reversal' and o.town = c.town and o.reference = c.reverses
    where c.kind <> 'posted_score'
), summed as (
    select holder_id, town, person_id, month, category, kind, sum(points)::bigint as points, count(*) as items
    from each_row group by 1, 2, 3, 4, 5, 6
)
select holder_id, town, person_id, month, category, kind, m.points_centi as stored, s.points as summed
from summed s full join month_sum m using (holder_id, town, person_id, month, category, kind)
where m.points_centi is distinct from s.points or m.items is distinct from s.items
limit %(limit)s;

-- name: list_posting_faults
-- Transfers that do not follow from contributions. Leg 0 pays what is owed, or takes what is available; recorded with the batch.
with meant as (
    select c.batch_id, c.item_no, c.holder_id, c.town, r.recorded_at,
           case when (coalesce(o.kind, c.kind) in ('award', 'transfer_in')) = (c.kind <> 'reversal') then 1 else -1 end * c.points_centi as points,
           case when coalesce(o.kind, c.kind) = 'spend' then 'spent' else 'issue' end as other,
           case when coalesce(o.kind, c.kind) = 'spend' then c.holder_id else 0 end as other_holder
    from contribution c
    left join contribution o on c.kind = 'reversal' and o.town = c.town and o.reference = c.reverses
    left join record r on r.kind = 'contribution_batch' and r.row_id = c.batch_id::text
    where c.kind <> 'posted_score'
), moved as (select *, credit_kind in ('available', 'owed') as gives from transfer where cause_kind = 'contribution')
select coalesce(c.batch_id, m.cause_id)::text as row_id, coalesce(c.item_no, m.cause_no) as item_no, max(c.points) as meant,
       sum(case when m.gives then m.points_centi else -m.points_centi end)::bigint as moved
from meant c full join moved m on m.cause_id = c.batch_id and m.cause_no = c.item_no
group by 1, 2
having max(c.points) is distinct from sum(case when m.gives then m.points_centi else -m.points_centi end)
    or not bool_and(coalesce(
        m.town = c.town and m.recorded_at = c.recorded_at and m.gives = (c.points > 0)
        and case when m.gives
            then (m.debit_holder, m.debit_kind, m.credit_holder, m.credit_kind)
                = (c.other_holder, c.other, c.holder_id, case m.leg when 0 then 'owed' when 1 then 'available' end)
            else (m.debit_holder, m.debit_kind, m.credit_holder, m.credit_kind)
                = (c.holder_id, case m.leg when 0 then 'available' when 1 then 'owed' end, c.other_holder, c.other) end, false))
limit %(limit)s;

-- name: list_open
-- What waits in a town's quarantine, in the order it came, after a place.
select batch_id, item_no, reference from quarantined_item
where town = %(town)s and released_at is null and keep_until > %(now)s and (batch_id, item_no) > (%(after_batch)s::uuid, %(after_item)s)
  and not exists (select from scoreboard s where s.batch_id = quarantined_item.batch_id)
order by batch_id, item_no limit %(limit)s;

-- name: list_waiting_lists
-- Lists with entries in quarantine, in the order they were posted.
select s.batch_id, s.document_no, s.village, s.period, s.posted_at, s.content_digest,
       array_agg(q.item_no order by q.item_no) as item_nos
from quarantined_item q join scoreboard s using (batch_id)
where q.town = %(town)s and q.released_at is null and q.keep_until > %(now)s
group by s.batch_id
order by s.posted_at, s.batch_id limit %(limit)s;

-- name: lock_open
-- Those that still wait, locked in one order.
select q.batch_id, q.item_no from quarantined_item q
join unnest(%(batch_ids)s::uuid[], %(item_nos)s::int[]) as a(batch_id, item_no) using (batch_id, item_no)
where q.released_at is null order by q.batch_id, q.item_no for update of q;

-- name: list_raw
select batch_id, key_id, sealed from raw_push where batch_id = any(%(batch_ids)s::uuid[]);

-- name: mark_released
update quarantined_item q set released_at = %(now)s, released_as = a.released_as
from unnest(%(batch_ids)s::uuid[], %(item_nos)s::int[], %(released_as)s::uuid[]) as a(batch_id, item_no, released_as)
where q.batch_id = a.batch_id and q.item_no = a.item_no and q.released_at is null;

-- name: end_keeping
-- These may not be kept any longer: the next removal takes them.
update quarantined_item q set keep_until = %(now)s
from unnest(%(batch_ids)s::uuid[], %(item_nos)s::int[]) as a(batch_id, item_no)
where q.batch_id = a.batch_id and q.item_no = a.item_no and q.released_at is null;

-- name: list_standing_batches
select reference, batch_id from contribution where town = %(town)s and reference = any(string_to_array(%(references)s, e'\n'));

-- name: list_expired
-- What is past its end, whole batches, the oldest first.
select q.batch_id, q.town, array_agg(q.item_no order by q.item_no) as item_nos,
       array_remove(array_agg(case when q.released_at is null then q.item_no end order by q.item_no), null) as waiting_nos
from quarantined_item q where q.keep_until <= %(now)s group by q.batch_id, q.town order by q.batch_id limit %(limit)s;

-- name: delete_quarantined
delete from quarantined_item q using unnest(%(batch_ids)s::uuid[], %(item_nos)s::int[]) as a(batch_id, item_no)
where q.batch_id = a.batch_id and q.item_no = a.item_no and q.keep_until <= %(now)s;

-- name: put_raw
update raw_push r set key_id = a.key_id, sealed = decode(a.sealed, 'base64'), whole = false
from unnest(%(batch_ids)s::uuid[], %(key_ids)s::text[], %(sealed)s::text[]) as a(batch_id, key_id, sealed)
where r.batch_id = a.batch_id;

-- name: count_quarantined
select town, code, count(*) as items, min(quarantined_at) as oldest_at, min(keep_until) as first_until
from quarantined_item where released_at is null group by town, code order by town, code;

-- name: list_quarantined
select town, reference, code, detail, batch_id, item_no, quarantined_at, keep_until from quarantined_item
where released_at is null and (%(town)s::text is null or town = %(town)s) order by quarantined_at, batch_id, item_no limit %(limit)s;

-- name: find_reading
select ground_sha256 from quarantine_reading where town = %(town)s;

-- name: put_reading
insert into quarantine_reading (town, ground_sha256, read_at) values (%(town)s, %(ground_sha256)s, %(now)s)
on conflict (town) do update set ground_sha256 = excluded.ground_sha256, read_at = excluded.read_at;

-- name: insert_code
insert into activity_code (town, activity, category, added_by, added_at)
values (%(town)s, %(activity)s, %(category)s, %(added_by)s, %(now)s) on conflict (town, activity) do nothing;

-- name: get_code
select town, activity, category, added_by, added_at from activity_code where town = %(town)s and activity = %(activity)s;

-- name: list_code_rows
select town, activity, category, added_by, added_at from activity_code
where %(town)s::text is null or town = %(town)s order by town, activity;

-- name: list_code_ids
select town || ' ' || activity as row_id from activity_code where town || ' ' || activity > %(after)s order by 1 limit %(limit)s;

-- name: restate_codes
select town || ' ' || activity as row_id, town, activity, category, added_by, added_at from activity_code
where town || ' ' || activity = any(%(row_ids)s);
-- name: lock_quarter
-- One list or correction of a village and quarter at a time; pushes and other villages do not wait.
select pg_advisory_xact_lock(hashtextextended(concat_ws(e'\n', 'scoreboard', %(town)s, %(village)s, %(period)s), 0));

-- name: find_scoreboard
-- The latest reading of a list or correction.
select s.batch_id, s.reading, s.applied, s.content_digest, s.received_at, s.answers, b.client_id, b.receipt
from scoreboard s join contribution_batch b using (batch_id)
where s.town = %(town)s and s.kind = %(kind)s and s.document_no = %(document_no)s
order by s.reading desc limit 1;

-- name: find_latest_posted
select max(posted_at) as posted_at from scoreboard
where town = %(town)s and village = %(village)s and period = %(period)s and applied;

-- name: find_newer
-- The newest list that was posted after this one in its quarter, and stands.
select batch_id from scoreboard
where town = %(town)s and village = %(village)s and period = %(period)s and kind = 'list' and applied and document_no <> %(document_no)s
  and (posted_at > %(posted_at)s or posted_at = %(posted_at)s and batch_id > %(batch_id)s)
order by posted_at desc, batch_id desc limit 1;

-- name: find_list
select 1 as found from scoreboard
where town = %(town)s and village = %(village)s and period = %(period)s and kind = 'list' and document_no = %(document_no)s and applied;

-- name: list_listed
-- Whose score of the quarter stands by a list, or a correction, of this village.
select distinct c.holder_id from scoreboard s join contribution c using (batch_id)
where s.town = %(town)s and s.village = %(village)s and s.period = %(period)s and c.kind = 'posted_score'
  and not exists (select from contribution r where r.town = c.town and r.reverses = c.reference);

-- name: list_standing
-- Lines and posted scores of a quarter that nothing has taken back.
select c.holder_id, c.activity, c.reference, c.kind, c.category, c.points_centi, c.occurred_on, c.occurred_at, c.batch_id
from contribution c
where c.town = %(town)s and c.period = %(period)s and c.holder_id = any(%(holder_ids)s::bigint[])
  and c.kind in ('award', 'deduction', 'posted_score')
  and not exists (select from contribution r where r.town = c.town and r.reverses = c.reference);

-- name: insert_scoreboard
insert into scoreboard (batch_id, town, kind, document_no, reading, village, period, rule_book, objection_no, posted_at, received_at,
                        applied, content_digest, answers)
values (%(batch_id)s, %(town)s, %(kind)s, %(document_no)s, %(reading)s, %(village)s, %(period)s, %(rule_book)s, %(objection_no)s,
        %(posted_at)s, %(received_at)s, %(applied)s, %(content_digest)s, %(answers)s)
returning *;

-- name: list_scoreboard_ids
select batch_id::text as row_id from scoreboard
where batch_id > coalesce(nullif(%(after)s, ''), '00000000-0000-0000-0000-000000000000')::uuid order by batch_id limit %(limit)s;

-- name: restate_scoreboards
select batch_id::text as row_id, town, kind, document_no, reading, village, period, rule_book, objection_no, posted_at, received_at,
       applied, content_digest, answers
from scoreboard where batch_id = any(%(row_ids)s::uuid[]);

-- name: list_score_faults
-- Posted scores that are not the sum of the lines that stand under them.
with standing as (
    select c.town, c.holder_id, c.period, c.kind, c.points_centi from contribution c
    where c.period is not null and c.kind in ('award', 'deduction', 'posted_score')
      and not exists (select from contribution r where r.town = c.town and r.reverses = c.reference)
), summed as (
    select town, holder_id, period,
           coalesce(sum(case kind when 'award' then points_centi when 'deduction' then -points_centi end), 0)::bigint as lines,
           sum(points_centi) filter (where kind = 'posted_score')::bigint as posted
    from standing group by 1, 2, 3
)
select town, holder_id, period, lines, posted from summed
where posted is not null and posted <> lines
limit %(limit)s;

-- name: list_rows_to_open
select c.batch_id::text, c.item_no, c.town, c.reference, c.kind, c.activity, c.category, c.holder_id, c.person_id, c.points_centi,
       c.occurred_at, c.occurred_on, c.reverses, c.period, c.content_digest, b.item_digests
from contribution c join contribution_batch b using (batch_id)
where c.holder_id = any(%(holder_ids)s::bigint[]) and c.person_id in (%(person_id)s, 0)
order by c.occurred_on desc, c.batch_id, c.item_no limit %(limit)s;

-- name: insert_day_file
insert into day_file (town, accounting_on, file_sha256, item_count, points_centi, accepted_count, duplicate_count, conflict_count,
                      quarantined_count, rejected_count, over_cap_count, over_cap, taken_at)
values (%(town)s, %(accounting_on)s, %(file_sha256)s, %(item_count)s, %(points_centi)s, %(accepted_count)s, %(duplicate_count)s,
        %(conflict_count)s, %(quarantined_count)s, %(rejected_count)s, %(over_cap_count)s, %(over_cap)s, %(taken_at)s)
on conflict do nothing;

-- name: find_day_file
select * from day_file where town = %(town)s and accounting_on = %(accounting_on)s and file_sha256 = %(file_sha256)s;

-- name: list_day_files
select * from day_file where town = %(town)s order by accounting_on desc, taken_at desc limit %(limit)s;

-- name: begin_day_files
insert into day_file_since (town, from_on) values (%(town)s, %(on)s) on conflict do nothing;

-- name: list_days_due
-- Days since the first, up to `until_on`, of which no file was taken; oldest first.
select d::date as due_on
from day_file_since s, generate_series(s.from_on, %(until_on)s::date, interval '1 day') d
where s.town = %(town)s
  and not exists (select from day_file f where f.town = s.town and f.accounting_on = d::date)
order by d limit %(limit)s;

-- name: list_day_file_ids
select row_id from (
    select town || ' ' || accounting_on || ' ' || encode(file_sha256, 'hex') as row_id from day_file
) named
where row_id > %(after)s order by row_id limit %(limit)s;

-- name: restate_day_files
with asked as (
    select split_part(row_id, ' ', 1) as town, split_part(row_id, ' ', 2)::date as accounting_on,
           decode(split_part(row_id, ' ', 3), 'hex') as file_sha256, row_id
    from unnest(%(row_ids)s::text[]) row_id
)
select a.row_id, f.* from asked a join day_file f using (town, accounting_on, file_sha256);

-- name: list_kept_items
-- Where persons stand in bytes that are still kept.
select c.batch_id, c.item_no, c.town, c.person_id
from contribution c join raw_push r using (batch_id)
where c.person_id = any(%(person_ids)s::bigint[])
  and c.holder_id = any(%(person_ids)s::bigint[] || array(
      select distinct household_id from membership where person_id = any(%(person_ids)s::bigint[])));

-- name: list_missing_days
select s.town, d.day::date as missing_on from day_file_since s
cross join generate_series(s.from_on, (select max(f.accounting_on) from day_file f where f.town = s.town), interval '1 day') d(day)
where not exists (select from day_file f where f.town = s.town and f.accounting_on = d.day::date)
order by s.town, d.day limit %(limit)s;

-- name: list_reading_faults
select town, kind, document_no, max(reading) as last, count(*) as stand from scoreboard
group by town, kind, document_no having count(*) <> max(reading) order by town, document_no limit %(limit)s;
