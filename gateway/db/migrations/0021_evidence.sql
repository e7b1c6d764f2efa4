-- Who took which evidence out, about whom, and why. The file itself is not kept: its digest is.
create table evidence_export (
    export_id uuid primary key,
    about_kind text not null check (about_kind in ('decision', 'resident', 'period')),
    about_id text not null,
    exported_by text not null check (exported_by <> ''),
    reason text not null check (length(reason) between 4 and 500),
    file_sha256 bytea not null check (octet_length(file_sha256) = 32),
    record_count int not null check (record_count > 0),
    with_identity boolean not null,          -- the file carries the salt that shows whose it is
    exported_at timestamptz not null
);
create index evidence_export_about on evidence_export (about_kind, about_id, exported_at);
call make_append_only('evidence_export');
