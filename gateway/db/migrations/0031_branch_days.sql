-- A count of a branch's goods (盘点): what the book said and what was there. Differences are movements of kind `count` under the count's id.
create table stock_count (
    count_id uuid primary key,
    branch_no text not null,
    counted_by uuid not null,
    teller_no text not null,
    counted_at timestamptz not null
);
create index stock_count_branch on stock_count (branch_no, counted_at);
call make_append_only('stock_count');
create table stock_count_line (
    count_id uuid not null,
    good_id uuid not null,
    book_count int not null check (book_count >= 0),
    counted_count int not null check (counted_count >= 0),
    reason text not null,
    primary key (count_id, good_id),
    constraint difference_has_reason check (counted_count = book_count or reason <> '')
);
call make_append_only('stock_count_line');

-- A branch's day that was closed (日终): counted by one person, signed by another. Nothing is dated into it or before it any more.
create table branch_day (
    day_id uuid primary key,
    branch_no text not null,
    accounting_on date not null,
    count_id uuid,                              -- null: the branch never had goods
    signed_by uuid not null,
    teller_no text not null,
    closed_at timestamptz not null,
    unique (branch_no, accounting_on)
);
call make_append_only('branch_day');

-- What went over the counter that day, by the accounting date of the hand-over or of the goods' return. Points and money are the
-- counts times the price and what the town pays: nothing that could disagree is kept beside them.
create table branch_day_line (
    day_id uuid not null,
    town text not null,
    good_id uuid not null,
    price_centi bigint not null,
    settle_fen bigint not null,
    given_count int not null check (given_count >= 0),
    returned_count int not null check (returned_count >= 0),     -- reversed on the day they were opened (冲正)
    corrected_count int not null check (corrected_count >= 0),   -- reversed later: a correcting entry of this day (补正)
    primary key (day_id, town, good_id, price_centi, settle_fen)
);
call make_append_only('branch_day_line');

-- The register of that day, by good: what was there at its beginning, what came and went, what is there at its end.
create table branch_day_stock (
    day_id uuid not null,
    good_id uuid not null,
    opening_count int not null check (opening_count >= 0),
    issued_count int not null,
    returned_count int not null,
    received_count int not null,                -- deliveries and transfers in
    sent_count int not null,                    -- transfers out and write-offs
    differing_count int not null,               -- what counts found more (or less, negative)
    closing_count int not null check (closing_count >= 0),
    primary key (day_id, good_id),
    constraint register_adds_up check (closing_count = opening_count - issued_count + returned_count + received_count - sent_count + differing_count)
);
call make_append_only('branch_day_stock');

-- Sums of a day take the hand-overs and returns of that day, whatever day they were opened.
create index redemption_event_given on redemption_event (occurred_at) where event in ('handed_over', 'reversal_asked');

-- No line of the register is dated into a closed day. Whoever closes holds the branch's lock alone; whoever moves goods shares it.
create function refuse_closed_day() returns trigger language plpgsql as $$
declare
    place record;
    shut record;
begin
    for place in select distinct branch_no from moved order by branch_no loop
        perform pg_advisory_xact_lock_shared(hashtextextended('branch day ' || place.branch_no, 0));
    end loop;
    select d.branch_no, d.accounting_on into shut
    from moved m join branch_day d on d.branch_no = m.branch_no and d.accounting_on >= (m.moved_at at time zone 'Asia/Shanghai')::date
    limit 1;
    if found then
        raise exception 'branch % has closed %', shut.branch_no, shut.accounting_on
            using errcode = 'check_violation', constraint = 'branch_day_closed', table = 'stock_movement';
    end if;
    return null;
end $$;
create trigger closed_day after insert on stock_movement referencing new table as moved
    for each statement execute function refuse_closed_day();
