-- name: list_calendar_years
select distinct on (year) year, reference, holidays, workdays from workday_calendar order by year, set_at desc, calendar_id desc;

-- name: insert_calendar_year
insert into workday_calendar (calendar_id, year, reference, holidays, workdays, set_by, set_at)
values (%(calendar_id)s, %(year)s, %(reference)s, %(holidays)s, %(workdays)s, %(by)s, %(now)s);

-- name: insert_objection
insert into objection (objection_id, serial, person_id, kind, about_kind, about_id, channel, key_id, sealed, salt, commitment, due_on,
    received_by, received_at, recorded_at)
values (%(objection_id)s, %(serial)s, %(person_id)s, %(kind)s, %(about_kind)s, %(about_id)s, %(channel)s, %(key_id)s, %(sealed)s, %(salt)s,
    %(commitment)s, %(due_on)s, %(received_by)s, %(received_at)s, %(recorded_at)s);

-- name: lock_objection_id
-- Whoever acts on one objection acts alone.
select pg_advisory_xact_lock(hashtextextended('objection ' || %(objection_id)s, 0));

-- name: find_objection
select o.objection_id, o.serial, o.person_id, o.kind, o.about_kind, o.about_id, o.channel, o.key_id, o.sealed,
    coalesce(e.due_on, o.due_on) as due_on, o.received_by, o.received_at, coalesce(e.to_state, 'open') as state,
    coalesce(e.event_no, 0) as event_no
from objection o
left join lateral (
    select due_on, to_state, event_no from objection_event where objection_id = o.objection_id order by event_no desc limit 1
) e on true
where o.objection_id = %(objection_id)s;

-- name: get_commitment
select commitment from objection where objection_id = %(objection_id)s;

-- name: list_objections
-- Oldest due first. `waiting_only`: those whose term runs.
select o.objection_id, o.serial, o.person_id, o.kind, o.about_kind, o.about_id, o.channel, coalesce(e.due_on, o.due_on) as due_on,
    o.received_by, o.received_at, coalesce(e.to_state, 'open') as state, e.happened_at
from objection o
left join lateral (
    select due_on, to_state, happened_at from objection_event where objection_id = o.objection_id order by event_no desc limit 1
) e on true
where (not %(waiting_only)s or coalesce(e.to_state, 'open') in ('open', 'extended', 'reviewed'))
  and (%(person_id)s::bigint is null or o.person_id = %(person_id)s)
order by coalesce(e.due_on, o.due_on), o.received_at, o.objection_id limit %(limit)s;

-- name: list_events
select event_id, objection_id, event_no, event, from_state, to_state, due_on, finding, decision_ids, key_id, sealed, commitment,
    recorded_by, happened_at
from objection_event where objection_id = %(objection_id)s order by event_no;

-- name: insert_event
insert into objection_event (event_id, objection_id, event_no, event, from_state, to_state, due_on, finding, decision_ids, key_id, sealed,
    salt, commitment, recorded_by, happened_at)
values (%(event_id)s, %(objection_id)s, %(event_no)s, %(event)s, %(from_state)s, %(to_state)s, %(due_on)s, %(finding)s, %(decision_ids)s,
    %(key_id)s, %(sealed)s, %(salt)s, %(commitment)s, %(recorded_by)s, %(happened_at)s);

-- name: list_refusing
-- Who refuses decisions made only by a machine: from the moment it was recorded until they take it back.
select distinct o.person_id from objection o
where o.kind = 'refusal' and o.person_id = any(%(person_ids)s::bigint[])
  and not exists (
    select from objection_event e where e.objection_id = o.objection_id and e.to_state in ('withdrawn', 'ended'));

-- name: measure
select count(*) as waiting, count(*) filter (where due_on < %(today)s) as overdue, min(received_at) as oldest_at
from (
    select o.received_at, coalesce(e.due_on, o.due_on) as due_on
    from objection o
    left join lateral (
        select due_on, to_state from objection_event where objection_id = o.objection_id order by event_no desc limit 1
    ) e on true
    where coalesce(e.to_state, 'open') in ('open', 'extended', 'reviewed')
) running;

-- name: find_last_event
select greatest(max(o.recorded_at), max(e.happened_at)) as at
from objection o left join objection_event e using (objection_id) where o.person_id = %(person_id)s;

-- name: erase_objections
update objection set sealed = '', salt = '' where person_id = any(%(person_ids)s::bigint[]) and octet_length(sealed) > 0;

-- name: erase_events
update objection_event e set sealed = '', salt = '' from objection o
where o.objection_id = e.objection_id and o.person_id = any(%(person_ids)s::bigint[]) and octet_length(e.sealed) > 0;

-- name: list_to_open
select objection_id::text as objection_id, key_id, sealed, salt from objection where person_id = %(person_id)s order by received_at limit %(limit)s;

-- name: list_events_to_open
select event_id::text as event_id, key_id, sealed, salt from objection_event
where objection_id = any(%(objection_ids)s::uuid[]) order by objection_id, event_no;

-- name: list_objection_ids
select objection_id::text from objection where objection_id > %(after)s::uuid order by objection_id limit %(limit)s;

-- name: restate_objections
select objection_id::text, serial, person_id, kind, about_kind, about_id, channel, commitment, due_on, received_by, received_at, recorded_at
from objection where objection_id = any(%(row_ids)s::uuid[]);

-- name: list_event_ids
select event_id::text from objection_event where event_id > %(after)s::uuid order by event_id limit %(limit)s;

-- name: restate_events
select event_id::text, objection_id, event_no, event, from_state, to_state, due_on, finding, decision_ids, commitment, recorded_by,
    happened_at
from objection_event where event_id = any(%(row_ids)s::uuid[]);

-- name: list_calendar_ids
select calendar_id::text from workday_calendar where calendar_id > %(after)s::uuid order by calendar_id limit %(limit)s;

-- name: restate_calendars
select calendar_id::text, year, reference, holidays, workdays, set_by, set_at
from workday_calendar where calendar_id = any(%(row_ids)s::uuid[]);

-- name: put_reviews
insert into review_waiting (subject_id, product, applicant_id, waiting_since)
select n.subject_id, %(product)s, n.applicant_id, %(now)s
from unnest(%(subject_ids)s::bigint[], %(applicant_ids)s::bigint[]) as n(subject_id, applicant_id)
on conflict (subject_id, product) do nothing;

-- name: end_reviews
delete from review_waiting where subject_id = any(%(subject_ids)s::bigint[]);

-- name: list_reviews
select subject_id, product, applicant_id, waiting_since from review_waiting
where %(applicant_id)s::bigint is null or applicant_id = %(applicant_id)s
order by waiting_since, subject_id limit %(limit)s;

-- name: list_boxes
select b.table_name, b.row_id, b.key_id, b.sealed, b.salt, b.commitment,
    exists (select from erasure e where e.person_id = b.person_id) as erased
from (
    select 'objection' as table_name, objection_id::text as row_id, key_id, sealed, salt, commitment, person_id from objection
    union all
    select 'objection_event', e.event_id::text, e.key_id, e.sealed, e.salt, e.commitment, o.person_id
    from objection_event e left join objection o using (objection_id)
) b;
