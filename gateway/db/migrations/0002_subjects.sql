-- Persons and households share one id space: both can hold accounts.
create sequence subject_seq as bigint;
grant usage, select on sequence subject_seq to gateway_app;

create table person (
    person_id bigint primary key,
    key_id text not null,
    sealed bytea not null,              -- AES-256-GCM or SM4-GCM of {id_no, name, phone}
    salt bytea not null,                -- of the commitment; gone after erasure, and with it any way to test a guess
    commitment bytea not null,          -- SHA-256(salt ‖ resident id): what records in the log say instead of the person
    birth_on date,                      -- ages gate policies; without a name it is C1
    registered_at timestamptz not null,
    restricted_at timestamptz           -- PIPL art. 47: kept for a retention duty, used for nothing else
);
grant update on person to gateway_app;

-- How a person is found: keyed digests, never the value.
create table identifier (
    kind text not null check (kind in ('id_no', 'phone', 'openid')),
    town text not null default '',      -- openid belongs to a town; id_no and phone to nobody
    digest bytea not null,
    person_id bigint not null,
    registered_at timestamptz not null,
    primary key (kind, town, digest, person_id)
);
create unique index identifier_one_person on identifier (kind, town, digest) where kind in ('id_no', 'openid');
create index identifier_person on identifier (person_id);
grant delete on identifier to gateway_app;

create table household (
    household_id bigint primary key,
    village text not null default '',
    registered_at timestamptz not null
);

-- A town's own code for a family; dated, because families split and merge.
create table household_code (
    town text not null,
    code text not null,
    household_id bigint not null,
    valid_from_on date not null,
    valid_until_on date not null default 'infinity',
    primary key (town, code, valid_from_on),
    check (valid_from_on < valid_until_on)
);
create unique index household_code_current on household_code (town, code) where valid_until_on = 'infinity';
create index household_code_household on household_code (household_id);
grant update on household_code to gateway_app;

create table membership (
    household_id bigint not null,
    person_id bigint not null,
    town text not null,
    is_head boolean not null default false,
    valid_from_on date not null,
    valid_until_on date not null default 'infinity',
    primary key (household_id, person_id, valid_from_on),
    check (valid_from_on < valid_until_on)
);
create index membership_person on membership (person_id);
grant update on membership to gateway_app;

-- One row per consent given; withdrawal fills withdrawn_at once.
create table consent (
    consent_id uuid primary key,
    person_id bigint not null,
    town text not null,
    purpose text not null check (purpose in ('loan_mapping', 'redemption')),
    recipient text not null,
    text_version text not null,
    evidence text not null default '',
    by_guardian boolean not null default false,
    given_at timestamptz not null,
    recorded_at timestamptz not null,
    withdrawn_at timestamptz,
    withdrawal_recorded_at timestamptz
);
create unique index consent_in_force on consent (person_id, town, purpose) where withdrawn_at is null;
create index consent_person on consent (person_id);
grant update (withdrawn_at, withdrawal_recorded_at) on consent to gateway_app;
create function refuse_consent_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.withdrawn_at is not null or new.withdrawn_at is null then
        raise exception 'a consent is given once and withdrawn once' using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger consent_once before update or delete on consent for each row execute function refuse_consent_change();

-- Vetoes and honours said of a person or household by a town or the bank; dated.
create table mark (
    mark_id uuid primary key,
    subject_id bigint not null,
    kind text not null check (kind in ('veto', 'honour')),
    code text not null,
    valid_from_on date not null,
    valid_until_on date not null default 'infinity',
    source text not null,
    recorded_at timestamptz not null
);
create index mark_subject on mark (subject_id);
grant update (valid_until_on) on mark to gateway_app;

-- What a push asks of a person, ready in one row: which purposes they consented to in the town, which of its households
-- they belong or belonged to. Rewritten in the transaction that changes a consent or a membership.
create table standing (
    kind text not null,
    town text not null,
    digest bytea not null,
    person_id bigint not null,
    purposes text not null,
    households text not null,
    primary key (town, kind, digest)
);
create index standing_person on standing (person_id);
grant update, delete on standing to gateway_app;

-- Changes with every registration and withdrawal in the town. A process that remembers what it resolved asks this one row
-- whether it may still believe it.
create table standing_version (
    town text primary key,
    version uuid not null
);
grant update on standing_version to gateway_app;
