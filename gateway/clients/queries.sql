-- name: find_client
select client_id, town, scopes, jwks, cert_sha256, enabled, created_at, changed_at from client where client_id = %(client_id)s;

-- name: list_clients
select client_id, town, scopes, jwks, cert_sha256, enabled, created_at, changed_at from client order by client_id limit %(limit)s;

-- name: insert_client
insert into client (client_id, town, scopes, jwks, cert_sha256, enabled, created_at, changed_at)
values (%(client_id)s, %(town)s, %(scopes)s, %(jwks)s::jsonb, %(cert_sha256)s, true, %(now)s, %(now)s)
on conflict (client_id) do update
set town = excluded.town, scopes = excluded.scopes, jwks = excluded.jwks, cert_sha256 = excluded.cert_sha256,
    enabled = true, changed_at = excluded.changed_at;

-- name: mark_client_enabled
update client set enabled = %(enabled)s, changed_at = %(now)s where client_id = %(client_id)s;

-- name: insert_change
insert into client_change (change_id, client_id, change, town, scopes, jwks_sha256, cert_sha256, enabled, changed_at)
values (%(change_id)s, %(client_id)s, %(change)s, %(town)s, %(scopes)s, %(jwks_sha256)s, %(cert_sha256)s, %(enabled)s, %(now)s);

-- name: insert_assertion
insert into assertion_used (client_id, jti, expires_at) values (%(client_id)s, %(jti)s, %(expires_at)s) on conflict do nothing;

-- name: delete_expired_assertions
delete from assertion_used where expires_at < %(before)s;

-- name: list_change_ids
select row_id from (
    select change_id::text as row_id from client_change
    union all
    select 'client:' || c.client_id from client c
    where not exists (select from client_change h where h.client_id = c.client_id)
) every
where row_id > %(after)s order by row_id limit %(limit)s;

-- name: list_changes
select h.change_id::text as change_id, h.client_id, h.change, h.town, h.scopes, h.jwks_sha256, h.cert_sha256, h.enabled,
    h.changed_at, l.change_id is null as latest,
    c.client_id as now_client_id, c.town as now_town, c.scopes as now_scopes, c.jwks as now_jwks,
    c.cert_sha256 as now_cert_sha256, c.enabled as now_enabled, c.changed_at as now_changed_at,
    c.created_at as now_created_at,
    (select min(f.changed_at) from client_change f where f.client_id = h.client_id) as first_changed_at
from client_change h
left join client c on c.client_id = h.client_id
left join lateral (
    select later.change_id from client_change later
    where later.client_id = h.client_id and (later.changed_at, later.change_id) > (h.changed_at, h.change_id) limit 1
) l on true
where h.change_id::text = any(%(row_ids)s);

-- name: list_migration_numbers
select number from schema_migration;

-- name: list_last_pushes
select distinct on (town) town, received_at, item_count
from (select town, received_at, item_count from contribution_batch order by batch_id desc limit 2000) recent
order by town, received_at desc;

-- name: list_soap_clients
select distinct on (client_id) change_id, client_id, change, town, scopes, signing_certs, tls_sha256, username,
    password_key_id, password_box, enabled, changed_at
from soap_client where town = coalesce(%(town)s, town) and client_id = coalesce(%(client_id)s, client_id)
order by client_id, changed_at desc, change_id desc limit %(limit)s;

-- name: insert_soap_client
insert into soap_client (change_id, client_id, change, town, scopes, signing_certs, tls_sha256, username, password_key_id,
    password_box, enabled, changed_at)
values (%(change_id)s, %(client_id)s, %(change)s, %(town)s, %(scopes)s, %(signing_certs)s, %(tls_sha256)s, %(username)s,
    %(password_key_id)s, %(password_box)s, %(enabled)s, %(now)s);

-- name: lock_soap_clients
select pg_advisory_xact_lock(hashtextextended('soap_client', 0));

-- name: insert_soap_message
insert into soap_message_used (message_id, client_id, expires_at) values (%(message_id)s, %(client_id)s, %(expires_at)s)
on conflict do nothing;

-- name: delete_expired_soap_messages
delete from soap_message_used where expires_at < %(before)s;

-- name: list_soap_client_ids
select change_id::text as row_id from soap_client where change_id::text > %(after)s order by 1 limit %(limit)s;

-- name: list_soap_changes
select change_id, client_id, change, town, scopes, signing_certs, tls_sha256, username, password_key_id, password_box,
    enabled, changed_at
from soap_client where change_id::text = any(%(row_ids)s);

-- name: lock_own_keys
select pg_advisory_xact_lock(hashtextextended('own keys', 0));

-- name: list_standing_keys
select purpose, public_key from (
    select distinct on (purpose, public_key) purpose, public_key, change from own_key_change
    order by purpose, public_key, changed_at desc, change_id desc
) latest where change = 'begun';

-- name: insert_key_change
insert into own_key_change (change_id, purpose, public_key, change, changed_at)
values (%(change_id)s, %(purpose)s, %(public_key)s, %(change)s, %(now)s);

-- name: list_key_change_ids
select change_id::text as row_id from own_key_change where change_id::text > %(after)s order by row_id limit %(limit)s;

-- name: restate_key_changes
select change_id::text as change_id, purpose, public_key, change, changed_at from own_key_change
where change_id = any(%(row_ids)s::uuid[]);
