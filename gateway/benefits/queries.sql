-- name: take_changed_batches
-- changed_batch is the contributions' table; the function (0006) is how its rows are taken.
select taken from take_changed_batches(%(limit)s) as taken;

-- name: list_batch_subjects
select subject_id, min(batch_id::text) as batch_id from (
    select holder_id as subject_id, batch_id from contribution where batch_id = any(%(batch_ids)s::uuid[])
    union all
    select person_id, batch_id from contribution where batch_id = any(%(batch_ids)s::uuid[]) and person_id > 0
) named
group by subject_id;

-- name: take_changed_subjects
delete from changed_subject where (subject_id, cause) in (
    select subject_id, cause from changed_subject order by queued_at, subject_id limit %(limit)s for update skip locked
) returning subject_id, cause;

-- name: list_concerned
-- The subjects themselves, and for a person the households they belong to; `through` is whom the change was said of.
with asked as (select unnest(%(subject_ids)s::bigint[]) as subject_id)
select a.subject_id, 'household' as kind, a.subject_id as through from asked a join household h on h.household_id = a.subject_id
union
select a.subject_id, 'person', a.subject_id from asked a join person p on p.person_id = a.subject_id
union
select m.household_id, 'household', a.subject_id from asked a
join membership m on m.person_id = a.subject_id and m.valid_from_on <= %(on)s and m.valid_until_on > %(on)s;

-- name: mark_changed
insert into changed_subject (subject_id, cause, queued_at)
select unnest(%(subject_ids)s::bigint[]), %(cause)s, %(now)s on conflict (subject_id, cause) do nothing;

-- name: mark_everybody
insert into changed_subject (subject_id, cause, queued_at)
select household_id, %(cause)s, %(now)s from household union all select person_id, %(cause)s, %(now)s from person on conflict (subject_id, cause) do nothing;

-- name: count_changes
select (select count(*) from (select from changed_batch limit 10000) b)
     + (select count(*) from (select from changed_subject limit 10000) s) as waiting;

-- name: lock_subjects
insert into evaluation as e (subject_id, evaluated_at)
select subject_id, %(now)s from unnest(%(subject_ids)s::bigint[]) with ordinality as asked(subject_id, place) order by place
on conflict (subject_id) do update set evaluated_at = greatest(e.evaluated_at, excluded.evaluated_at);

-- name: list_decided
select decision_id, ruleset_id, as_of_on from decision where decision_id = any(%(decision_ids)s::uuid[]);

-- name: list_current
select c.subject_id, c.product, c.decision_id, d.applicant_id, d.ruleset_id, d.outcome, d.discount_bp, d.limit_increase_fen,
       d.final_rate_bp, d.reason_codes, c.proposal_id, p.state as proposal_state, p.decision_id as proposal_decision_id,
       p.discount_bp as proposal_discount_bp, p.limit_increase_fen as proposal_limit_fen,
       p.applicant_id as proposal_applicant_id, p.valid_until_on as proposal_until_on,
       r.revocation_id is not null as revoking
from current_decision c
join decision d using (decision_id)
left join proposal p on p.proposal_id = c.proposal_id
left join revocation r on r.proposal_id = c.proposal_id
where c.product = %(product)s and c.subject_id = any(%(subject_ids)s::bigint[]);

-- name: copy_decisions
copy decision (decision_id, ruleset_id, subject_id, subject_kind, applicant_id, product, as_of_on, outcome, score_centi,
    discount_bp, limit_increase_fen, final_rate_bp, reason_codes, facts, body, salt, caused_by, decided_at) from stdin;

-- name: put_current
insert into current_decision (subject_id, product, decision_id)
select * from unnest(%(subject_ids)s::bigint[], %(products)s::text[], %(decision_ids)s::uuid[])
on conflict (subject_id, product) do update set decision_id = excluded.decision_id;

-- name: get_decision
select decision_id, ruleset_id, subject_id, subject_kind, applicant_id, product, as_of_on, outcome, score_centi, discount_bp,
       limit_increase_fen, final_rate_bp, reason_codes, facts, body, caused_by, decided_at
from decision where decision_id = %(decision_id)s;

-- name: list_decisions
select decision_id, ruleset_id, subject_id, subject_kind, applicant_id, product, as_of_on, outcome, score_centi, discount_bp,
       limit_increase_fen, final_rate_bp, reason_codes, facts, body, caused_by, decided_at
from decision where subject_id = %(subject_id)s order by decided_at desc, decision_id desc limit %(limit)s;

-- name: copy_proposals
copy proposal (proposal_id, business_on, serial, decision_id, subject_id, applicant_id, product, discount_bp, limit_increase_fen,
    reason_codes, decision_sha256, valid_from_on, valid_until_on, supersedes, salt, proposed_at) from stdin;

-- name: point_to_proposals
update current_decision c set proposal_id = n.proposal_id
from unnest(%(subject_ids)s::bigint[], %(products)s::text[], %(proposal_ids)s::uuid[]) as n(subject_id, product, proposal_id)
where c.subject_id = n.subject_id and c.product = n.product;

-- name: lock_proposals
select proposal_id, state, decision_id, supersedes, valid_from_on, valid_until_on, subject_id, product
from proposal where proposal_id = any(%(proposal_ids)s::uuid[]) order by proposal_id for update;

-- name: list_proposals
-- `supersedes_serial` is what the bank holds for the same applicant and product now, if anything.
select p.proposal_id, p.business_on, p.serial, p.decision_id, p.subject_id, p.applicant_id, p.product, p.discount_bp,
       p.limit_increase_fen, p.reason_codes, p.decision_sha256, p.valid_from_on, p.valid_until_on, p.state,
       o.serial as supersedes_serial, r.revocation_id is not null as revoking
from proposal p
left join lateral (
    select serial from proposal o
    where o.subject_id = p.subject_id and o.product = p.product and o.applicant_id = p.applicant_id
      and o.proposal_id <> p.proposal_id and o.state in ('accepted', 'in_force')
    order by o.proposed_at desc, o.proposal_id desc limit 1
) o on true
left join revocation r on r.proposal_id = p.proposal_id
where p.proposal_id = any(%(proposal_ids)s::uuid[]);

-- name: list_replaced
-- Older proposals of the same subject, product and applicant that the bank holds: the given ones take their place.
select o.proposal_id from proposal p
join proposal o on o.subject_id = p.subject_id and o.product = p.product and o.applicant_id = p.applicant_id
    and (o.proposed_at, o.proposal_id) < (p.proposed_at, p.proposal_id) and o.state in ('accepted', 'in_force')
where p.proposal_id = any(%(proposal_ids)s::uuid[]);

-- name: mark_swept
insert into swept_ruleset (ruleset_id, swept_at) select unnest(%(ruleset_ids)s::text[]), %(now)s
on conflict (ruleset_id) do nothing returning ruleset_id;

-- name: list_proposals_of
select proposal_id, business_on, serial, decision_id, subject_id, applicant_id, product, discount_bp, limit_increase_fen,
       valid_from_on, valid_until_on, supersedes, proposed_at, state
from proposal where subject_id = %(subject_id)s order by proposed_at desc, proposal_id desc limit %(limit)s;

-- name: list_events_of
select event_id, proposal_id, from_state, event, to_state, code, bank_reference, happened_at
from proposal_event where proposal_id = any(%(proposal_ids)s::uuid[]) order by happened_at, event_id;

-- name: count_states
select state, count(*) as proposals from proposal group by state;

-- name: copy_events
copy proposal_event (event_id, proposal_id, from_state, event, to_state, code, bank_reference, happened_at) from stdin;

-- name: list_open
-- Proposals of these subjects that may still take effect and are not being revoked already; product null: any.
select p.proposal_id, p.subject_id, p.product, p.applicant_id, p.state
from proposal p left join revocation r using (proposal_id)
where p.subject_id = any(%(subject_ids)s::bigint[]) and (%(product)s::text is null or p.product = %(product)s)
  and p.state in ('proposed', 'unknown', 'accepted', 'in_force') and r.revocation_id is null
order by p.proposal_id;

-- name: list_open_of_applicants
-- Every proposal made in the name of these persons that may still take effect and is not being revoked already.
select p.proposal_id, p.subject_id, p.product, p.applicant_id, p.state
from proposal p left join revocation r on r.proposal_id = p.proposal_id
where p.applicant_id = any(%(applicant_ids)s::bigint[])
  and p.state in ('proposed', 'unknown', 'accepted', 'in_force') and r.revocation_id is null;

-- name: insert_revocations
insert into revocation (revocation_id, proposal_id, business_on, serial, reason_code, caused_by, requested_at)
select n.revocation_id, n.proposal_id, %(on)s, n.serial, n.reason_code, n.caused_by, %(now)s
from unnest(%(revocation_ids)s::uuid[], %(proposal_ids)s::uuid[], %(serials)s::text[], %(reason_codes)s::text[], %(causes)s::text[])
    as n(revocation_id, proposal_id, serial, reason_code, caused_by)
on conflict (proposal_id) do nothing
returning revocation_id, proposal_id, business_on, serial, reason_code, caused_by, requested_at;

-- name: list_revocations
select r.revocation_id, r.proposal_id, r.business_on, r.serial, r.reason_code, r.caused_by, r.requested_at,
       p.serial as original_serial, p.state as proposal_state
from revocation r join proposal p using (proposal_id)
where r.revocation_id = any(%(revocation_ids)s::uuid[]);

-- name: take_starting
select proposal_id, subject_id, state from proposal
where state = 'accepted' and valid_from_on <= %(on)s and valid_until_on > %(on)s
order by proposal_id limit %(limit)s for update skip locked;

-- name: take_ending
select proposal_id, subject_id, state from proposal
where state in ('accepted', 'in_force') and valid_until_on <= %(on)s
order by proposal_id limit %(limit)s for update skip locked;

-- name: want_facilities
insert into facility (applicant_id, product, subject_id, next_ask_at)
select applicant_id, %(product)s, subject_id, %(now)s
from unnest(%(applicant_ids)s::bigint[], %(subject_ids)s::bigint[]) as wanted(applicant_id, subject_id)
on conflict (applicant_id, product) do nothing;

-- name: list_facilities
select applicant_id, product, known, base_rate_bp, base_limit_fen, asset_limit_fen, vetoes, honours, age_min, age_max, fetched_at
from facility where product = %(product)s and applicant_id = any(%(applicant_ids)s::bigint[]) and fetched_at is not null;

-- name: claim_facilities
update facility f set claimed_until = %(claimed_until)s, attempts = attempts + 1
from (select applicant_id, product from facility
      where next_ask_at <= %(now)s and (claimed_until is null or claimed_until <= %(now)s)
      order by next_ask_at, applicant_id limit %(limit)s for update skip locked) due
where f.applicant_id = due.applicant_id and f.product = due.product
returning f.applicant_id, f.product, f.subject_id, f.attempts;

-- name: put_facilities
update facility f set known = n.known, base_rate_bp = n.base_rate_bp, base_limit_fen = n.base_limit_fen,
    asset_limit_fen = n.asset_limit_fen, vetoes = string_to_array(n.vetoes, ','), honours = string_to_array(n.honours, ','),
    age_min = n.age_min, age_max = n.age_max, fetched_at = %(now)s, next_ask_at = %(next_ask_at)s, claimed_until = null, attempts = 0
from unnest(%(applicant_ids)s::bigint[], %(products)s::text[], %(known)s::boolean[], %(base_rates)s::int[], %(base_limits)s::bigint[],
            %(asset_limits)s::bigint[], %(vetoes)s::text[], %(honours)s::text[], %(age_mins)s::int[], %(age_maxs)s::int[])
    as n(applicant_id, product, known, base_rate_bp, base_limit_fen, asset_limit_fen, vetoes, honours, age_min, age_max),
    (select applicant_id, product, known, base_rate_bp, base_limit_fen, asset_limit_fen, vetoes, honours, age_min, age_max
     from facility where applicant_id = any(%(applicant_ids)s::bigint[])) as was
where f.applicant_id = n.applicant_id and f.product = n.product
  and was.applicant_id = n.applicant_id and was.product = n.product
returning f.subject_id, f.applicant_id,
    f.fetched_at is null or (was.known, was.base_rate_bp, was.base_limit_fen, was.asset_limit_fen, was.vetoes, was.honours, was.age_min, was.age_max)
    is distinct from (n.known, n.base_rate_bp, n.base_limit_fen, n.asset_limit_fen, string_to_array(n.vetoes, ','),
                      string_to_array(n.honours, ','), n.age_min, n.age_max) as changed;

-- name: remove_facilities
delete from facility where applicant_id = any(%(applicant_ids)s::bigint[]);

-- name: postpone_facilities
update facility f set next_ask_at = n.next_ask_at, claimed_until = null
from unnest(%(applicant_ids)s::bigint[], %(products)s::text[], %(next_ask_ats)s::timestamptz[]) as n(applicant_id, product, next_ask_at)
where f.applicant_id = n.applicant_id and f.product = n.product;

-- name: open_quota
insert into quota as q (programme, total_fen) values (%(programme)s, %(total_fen)s)
on conflict (programme) do update set total_fen = greatest(excluded.total_fen, q.used_fen) where q.total_fen <> excluded.total_fen;

-- name: lock_quota
select total_fen, used_fen from quota where programme = %(programme)s for update;

-- name: add_to_quota
update quota set used_fen = used_fen + %(amount_fen)s where programme = %(programme)s;

-- name: insert_quota_uses
insert into quota_use (proposal_id, programme, amount_fen, counted, instead_of, taken_at)
select n.proposal_id, %(programme)s, n.amount_fen, n.counted, n.instead_of, %(now)s
from unnest(%(proposal_ids)s::uuid[], %(amounts)s::bigint[], %(counted)s::boolean[], %(instead_ofs)s::uuid[])
    as n(proposal_id, amount_fen, counted, instead_of);

-- name: list_quota_uses
select proposal_id, amount_fen from quota_use where proposal_id = any(%(proposal_ids)s::uuid[]) and counted and released_at is null;

-- name: lock_quotas_of
select programme from quota where programme in (
    select programme from quota_use where proposal_id = any(%(proposal_ids)s::uuid[]) and released_at is null
) order by programme for update;

-- name: release_quota
-- What waits to take the place of something released is counted from now on; it is never more than what was released.
with released as (
    update quota_use set released_at = %(now)s
    where proposal_id = any(%(proposal_ids)s::uuid[]) and released_at is null
    returning proposal_id, programme, case when counted then amount_fen else 0 end as amount_fen
), heir as (
    update quota_use u set counted = true from released r
    where u.instead_of = r.proposal_id and not u.counted and u.released_at is null
      and u.proposal_id <> all(%(proposal_ids)s::uuid[])
    returning u.programme, -u.amount_fen as amount_fen
)
update quota q set used_fen = q.used_fen - m.amount_fen
from (select programme, sum(amount_fen)::bigint as amount_fen
      from (select programme, amount_fen from released union all select programme, amount_fen from heir) each_use
      group by programme) m
where q.programme = m.programme
returning q.programme, q.total_fen - q.used_fen as room_fen;

-- name: put_waiting
insert into quota_waiting (subject_id, product, programme, amount_fen, waiting_since)
select n.subject_id, n.product, %(programme)s, n.amount_fen, %(now)s
from unnest(%(subject_ids)s::bigint[], %(products)s::text[], %(amounts)s::bigint[]) as n(subject_id, product, amount_fen)
on conflict (subject_id, product) do update set amount_fen = excluded.amount_fen;

-- name: end_waiting
delete from quota_waiting w
using unnest(%(subject_ids)s::bigint[], %(products)s::text[]) as n(subject_id, product)
where w.subject_id = n.subject_id and w.product = n.product;

-- name: end_all_waiting
delete from quota_waiting where subject_id = any(%(subject_ids)s::bigint[]);

-- name: list_first_waiting
select subject_id, amount_fen from quota_waiting where programme = %(programme)s order by waiting_since, subject_id limit %(limit)s;

-- name: list_decision_ids
select decision_id::text as row_id from decision where decision_id > %(after)s order by decision_id limit %(limit)s;

-- name: restate_decisions
select decision_id::text as row_id, decision_id, ruleset_id, subject_id, subject_kind, applicant_id, product, as_of_on, outcome,
       score_centi, discount_bp, limit_increase_fen, final_rate_bp, reason_codes, facts, body, salt, caused_by, decided_at
from decision where decision_id = any(%(row_ids)s::uuid[]);

-- name: list_proposal_ids
select proposal_id::text as row_id from proposal where proposal_id > %(after)s order by proposal_id limit %(limit)s;

-- name: restate_proposals
select proposal_id::text as row_id, proposal_id, business_on, serial, decision_id, subject_id, applicant_id, product, discount_bp,
       limit_increase_fen, reason_codes, decision_sha256, valid_from_on, valid_until_on, supersedes, salt, proposed_at
from proposal where proposal_id = any(%(row_ids)s::uuid[]);

-- name: list_event_ids
select event_id::text as row_id from proposal_event where event_id > %(after)s order by event_id limit %(limit)s;

-- name: restate_events
select event_id::text as row_id, event_id, proposal_id, from_state, event, to_state, code, bank_reference, happened_at
from proposal_event where event_id = any(%(row_ids)s::uuid[]);

-- name: list_revocation_ids
select revocation_id::text as row_id from revocation where revocation_id > %(after)s order by revocation_id limit %(limit)s;

-- name: restate_revocations
select revocation_id::text as row_id, revocation_id, proposal_id, business_on, serial, reason_code, caused_by, requested_at
from revocation where revocation_id = any(%(row_ids)s::uuid[]);

-- name: list_quota_faults
-- Programmes of which another amount is used than their uses give.
select programme, coalesce(q.used_fen, 0) as stored, coalesce(u.used_fen, 0) as summed
from quota q full join (
    select programme, sum(amount_fen)::bigint as used_fen from quota_use where counted and released_at is null group by programme
) u using (programme)
where coalesce(q.used_fen, 0) <> coalesce(u.used_fen, 0)
order by programme limit %(limit)s;

-- name: list_state_faults
-- Where a walk along edges ends is the one state it enters (or begins in) once more often than it leaves it.
with walked as (
    select p.proposal_id, p.state,
           (p.state = 'proposed')::int + count(*) filter (where e.to_state = p.state)
           - count(*) filter (where e.from_state = p.state) as ends_here,
           coalesce((array_agg(e.to_state order by e.happened_at desc, e.event_id desc)
                     filter (where e.event_id is not null))[1], 'proposed') as last
    from proposal p left join proposal_event e using (proposal_id)
    group by p.proposal_id, p.state
)
select proposal_id::text as row_id, state, last from walked where ends_here <> 1 order by proposal_id limit %(limit)s;

-- name: list_decisions_about
select decision_id::text from decision
where subject_id = any(%(holder_ids)s::bigint[]) and (subject_id = %(person_id)s or applicant_id = %(person_id)s)
order by decided_at, decision_id limit %(limit)s;

-- name: list_proposals_of_decisions
select proposal_id::text from proposal p
join decision d on d.decision_id = any(%(decision_ids)s::uuid[])
    and p.subject_id = d.subject_id and p.product = d.product and p.decision_id = d.decision_id
order by proposal_id;

-- name: list_parts_of_proposals
select 'event' as kind, event_id::text from proposal_event where proposal_id = any(%(proposal_ids)s::uuid[])
union all
select 'revocation', revocation_id::text from revocation where proposal_id = any(%(proposal_ids)s::uuid[]);

-- name: find_last_decided
select max(decided_at) as at from decision d
where d.subject_id = %(person_id)s or (d.applicant_id = %(person_id)s and d.subject_id in
    (select household_id from membership where person_id = %(person_id)s));

-- name: list_applicants_with_open
select distinct applicant_id from proposal
where applicant_id = any(%(applicant_ids)s::bigint[]) and state in ('proposed', 'unknown', 'accepted', 'in_force');

-- name: list_told
select c.product, d.subject_id, d.outcome, d.discount_bp, d.limit_increase_fen, d.body, d.as_of_on, p.state,
    p.discount_bp as proposal_discount_bp, p.limit_increase_fen as proposal_limit_fen, p.valid_until_on
from current_decision c join decision d using (decision_id) left join proposal p on p.proposal_id = c.proposal_id
where c.subject_id = any(%(subject_ids)s::bigint[]) and d.applicant_id = %(applicant_id)s order by c.product, d.subject_id limit 20;
