-- 0032_desk
-- Somebody comes in a resident's place: who, and which proof of it was seen, chosen from a list (Civil Code, art. 161 to 165).
alter table redemption add column proxy_proof text not null default '';
alter table redemption add constraint proxy_with_proof check
    ((proxy_person_id is null) = (proxy_proof = '') and proxy_person_id is distinct from person_id);

-- What a good looks like: a picture drawn anew by us from what was uploaded. The latest counts; none: a drawing of ours.
create table good_picture (
    picture_id uuid primary key,
    good_id uuid not null,
    media_type text not null check (media_type = 'image/webp'),
    content bytea not null check (octet_length(content) between 1 and 262144),
    set_by text not null,
    recorded_at timestamptz not null
);
create index good_picture_latest on good_picture (good_id, recorded_at);
call make_append_only('good_picture');
