-- name: copy_records
copy record (record_id, kind, row_id, body, recorded_at) from stdin

-- name: try_sealer_lock
-- One sealer in the whole database; the lock ends with the transaction, so a killed sealer blocks nobody.
select pg_try_advisory_xact_lock(hashtextextended('gateway.translog.sealer', 0)) as taken

-- name: find_last_checkpoint
select number, size, root, note, signed_at from checkpoint order by size desc limit 1

-- name: get_leaf_count
select coalesce(max(position) + 1, 0)::bigint as leaves from leaf

-- name: list_edge
-- The hashes of every level's partial tile: leaves at level 0, roots of full tiles above. `starts` is by level, from 0.
select 0 as level, position as index, leaf_hash as hash from leaf where position >= (%(starts)s::bigint[])[1]
union all
select edge.at::int - 1, t.index, t.root
from unnest(%(starts)s::bigint[]) with ordinality edge(start, at)
join tile t on t.level = edge.at - 2 and t.index >= edge.start
where edge.at > 1
order by 1, 2

-- name: list_pending
select p.record_id, r.body
from record_pending p join record r using (record_id)
order by p.queue_no
limit %(limit)s

-- name: copy_leaves
copy leaf (position, record_id, leaf_hash) from stdin

-- name: copy_tiles
copy tile (level, index, hashes, root) from stdin

-- name: insert_checkpoint
insert into checkpoint (number, size, root, note, signed_at)
values (%(number)s, %(size)s, %(root)s, %(note)s, %(signed_at)s)

-- name: find_oldest_pending
select recorded_at from record_pending order by queue_no limit 1

-- name: find_checkpoint
select number, size, root, note, signed_at from checkpoint where size = %(size)s

-- name: list_full_tiles
select t.level, t.index, t.hashes
from unnest(%(levels)s::int[], %(indexes)s::bigint[]) want(level, index)
join tile t using (level, index)

-- name: list_leaf_hashes
select leaf_hash from leaf where position >= %(start)s and position < %(end)s order by position

-- name: list_tile_roots
select root from tile where level = %(level)s and index >= %(start)s and index < %(end)s order by index

-- name: list_entries
select r.body from leaf l join record r using (record_id)
where l.position >= %(start)s and l.position < %(end)s order by l.position

-- name: find_leaf_by_record
select l.position, r.record_id, r.kind, r.row_id, r.body
from record r left join leaf l using (record_id) where r.record_id = %(record_id)s

-- name: find_leaf_by_row
select l.position, r.record_id, r.kind, r.row_id, r.body
from record r left join leaf l using (record_id) where r.kind = %(kind)s and r.row_id = %(row_id)s

-- name: get_log_extent
select (select coalesce(max(position) + 1, 0) from leaf)::bigint as leaves,
       (select count(*) from leaf)::bigint as leaf_rows,
       (select count(*) from record)::bigint as records,
       (select count(*) from record_pending)::bigint as pending,
       (select count(*) from tile)::bigint as tiles,
       (select count(*) from checkpoint)::bigint as checkpoints

-- name: list_leaves_with_records
select l.position, l.record_id::text, l.leaf_hash, r.kind, r.row_id, r.recorded_at, r.body
from leaf l left join record r using (record_id)
where l.position > %(after)s
order by l.position
limit %(limit)s

-- name: list_pending_with_records
select p.queue_no, p.record_id::text, l.position, r.kind, r.row_id, r.recorded_at, r.body, p.recorded_at
from record_pending p left join record r using (record_id) left join leaf l using (record_id)
where p.queue_no > %(after)s
order by p.queue_no
limit %(limit)s

-- name: list_records_nowhere
-- Records with neither leaf nor place in the queue: asked only when the counts say that there are some.
select r.record_id, r.kind, r.row_id
from record r left join leaf l using (record_id) left join record_pending p using (record_id)
where l.record_id is null and p.record_id is null
order by r.recorded_at, r.record_id
limit %(limit)s

-- name: list_unrecorded
-- Lateral with a limit: looked up one by one in the index, however many records there are.
select want.row_id
from unnest(%(row_ids)s::text[]) want(row_id)
left join lateral (
    select r.record_id from record r where r.kind = %(kind)s and r.row_id = want.row_id limit 1
) found on true
where found.record_id is null
order by want.row_id

-- name: list_leaf_spans
-- Leaves by tile: how many, the first and last position, and the hashes in one piece.
select position / 256, count(*), min(position), max(position), string_agg(leaf_hash, ''::bytea order by position)
from leaf
where position >= %(start)s and position < %(end)s
group by 1
order by 1

-- name: list_tile_span
select index, hashes, root from tile
where level = %(level)s and index >= %(start)s and index < %(end)s
order by index

-- name: list_tiles_beyond
-- Tiles that a tree of this size does not have.
select level, index from tile
where index >= (%(size)s::bigint >> least(8 * (level + 1), 62))
order by level, index
limit 20

-- name: list_checkpoints
select number, size, root, note, signed_at from checkpoint order by size

-- name: set_savepoint
savepoint restating

-- name: drop_savepoint
release savepoint restating

-- name: back_to_savepoint
rollback to savepoint restating


-- name: find_checkpoint_below
select number, size, root, note, signed_at from checkpoint where size < %(below)s order by size desc limit 1

-- name: find_cosigned_size
-- The newest size that enough of the witnesses signed. Walks the primary key from its end and stops at the first.
select size from cosignature
where vkey = any(%(vkeys)s) and size < %(below)s
group by size having count(*) >= %(quorum)s
order by size desc limit 1

-- name: list_cosignatures
select vkey, line, cosigned_at from cosignature where size = %(size)s and vkey = any(%(vkeys)s) order by vkey

-- name: list_last_cosigned
-- Each witness's newest signature and their count.
select want.vkey, coalesce(last.size, 0)::bigint as size, coalesce(last.number, 0)::bigint as number
from unnest(%(vkeys)s::text[]) want(vkey)
left join lateral (
    select size, number from cosignature c where c.vkey = want.vkey order by c.number desc limit 1
) last on true

-- name: insert_cosignature
insert into cosignature (size, vkey, number, line, cosigned_at, received_at)
values (%(size)s, %(vkey)s, %(number)s, %(line)s, %(cosigned_at)s, %(now)s)
on conflict (size, vkey) do nothing

-- name: insert_refusal
insert into witness_refusal (refusal_id, vkey, size, root, seen_size, code, refused_at)
values (%(refusal_id)s, %(vkey)s, %(size)s, %(root)s, %(seen_size)s, %(code)s, %(now)s)

-- name: insert_refusal_answer
insert into refusal_answer (refusal_id, answered_by, reason, answered_at)
values (%(refusal_id)s, %(answered_by)s, %(reason)s, %(now)s)

-- name: list_refusals
select r.refusal_id, r.vkey, r.size, r.root, r.seen_size, r.code, r.refused_at, a.answered_by, a.reason, a.answered_at
from witness_refusal r left join refusal_answer a using (refusal_id)
where not %(open_only)s or a.refusal_id is null
order by r.refused_at desc, r.refusal_id
limit 100

-- name: find_refused_size
select min(r.size) as size from witness_refusal r
where not exists (select from refusal_answer a where a.refusal_id = r.refusal_id)

-- name: list_all_cosignatures
select s.size, s.vkey, s.number, s.line, s.cosigned_at, c.note
from cosignature s left join checkpoint c using (size)
order by s.vkey, s.number

-- name: list_refusal_ids
select refusal_id::text from witness_refusal
where refusal_id > %(after)s::uuid order by refusal_id limit %(limit)s

-- name: restate_refusals
select refusal_id::text, vkey, size, root, seen_size, code, refused_at
from witness_refusal where refusal_id = any(%(row_ids)s::uuid[])

-- name: list_answer_ids
select refusal_id::text from refusal_answer
where refusal_id > %(after)s::uuid order by refusal_id limit %(limit)s

-- name: restate_answers
select refusal_id::text, answered_by, reason, answered_at
from refusal_answer where refusal_id = any(%(row_ids)s::uuid[])

-- name: list_leaves_by_row
select l.position, r.record_id, r.kind, r.row_id, r.body
from unnest(%(kinds)s::text[], %(row_ids)s::text[]) want(kind, row_id)
join record r using (kind, row_id)
join leaf l using (record_id)
order by l.position

-- name: list_leaves_between
with wanted as (
    select min(l.position) as first, max(l.position) as last
    from record r join leaf l using (record_id)
    where r.recorded_at >= %(from_at)s and r.recorded_at < %(until_at)s and l.position < %(size)s
)
select l.position, r.record_id, r.kind, r.row_id, r.body
from wanted join leaf l on l.position between wanted.first and wanted.last
join record r using (record_id)
where l.position < %(size)s
order by l.position
limit %(limit)s

-- name: list_miscounted
-- Witnesses of whom another number of signatures stands than was counted.
select vkey, coalesce(c.kept, 0)::bigint as counted, coalesce(s.found, 0)::bigint as found
from cosignature_count c full join (select vkey, count(*) as found from cosignature group by vkey) s using (vkey)
where c.kept is distinct from s.found
order by vkey
limit 20
