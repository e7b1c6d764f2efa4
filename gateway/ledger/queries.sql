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

-- name: copy_holds
copy hold (hold_id, town, holder_id, points_centi, expires_at, created_at) from stdin;

-- name: end_holds prepared
update hold set state = %(state)s, ended_at = %(now)s where hold_id = any(%(hold_ids)s::uuid[])
returning hold_id, town, holder_id, points_centi;

-- name: list_holds
select hold_id, town, holder_id, points_centi from hold where hold_id = any(%(hold_ids)s::uuid[]) and state = 'posted';

-- name: list_open_holds
select holder_id, town, points_centi, expires_at from hold
where state = 'held' and holder_id = any(%(holders)s::bigint[]) order by expires_at, hold_id limit 100;

-- name: list_standing
-- What stands of a holder: spendable (available less owed), held for redemptions under way, and owed.
select holder_id, town, coalesce(sum(balance_centi) filter (where kind in ('available', 'owed')), 0)::bigint as spendable_centi,
    coalesce(sum(balance_centi) filter (where kind = 'held'), 0)::bigint as held_centi,
    coalesce(-sum(balance_centi) filter (where kind = 'owed'), 0)::bigint as owed_centi
from account where holder_id = any(%(holders)s::bigint[]) group by holder_id, town order by holder_id, town;

-- name: list_hold_faults
-- Holders whose held account is not the sum of their open holds.
select coalesce(a.town, s.town) as town, coalesce(a.holder_id, s.holder_id) as holder_id,
    coalesce(a.balance_centi, 0) as stored, coalesce(s.points, 0) as summed
from (select town, holder_id, balance_centi from account where kind = 'held') a
full join (select town, holder_id, sum(points_centi)::bigint as points from hold where state = 'held' group by 1, 2) s
    using (town, holder_id)
where coalesce(a.balance_centi, 0) <> coalesce(s.points, 0)
limit %(limit)s;

-- name: list_account_faults
-- Accounts of nobody: a holder is a family with a code of the town, or a person who consented there. And families without one.
select a.town, a.holder_id, a.kind, 'nobody registered there' as found
from account a
where not exists (select from household_code h where h.household_id = a.holder_id and h.town = a.town)
  and not exists (select from consent c where c.person_id = a.holder_id and c.town = a.town)
union all
select distinct h.town, h.household_id, 'available', 'no account' from household_code h
where not exists (select from account a where a.holder_id = h.household_id and a.town = h.town and a.kind = 'available')
union all
select distinct c.town, c.person_id, 'available', 'no account' from consent c
where not exists (select from membership m where m.person_id = c.person_id and m.town = c.town)
  and not exists (select from account a where a.holder_id = c.person_id and a.town = c.town and a.kind = 'available')
limit %(limit)s;
