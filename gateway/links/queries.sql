-- name: supersede_attempts
update link_attempt set outcome = 'superseded', taken_at = %(now)s, sealed = '' where entry_id = %(entry_id)s and outcome = 'open';

-- name: insert_attempt
insert into link_attempt (attempt_id, town, entry_id, state_digest, session_digest, key_id, sealed, begun_at, expires_at)
values (%(attempt_id)s, %(town)s, %(entry_id)s, %(state_digest)s, %(session_digest)s, %(key_id)s, %(sealed)s, %(begun_at)s,
        %(expires_at)s);

-- name: take_attempt
-- One statement: of two returns with the same state at the same moment one finds it open.
update link_attempt set outcome = 'taken', taken_at = %(now)s
where state_digest = %(state_digest)s and session_digest = %(session_digest)s and town = %(town)s and outcome = 'open'
  and expires_at > %(now)s
returning attempt_id, entry_id, key_id, sealed, begun_at, expires_at;

-- name: empty_attempt
update link_attempt set sealed = '' where attempt_id = %(attempt_id)s;

-- name: expire_attempts
update link_attempt set outcome = 'expired', taken_at = %(now)s, sealed = '' where outcome = 'open' and expires_at <= %(now)s;

-- name: mark_outcome
update link_attempt set outcome = %(outcome)s where attempt_id = %(attempt_id)s;

-- name: count_attempts
select count(*) as count from link_attempt where entry_id = %(entry_id)s;

-- name: find_linked
select attempt_id from link_attempt where entry_id = %(entry_id)s and outcome = 'linked' limit 1;

-- name: delete_old_attempts
delete from link_attempt where begun_at < %(before)s;

-- name: find_link
select link_id, linked_at from link where town = %(town)s and person_id = %(person_id)s and ended_at is null;

-- name: insert_link
insert into link (link_id, town, person_id, linked_at) values (%(link_id)s, %(town)s, %(person_id)s, %(now)s);

-- name: write_grant
insert into link_grant (link_id, town, person_id, key_id, sealed, renewed_at)
values (%(link_id)s, %(town)s, %(person_id)s, %(key_id)s, %(sealed)s, %(now)s)
on conflict (link_id) do update
    set key_id = excluded.key_id, sealed = excluded.sealed, renewed_at = excluded.renewed_at, history_cursor = '',
        history_done_at = null;

-- name: end_link
update link set ended_at = greatest(%(now)s, linked_at), ended_by = %(ended_by)s
where town = %(town)s and person_id = %(person_id)s and ended_at is null returning link_id;

-- name: end_grant
update link_grant set ended_at = %(now)s where link_id = %(link_id)s;

-- name: list_accounts
select link_id, town, person_id, key_id, sealed, history_cursor from link_grant
where town = %(town)s and person_id = any(%(person_ids)s::bigint[]) and ended_at is null;

-- name: list_histories
select link_id, town, person_id, key_id, sealed, history_cursor from link_grant
where town = %(town)s and history_done_at is null and ended_at is null order by renewed_at, link_id limit %(limit)s;

-- name: list_grants_to_renew
select link_id, town, person_id, key_id, sealed, history_cursor from link_grant
where town = %(town)s and renewed_at < %(renewed_before)s and ended_at is null order by renewed_at, link_id limit %(limit)s;

-- name: list_ended_grants
select link_id, town, person_id, key_id, sealed, history_cursor from link_grant
where town = %(town)s and ended_at is not null order by ended_at, link_id limit %(limit)s;

-- name: find_ended_grant
select link_id, town, person_id, key_id, sealed, history_cursor from link_grant
where link_id = %(link_id)s and ended_at is not null;

-- name: lock_grant
select link_id, town, person_id, key_id, sealed, history_cursor from link_grant
where link_id = %(link_id)s and ended_at is null for update;

-- name: write_renewed
update link_grant set key_id = %(key_id)s, sealed = %(sealed)s, renewed_at = %(now)s where link_id = %(link_id)s;

-- name: write_history
update link_grant set history_cursor = %(cursor)s, history_done_at = %(done_at)s where link_id = %(link_id)s;

-- name: delete_grant
delete from link_grant where link_id = %(link_id)s;

-- name: list_link_ids
select link_id::text as row_id from link where link_id::text > %(after)s order by link_id::text limit %(limit)s;

-- name: list_ended_ids
select link_id::text as row_id from link
where (ended_at is not null or ended_by is not null) and link_id::text > %(after)s order by link_id::text limit %(limit)s;

-- name: restate_links
select link_id::text as row_id, town, person_id, linked_at, ended_at, ended_by from link where link_id = any(%(row_ids)s::uuid[]);

-- name: list_happenings
select at, what, town, detail, null::bigint as points_centi, null::bigint as discount_bp, row_id, '' as reference from (
    select linked_at as at, 'linked' as what, town, '' as detail, link_id::text as row_id from link where person_id = %(person_id)s
    union all
    select ended_at, 'unlinked', town, ended_by, link_id::text from link where person_id = %(person_id)s and ended_at is not null
) every
where at < %(before)s order by at desc limit %(limit)s;
