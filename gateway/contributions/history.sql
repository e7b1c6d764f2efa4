-- name: list_by_reference
-- Several towns may use one reference: each is its own.
select town, reference, batch_id, item_no, kind, category, holder_id, person_id, points_centi, occurred_on from contribution
where town = any(string_to_array(%(towns)s, e'\n')) and reference = %(reference)s order by town;

-- name: list_happenings
-- The newest of each holder by the index, then the newest of these: the same work however much there is.
select c.occurred_at as at, c.kind as what, c.town, c.category as detail, c.points_centi, null::bigint as discount_bp, c.batch_id::text as row_id, c.reference
from unnest(%(holder_ids)s::bigint[]) h(holder_id)
cross join lateral (
    select * from contribution
    where holder_id = h.holder_id and occurred_on <= (%(before)s at time zone 'Asia/Shanghai')::date and occurred_at < %(before)s
      and person_id in (%(person_id)s, 0)
    order by occurred_on desc limit %(most)s
) c
order by c.occurred_at desc, c.reference limit %(limit)s;

-- name: list_of_batch
-- What one push brought these holders.
select town, reference, kind, activity, category, holder_id, person_id, points_centi, occurred_at, reverses, period from contribution
where batch_id = %(batch_id)s and holder_id = any(%(holder_ids)s::bigint[]) order by item_no limit %(limit)s;
