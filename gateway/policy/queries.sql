-- name: insert_ruleset
insert into ruleset (ruleset_id, name, product, subject, valid_from_on, document, yaml, proposed_by, proposed_at)
values (%(ruleset_id)s, %(name)s, %(product)s, %(subject)s, %(valid_from_on)s, %(document)s, %(yaml)s, %(proposed_by)s, %(proposed_at)s)
on conflict (ruleset_id) do nothing;

-- name: lock_ruleset
-- Rulesets never change; the lock only puts two approvals of one ruleset in a row.
select pg_advisory_xact_lock(hashtextextended('ruleset ' || %(ruleset_id)s, 0));

-- name: insert_approval
insert into ruleset_approval (ruleset_id, name, valid_from_on, proposed_by, approved_by, approved_at)
select ruleset_id, name, valid_from_on, proposed_by, %(approved_by)s, %(approved_at)s from ruleset where ruleset_id = %(ruleset_id)s;

-- name: find_ruleset
select r.ruleset_id, r.name, r.product, r.subject, r.valid_from_on, r.document, r.yaml, r.proposed_by, r.proposed_at,
       a.approved_by, a.approved_at
from ruleset r left join ruleset_approval a using (ruleset_id)
where r.ruleset_id = %(ruleset_id)s;

-- name: list_rulesets
select r.ruleset_id, r.name, r.product, r.subject, r.valid_from_on, r.proposed_by, r.proposed_at, a.approved_by, a.approved_at
from ruleset r left join ruleset_approval a using (ruleset_id)
order by r.name, r.valid_from_on, r.proposed_at, r.ruleset_id limit %(limit)s;

-- name: list_by_prefix
select ruleset_id from ruleset where starts_with(ruleset_id, %(prefix)s) order by ruleset_id limit 2;

-- name: list_in_force
select distinct on (r.name) r.ruleset_id, r.document
from ruleset r join ruleset_approval a using (ruleset_id)
where r.valid_from_on <= %(on)s
order by r.name, r.valid_from_on desc;

-- name: list_proposed_ids
select ruleset_id from ruleset where ruleset_id > %(after)s order by ruleset_id limit %(limit)s;

-- name: restate_proposed
select ruleset_id, name, product, subject, valid_from_on, document, yaml, proposed_by, proposed_at
from ruleset where ruleset_id = any(%(row_ids)s::text[]);

-- name: list_approved_ids
select ruleset_id from ruleset_approval where ruleset_id > %(after)s order by ruleset_id limit %(limit)s;

-- name: restate_approved
select ruleset_id, name, valid_from_on, proposed_by, approved_by, approved_at
from ruleset_approval where ruleset_id = any(%(row_ids)s::text[]);

-- name: list_household_marks
-- Every %(size)s-th household, so that a sweep goes through ranges of about that many.
select household_id from (
    select household_id, row_number() over (order by household_id) as place from household
) numbered where place %% %(size)s = 1 order by household_id;

-- name: list_person_marks
select person_id from (
    select person_id, row_number() over (order by person_id) as place from person where restricted_at is null
) numbered where place %% %(size)s = 1 order by person_id;

-- name: list_households_between
select household_id from household where household_id >= %(low)s and household_id < %(high)s order by household_id;

-- name: list_persons_between
select person_id from person where person_id >= %(low)s and person_id < %(high)s and restricted_at is null order by person_id;

-- name: sum_households_plain
-- Score units of households, where no category has a cap. Sums of members without consent do not count; what members hold
-- themselves counts for the household they have belonged to longest (subjects: list_home_members).
with counted as (
    select household_id as subject_id, household_id as holder_id from household where household_id >= %(low)s and household_id < %(high)s
    union all
    select household_id, person_id from (
        select distinct on (m.person_id) m.person_id, m.household_id
        from membership m
        where m.valid_from_on <= %(on)s and m.valid_until_on > %(on)s and m.person_id in (
            select person_id from membership where household_id >= %(low)s and household_id < %(high)s)
        order by m.person_id, m.valid_from_on, m.household_id
    ) home where household_id >= %(low)s and household_id < %(high)s
)
select counted.subject_id,
       sum(case when m.kind = 'award' then m.points_centi else -m.points_centi end * f.units * coalesce(w.weight, %(other_weight)s))::bigint
from counted join month_sum m on m.holder_id = counted.holder_id
join unnest(%(towns)s::text[], %(town_units)s::bigint[]) as f(town, units) on f.town = m.town
left join unnest(%(categories)s::text[], %(weights)s::bigint[]) as w(category, weight) on w.category = m.category
left join consent c on c.person_id = m.person_id and c.town = m.town and c.purpose = 'loan_mapping' and c.withdrawn_at is null
where m.month between %(first)s and %(last)s
  and m.kind in ('award', 'deduction', 'reversal') and (m.person_id = 0 or c.person_id is not null)
group by counted.subject_id;

-- name: sum_households_capped
-- The cap holds for a month and category together, over towns and members, after factor and weight.
with counted as (
    select household_id as subject_id, household_id as holder_id from household where household_id >= %(low)s and household_id < %(high)s
    union all
    select household_id, person_id from (
        select distinct on (m.person_id) m.person_id, m.household_id
        from membership m
        where m.valid_from_on <= %(on)s and m.valid_until_on > %(on)s and m.person_id in (
            select person_id from membership where household_id >= %(low)s and household_id < %(high)s)
        order by m.person_id, m.valid_from_on, m.household_id
    ) home where household_id >= %(low)s and household_id < %(high)s
)
select cells.subject_id,
       sum(least(cells.units * coalesce(w.weight, %(other_weight)s),
                 coalesce(w.cap, case when w.category is null then %(other_cap)s::bigint end)))::bigint
from (
    select counted.subject_id, m.month, m.category,
           sum(case when m.kind = 'award' then m.points_centi else -m.points_centi end * f.units)::bigint as units
    from counted join month_sum m on m.holder_id = counted.holder_id
    join unnest(%(towns)s::text[], %(town_units)s::bigint[]) as f(town, units) on f.town = m.town
    left join consent c on c.person_id = m.person_id and c.town = m.town and c.purpose = 'loan_mapping' and c.withdrawn_at is null
    where m.month between %(first)s and %(last)s
      and m.kind in ('award', 'deduction', 'reversal') and (m.person_id = 0 or c.person_id is not null)
    group by counted.subject_id, m.month, m.category
) cells
left join unnest(%(categories)s::text[], %(weights)s::bigint[], %(caps)s::bigint[]) as w(category, weight, cap)
    on w.category = cells.category
group by cells.subject_id;

-- name: allow_sorting_memory
set local work_mem = '64MB';

-- name: sum_persons
-- Score units of persons: their own accounts and their named share of household accounts, in towns they consented to.
select person_id, sum(least(units, cap))::bigint from (
    select p.person_id, coalesce(w.cap, case when w.category is null then %(other_cap)s::bigint end) as cap,
           sum(case when m.kind = 'award' then m.points_centi else -m.points_centi end * f.units * coalesce(w.weight, %(other_weight)s)) as units
    from person p
    cross join lateral (
        select p.person_id as holder_id union select household_id from membership where person_id = p.person_id
    ) h
    join month_sum m on m.holder_id = h.holder_id
        and (m.person_id = p.person_id or m.person_id = 0 and m.holder_id = p.person_id)
    join consent c on c.person_id = p.person_id and c.town = m.town and c.purpose = 'loan_mapping' and c.withdrawn_at is null
    join unnest(%(towns)s::text[], %(town_units)s::bigint[]) as f(town, units) on f.town = m.town
    left join unnest(%(categories)s::text[], %(weights)s::bigint[], %(caps)s::bigint[]) as w(category, weight, cap) on w.category = m.category
    where p.person_id >= %(low)s and p.person_id < %(high)s and m.month between %(first)s and %(last)s
      and m.kind in ('award', 'deduction', 'reversal')
    group by p.person_id, m.month, m.category, w.category, w.cap
) cells
group by person_id;
