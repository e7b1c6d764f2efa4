-- name: find_good
select good_id, code, name_zh, name_en, picture, low_stock_count, limit_count, limit_period, offered from good where code = %(code)s;

-- name: list_goods
select good_id, code, name_zh, name_en, picture, low_stock_count, limit_count, limit_period, offered from good
order by code limit %(limit)s;

-- name: insert_good
insert into good (good_id, code, name_zh, name_en, picture, low_stock_count, limit_count, limit_period, recorded_at)
values (%(good_id)s, %(code)s, %(name_zh)s, %(name_en)s, %(picture)s, %(low_stock_count)s, %(limit_count)s, %(limit_period)s, %(now)s)
on conflict (code) do update set name_zh = excluded.name_zh, name_en = excluded.name_en, picture = excluded.picture,
    low_stock_count = excluded.low_stock_count, limit_count = excluded.limit_count, limit_period = excluded.limit_period, offered = true
returning good_id;

-- name: find_price
select price_id, valid_from_on, price_centi, settle_fen, agreement from good_price
where good_id = %(good_id)s and town = %(town)s order by valid_from_on desc limit 1;

-- name: insert_price
insert into good_price (price_id, good_id, town, valid_from_on, price_centi, settle_fen, agreement, set_by, recorded_at)
values (%(price_id)s, %(good_id)s, %(town)s, %(valid_from_on)s, %(price_centi)s, %(settle_fen)s, %(agreement)s, %(set_by)s, %(now)s);

-- name: list_offers prepared
select g.good_id, g.code, g.name_zh, g.name_en, g.picture, p.town, p.price_centi, p.settle_fen,
    coalesce(s.on_hand_count, 0) as on_hand_count, coalesce(s.held_count, 0) as held_count, g.limit_count, g.limit_period,
    (select picture_id from good_picture i where i.good_id = g.good_id order by recorded_at desc, picture_id desc limit 1) as picture_id
from good g
join lateral (
    select distinct on (town) town, price_centi, settle_fen from good_price
    where good_id = g.good_id and valid_from_on <= %(on)s order by town, valid_from_on desc
) p on true
left join stock s on s.good_id = g.good_id and s.branch_no = %(branch_no)s
where g.offered and p.town = any(%(towns)s)
order by p.town, g.code limit 500;

-- name: lock_stock prepared
-- In one order, everywhere.
select good_id from stock where branch_no = %(branch_no)s and good_id = any(%(good_ids)s::uuid[]) order by good_id for no key update;

-- name: lock_branch_stock
select good_id from stock where branch_no = %(branch_no)s order by good_id for no key update;

-- name: copy_movements
copy stock_movement (cause_id, kind, branch_no, good_id, on_hand_change_count, held_change_count, reason, moved_by, moved_at) from stdin;

-- name: list_stock
select s.branch_no, s.good_id, g.code, g.name_zh, g.name_en, s.on_hand_count, s.held_count, g.low_stock_count
from stock s join good g using (good_id) where s.branch_no = %(branch_no)s order by g.code limit 1000;

-- name: list_movements
select m.cause_id, m.kind, m.branch_no, g.code, g.name_zh, g.name_en, m.on_hand_change_count, m.held_change_count, m.reason, m.moved_by,
    m.moved_at
from stock_movement m join good g using (good_id)
where m.branch_no = %(branch_no)s and m.moved_at >= %(since)s order by m.moved_at desc, g.code limit %(limit)s;

-- name: list_stock_faults
select coalesce(s.branch_no, m.branch_no) as branch_no, coalesce(s.good_id, m.good_id) as good_id,
    coalesce(s.on_hand_count, 0) as on_hand, coalesce(s.held_count, 0) as held,
    coalesce(m.on_hand, 0) as moved_on_hand, coalesce(m.held, 0) as moved_held
from stock s
full join (select branch_no, good_id, sum(on_hand_change_count)::int as on_hand, sum(held_change_count)::int as held
           from stock_movement group by 1, 2) m using (branch_no, good_id)
where (coalesce(s.on_hand_count, 0), coalesce(s.held_count, 0)) is distinct from (coalesce(m.on_hand, 0), coalesce(m.held, 0))
limit %(limit)s;

-- name: list_move_ids
select distinct cause_id || ' ' || kind as row_id from stock_movement
where cause_id || ' ' || kind > %(after)s order by row_id limit %(limit)s;

-- name: restate_moves
select cause_id || ' ' || kind as row_id, branch_no, good_id::text as good_id, on_hand_change_count, held_change_count, reason, moved_by,
    moved_at
from stock_movement where cause_id || ' ' || kind = any(%(row_ids)s) order by row_id, branch_no, good_id;

-- name: list_price_ids
select price_id::text as row_id from good_price where price_id::text > %(after)s order by row_id limit %(limit)s;

-- name: restate_prices
select price_id::text as price_id, good_id::text as good_id, town, valid_from_on, price_centi, settle_fen, agreement, set_by, recorded_at
from good_price where price_id::text = any(%(row_ids)s);

-- name: insert_count
insert into stock_count (count_id, branch_no, counted_by, teller_no, counted_at)
values (%(count_id)s, %(branch_no)s, %(counted_by)s, %(teller_no)s, %(now)s);

-- name: copy_count_lines
copy stock_count_line (count_id, good_id, book_count, counted_count, reason) from stdin;

-- name: find_count
select count_id, branch_no, counted_by, teller_no, counted_at from stock_count where count_id = %(count_id)s;

-- name: find_last_count
select count_id, branch_no, counted_by, teller_no, counted_at from stock_count where branch_no = %(branch_no)s
order by counted_at desc limit 1;

-- name: list_count_lines
select l.good_id, g.code, g.name_zh, g.name_en, l.book_count, l.counted_count, l.reason
from stock_count_line l join good g using (good_id) where l.count_id = %(count_id)s order by g.code;

-- name: list_count_ids
-- And lines of no count: they should not be there.
select row_id from (
    select count_id::text as row_id from stock_count
    union all
    select distinct 'line ' || l.count_id from stock_count_line l where not exists (select from stock_count c where c.count_id = l.count_id)
) every
where row_id > %(after)s order by row_id limit %(limit)s;

-- name: restate_counts
select count_id::text as count_id, branch_no, counted_by::text as counted_by, teller_no, counted_at from stock_count
where count_id::text = any(%(row_ids)s);

-- name: restate_count_lines
select count_id::text as count_id, good_id::text as good_id, book_count, counted_count, reason from stock_count_line
where count_id::text = any(%(row_ids)s) order by count_id, good_id;

-- name: find_latest_picture
select content from good_picture where good_id = %(good_id)s order by recorded_at desc, picture_id desc limit 1;

-- name: insert_picture
insert into good_picture (picture_id, good_id, media_type, content, set_by, recorded_at)
values (%(picture_id)s, %(good_id)s, %(media_type)s, %(content)s, %(set_by)s, %(now)s);

-- name: find_picture
select media_type, content from good_picture where picture_id = %(picture_id)s;

-- name: list_picture_ids
select picture_id::text as row_id from good_picture where picture_id::text > %(after)s order by row_id limit %(limit)s;

-- name: restate_pictures
select picture_id::text as picture_id, good_id::text as good_id, media_type, content, set_by, recorded_at
from good_picture where picture_id::text = any(%(row_ids)s);

-- name: list_in_transit
-- On their way from or to a branch. The reason of a transfer_out is where it goes.
select m.cause_id, m.branch_no as from_branch_no, m.reason as to_branch_no, m.moved_by, m.moved_at, m.good_id, g.code, g.name_zh, g.name_en,
    -m.on_hand_change_count as sent_count
from stock_movement m join good g using (good_id)
where m.kind = 'transfer_out' and (m.branch_no = %(branch_no)s or m.reason = %(branch_no)s)
  and not exists (select from stock_movement i where i.cause_id = m.cause_id and i.kind = 'transfer_in')
order by m.moved_at, m.cause_id, g.code limit 500;

-- name: list_cause
select kind, branch_no, good_id, on_hand_change_count, reason from stock_movement where cause_id = %(cause_id)s
order by kind, branch_no, good_id;

-- name: lock_transfer
select pg_advisory_xact_lock(hashtextextended('stock transfer ' || %(transfer_id)s, 0));

-- name: list_moves_of_causes
select distinct cause_id || ' ' || kind as row_id from stock_movement where cause_id = any(%(cause_ids)s::uuid[]) order by row_id;

-- name: list_prices_that_counted
select distinct p.price_id::text
from unnest(%(good_ids)s::uuid[], %(towns)s::text[], %(days)s::date[]) as asked(good_id, town, day)
cross join lateral (
    select price_id from good_price where good_id = asked.good_id and town = asked.town and valid_from_on <= asked.day
    order by valid_from_on desc limit 1
) p;
