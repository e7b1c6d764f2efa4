-- name: find_by_teller
select staff_id, name, branch_no, teller_no, roles, source, subject, enabled, created_at, changed_at from staff where teller_no = %(teller_no)s;

-- name: find_by_subject
select staff_id, name, branch_no, teller_no, roles, source, subject, enabled, created_at, changed_at from staff where subject = %(subject)s;

-- name: list_staff
select staff_id, name, branch_no, teller_no, roles, source, subject, enabled, created_at, changed_at from staff
order by branch_no, teller_no limit %(limit)s;

-- name: insert_staff
insert into staff (staff_id, name, branch_no, teller_no, roles, source, subject, created_at, changed_at)
values (%(staff_id)s, %(name)s, %(branch_no)s, %(teller_no)s, %(roles)s, %(source)s, %(subject)s, %(now)s, %(now)s);

-- name: replace_staff
update staff set name = %(name)s, branch_no = %(branch_no)s, teller_no = %(teller_no)s, roles = %(roles)s, changed_at = %(now)s
where staff_id = %(staff_id)s;

-- name: mark_enabled
update staff set enabled = %(enabled)s, changed_at = %(now)s where staff_id = %(staff_id)s;

-- name: touch_staff
update staff set changed_at = %(now)s where staff_id = %(staff_id)s;

-- name: insert_change
insert into staff_change (change_id, staff_id, change, branch_no, teller_no, roles, source, subject_sha256, enabled,
    secret_sha256, changed_by, changed_at)
values (%(change_id)s, %(staff_id)s, %(change)s, %(branch_no)s, %(teller_no)s, %(roles)s, %(source)s, %(subject_sha256)s,
    %(enabled)s, staff_secret_sha256(%(staff_id)s), %(changed_by)s, %(now)s)
returning secret_sha256;

-- name: set_secret
insert into staff_secret (staff_id, password_hash, totp_key_id, totp_box)
values (%(staff_id)s, %(password_hash)s, %(totp_key_id)s, %(totp_box)s)
on conflict (staff_id) do update set password_hash = excluded.password_hash, totp_key_id = excluded.totp_key_id,
    totp_box = excluded.totp_box, totp_last_step = 0, failed_count = 0, locked_until = null;

-- name: set_password
update staff_secret set password_hash = %(password_hash)s, failed_count = 0, locked_until = null where staff_id = %(staff_id)s;

-- name: count_attempt
-- Counted before the password is looked at: guesses made side by side are counted as well.
update staff_secret set failed_count = case when locked_until <= %(now)s then 1 else failed_count + 1 end,
    locked_until = case when locked_until <= %(now)s then null else locked_until end
where staff_id = %(staff_id)s and (locked_until is null or locked_until <= %(now)s)
returning password_hash, totp_key_id, totp_box, failed_count;

-- name: lock_out
update staff_secret set locked_until = %(locked_until)s where staff_id = %(staff_id)s and locked_until is null;

-- name: forgive_attempts
update staff_secret set failed_count = 0, locked_until = null where staff_id = %(staff_id)s;

-- name: accept_step
-- A code opens the door once: the step only grows.
update staff_secret set totp_last_step = %(step)s where staff_id = %(staff_id)s and totp_last_step < %(step)s;

-- name: insert_session
insert into staff_session (session_id, token_sha256, staff_id, branch_no, teller_no, started_at, seen_at, expires_at,
    proof_key_id, proof_box)
values (%(session_id)s, %(token_sha256)s, %(staff_id)s, %(branch_no)s, %(teller_no)s, %(now)s, %(now)s, %(expires_at)s,
    %(proof_key_id)s, %(proof_box)s);

-- name: find_session prepared
select x.session_id, x.staff_id, x.branch_no as session_branch_no, x.teller_no as session_teller_no, x.started_at, x.seen_at,
    x.expires_at, x.proof_key_id, x.proof_box, s.name, s.branch_no, s.teller_no, s.roles, s.source, s.subject, s.enabled
from staff_session x join staff s using (staff_id)
where x.token_sha256 = %(token_sha256)s and x.ended_at is null;

-- name: mark_seen
update staff_session set seen_at = %(now)s where session_id = %(session_id)s and ended_at is null and seen_at < %(now)s;

-- name: end_session
update staff_session set ended_at = %(now)s, end_code = %(code)s, proof_key_id = '', proof_box = ''
where session_id = %(session_id)s and ended_at is null;

-- name: end_sessions_of
update staff_session set ended_at = %(now)s, end_code = %(code)s, proof_key_id = '', proof_box = ''
where staff_id = %(staff_id)s and ended_at is null;

-- name: delete_ended_sessions
delete from staff_session where coalesce(ended_at, expires_at) < %(before)s;

-- name: insert_event
insert into staff_event (event_id, staff_id, event, branch_no, teller_no, code, place, occurred_at)
values (%(event_id)s, %(staff_id)s, %(event)s, %(branch_no)s, %(teller_no)s, %(code)s, %(place)s, %(now)s);

-- name: list_events
select event_id::text as event_id, staff_id::text as staff_id, event, branch_no, teller_no, code, place, occurred_at
from staff_event where occurred_at >= %(since)s order by occurred_at desc, event_id desc limit %(limit)s;

-- name: list_change_ids
select row_id from (
    select change_id::text as row_id from staff_change
    union all
    select 'staff:' || s.staff_id from staff s
    where not exists (select from staff_change h where h.staff_id = s.staff_id)
) every
where row_id > %(after)s order by row_id limit %(limit)s;

-- name: list_changes
select h.change_id::text as change_id, h.staff_id::text as staff_id, h.change, h.branch_no, h.teller_no, h.roles, h.source,
    h.subject_sha256, h.enabled, h.secret_sha256, h.changed_by, h.changed_at, l.change_id is null as latest,
    s.staff_id::text as now_staff_id, s.branch_no as now_branch_no, s.teller_no as now_teller_no, s.roles as now_roles,
    s.source as now_source, s.subject as now_subject, s.enabled as now_enabled, s.changed_at as now_changed_at,
    s.created_at as now_created_at, staff_secret_sha256(h.staff_id) as now_secret_sha256,
    (select min(f.changed_at) from staff_change f where f.staff_id = h.staff_id) as first_changed_at
from staff_change h
left join staff s on s.staff_id = h.staff_id
left join lateral (
    select later.change_id from staff_change later
    where later.staff_id = h.staff_id and (later.changed_at, later.change_id) > (h.changed_at, h.change_id) limit 1
) l on true
where h.change_id::text = any(%(row_ids)s);

-- name: list_event_ids
select event_id::text as row_id from staff_event where event_id::text > %(after)s order by row_id limit %(limit)s;

-- name: restate_events
select event_id::text as event_id, staff_id::text as staff_id, event, branch_no, teller_no, code, place, occurred_at
from staff_event where event_id::text = any(%(row_ids)s);

-- name: insert_look
insert into staff_look (look_id, staff_id, branch_no, teller_no, person_id, reason, looked_at)
values (%(look_id)s, %(staff_id)s, %(branch_no)s, %(teller_no)s, %(person_id)s, %(reason)s, %(now)s)
returning look_id::text as look_id, staff_id::text as staff_id, branch_no, teller_no, person_id, reason, looked_at;

-- name: list_looks
select look_id::text as look_id, staff_id::text as staff_id, branch_no, teller_no, person_id, reason, looked_at from staff_look
where person_id = %(person_id)s order by looked_at desc limit %(limit)s;

-- name: get_look
select look_id::text as look_id, staff_id::text as staff_id, branch_no, teller_no, person_id, reason, looked_at from staff_look
where look_id = %(look_id)s;

-- name: list_looks_by
select look_id::text as look_id, staff_id::text as staff_id, branch_no, teller_no, person_id, reason, looked_at from staff_look
where staff_id = %(staff_id)s::uuid and looked_at >= %(from_at)s and looked_at < %(until_at)s
order by looked_at desc, look_id limit %(limit)s;

-- name: find_look_since
select 1 from staff_look where person_id = %(person_id)s and staff_id = %(staff_id)s::uuid and looked_at >= %(since)s limit 1;

-- name: list_look_ids
select look_id::text as row_id from staff_look where look_id::text > %(after)s order by row_id limit %(limit)s;

-- name: restate_looks
select look_id::text as look_id, staff_id::text as staff_id, branch_no, teller_no, person_id, reason, looked_at from staff_look
where look_id::text = any(%(row_ids)s);

-- name: list_look_happenings
select looked_at as at, 'look' as what, '' as town, reason as detail, null::bigint as points_centi, null::bigint as discount_bp, look_id::text as row_id,
       teller_no as reference from staff_look
where person_id = %(person_id)s and looked_at < %(before)s order by looked_at desc limit %(limit)s;

-- name: list_events_by
select event_id::text as event_id, event, branch_no, teller_no, code, place, occurred_at from staff_event
where staff_id = %(staff_id)s::uuid and occurred_at >= %(from_at)s and occurred_at < %(until_at)s
order by occurred_at desc, event_id desc limit %(limit)s;

-- name: list_changes_of
select change_id::text as change_id, change, branch_no, roles, enabled, changed_by, changed_at from staff_change
where staff_id = %(staff_id)s::uuid order by changed_at desc limit %(limit)s;
