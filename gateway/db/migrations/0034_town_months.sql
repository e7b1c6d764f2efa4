-- What a town owes for a month (月结), once it is settled: made from the closed days of all branches, compared with the town's own
-- statement. One a town and month, never changed.
create table town_month (
    month_id uuid primary key,
    town text not null,
    month int not null check (month % 100 between 1 and 12),
    statement_sha256 text not null,              -- of the lines; printed on every paper made from them
    compared text not null check (compared in ('agrees', 'explained', 'no-statement')),
    serial_count int not null,                   -- freezes of the town that went into the month
    agreed_count int not null,                   -- of them, and the town says the same
    their_points_centi bigint,                   -- what the town's own books come to; null when it gives no statement
    settled_by text not null,
    settled_at timestamptz not null,
    unique (town, month)
);
call make_append_only('town_month');
create table town_month_line (
    month_id uuid not null,
    branch_no text not null,
    good_id uuid not null,
    price_centi bigint not null,
    settle_fen bigint not null,
    given_count int not null check (given_count >= 0),
    returned_count int not null check (returned_count >= 0),
    corrected_count int not null check (corrected_count >= 0),
    primary key (month_id, branch_no, good_id, price_centi, settle_fen)
);
call make_append_only('town_month_line');

-- Where the town said otherwise and somebody explained why, as it stood when the month was settled.
create table town_month_difference (
    month_id uuid not null,
    serial text not null,
    ours text not null,
    theirs text not null,
    owner text not null,
    why text not null,
    said_by text not null,
    found_at timestamptz not null,
    primary key (month_id, serial)
);
call make_append_only('town_month_difference');
