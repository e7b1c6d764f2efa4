-- Whose facts changed other than by a push: consent withdrawn, a mark, a facility, a new ruleset, an ended benefit.
create table changed_subject (
    subject_id bigint not null,
    cause text not null,                     -- 'consent', 'mark', 'facility', 'ruleset:<id>', 'expired', …
    queued_at timestamptz not null,
    primary key (subject_id, cause)
);
create index changed_subject_age on changed_subject (queued_at);
grant update, delete on changed_subject to gateway_app;

-- The queue contributions fills and a sweep empties: rows leave with the sweep's transaction, others skip what it holds.
-- Batches are taken whole, oldest first, until they hold `most` items; a thousand single pushes are taken like one of a thousand.
create function take_changed_batches(most int) returns setof uuid
    language sql security definer set search_path = public as $$
    with held as materialized (
        select batch_id, queued_at from changed_batch order by queued_at, batch_id limit most for update skip locked
    ), counted as (
        select h.batch_id, sum(coalesce(b.accepted_count, 1)) over (order by h.queued_at, h.batch_id)
            - coalesce(b.accepted_count, 1) as before
        from held h left join contribution_batch b using (batch_id)
    )
    delete from changed_batch where batch_id in (select batch_id from counted where before < most) returning batch_id
$$;
grant execute on function take_changed_batches(int) to gateway_app;

-- One row a subject: whoever evaluates a subject holds its row, so two sweeps never decide about one subject at once.
create table evaluation (
    subject_id bigint primary key,
    evaluated_at timestamptz not null
);
grant update on evaluation to gateway_app;

-- Rulesets whose coming into force has put everybody into the queue.
create table swept_ruleset (
    ruleset_id text primary key,
    swept_at timestamptz not null
);

-- What a ruleset said about a subject. Facts and the whole decision are kept as bytes: `gateway policy replay` compares.
create table decision (
    decision_id uuid primary key,
    ruleset_id text not null,
    subject_id bigint not null,
    subject_kind text not null check (subject_kind in ('household', 'person')),
    applicant_id bigint not null,
    product text not null,
    as_of_on date not null,
    outcome text not null check (outcome in ('granted', 'nothing', 'not_eligible', 'vetoed')),
    score_centi bigint not null,
    discount_bp int not null check (discount_bp >= 0),
    limit_increase_fen bigint not null check (limit_increase_fen >= 0),
    final_rate_bp int,
    reason_codes text[] not null,
    facts bytea not null,
    body bytea not null,
    salt bytea not null check (octet_length(salt) = 16),   -- the log holds a commitment, not the values
    caused_by text not null,                 -- 'batch:<id>', 'consent', 'ruleset:<id>', …
    decided_at timestamptz not null
);
create index decision_subject on decision (subject_id, product, decided_at);
call make_append_only('decision');

-- The decision that stands for a subject and a product, and the proposal made of it.
create table current_decision (
    subject_id bigint not null,
    product text not null,
    decision_id uuid not null,
    proposal_id uuid,
    primary key (subject_id, product)
);
grant update on current_decision to gateway_app;

-- Which state follows which on which event; the same table stands in gateway/benefits/states.py and a test compares them.
create table proposal_edge (
    from_state text not null,
    event text not null,
    to_state text not null,
    primary key (from_state, event)
);
insert into proposal_edge (from_state, event, to_state) values
    ('proposed', 'bank_accepted', 'accepted'),
    ('proposed', 'bank_declined', 'declined'),
    ('proposed', 'answer_lost', 'unknown'),
    ('proposed', 'superseded', 'superseded'),
    ('proposed', 'revoked', 'revoked'),
    ('unknown', 'bank_accepted', 'accepted'),
    ('unknown', 'bank_declined', 'declined'),
    ('unknown', 'nothing_found', 'proposed'),
    ('unknown', 'revoked', 'revoked'),
    ('accepted', 'started', 'in_force'),
    ('accepted', 'superseded', 'superseded'),
    ('accepted', 'revoked', 'revoked'),
    ('accepted', 'expired', 'expired'),
    ('in_force', 'superseded', 'superseded'),
    ('in_force', 'revoked', 'revoked'),
    ('in_force', 'expired', 'expired');
call make_append_only('proposal_edge');
revoke insert on proposal_edge from gateway_app;

create table proposal (
    proposal_id uuid primary key,
    business_on date not null,
    serial text not null,
    decision_id uuid not null,
    subject_id bigint not null,
    applicant_id bigint not null,
    product text not null,
    discount_bp int not null check (discount_bp >= 0),
    limit_increase_fen bigint not null check (limit_increase_fen >= 0),
    reason_codes text[] not null,
    decision_sha256 text not null,
    valid_from_on date not null,
    valid_until_on date not null,
    supersedes uuid,
    salt bytea not null check (octet_length(salt) = 16),
    proposed_at timestamptz not null,
    state text not null default 'proposed' check (state in
        ('proposed', 'accepted', 'declined', 'unknown', 'in_force', 'superseded', 'revoked', 'expired')),
    unique (business_on, serial),
    check (valid_from_on < valid_until_on),
    check (discount_bp > 0 or limit_increase_fen > 0)
);
-- Locking a row needs a right to update something of it. This is that; the trigger below refuses to use it.
grant update (supersedes) on proposal to gateway_app;
create index proposal_subject on proposal (subject_id, product, proposed_at);
create index proposal_ending on proposal (valid_until_on) where state in ('accepted', 'in_force');
create index proposal_starting on proposal (valid_from_on) where state = 'accepted';

-- What happened to a proposal. The only way a proposal changes its state is a row here.
create table proposal_event (
    event_id uuid primary key,
    proposal_id uuid not null,
    from_state text not null,
    event text not null,
    to_state text not null,
    code text not null default '',
    bank_reference text,
    happened_at timestamptz not null
);
create index proposal_event_proposal on proposal_event (proposal_id, happened_at);
call make_append_only('proposal_event');

create function move_proposals() returns trigger language plpgsql security definer set search_path = public as $$
declare
    wrong record;
    counted int;
    changed int;
begin
    select h.proposal_id, h.from_state, h.event, h.to_state into wrong
    from happened h left join proposal_edge e on e.from_state = h.from_state and e.event = h.event and e.to_state = h.to_state
    where e.from_state is null limit 1;
    if found then
        raise exception 'proposal %: % does not lead from % to %', wrong.proposal_id, wrong.event, wrong.from_state, wrong.to_state
            using errcode = 'check_violation', constraint = 'proposal_edge', table = 'proposal_event';
    end if;
    update proposal p set state = h.to_state from happened h where p.proposal_id = h.proposal_id and p.state = h.from_state;
    get diagnostics changed = row_count;
    select count(*) into counted from happened;
    if changed <> counted then
        raise exception '% of % proposals were not in the state the event leaves', counted - changed, counted
            using errcode = 'check_violation', constraint = 'proposal_state', table = 'proposal_event';
    end if;
    return null;
end $$;
create trigger move_proposals after insert on proposal_event referencing new table as happened
    for each statement execute function move_proposals();

-- Even the owner of the table cannot walk an edge that is not there, nor change anything but the state.
create function refuse_proposal_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'proposed' then
            raise exception 'a proposal begins as proposed, not as %', new.state
                using errcode = 'check_violation', constraint = 'proposal_edge', table = 'proposal';
        end if;
        return new;
    end if;
    if tg_op = 'DELETE' or (to_jsonb(new) - 'state') is distinct from (to_jsonb(old) - 'state') then
        raise exception 'a proposal is never changed or removed; its state moves by an event'
            using errcode = 'integrity_constraint_violation', table = 'proposal';
    end if;
    if not exists (select from proposal_edge where from_state = old.state and to_state = new.state) then
        raise exception 'a proposal does not go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'proposal_edge', table = 'proposal';
    end if;
    return new;
end $$;
create trigger proposal_edges before insert or update or delete on proposal for each row execute function refuse_proposal_change();
create trigger no_truncate before truncate on proposal for each statement execute function refuse_change();

-- A request to end a proposal at the bank: one a proposal. Its answer is the proposal's event 'revoked'.
create table revocation (
    revocation_id uuid primary key,
    proposal_id uuid not null unique,
    business_on date not null,
    serial text not null,
    reason_code text not null,
    caused_by text not null,
    requested_at timestamptz not null,
    unique (business_on, serial)
);
call make_append_only('revocation');

-- What the bank's credit system said about an applicant and a product. fetched_at null: wanted and not asked yet.
create table facility (
    applicant_id bigint not null,
    product text not null,
    subject_id bigint not null,              -- whose evaluation asked for it
    known boolean not null default false,    -- false after asking: the bank has no such customer or product
    base_rate_bp int,
    base_limit_fen bigint,
    asset_limit_fen bigint,
    vetoes text[] not null default '{}',
    honours text[] not null default '{}',
    age_min int,
    age_max int,
    fetched_at timestamptz,
    next_ask_at timestamptz not null,
    claimed_until timestamptz,
    attempts int not null default 0,
    primary key (applicant_id, product),
    check (not known or (base_rate_bp is not null and base_limit_fen is not null))
);
create index facility_due on facility (next_ask_at);
grant update, delete on facility to gateway_app;

-- A programme's quota and who uses it. The row is locked by whoever takes from it; PostgreSQL refuses an overshoot.
create table quota (
    programme text primary key,
    total_fen bigint not null check (total_fen >= 0),
    used_fen bigint not null default 0 check (used_fen >= 0),
    constraint quota_not_overshot check (used_fen <= total_fen)
);
grant update on quota to gateway_app;
create table quota_use (
    proposal_id uuid primary key,
    programme text not null,
    amount_fen bigint not null check (amount_fen > 0),
    counted boolean not null,                -- false: takes the place of `instead_of` when that ends, and is not more than it
    instead_of uuid,
    taken_at timestamptz not null,
    released_at timestamptz,
    check (counted or instead_of is not null)
);
create index quota_use_heir on quota_use (instead_of) where not counted;
grant update (released_at, counted) on quota_use to gateway_app;
-- Granted by the ruleset, and the programme was used up: first come, first served when there is room again.
create table quota_waiting (
    subject_id bigint not null,
    product text not null,
    programme text not null,
    amount_fen bigint not null check (amount_fen > 0),
    waiting_since timestamptz not null,
    primary key (subject_id, product)
);
create index quota_waiting_age on quota_waiting (programme, waiting_since);
grant update, delete on quota_waiting to gateway_app;
