-- What waits in quarantine is read again from the sealed bytes, and goes when its time is over: its part of the bytes with it.
grant update (key_id, sealed, whole) on raw_push to gateway_app;
grant update (keep_until) on quarantined_item to gateway_app;
create index quarantined_until on quarantined_item (keep_until);

-- What a town's quarantine was last read with: codes, registrations and adapter. While it stands so, reading again changes nothing.
create table quarantine_reading (
    town text primary key,
    ground_sha256 bytea not null,
    read_at timestamptz not null
);
grant update (ground_sha256, read_at) on quarantine_reading to gateway_app;

-- A code says what it says from then on; a wrong one is not edited.
call make_append_only('activity_code');
