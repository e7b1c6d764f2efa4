-- A town that is asked for its changes: how far we are. Moves in the transaction that stores what was fetched.
create table feed (
    town text primary key,
    cursor text not null,                    -- '' is the beginning
    high_seq bigint not null,                -- every number up to here was received, is void, or stands in feed_gap
    fetched_at timestamptz,                  -- when the town last answered
    wanted_at timestamptz,                   -- when the town last said that something changed
    wait_until timestamptz                   -- the town asked us to wait (429)
);
grant update on feed to gateway_app;

-- Sequence numbers that were passed and have not come: raised while they stand, removed when they came or are void.
create table feed_gap (
    town text not null,
    from_seq bigint not null,
    until_seq bigint not null,               -- exclusive
    seen_at timestamptz not null,
    primary key (town, from_seq),
    check (from_seq < until_seq)
);
grant delete on feed_gap to gateway_app;

-- Events that came through the events door, so that a repeat is answered and not repeated.
create table hook_event (
    town text not null,
    event_id text not null,
    body_sha256 bytea not null,
    kind text not null,
    subject text not null default '',        -- our serial, for a freeze that ended by itself
    received_at timestamptz not null,
    primary key (town, event_id)
);
create index hook_event_age on hook_event (received_at);
grant delete on hook_event to gateway_app;
