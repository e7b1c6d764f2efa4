-- Reconciliation: the towns' day statements against what stands with us.

-- One comparison of a day, or one word of a person about a difference. The log has a record of each.
create table reconciliation (
    run_id uuid primary key,
    cause text not null check (cause in ('day', 'word')),
    town text not null,
    accounting_on date not null,
    said_by text not null,                   -- 'gateway' or the person's name
    statement_sha256 bytea not null,         -- of the town's lines in order of reference; empty for a word
    line_count int not null check (line_count >= 0),
    matched_count int not null,
    ours_only_count int not null,
    theirs_only_count int not null,
    differing_count int not null,
    change_count int not null,               -- rows of difference_change it wrote
    asked_at timestamptz not null,
    reconciled_at timestamptz not null
);
call make_append_only('reconciliation');

-- What became known of a difference, step by step; the last step is how it stands. A difference is one reference of one town.
create table difference_change (
    town text not null,
    line_kind text not null check (line_kind in ('contribution', 'redemption')),
    reference text not null,
    change_no int not null check (change_no > 0),
    run_id uuid not null,
    accounting_on date not null,             -- the day on which it was first seen; it keeps it
    outcome text not null check (outcome in ('ours_only', 'theirs_only', 'differs')),
    fields text not null,                    -- which fields differ: 'points', 'kind', 'account', 'state', joined by commas
    ours text not null,
    theirs text not null,
    owner text not null check (owner in ('town', 'bank', 'gateway')),
    action text not null,
    state text not null check (state in ('open', 'explained', 'closed')),
    why text not null,
    said_by text not null,
    found_at timestamptz not null,           -- age counts from here; a difference that opens again begins anew
    changed_at timestamptz not null,
    primary key (town, line_kind, reference, change_no)
);
create index difference_run on difference_change (run_id);
create index difference_day on difference_change (town, accounting_on);
call make_append_only('difference_change');

-- Which days were compared, and when last. Operations' notes.
create table reconciled_day (
    town text not null,
    accounting_on date not null,
    run_id uuid not null,
    statement_sha256 bytea not null,
    checked_at timestamptz not null,
    primary key (town, accounting_on)
);
grant update (run_id, statement_sha256, checked_at) on reconciled_day to gateway_app;

-- What a town lists on another day than its own instant says (midnight): it is no difference on either day.
create table line_elsewhere (
    town text not null,
    line_kind text not null,
    reference text not null,
    accounting_on date not null,             -- the day of the statement
    primary key (town, line_kind, reference)
);

-- Where a statement stands while it is compared; filled and emptied in one transaction.
create unlogged table statement_line (
    run_id uuid not null,
    line_kind text not null,
    reference text not null,
    kind text not null,
    points_centi bigint not null,
    state text not null,
    holder_id bigint,                        -- whom the town's account is; null: nobody we know
    primary key (run_id, line_kind, reference)
);
grant delete on statement_line to gateway_app;

-- A day's contributions. Items come nearly in the order of their days, so a summary of ranges finds them and costs a push nothing.
create index contribution_day on contribution using brin (occurred_on) with (pages_per_range = 32, autosummarize = on);
