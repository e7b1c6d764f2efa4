-- Who may speak for a town over SOAP. Each change is a row; the latest row of a client says how it stands, so nothing is edited.
create table soap_client (
    change_id uuid primary key,
    client_id text not null check (client_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    change text not null check (change in ('registered', 'replaced', 'enabled', 'disabled')),
    town text not null,
    scopes text[] not null,
    signing_certs text[] not null,           -- Base64 of DER: what messages are signed with; two during rollover
    tls_sha256 text[] not null,              -- x5t#S256 (base64url) of accepted client certificates; two during rollover
    username text,
    password_key_id text,                    -- UsernameToken digests need the password itself: sealed under this key
    password_box bytea,
    enabled boolean not null,
    changed_at timestamptz not null,
    check (cardinality(signing_certs) <= 4 and cardinality(tls_sha256) <= 4),
    check ((username is null) = (password_box is null) and (password_box is null) = (password_key_id is null))
);
create index soap_client_latest on soap_client (client_id, changed_at desc, change_id desc);
call make_append_only('soap_client');

-- A signed message, or a nonce, is accepted once, also after a restart and in another process.
create table soap_message_used (
    message_id bytea primary key check (octet_length(message_id) = 32),
    client_id text not null,
    expires_at timestamptz not null
);
create index soap_message_used_expiry on soap_message_used (expires_at);
grant delete on soap_message_used to gateway_app;
