-- name: copy_messages
copy outbox_message (message_id, neighbour, kind, serial, row_id, lane, next_attempt_at, correlation_id, created_at) from stdin;

-- name: claim_due
update outbox_message m set state = 'sending', attempts = m.attempts + 1, claimed_until = %(claimed_until)s, claimed_by = %(claimed_by)s
from (
    select q.message_id from outbox_message q
    where q.neighbour = %(neighbour)s and q.state = 'queued' and q.next_attempt_at <= %(now)s
      and not exists (
        select from outbox_message earlier
        where earlier.lane = q.lane and earlier.position < q.position and earlier.state in ('queued', 'sending', 'unknown', 'parked'))
    order by q.next_attempt_at, q.position limit %(limit)s for update skip locked
) due
where m.message_id = due.message_id
returning m.message_id, m.kind, m.serial, m.row_id, m.attempts, m.inquiries, m.abandoned, m.correlation_id;

-- name: doubt_lapsed
-- Their process died while sending (or is so late that it counts as dead): whether they were heard is unknown.
update outbox_message m set state = 'unknown', code = 'sender-died', claimed_until = null, claimed_by = null, next_attempt_at = %(now)s
from (
    select message_id from outbox_message
    where neighbour = %(neighbour)s and state = 'sending' and claimed_until <= %(now)s
    order by message_id limit %(limit)s for update skip locked
) lapsed
where m.message_id = lapsed.message_id
returning m.message_id, m.kind, m.serial, m.row_id, m.attempts, m.inquiries, m.abandoned, m.correlation_id;

-- name: claim_unknown
update outbox_message m set inquiries = m.inquiries + 1, claimed_until = %(claimed_until)s, claimed_by = %(claimed_by)s
from (
    select message_id from outbox_message
    where neighbour = %(neighbour)s and state = 'unknown' and next_attempt_at <= %(now)s
      and (claimed_until is null or claimed_until <= %(now)s)
    order by next_attempt_at, position limit %(limit)s for update skip locked
) due
where m.message_id = due.message_id
returning m.message_id, m.kind, m.serial, m.row_id, m.attempts, m.inquiries, m.abandoned, m.correlation_id;

-- name: lock_claimed
-- Those of a claim that are still this claimer's; what lapsed meanwhile belongs to somebody else.
select message_id, abandoned from outbox_message
where message_id = any(%(message_ids)s::uuid[]) and claimed_by = %(claimed_by)s and state = %(state)s
order by message_id for update;

-- name: mark_ended
update outbox_message m set state = n.state, code = n.code, ended_at = %(now)s, claimed_until = null, claimed_by = null
from unnest(%(message_ids)s::uuid[], %(states)s::text[], %(codes)s::text[]) as n(message_id, state, code)
where m.message_id = n.message_id;

-- name: mark_queued
update outbox_message m set state = 'queued', code = n.code, next_attempt_at = n.next_attempt_at, claimed_until = null, claimed_by = null
from unnest(%(message_ids)s::uuid[], %(codes)s::text[], %(next_attempt_ats)s::timestamptz[]) as n(message_id, code, next_attempt_at)
where m.message_id = n.message_id;

-- name: mark_unknown
update outbox_message m set state = 'unknown', code = n.code, next_attempt_at = n.next_attempt_at, claimed_until = null, claimed_by = null
from unnest(%(message_ids)s::uuid[], %(codes)s::text[], %(next_attempt_ats)s::timestamptz[]) as n(message_id, code, next_attempt_at)
where m.message_id = n.message_id;

-- name: mark_parked
update outbox_message m set state = 'parked', code = n.code, claimed_until = null, claimed_by = null
from unnest(%(message_ids)s::uuid[], %(codes)s::text[]) as n(message_id, code)
where m.message_id = n.message_id;

-- name: postpone_inquiries
update outbox_message m set code = n.code, next_attempt_at = n.next_attempt_at, claimed_until = null, claimed_by = null
from unnest(%(message_ids)s::uuid[], %(codes)s::text[], %(next_attempt_ats)s::timestamptz[]) as n(message_id, code, next_attempt_at)
where m.message_id = n.message_id;

-- name: abandon_messages
-- A queued message was certainly not heard: it is cancelled. For the others it must first be found out.
with held as (
    select message_id, state from outbox_message
    where row_id = any(%(row_ids)s::uuid[]) and state in ('queued', 'sending', 'unknown', 'parked')
    order by message_id for update
)
update outbox_message m set abandoned = true,
    state = case when held.state = 'queued' then 'cancelled' else held.state end,
    code = case when held.state = 'queued' then %(code)s else m.code end,
    ended_at = case when held.state = 'queued' then %(now)s else null end
from held where m.message_id = held.message_id
returning m.row_id, m.state = 'cancelled' as cancelled;

-- name: count_messages
select state, count(*) as messages, min(created_at) as oldest_at from outbox_message
where state not in ('done', 'cancelled') group by state;

-- name: list_parked
select message_id, neighbour, kind, serial, row_id, code, attempts, inquiries, created_at, lane
from outbox_message where state = 'parked' order by created_at, position limit %(limit)s;

-- name: release_parked
update outbox_message set state = 'unknown', next_attempt_at = %(now)s, inquiries = 0, code = 'released'
where message_id = any(%(message_ids)s::uuid[]) and state = 'parked'
returning message_id;
