-- A town's day file that was taken, whole: which day, which bytes, what became of its items. A corrected file is one more row.
create table day_file (
    town text not null,
    accounting_on date not null,
    file_sha256 bytea not null,
    item_count int not null,
    points_centi bigint not null,
    accepted_count int not null,             -- missing in real time, received now
    duplicate_count int not null,            -- pushed in real time
    conflict_count int not null,             -- stand here otherwise: the first stands
    quarantined_count int not null,
    rejected_count int not null,
    over_cap_count int not null,             -- persons who reached more with an activity than the town's own cap
    over_cap jsonb not null,                 -- the first hundred: [reference that crossed it, activity, points in 1/100, cap in 1/100]
    taken_at timestamptz not null,
    primary key (town, accounting_on, file_sha256),
    check (item_count = accepted_count + duplicate_count + conflict_count + quarantined_count + rejected_count)
);
call make_append_only('day_file');

-- From which day on a town's files are asked for: the first time we asked.
create table day_file_since (
    town text primary key,
    from_on date not null
);
