-- How neighbours stand, for all processes: who paused one, and whether its breaker is open.
create table neighbour_switch (
    switch_id uuid primary key,
    neighbour text not null,
    paused boolean not null,
    why text not null,
    said_by text not null,
    switched_at timestamptz not null
);
create index neighbour_switched on neighbour_switch (neighbour, switched_at desc, switch_id desc);
call make_append_only('neighbour_switch');

-- Operations' notes, one row a neighbour.
create table neighbour_breaker (
    neighbour text primary key,
    state text not null default 'closed' check (state in ('closed', 'open', 'half_open')),
    times_opened int not null default 0,     -- in a row: the wait doubles with it
    since timestamptz not null,              -- in this state
    retry_at timestamptz,                    -- from then on one call may try
    last_code text not null default '',      -- of the failure that opened it
    last_answer_at timestamptz,
    last_failure_at timestamptz,
    check ((state = 'closed') = (retry_at is null))
);
grant update (state, times_opened, since, retry_at, last_code, last_answer_at, last_failure_at) on neighbour_breaker to gateway_app;
