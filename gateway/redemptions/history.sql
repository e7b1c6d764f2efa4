-- name: list_happenings
select e.occurred_at as at, 'redemption_' || e.to_state as what, '' as town, e.teller_no as detail, null::bigint as points_centi, null::bigint as discount_bp,
       e.redemption_id::text as row_id, r.serial as reference
from redemption r join redemption_event e using (redemption_id)
where r.person_id = %(person_id)s and e.occurred_at < %(before)s
order by e.occurred_at desc, e.event_no desc limit %(limit)s;

-- name: list_of_clerk
select redemption_id, serial, branch_no, person_id, state, opened_at from redemption
where staff_id = %(staff_id)s::uuid and opened_at >= %(from_at)s and opened_at < %(until_at)s
order by opened_at desc limit %(limit)s;
