-- One push, or one chunk of a stream.
create table contribution_batch (
    batch_id uuid primary key,
    town text not null,
    client_id text not null,
    idempotency_key text not null,
    payload_sha256 bytea not null,
    adapter text not null,                   -- 'lijiayuan/1': which reading of their words
    received_at timestamptz not null,
    item_count int not null check (item_count >= 0),
    accepted_count int not null check (accepted_count >= 0),
    exceptions jsonb not null default '[]',  -- every item that was not plainly accepted: [no, status, code, where, detail]
    item_digests bytea not null,             -- 32 bytes per accepted item, in item order: what the rows must hash to
    receipt text not null,
    unique (client_id, idempotency_key),
    check (octet_length(item_digests) = 32 * accepted_count)
);
call make_append_only('contribution_batch');

-- The bytes as they came, encrypted, so that a push can be read again by a later version of its adapter.
create table raw_push (
    batch_id uuid primary key,
    key_id text not null,
    sealed bytea not null,
    whole boolean not null default true,     -- false: items of persons without consent were cut out before it was kept
    received_at timestamptz not null
);
grant delete on raw_push to gateway_app;

-- A correction is a new row. Nothing here changes.
create table contribution (
    town text not null,
    reference text not null,
    batch_id uuid not null,
    item_no int not null,
    kind text not null,
    activity text not null,
    category text not null,
    holder_id bigint not null,
    person_id bigint not null default 0,     -- 0: the household as such
    points_centi bigint not null,
    occurred_at timestamptz not null,
    occurred_on date not null,               -- Asia/Shanghai
    reverses text,
    period text,
    content_digest bytea not null,           -- keyed digest of the item's content: same reference, same content?
    primary key (town, reference),
    check (kind = 'posted_score' or points_centi > 0)
);
create unique index contribution_reversed_once on contribution (town, reverses) where reverses is not null;
create index contribution_batch_row on contribution (batch_id, item_no);
create index contribution_holder on contribution (holder_id, occurred_on);
call make_append_only('contribution');

create table month_sum (
    holder_id bigint not null,
    town text not null,
    person_id bigint not null,
    month int not null,
    category text not null,
    kind text not null,
    points_centi bigint not null,
    items bigint not null,
    primary key (holder_id, town, person_id, month, category, kind)
) with (fillfactor = 70);
grant update on month_sum to gateway_app;

-- Kept, not posted: an item we may not guess about. The bytes stay in raw_push; here only why and until when.
create table quarantined_item (
    batch_id uuid not null,
    item_no int not null,
    town text not null,
    reference text not null,
    code text not null,
    detail text not null,
    quarantined_at timestamptz not null,
    keep_until timestamptz not null,
    released_at timestamptz,
    released_as uuid,                        -- the batch that posted it
    primary key (batch_id, item_no)
);
create index quarantined_open on quarantined_item (town, code) where released_at is null;
grant update (released_at, released_as), delete on quarantined_item to gateway_app;

-- Activity codes an operator added after the adapter was written.
create table activity_code (
    town text not null,
    activity text not null,
    category text not null,
    added_by text not null,
    added_at timestamptz not null,
    primary key (town, activity)
);

-- Whose facts changed: one row a batch, so that a push never waits for evaluation and never pays per item.
create table changed_batch (
    batch_id uuid primary key,
    queued_at timestamptz not null
);
grant delete on changed_batch to gateway_app;
