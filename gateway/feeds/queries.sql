-- name: find_feed
select cursor, high_seq, fetched_at, wanted_at, wait_until from feed where town = %(town)s;

-- name: open_feed
insert into feed (town, cursor, high_seq) values (%(town)s, '', 0) on conflict (town) do nothing;

-- name: lock_feed
select cursor, high_seq, fetched_at, wanted_at, wait_until from feed where town = %(town)s for update;

-- name: write_feed
update feed set cursor = %(cursor)s, high_seq = %(high_seq)s, fetched_at = %(now)s, wait_until = null where town = %(town)s;

-- name: mark_wanted
update feed set wanted_at = %(now)s where town = %(town)s;

-- name: mark_asked_to_wait
update feed set wait_until = %(wait_until)s where town = %(town)s;

-- name: list_gaps
select from_seq, until_seq, seen_at from feed_gap where town = %(town)s order by from_seq limit %(limit)s;

-- name: count_gaps
select town, sum(until_seq - from_seq)::bigint as missing, min(seen_at) as oldest_at from feed_gap group by town order by town;

-- name: delete_gaps
delete from feed_gap where town = %(town)s and from_seq = any(%(from_seqs)s::bigint[]);

-- name: copy_gaps
copy feed_gap (town, from_seq, until_seq, seen_at) from stdin;

-- name: insert_event
insert into hook_event (town, event_id, body_sha256, kind, subject, received_at)
values (%(town)s, %(event_id)s, %(body_sha256)s, %(kind)s, %(subject)s, %(now)s)
on conflict (town, event_id) do nothing;

-- name: find_event
select body_sha256 from hook_event where town = %(town)s and event_id = %(event_id)s;

-- name: list_hook_subjects
select distinct subject from hook_event
where town = %(town)s and kind = %(kind)s and received_at >= %(since)s order by subject limit 1000;

-- name: delete_old_events
delete from hook_event where received_at < %(before)s;

-- name: list_missing
select town, from_seq, until_seq, seen_at from feed_gap order by town, from_seq limit %(limit)s;
