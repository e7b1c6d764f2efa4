-- name: open_accounts
select open_accounts(%(holders)s::bigint[], %(town)s);

-- name: lock_available prepared
-- In one order, everywhere: two pushes never wait for each other in a circle.
select holder_id, balance_centi from account
where town = %(town)s and holder_id = any(%(holders)s::bigint[]) and kind = 'available'
order by holder_id
for no key update;

-- name: list_owing prepared
select holder_id, balance_centi from account
where town = %(town)s and holder_id = any(%(holders)s::bigint[]) and kind = 'owed' and balance_centi < 0;

-- name: copy_transfers
copy transfer (cause_id, cause_no, leg, cause_kind, town, debit_holder, debit_kind, credit_holder, credit_kind, points_centi,
               recorded_at) from stdin;

-- name: list_spendable
-- What buys goods: available less what is owed.
select holder_id, town, sum(balance_centi)::bigint as points_centi
from account
where holder_id = any(%(holders)s::bigint[]) and kind in ('available', 'owed')
group by holder_id, town
order by holder_id, town;

-- name: list_balance_faults
-- Accounts whose balance is not the sum of their transfers.
with legs as (
    select town, credit_holder as holder_id, credit_kind as kind, points_centi as points from transfer where credit_holder > 0
    union all
    select town, debit_holder, debit_kind, -points_centi from transfer where debit_holder > 0
), summed as (
    select town, holder_id, kind, sum(points)::bigint as points from legs group by 1, 2, 3
)
select town, holder_id, kind, coalesce(a.balance_centi, 0) as stored, coalesce(s.points, 0) as summed
from account a full join summed s using (town, holder_id, kind)
where coalesce(a.balance_centi, 0) <> coalesce(s.points, 0)
limit %(limit)s;
