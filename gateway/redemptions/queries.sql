-- name: lock_person prepared
-- Two clerks who serve one person stand in a queue here, so that limits are counted once.
select pg_advisory_xact_lock(hashtextextended('redemption person ' || %(person_id)s, 0));

-- name: insert_redemption prepared
insert into redemption (redemption_id, serial, branch_no, teller_no, staff_id, idempotency_key, content_sha256, person_id, proxy_person_id,
    proxy_proof, business_on, needs_approval, opened_at, expires_at)
values (%(redemption_id)s, %(serial)s, %(branch_no)s, %(teller_no)s, %(staff_id)s, %(idempotency_key)s, %(content_sha256)s, %(person_id)s,
    %(proxy_person_id)s, %(proxy_proof)s, %(business_on)s, %(needs_approval)s, %(now)s, %(expires_at)s);

-- name: copy_lines
copy redemption_line (redemption_id, line_no, good_id, town, quantity_count, price_centi, settle_fen) from stdin;

-- name: copy_legs
copy redemption_leg (redemption_id, town, serial, holder_id, hold_id, total_centi, asked_at) from stdin;

-- name: find_by_key prepared
select redemption_id, content_sha256 from redemption where staff_id = %(staff_id)s and idempotency_key = %(idempotency_key)s;

-- name: find_redemption prepared
select r.redemption_id, r.serial, r.branch_no, r.teller_no, r.staff_id, r.person_id, r.proxy_person_id, r.proxy_proof, r.business_on,
    r.needs_approval, r.opened_at, r.expires_at, r.state, r.wanted, r.approved_by, r.goods, r.posted, r.attempts, r.idempotency_key,
    r.content_sha256,
    (select count(*)::int from redemption_event e where e.redemption_id = r.redemption_id) as event_count,
    (select jsonb_agg(jsonb_build_array(l.good_id, l.town, l.quantity_count, l.price_centi, l.settle_fen) order by l.line_no)
     from redemption_line l where l.redemption_id = r.redemption_id) as lines,
    (select jsonb_agg(jsonb_build_array(g.town, g.serial, g.holder_id, g.hold_id, g.total_centi, g.heard, g.town_reference, g.asked_at)
            order by g.town)
     from redemption_leg g where g.redemption_id = r.redemption_id) as legs
from redemption r where r.redemption_id = %(redemption_id)s;

-- name: lock_redemption prepared
-- By itself: what is read beside a row that was waited for would be of before the wait.
select redemption_id from redemption where redemption_id = %(redemption_id)s for no key update;

-- name: list_lines
select l.line_no, l.good_id, g.code, g.name_zh, g.name_en, g.picture, l.town, l.quantity_count, l.price_centi, l.settle_fen
from redemption_line l join good g using (good_id)
where l.redemption_id = %(redemption_id)s order by l.line_no;

-- name: insert_event prepared
insert into redemption_event (event_id, redemption_id, event_no, event, from_state, to_state, staff_id, teller_no, code, stands, occurred_at)
values (%(event_id)s, %(redemption_id)s, %(event_no)s, %(event)s, %(from_state)s, %(to_state)s, %(staff_id)s, %(teller_no)s, %(code)s,
    %(stands)s, %(now)s);

-- name: mark_moved prepared
update redemption set wanted = %(wanted)s, goods = %(goods)s, posted = %(posted)s, approved_by = %(approved_by)s,
    next_attempt_at = %(next_attempt_at)s, attempts = %(attempts)s
where redemption_id = %(redemption_id)s;

-- name: mark_legs prepared
update redemption_leg l set heard = n.heard, town_reference = case when n.town_reference = '' then l.town_reference else n.town_reference end,
    asked_at = n.asked_at
from unnest(%(towns)s::text[], %(heards)s::text[], %(references)s::text[], %(asked_ats)s::timestamptz[]) as n(town, heard, town_reference, asked_at)
where l.redemption_id = %(redemption_id)s and l.town = n.town;

-- name: claim_lapsed
-- Whoever was asking died, or the answer was lost and it is time to inquire: take it, nobody else does meanwhile.
update redemption r set next_attempt_at = %(claimed_until)s, attempts = r.attempts + 1
from (
    select redemption_id from redemption
    where state in ('freezing', 'confirming', 'releasing', 'unknown') and next_attempt_at <= %(now)s
    order by next_attempt_at limit %(limit)s for update skip locked
) due
where r.redemption_id = due.redemption_id
returning r.redemption_id;

-- name: claim_overdue
select redemption_id from redemption where state = 'frozen' and expires_at <= %(now)s order by expires_at limit %(limit)s;

-- name: list_taken prepared
select l.good_id, coalesce(sum(l.quantity_count) filter (where r.business_on >= %(month_on)s), 0)::int as month_count,
    coalesce(sum(l.quantity_count) filter (where r.business_on >= %(year_on)s), 0)::int as year_count, sum(l.quantity_count)::int as ever_count
from redemption r join redemption_line l using (redemption_id)
where r.person_id = %(person_id)s and r.state not in ('released', 'refused', 'reversed') group by l.good_id order by l.good_id;

-- name: list_frozen_at
select r.redemption_id from redemption_leg l join redemption r using (redemption_id)
where l.town = %(town)s and l.serial = any(%(serials)s) and r.state = 'frozen' order by r.redemption_id;

-- name: list_timelines
select redemption_id, event_no, event, from_state, to_state, staff_id, teller_no, code, stands, occurred_at from redemption_event
where redemption_id = any(%(redemption_ids)s::uuid[]) order by redemption_id, event_no;

-- name: list_branch
select r.redemption_id, r.serial, r.teller_no, r.state, r.wanted, r.needs_approval, r.approved_by, r.opened_at, r.expires_at, r.attempts,
    r.staff_id, r.person_id, r.next_attempt_at,
    (select string_agg(l.town || '=' || l.heard, ' ' order by l.town) from redemption_leg l where l.redemption_id = r.redemption_id) as heard,
    (select e.code from redemption_event e where e.redemption_id = r.redemption_id order by e.event_no desc limit 1) as code,
    (select string_agg(g.name_zh || '×' || l.quantity_count, '、' order by l.line_no) from redemption_line l join good g using (good_id)
     where l.redemption_id = r.redemption_id) as goods_zh,
    (select string_agg(g.name_en || ' ×' || l.quantity_count, ', ' order by l.line_no) from redemption_line l join good g using (good_id)
     where l.redemption_id = r.redemption_id) as goods_en
from redemption r
where r.branch_no = %(branch_no)s and r.state = any(%(states)s) and r.opened_at >= %(since)s
order by r.opened_at desc limit %(limit)s;

-- name: list_of_person
select r.redemption_id, r.serial, r.branch_no, r.teller_no, r.state, r.opened_at,
    (select string_agg(g.name_zh || '×' || l.quantity_count, '、' order by l.line_no) from redemption_line l join good g using (good_id)
     where l.redemption_id = r.redemption_id) as goods_zh,
    (select string_agg(g.name_en || ' ×' || l.quantity_count, ', ' order by l.line_no) from redemption_line l join good g using (good_id)
     where l.redemption_id = r.redemption_id) as goods_en
from redemption r where r.person_id = %(person_id)s order by r.opened_at desc limit %(limit)s;

-- name: list_events
select event_no, event, from_state, to_state, staff_id, teller_no, code, stands, occurred_at from redemption_event
where redemption_id = %(redemption_id)s order by event_no;

-- name: list_event_ids
-- And what no event speaks of: it should not be there.
select row_id from (
    select event_id::text as row_id from redemption_event
    union all
    select 'redemption ' || r.redemption_id from redemption r
    where not exists (select from redemption_event e where e.redemption_id = r.redemption_id)
    union all
    select 'line ' || l.redemption_id || ' ' || l.line_no from redemption_line l
    where not exists (select from redemption r where r.redemption_id = l.redemption_id)
    union all
    select 'leg ' || l.redemption_id || ' ' || l.serial from redemption_leg l
    where not exists (select from redemption r where r.redemption_id = l.redemption_id)
) every
where row_id > %(after)s order by row_id limit %(limit)s;

-- name: restate_events
-- The event, what the redemption is, and (with its last event) how it stands.
select e.event_id::text as event_id, e.redemption_id::text as redemption_id, e.event_no, e.event, e.from_state, e.to_state,
    e.staff_id::text as staff_id, e.teller_no, e.code, e.stands, e.occurred_at,
    not exists (select from redemption_event n where n.redemption_id = e.redemption_id and n.event_no > e.event_no) as latest,
    r.serial, r.branch_no, r.teller_no as opened_by_no, r.staff_id::text as opened_by, r.idempotency_key, r.content_sha256, r.person_id,
    r.proxy_person_id, r.proxy_proof, r.business_on, r.needs_approval, r.opened_at, r.expires_at, r.state, r.wanted, r.approved_by::text as approved_by,
    r.goods, r.posted,
    (select jsonb_agg(jsonb_build_array(l.line_no, l.good_id, l.town, l.quantity_count, l.price_centi, l.settle_fen) order by l.line_no)
     from redemption_line l where l.redemption_id = e.redemption_id) as lines,
    (select jsonb_agg(jsonb_build_array(g.town, g.serial, g.holder_id, g.hold_id, g.total_centi) order by g.town)
     from redemption_leg g where g.redemption_id = e.redemption_id) as legs,
    (select string_agg(g.town || '=' || g.heard || ':' || g.town_reference, ' ' order by g.town)
     from redemption_leg g where g.redemption_id = e.redemption_id) as heard
from redemption_event e left join redemption r on r.redemption_id = e.redemption_id
where e.event_id::text = any(%(row_ids)s);

-- name: list_hold_faults
-- Holds that are not what their redemption says: each town's part has one, and it ends as the redemption does.
with story as (
    select g.hold_id, g.town, g.holder_id, g.total_centi, r.expires_at, r.opened_at,
           case when r.posted then 'posted' when r.state not in ('refused', 'released', 'reversed') then 'held'
                when last.code = 'hold-ended' then 'expired' else 'voided' end as state,
           case when r.posted then (select e.occurred_at from redemption_event e where e.redemption_id = r.redemption_id
                                    and e.to_state = 'confirmed' order by e.event_no limit 1)
                when r.state in ('refused', 'released', 'reversed') then last.occurred_at end as ended_at
    from redemption_leg g join redemption r using (redemption_id)
    left join lateral (select e.code, e.occurred_at from redemption_event e where e.redemption_id = r.redemption_id
                       order by e.event_no desc limit 1) last on true
)
select hold_id::text as hold_id, s.state as meant, h.state as found
from story s full join hold h using (hold_id)
where (s.town, s.holder_id, s.total_centi, s.expires_at, s.opened_at, s.state, s.ended_at)
    is distinct from (h.town, h.holder_id, h.points_centi, h.expires_at, h.created_at, h.state, h.ended_at)
limit %(limit)s;

-- name: list_moved_faults
-- Transfers of redemptions that are not what follows from how they went, and transfers without any cause.
with story as (
    select g.hold_id, g.town, g.holder_id, g.total_centi, r.opened_at, r.posted,
           r.state in ('refused', 'released', 'reversed') as over,
           (select e.occurred_at from redemption_event e
            where e.redemption_id = r.redemption_id and e.to_state = 'confirmed' order by e.event_no limit 1) as confirmed_at,
           (select e.occurred_at from redemption_event e
            where e.redemption_id = r.redemption_id order by e.event_no desc limit 1) as last_at
    from redemption_leg g join redemption r using (redemption_id)
), step as (
    select hold_id, town, holder_id, total_centi, 0 as cause_no, 'hold' as cause_kind, opened_at as moved_at from story
    union all
    select hold_id, town, holder_id, total_centi, 1, 'post', confirmed_at from story where posted
    union all
    select hold_id, town, holder_id, total_centi, 1, 'void', last_at from story where over and not posted
    union all
    select hold_id, town, holder_id, total_centi, 2, 'reversal', last_at from story where over and posted
)
select coalesce(s.hold_id, t.cause_id)::text as cause_id, coalesce(s.cause_no, t.cause_no) as cause_no, max(s.total_centi) as meant,
       sum(t.points_centi)::bigint as moved
from step s full join (select * from transfer where cause_kind <> 'contribution') t on t.cause_id = s.hold_id and t.cause_no = s.cause_no
group by 1, 2
having max(s.total_centi) is distinct from sum(t.points_centi)
    or not bool_and(coalesce(
        t.cause_kind = s.cause_kind and t.town = s.town and t.recorded_at = s.moved_at
        and t.debit_holder = s.holder_id and t.credit_holder = s.holder_id
        and (s.cause_kind, t.leg::int, t.debit_kind, t.credit_kind) in (
            ('hold', 0, 'available', 'held'), ('hold', 1, 'owed', 'held'), ('post', 0, 'held', 'redeemed'),
            ('void', 0, 'held', 'owed'), ('void', 1, 'held', 'available'),
            ('reversal', 0, 'redeemed', 'owed'), ('reversal', 1, 'redeemed', 'available')), false))
limit %(limit)s;

-- name: list_event_gaps
-- Redemptions of which an event is missing: they are counted 1, 2, 3, …
select redemption_id::text as redemption_id, max(event_no) as last, count(*) as stand from redemption_event
group by redemption_id having count(*) <> max(event_no) order by redemption_id limit %(limit)s;

-- name: list_ids_of_person
select redemption_id from redemption where person_id = %(person_id)s or proxy_person_id = %(person_id)s
order by opened_at, redemption_id limit %(limit)s;

-- name: list_event_ids_of
select event_id::text from redemption_event where redemption_id = any(%(redemption_ids)s::uuid[]);

-- name: list_priced
select distinct l.good_id::text, l.town, r.business_on::text
from redemption r join redemption_line l using (redemption_id) where r.redemption_id = any(%(redemption_ids)s::uuid[]);
