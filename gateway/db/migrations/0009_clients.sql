-- Towns' OAuth clients. Public keys and certificate digests only; a private key of a town never reaches us.
create table client (
    client_id text primary key check (client_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    town text not null,
    scopes text[] not null,
    jwks jsonb not null,                     -- {"keys": […]}: public JWKs, each with kid, ES256 or PS256
    cert_sha256 text[] not null,             -- x5t#S256 (base64url) of accepted client certificates; two during rollover
    enabled boolean not null default true,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    check (cardinality(cert_sha256) between 1 and 4)
);
create index client_town on client (town);
grant update on client to gateway_app;

-- Every registration and every change of a client; what the log's client_changed records speak of.
create table client_change (
    change_id uuid primary key,
    client_id text not null,
    change text not null check (change in ('registered', 'replaced', 'enabled', 'disabled')),
    town text not null,
    scopes text[] not null,
    jwks_sha256 text not null,               -- of the canonical JSON
    cert_sha256 text[] not null,
    enabled boolean not null,
    changed_at timestamptz not null
);
create index client_change_client on client_change (client_id, changed_at);
call make_append_only('client_change');

-- A private_key_jwt assertion is accepted once, also after a restart and in another process.
create table assertion_used (
    client_id text not null,
    jti text not null check (length(jti) between 1 and 256),
    expires_at timestamptz not null,
    primary key (client_id, jti)
);
create index assertion_used_expiry on assertion_used (expires_at);
grant delete on assertion_used to gateway_app;
