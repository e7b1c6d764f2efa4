-- A posted list of scores (one village, one quarter), or a correction of one of its lines after an objection. What it moved
-- stands in `contribution` under the same batch; what the town was told stands here, because the same again gets the same answer.
create table scoreboard (
    batch_id uuid primary key,
    town text not null,
    kind text not null check (kind in ('list', 'correction')),
    document_no text not null,               -- the town's own number
    reading int not null check (reading > 0),-- 2, 3, …: entries in quarantine were read again
    village text not null,
    period text not null,                    -- '2026Q3'
    rule_book text not null,
    objection_no text not null,              -- of a correction
    posted_at timestamptz not null,          -- when the list was posted, the correction decided
    received_at timestamptz not null,
    applied boolean not null,                -- false: nothing of it could be posted yet (an unknown rule book)
    content_digest bytea not null,           -- keyed digest of what it says: same number, same content?
    answers jsonb not null,                  -- [[item…], lines added, lines reversed, [codes that fell to zero…]]
    constraint scoreboard_said_once unique (town, kind, document_no, reading)
);
create index scoreboard_quarter on scoreboard (town, village, period);
call make_append_only('scoreboard');

-- What stands of a quarter is found by holder; rows without a period pay nothing for it.
create index contribution_period on contribution (town, period, holder_id) where period is not null;
