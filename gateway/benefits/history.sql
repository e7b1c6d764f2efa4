-- name: list_decisions_of_person
-- Decisions about these holders in which the person is the subject or would apply, newest first; without facts and trace.
select d.decision_id, d.ruleset_id, d.subject_id, d.subject_kind, d.applicant_id, d.product, d.as_of_on, d.outcome, d.score_centi,
       d.discount_bp, d.limit_increase_fen, d.final_rate_bp, d.reason_codes, d.caused_by, d.decided_at,
       c.decision_id is not null as stands
from decision d
left join current_decision c on c.subject_id = d.subject_id and c.product = d.product and c.decision_id = d.decision_id
where d.subject_id = any(%(holder_ids)s::bigint[]) and (d.subject_id = %(person_id)s or d.applicant_id = %(person_id)s)
  and d.decided_at < %(before)s
order by d.decided_at desc, d.decision_id desc limit %(limit)s;

-- name: list_decided_between
select d.decision_id, d.subject_id, d.subject_kind, d.applicant_id, d.product, d.ruleset_id, d.as_of_on, d.outcome, d.score_centi,
       d.discount_bp, d.limit_increase_fen, d.caused_by, d.decided_at
from decision d where d.decided_at >= %(from_at)s and d.decided_at < %(until_at)s
order by d.decided_at desc, d.decision_id desc limit %(limit)s;

-- name: count_decided_between
select product, outcome, count(*) as decisions from decision
where decided_at >= %(from_at)s and decided_at < %(until_at)s group by product, outcome order by product, outcome;

-- name: list_proposals_made_of
-- Proposals of these decisions, with the revocation where one was asked for.
select p.proposal_id, p.business_on, p.serial, p.decision_id, p.subject_id, p.product, p.discount_bp, p.limit_increase_fen,
       p.valid_from_on, p.valid_until_on, p.supersedes, p.proposed_at, p.state, r.revocation_id, r.reason_code as revoked_why,
       r.requested_at as revoked_at
from proposal p
join decision d on d.decision_id = any(%(decision_ids)s::uuid[])
    and p.subject_id = d.subject_id and p.product = d.product and p.decision_id = d.decision_id
left join revocation r using (proposal_id) order by p.proposed_at, p.proposal_id;

-- name: find_decision_before
-- What stood for the same subject and product when this decision was made.
select b.decision_id from decision d
join decision b on b.subject_id = d.subject_id and b.product = d.product
    and (b.decided_at, b.decision_id) < (d.decided_at, d.decision_id)
where d.decision_id = %(decision_id)s order by b.decided_at desc, b.decision_id desc limit 1;

-- name: list_happenings
with mine as (
    select decision_id, subject_id, product, outcome, discount_bp, caused_by, decided_at from decision
    where subject_id = any(%(holder_ids)s::bigint[]) and (subject_id = %(person_id)s or applicant_id = %(person_id)s)
      and decided_at < %(before)s
    order by decided_at desc limit %(limit)s
), proposed as (
    select proposal_id, product, state, discount_bp, serial, proposed_at from proposal
    where subject_id = any(%(holder_ids)s::bigint[]) and (subject_id = %(person_id)s or applicant_id = %(person_id)s)
)
select at, what, '' as town, detail, null::bigint as points_centi, discount_bp, row_id, reference from (
    select decided_at as at, 'decision' as what, outcome as detail, discount_bp::bigint as discount_bp, decision_id::text as row_id,
           product as reference from mine
    union all
    select proposed_at, 'proposal', product, discount_bp, proposal_id::text, serial from proposed
    union all
    select e.happened_at, 'proposal_' || e.to_state, e.code, p.discount_bp, e.event_id::text, p.serial
    from proposed p join proposal_event e using (proposal_id)
    union all
    select r.requested_at, 'revocation', r.reason_code, p.discount_bp, r.revocation_id::text, p.serial
    from proposed p join revocation r using (proposal_id)
) every
where at < %(before)s order by at desc, row_id limit %(limit)s;

-- name: find_standing_proposal
-- What the bank holds by an earlier decision, where this one stands: a ruleset may leave a benefit as it is until repricing.
select p.proposal_id, p.serial, p.decision_id, p.discount_bp, p.limit_increase_fen, p.valid_from_on, p.valid_until_on, p.state
from current_decision c join proposal p on p.proposal_id = c.proposal_id
where c.decision_id = %(decision_id)s and (c.subject_id, c.product) = (
        select subject_id, product from decision where decision_id = %(decision_id)s)
  and p.decision_id <> c.decision_id and p.state in ('proposed', 'unknown', 'accepted', 'in_force');
