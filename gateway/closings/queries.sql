-- name: lock_branch
select pg_advisory_xact_lock(hashtextextended('branch day ' || %(branch_no)s, 0));

-- name: share_branch prepared
select pg_advisory_xact_lock_shared(hashtextextended('branch day ' || %(branch_no)s, 0));

-- name: is_shut prepared
select exists (select from branch_day where branch_no = %(branch_no)s and accounting_on >= %(on)s) as shut;

-- name: find_day
select day_id, branch_no, accounting_on, count_id, signed_by, teller_no, closed_at from branch_day
where branch_no = %(branch_no)s and accounting_on = %(on)s;

-- name: find_last_day
select day_id, branch_no, accounting_on, count_id, signed_by, teller_no, closed_at from branch_day
where branch_no = %(branch_no)s order by accounting_on desc limit 1;

-- name: list_days
select d.day_id, d.accounting_on, d.teller_no, d.closed_at, coalesce(sum(l.given_count), 0)::int as given_count,
    coalesce(sum(l.returned_count + l.corrected_count), 0)::int as back_count,
    coalesce(sum((l.given_count - l.returned_count - l.corrected_count) * l.settle_fen), 0)::bigint as net_fen
from (select * from branch_day where branch_no = %(branch_no)s order by accounting_on desc limit %(limit)s) d
left join branch_day_line l using (day_id)
group by 1, 2, 3, 4 order by d.accounting_on desc;

-- name: find_first_open
select min((moved_at at time zone 'Asia/Shanghai')::date) as accounting_on from stock_movement
where branch_no = %(branch_no)s and moved_at >= %(since)s;

-- name: list_pending
select redemption_id, serial, teller_no, state, opened_at from redemption
where branch_no = %(branch_no)s and business_on <= %(on)s
  and state in ('opened', 'freezing', 'frozen', 'confirming', 'confirmed', 'releasing', 'unknown')
order by opened_at, serial limit %(limit)s;

-- name: list_uncounted
-- A good set aside and freed again was on the shelf all the time.
select distinct g.code, g.name_zh, g.name_en from stock_movement m join good g using (good_id)
where m.branch_no = %(branch_no)s and m.moved_at < %(until_at)s and m.on_hand_change_count <> 0
  and (%(since)s::timestamptz is null or m.moved_at > %(since)s)
order by g.code limit %(limit)s;

-- name: preview_lines
select l.town, l.good_id, g.code, g.name_zh, g.name_en, l.price_centi, l.settle_fen,
    coalesce(sum(l.quantity_count) filter (where e.event = 'handed_over'), 0)::int as given_count,
    coalesce(sum(l.quantity_count) filter (where e.event = 'reversal_asked' and r.business_on = (%(from_at)s at time zone 'Asia/Shanghai')::date), 0)::int as returned_count,
    coalesce(sum(l.quantity_count) filter (where e.event = 'reversal_asked' and r.business_on <> (%(from_at)s at time zone 'Asia/Shanghai')::date), 0)::int as corrected_count
from redemption_event e join redemption r using (redemption_id) join redemption_line l using (redemption_id) join good g using (good_id)
where e.event in ('handed_over', 'reversal_asked') and e.occurred_at >= %(from_at)s and e.occurred_at < %(until_at)s
  and r.branch_no = %(branch_no)s
group by 1, 2, 3, 4, 5, 6, 7 order by l.town, g.code, l.price_centi, l.settle_fen;

-- name: preview_stock
-- Back from what is there now, over what moved since the day's end, to its beginning: costs what moved lately, not what ever moved.
select s.good_id, g.code, g.name_zh, g.name_en,
    (s.on_hand_count - coalesce(m.after_count, 0) - coalesce(m.day_count, 0))::int as opening_count,
    coalesce(m.issued_count, 0)::int as issued_count, coalesce(m.returned_count, 0)::int as returned_count,
    coalesce(m.received_count, 0)::int as received_count, coalesce(m.sent_count, 0)::int as sent_count,
    coalesce(m.differing_count, 0)::int as differing_count, (s.on_hand_count - coalesce(m.after_count, 0))::int as closing_count
from stock s join good g using (good_id)
left join (
    select good_id,
        sum(on_hand_change_count) filter (where moved_at >= %(until_at)s) as after_count,
        sum(on_hand_change_count) filter (where moved_at < %(until_at)s) as day_count,
        -sum(on_hand_change_count) filter (where moved_at < %(until_at)s and kind = 'issue') as issued_count,
        sum(on_hand_change_count) filter (where moved_at < %(until_at)s and kind = 'return') as returned_count,
        sum(on_hand_change_count) filter (where moved_at < %(until_at)s and kind in ('receive', 'transfer_in')) as received_count,
        -sum(on_hand_change_count) filter (where moved_at < %(until_at)s and kind in ('transfer_out', 'write_off')) as sent_count,
        sum(on_hand_change_count) filter (where moved_at < %(until_at)s and kind = 'count') as differing_count
    from stock_movement where branch_no = %(branch_no)s and moved_at >= %(from_at)s group by good_id
) m using (good_id)
where s.branch_no = %(branch_no)s order by g.code;

-- name: insert_day
insert into branch_day (day_id, branch_no, accounting_on, count_id, signed_by, teller_no, closed_at)
values (%(day_id)s, %(branch_no)s, %(accounting_on)s, %(count_id)s, %(signed_by)s, %(teller_no)s, %(now)s);

-- name: insert_day_lines
insert into branch_day_line (day_id, town, good_id, price_centi, settle_fen, given_count, returned_count, corrected_count)
select %(day_id)s, l.town, l.good_id, l.price_centi, l.settle_fen,
    coalesce(sum(l.quantity_count) filter (where e.event = 'handed_over'), 0),
    coalesce(sum(l.quantity_count) filter (where e.event = 'reversal_asked' and r.business_on = %(accounting_on)s), 0),
    coalesce(sum(l.quantity_count) filter (where e.event = 'reversal_asked' and r.business_on <> %(accounting_on)s), 0)
from redemption_event e join redemption r using (redemption_id) join redemption_line l using (redemption_id)
where e.event in ('handed_over', 'reversal_asked') and e.occurred_at >= %(from_at)s and e.occurred_at < %(until_at)s
  and r.branch_no = %(branch_no)s
group by l.town, l.good_id, l.price_centi, l.settle_fen;

-- name: insert_day_stock
insert into branch_day_stock (day_id, good_id, opening_count, issued_count, returned_count, received_count, sent_count, differing_count,
    closing_count)
select %(day_id)s, s.good_id, s.on_hand_count - coalesce(m.after_count, 0) - coalesce(m.day_count, 0), coalesce(m.issued_count, 0),
    coalesce(m.returned_count, 0), coalesce(m.received_count, 0), coalesce(m.sent_count, 0), coalesce(m.differing_count, 0),
    s.on_hand_count - coalesce(m.after_count, 0)
from stock s
left join (
    select good_id,
        sum(on_hand_change_count) filter (where moved_at >= %(until_at)s) as after_count,
        sum(on_hand_change_count) filter (where moved_at < %(until_at)s) as day_count,
        -sum(on_hand_change_count) filter (where moved_at < %(until_at)s and kind = 'issue') as issued_count,
        sum(on_hand_change_count) filter (where moved_at < %(until_at)s and kind = 'return') as returned_count,
        sum(on_hand_change_count) filter (where moved_at < %(until_at)s and kind in ('receive', 'transfer_in')) as received_count,
        -sum(on_hand_change_count) filter (where moved_at < %(until_at)s and kind in ('transfer_out', 'write_off')) as sent_count,
        sum(on_hand_change_count) filter (where moved_at < %(until_at)s and kind = 'count') as differing_count
    from stock_movement where branch_no = %(branch_no)s and moved_at >= %(from_at)s group by good_id
) m using (good_id)
where s.branch_no = %(branch_no)s;

-- name: list_day_lines
select l.town, l.good_id, g.code, g.name_zh, g.name_en, l.price_centi, l.settle_fen, l.given_count, l.returned_count, l.corrected_count
from branch_day_line l join good g using (good_id) where l.day_id = %(day_id)s order by l.town, g.code, l.price_centi, l.settle_fen;

-- name: list_day_stock
select s.good_id, g.code, g.name_zh, g.name_en, s.opening_count, s.issued_count, s.returned_count, s.received_count, s.sent_count,
    s.differing_count, s.closing_count
from branch_day_stock s join good g using (good_id) where s.day_id = %(day_id)s order by g.code;

-- name: list_line_faults
-- Every line of a closed day against the redemptions' own events.
select coalesce(k.day_id, n.day_id)::text as day_id, coalesce(k.town, n.town) as town, coalesce(k.good_id, n.good_id)::text as good_id,
    k.given_count as given, k.returned_count as returned, k.corrected_count as corrected, n.given as now_given, n.returned as now_returned,
    n.corrected as now_corrected
from branch_day_line k
full join (
    select d.day_id, l.town, l.good_id, l.price_centi, l.settle_fen,
        coalesce(sum(l.quantity_count) filter (where e.event = 'handed_over'), 0) as given,
        coalesce(sum(l.quantity_count) filter (where e.event = 'reversal_asked' and r.business_on = d.accounting_on), 0) as returned,
        coalesce(sum(l.quantity_count) filter (where e.event = 'reversal_asked' and r.business_on <> d.accounting_on), 0) as corrected
    from redemption_event e join redemption r using (redemption_id) join redemption_line l using (redemption_id)
    join branch_day d on d.branch_no = r.branch_no and d.accounting_on = (e.occurred_at at time zone 'Asia/Shanghai')::date
    where e.event in ('handed_over', 'reversal_asked')
    group by 1, 2, 3, 4, 5
) n using (day_id, town, good_id, price_centi, settle_fen)
where (k.given_count, k.returned_count, k.corrected_count) is distinct from (n.given, n.returned, n.corrected)
limit %(limit)s;

-- name: list_stock_faults
-- The end of each branch's last closed day against every movement up to it.
select s.day_id::text as day_id, s.good_id::text as good_id, s.closing_count, coalesce(sum(m.on_hand_change_count), 0)::int as moved
from (select distinct on (branch_no) day_id, branch_no, accounting_on from branch_day order by branch_no, accounting_on desc) d
join branch_day_stock s using (day_id)
left join stock_movement m on m.branch_no = d.branch_no and m.good_id = s.good_id
    and m.moved_at < (d.accounting_on + 1)::timestamp at time zone 'Asia/Shanghai'
group by 1, 2, 3 having coalesce(sum(m.on_hand_change_count), 0) <> s.closing_count limit %(limit)s;

-- name: list_day_ids
-- And lines of no day: they should not be there.
select row_id from (
    select day_id::text as row_id from branch_day
    union all
    select distinct 'line ' || l.day_id from branch_day_line l where not exists (select from branch_day d where d.day_id = l.day_id)
    union all
    select distinct 'stock ' || s.day_id from branch_day_stock s where not exists (select from branch_day d where d.day_id = s.day_id)
) every
where row_id > %(after)s order by row_id limit %(limit)s;

-- name: restate_days
select day_id::text as day_id, branch_no, accounting_on, count_id::text as count_id, signed_by::text as signed_by, teller_no, closed_at
from branch_day where day_id::text = any(%(row_ids)s);

-- name: restate_day_lines
select day_id::text as owner_id, town, good_id::text as good_id, price_centi, settle_fen, given_count, returned_count, corrected_count
from branch_day_line where day_id::text = any(%(row_ids)s)
order by day_id, town collate "C", good_id, price_centi, settle_fen;

-- name: restate_day_stock
select day_id::text as owner_id, good_id::text as good_id, opening_count, issued_count, returned_count, received_count, sent_count,
    differing_count, closing_count
from branch_day_stock where day_id::text = any(%(row_ids)s) order by day_id, good_id;

-- name: lock_month
select pg_advisory_xact_lock(hashtextextended('town month ' || %(turn)s, 0));

-- name: find_month
select month_id, town, month, statement_sha256, compared, serial_count, agreed_count, their_points_centi, settled_by, settled_at
from town_month where town = %(town)s and month = %(month)s;

-- name: list_months
select m.month_id, m.town, m.month, m.settled_by, m.settled_at, m.compared,
    coalesce(sum((l.given_count - l.returned_count - l.corrected_count) * l.price_centi), 0)::bigint as points_centi,
    coalesce(sum((l.given_count - l.returned_count - l.corrected_count) * l.settle_fen), 0)::bigint as amount_fen
from (select * from town_month order by month desc, town limit %(limit)s) m left join town_month_line l using (month_id)
group by 1, 2, 3, 4, 5, 6 order by m.month desc, m.town;

-- name: list_traded_months
select distinct l.town, (extract(year from d.accounting_on) * 100 + extract(month from d.accounting_on))::int as month
from branch_day d join branch_day_line l using (day_id) order by month desc, l.town limit 500;

-- name: list_open_days
select m.branch_no, m.accounting_on
from (select distinct branch_no, (moved_at at time zone 'Asia/Shanghai')::date as accounting_on from stock_movement
      where moved_at >= %(from_at)s and moved_at < %(until_at)s) m
where not exists (select from branch_day d where d.branch_no = m.branch_no and d.accounting_on >= m.accounting_on)
order by m.branch_no, m.accounting_on limit 1000;

-- name: preview_month
select d.branch_no, l.good_id, g.code, g.name_zh, g.name_en, l.price_centi, l.settle_fen, sum(l.given_count)::int as given_count,
    sum(l.returned_count)::int as returned_count, sum(l.corrected_count)::int as corrected_count
from branch_day d join branch_day_line l using (day_id) join good g using (good_id)
where l.town = %(town)s and d.accounting_on >= %(first)s and d.accounting_on < %(after)s
group by 1, 2, 3, 4, 5, 6, 7 order by d.branch_no, g.code, l.price_centi, l.settle_fen;

-- name: list_serials
with happened as (
    select e.redemption_id, bool_or(e.event = 'handed_over') as given_here, bool_or(e.event = 'reversal_asked') as back_here
    from redemption_event e
    where e.event in ('handed_over', 'reversal_asked') and e.occurred_at >= %(from_at)s and e.occurred_at < %(until_at)s
    group by e.redemption_id
)
select g.serial, g.total_centi, (r.opened_at at time zone 'Asia/Shanghai')::date as asked_on, h.given_here, h.back_here,
    exists (select from redemption_event b where b.redemption_id = h.redemption_id and b.event = 'reversal_asked') as back_ever
from happened h join redemption_leg g using (redemption_id) join redemption r using (redemption_id)
where g.town = %(town)s order by g.serial;

-- name: list_given
select g.serial from redemption_leg g join redemption_event e using (redemption_id)
where g.town = %(town)s and g.serial = any(%(serials)s) and e.event = 'handed_over';

-- name: insert_month
insert into town_month (month_id, town, month, statement_sha256, compared, serial_count, agreed_count, their_points_centi, settled_by, settled_at)
values (%(month_id)s, %(town)s, %(month)s, %(statement_sha256)s, %(compared)s, %(serial_count)s, %(agreed_count)s, %(their_points_centi)s,
    %(settled_by)s, %(now)s);

-- name: insert_month_lines
insert into town_month_line (month_id, branch_no, good_id, price_centi, settle_fen, given_count, returned_count, corrected_count)
select %(month_id)s, d.branch_no, l.good_id, l.price_centi, l.settle_fen, sum(l.given_count), sum(l.returned_count), sum(l.corrected_count)
from branch_day d join branch_day_line l using (day_id)
where l.town = %(town)s and d.accounting_on >= %(first)s and d.accounting_on < %(after)s
group by d.branch_no, l.good_id, l.price_centi, l.settle_fen;

-- name: copy_month_differences
copy town_month_difference (month_id, serial, ours, theirs, owner, why, said_by, found_at) from stdin;

-- name: list_month_lines
select l.branch_no, l.good_id, g.code, g.name_zh, g.name_en, l.price_centi, l.settle_fen, l.given_count, l.returned_count, l.corrected_count
from town_month_line l join good g using (good_id) where l.month_id = %(month_id)s
order by l.branch_no, g.code, l.price_centi, l.settle_fen;

-- name: list_month_differences
select serial, ours, theirs, owner, why, said_by, found_at from town_month_difference where month_id = %(month_id)s order by serial;

-- name: list_month_faults
select coalesce(k.month_id, n.month_id)::text as month_id, coalesce(k.branch_no, n.branch_no) as branch_no,
    coalesce(k.good_id, n.good_id)::text as good_id, k.given_count as given, k.returned_count as returned, k.corrected_count as corrected,
    n.given as now_given, n.returned as now_returned, n.corrected as now_corrected
from town_month_line k
full join (
    select m.month_id, d.branch_no, l.good_id, l.price_centi, l.settle_fen, sum(l.given_count)::int as given,
        sum(l.returned_count)::int as returned, sum(l.corrected_count)::int as corrected
    from town_month m
    join branch_day d on extract(year from d.accounting_on) * 100 + extract(month from d.accounting_on) = m.month
    join branch_day_line l on l.day_id = d.day_id and l.town = m.town
    group by 1, 2, 3, 4, 5
) n using (month_id, branch_no, good_id, price_centi, settle_fen)
where (k.given_count, k.returned_count, k.corrected_count) is distinct from (n.given, n.returned, n.corrected) limit %(limit)s;

-- name: list_month_ids
-- And lines and differences of no month: they should not be there.
select row_id from (
    select month_id::text as row_id from town_month
    union all
    select distinct 'line ' || l.month_id from town_month_line l where not exists (select from town_month m where m.month_id = l.month_id)
    union all
    select distinct 'difference ' || d.month_id from town_month_difference d
    where not exists (select from town_month m where m.month_id = d.month_id)
) every
where row_id > %(after)s order by row_id limit %(limit)s;

-- name: restate_months
select month_id::text as month_id, town, month, statement_sha256, compared, serial_count, agreed_count, their_points_centi, settled_by,
    settled_at
from town_month where month_id::text = any(%(row_ids)s);

-- name: restate_month_lines
select month_id::text as owner_id, branch_no, good_id::text as good_id, price_centi, settle_fen, given_count, returned_count, corrected_count
from town_month_line where month_id::text = any(%(row_ids)s)
order by month_id, branch_no collate "C", good_id, price_centi, settle_fen;

-- name: restate_month_differences
select month_id::text as owner_id, serial, ours, theirs, owner, why, said_by, found_at
from town_month_difference where month_id::text = any(%(row_ids)s) order by month_id, serial collate "C";

-- name: sum_trade
-- Four charts in one pass: by day, by town, by good, by branch. In a row the columns of the other three are null.
select t.on_day, t.town, g.code, g.name_zh, g.name_en, t.branch_no, t.pieces_count, t.amount_fen
from (
    select h.on_day, l.town, l.good_id, h.branch_no, sum(h.sign * l.quantity_count)::bigint as pieces_count,
        sum(h.sign * l.quantity_count * l.settle_fen)::bigint as amount_fen
    from (
        select e.redemption_id, r.branch_no, (e.occurred_at at time zone 'Asia/Shanghai')::date as on_day,
            case e.event when 'handed_over' then 1 else -1 end as sign
        from redemption_event e join redemption r using (redemption_id)
        where e.event in ('handed_over', 'reversal_asked') and e.occurred_at >= %(from_at)s and e.occurred_at < %(until_at)s
    ) h join redemption_line l using (redemption_id)
    group by grouping sets ((h.on_day), (l.town), (l.good_id), (h.branch_no))
) t left join good g using (good_id)
limit 5000;

-- name: sum_outstanding
-- Points in residents' hands by town, and what a centi-point costs at the cheapest and the dearest price in force, in fen.
select a.town, a.points_centi, p.least, p.most
from (select town, sum(balance_centi)::bigint as points_centi from account where kind = 'available' group by town) a
left join (
    select town, min(settle_fen::numeric / price_centi) as least, max(settle_fen::numeric / price_centi) as most
    from (select distinct on (n.good_id, n.town) n.good_id, n.town, n.price_centi, n.settle_fen
          from good_price n join good g using (good_id) where g.offered and n.valid_from_on <= %(on)s
          order by n.good_id, n.town, n.valid_from_on desc) inforce
    group by town
) p using (town)
order by a.town;
