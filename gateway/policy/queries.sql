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
