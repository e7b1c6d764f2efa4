-- What witnesses signed: a line of c2sp.org/tlog-cosignature over a checkpoint of ours. `number` counts 1, 2, 3, … for each key, so
-- that a removed line leaves a gap.
create table cosignature (
    size bigint not null,
    vkey text not null,
    number bigint not null check (number > 0),
    line text not null,
    cosigned_at timestamptz not null,        -- the time the witness signed, whole seconds
    received_at timestamptz not null,
    primary key (size, vkey),
    unique (vkey, number)
);
call make_append_only('cosignature');

-- A witness would not sign: it has seen another history. Publication stops at checkpoints below `size` until a person answers.
create table witness_refusal (
    refusal_id uuid primary key,
    vkey text not null,
    size bigint not null,                    -- of the checkpoint we showed
    root bytea not null check (octet_length(root) = 32),
    seen_size bigint,                        -- where it says it stands; null: it did not say
    code text not null,
    refused_at timestamptz not null
);
call make_append_only('witness_refusal');

-- What a person found out and decided; with it publication goes on.
create table refusal_answer (
    refusal_id uuid primary key,
    answered_by text not null check (answered_by <> ''),
    reason text not null check (length(reason) between 10 and 2000),
    answered_at timestamptz not null
);
call make_append_only('refusal_answer');
