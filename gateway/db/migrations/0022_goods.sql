-- What can be had for points. A good's words may change; its price is dated and never edited.
create table good (
    good_id uuid primary key,
    code text not null unique check (code ~ '^[A-Z0-9-]{1,24}$'),
    name_zh text not null,
    name_en text not null,
    picture text not null default '',           -- a word for the built-in drawings
    low_stock_count int not null default 0 check (low_stock_count >= 0),
    limit_count int not null default 0 check (limit_count >= 0),   -- for one resident and period; 0: no limit
    limit_period text not null default 'year' check (limit_period in ('month', 'year', 'ever')),
    offered boolean not null default true,
    recorded_at timestamptz not null
);
grant update on good to gateway_app;

-- What a good costs in a town's points, and what the town pays the bank for it, by the agreement with the town. The latest begun counts.
create table good_price (
    price_id uuid primary key,
    good_id uuid not null,
    town text not null,
    valid_from_on date not null,
    price_centi bigint not null check (price_centi > 0),
    settle_fen bigint not null check (settle_fen >= 0),
    agreement text not null,
    set_by text not null,
    recorded_at timestamptz not null
);
create unique index good_price_from on good_price (good_id, town, valid_from_on);
call make_append_only('good_price');

-- What a branch has of a good: on the shelf, and of that set aside for redemptions. Moves by movements only.
create table stock (
    branch_no text not null,
    good_id uuid not null,
    on_hand_count int not null default 0,
    held_count int not null default 0,
    primary key (branch_no, good_id),
    constraint stock_not_negative check (on_hand_count >= 0),
    constraint held_is_there check (held_count between 0 and on_hand_count)
);

-- The register (领用登记簿): each line changes what is on hand, what is held, or both. The same cause twice is refused.
create table stock_movement (
    cause_id uuid not null,                     -- the redemption, delivery, transfer or count
    kind text not null check (kind in
        ('receive', 'hold', 'release', 'issue', 'return', 'transfer_out', 'transfer_in', 'count', 'write_off')),
    branch_no text not null,
    good_id uuid not null,
    on_hand_change_count int not null,
    held_change_count int not null,
    reason text not null,
    moved_by text not null,                     -- teller number, or the job
    moved_at timestamptz not null,
    primary key (cause_id, kind, branch_no, good_id),
    constraint movement_fits_kind check (case kind
        when 'receive' then on_hand_change_count > 0 and held_change_count = 0
        when 'transfer_in' then on_hand_change_count > 0 and held_change_count = 0
        when 'return' then on_hand_change_count > 0 and held_change_count = 0
        when 'transfer_out' then on_hand_change_count < 0 and held_change_count = 0
        when 'write_off' then on_hand_change_count < 0 and held_change_count = 0
        when 'count' then on_hand_change_count <> 0 and held_change_count = 0
        when 'hold' then on_hand_change_count = 0 and held_change_count > 0
        when 'release' then on_hand_change_count = 0 and held_change_count < 0
        when 'issue' then on_hand_change_count < 0 and held_change_count = on_hand_change_count end)
);
create index stock_movement_branch on stock_movement (branch_no, moved_at);
call make_append_only('stock_movement');

create function move_stock() returns trigger language plpgsql security definer set search_path = public as $$
begin
    insert into stock (branch_no, good_id) select distinct branch_no, good_id from moved order by 1, 2 on conflict do nothing;
    with legs as (
        select branch_no, good_id, sum(on_hand_change_count)::int as on_hand, sum(held_change_count)::int as held
        from moved group by branch_no, good_id order by branch_no, good_id
    )
    update stock s set on_hand_count = s.on_hand_count + legs.on_hand, held_count = s.held_count + legs.held
    from legs where s.branch_no = legs.branch_no and s.good_id = legs.good_id;
    return null;
end $$;
create trigger move_stock after insert on stock_movement referencing new table as moved
    for each statement execute function move_stock();
revoke insert, update, delete on stock from gateway_app;
grant update (branch_no) on stock to gateway_app;  -- never used: PostgreSQL asks for it before it lets `for update` lock a row
create function refuse_stock_edit() returns trigger language plpgsql as $$
begin
    if current_user <> (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        raise exception 'stock changes by a movement only' using errcode = 'integrity_constraint_violation', table = 'stock';
    end if;
    return new;
end $$;
create trigger stock_by_movement_only before update of branch_no on stock for each row execute function refuse_stock_edit();
