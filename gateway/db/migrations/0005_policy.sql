-- A ruleset as it was proposed. Its id is the digest of its document, so an edited document is another ruleset.
create table ruleset (
    ruleset_id text primary key,
    name text not null,
    product text not null,
    subject text not null check (subject in ('household', 'person')),
    valid_from_on date not null,
    document bytea not null,                 -- canonical JSON: what is evaluated and replayed
    yaml text not null,                      -- as its author wrote it
    proposed_by text not null check (proposed_by ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
    proposed_at timestamptz not null,
    constraint ruleset_id_is_digest check (ruleset_id = encode(sha256(document), 'hex')),
    constraint ruleset_says_its_name check (
        name = convert_from(document, 'UTF8')::jsonb ->> 'name'
        and product = convert_from(document, 'UTF8')::jsonb ->> 'product'
        and subject = convert_from(document, 'UTF8')::jsonb ->> 'subject'
        and valid_from_on::text = convert_from(document, 'UTF8')::jsonb ->> 'valid_from_on'
    ),
    unique (ruleset_id, name, valid_from_on, proposed_by)
);
call make_append_only('ruleset');

-- Four eyes: the approval repeats who proposed (held to the truth by the foreign key) and must be by somebody else.
create table ruleset_approval (
    ruleset_id text primary key,
    name text not null,
    valid_from_on date not null,
    proposed_by text not null,
    approved_by text not null check (approved_by ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'),
    approved_at timestamptz not null,
    foreign key (ruleset_id, name, valid_from_on, proposed_by)
        references ruleset (ruleset_id, name, valid_from_on, proposed_by),
    constraint approver_is_not_proposer check (approved_by <> proposed_by),
    constraint one_ruleset_a_day unique (name, valid_from_on)
);
call make_append_only('ruleset_approval');
