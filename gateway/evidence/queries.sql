-- name: insert_export
insert into evidence_export (export_id, about_kind, about_id, exported_by, reason, file_sha256, record_count, with_identity,
    exported_at)
values (%(export_id)s, %(about_kind)s, %(about_id)s, %(exported_by)s, %(reason)s, %(file_sha256)s, %(record_count)s,
    %(with_identity)s, %(exported_at)s);

-- name: list_exports
select export_id, about_kind, about_id, exported_by, reason, file_sha256, record_count, with_identity, exported_at
from evidence_export where about_kind = %(about_kind)s and about_id = %(about_id)s
order by exported_at desc, export_id desc limit %(limit)s;

-- name: list_export_ids
select export_id::text from evidence_export where export_id > %(after)s::uuid order by export_id limit %(limit)s;

-- name: restate_exports
select export_id::text, about_kind, about_id, exported_by, reason, file_sha256, record_count, with_identity, exported_at
from evidence_export where export_id = any(%(row_ids)s::uuid[]);

-- name: list_happenings
select e.exported_at as at, 'evidence_taken' as what, '' as town, e.about_kind as detail, null::bigint as points_centi, null::bigint as discount_bp,
       e.export_id::text as row_id, e.exported_by as reference
from unnest(%(kinds)s::text[], %(ids)s::text[]) a(about_kind, about_id)
join evidence_export e using (about_kind, about_id)
where e.exported_at < %(before)s order by e.exported_at desc limit %(limit)s;

-- name: list_exports_between
select export_id::text as export_id, about_kind, about_id, exported_by, reason, record_count, with_identity, exported_at
from evidence_export where exported_at >= %(from_at)s and exported_at < %(until_at)s
order by exported_at desc, export_id desc limit %(limit)s;
