-- name: copy_records
copy record (record_id, kind, row_id, body, recorded_at) from stdin
