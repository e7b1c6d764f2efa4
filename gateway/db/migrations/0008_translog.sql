-- What the log says. Body: canonical JSON (RFC 8785) bytes, hashed as they stand here and never re-encoded.
create table record (
    record_id uuid primary key,
    kind text not null,
    row_id text not null,
    body bytea not null check (octet_length(body) between 2 and 60000),
    recorded_at timestamptz not null,
    unique (kind, row_id)
);
call make_append_only('record');

-- Recorded and not yet in the tree. Only the triggers below write here: a record is queued because it was written and
-- leaves the queue because it got its leaf, so neither can be forgotten. `queue_no` is the order of writing whatever the
-- clock says; numbers may become visible out of order, which is why the queue is emptied and never read "after the last".
create table record_pending (
    record_id uuid primary key,
    queue_no bigint generated always as identity,
    recorded_at timestamptz not null
);
create index record_pending_order on record_pending (queue_no);
revoke insert, update, delete on record_pending from gateway_app;

create function queue_records() returns trigger language plpgsql security definer set search_path = public as $$
begin
    insert into record_pending (record_id, recorded_at) select record_id, recorded_at from written;
    return null;
end $$;
create trigger queue_records after insert on record referencing new table as written
    for each statement execute function queue_records();

-- The tree's leaves: SHA-256(0x00 ‖ record.body), RFC 6962 section 2.1.
create table leaf (
    position bigint primary key check (position >= 0),
    record_id uuid not null unique,
    leaf_hash bytea not null check (octet_length(leaf_hash) = 32)
);
call make_append_only('leaf');

-- A leaf is for a record that waits, and follows the last leaf without a gap.
create function seal_records() returns trigger language plpgsql security definer set search_path = public as $$
declare
    leaves bigint;
    first bigint;
    last bigint;
    waiting bigint;
begin
    select count(*), min(position), max(position) into leaves, first, last from sealed;
    if leaves = 0 then
        return null;
    end if;
    if last - first + 1 <> leaves or (first > 0 and not exists (select from leaf where position = first - 1)) then
        raise exception 'leaves % to % leave a gap in the log', first, last
            using errcode = 'integrity_constraint_violation', table = 'leaf';
    end if;
    with done as (delete from record_pending p using sealed s where p.record_id = s.record_id returning 1)
    select count(*) into waiting from done;
    if waiting <> leaves then
        raise exception '% of % leaves are for no waiting record', leaves - waiting, leaves
            using errcode = 'integrity_constraint_violation', table = 'leaf';
    end if;
    return null;
end $$;
create trigger seal_records after insert on leaf referencing new table as sealed
    for each statement execute function seal_records();

-- Full tiles only, 256 hashes each (C2SP tlog-tiles); partial tiles are derived. `root` is the hash of the whole tile, which
-- is the tile's entry one level up: the right edge of the tree is then at most 255 rows a level to read.
create table tile (
    level smallint not null check (level between 0 and 7),
    index bigint not null check (index >= 0),
    hashes bytea not null check (octet_length(hashes) = 8192),
    root bytea not null check (octet_length(root) = 32),
    primary key (level, index)
);
call make_append_only('tile');

-- What was signed: C2SP tlog-checkpoint as a signed note, one a sealing. `signed_at` is whole seconds and is itself signed.
-- `number` counts 1, 2, 3, …, so that a removed checkpoint leaves a gap.
create table checkpoint (
    size bigint primary key check (size > 0),
    number bigint not null unique check (number > 0),
    root bytea not null check (octet_length(root) = 32),
    note text not null,
    signed_at timestamptz not null
);
call make_append_only('checkpoint');
