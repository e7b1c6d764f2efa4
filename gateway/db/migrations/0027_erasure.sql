-- Somebody is to be erased: from now on restricted (PIPL art. 47), and erased on `due_on`, when every duty to keep has ended.
create table erasure_request (
    request_id uuid primary key,
    person_id bigint not null unique,
    requested_by text not null check (requested_by <> ''),
    cause text not null check (cause in ('resident_asked', 'consent_withdrawn', 'purpose_ended', 'authority')),
    basis text not null,                     -- which duty decides the day, e.g. 'decision 2026-11-24 + 10 years'
    due_on date not null,
    requested_at timestamptz not null
);
create index erasure_request_due on erasure_request (due_on);
call make_append_only('erasure_request');

-- It is done. What identified the person is gone; the row, the ids and every proof stay.
create table erasure (
    request_id uuid primary key,
    person_id bigint not null,
    pushes_cut int not null check (pushes_cut >= 0),
    erased_at timestamptz not null
);
call make_append_only('erasure');

-- A court or an auditor wants somebody's data kept: nothing is erased while a hold stands.
create table legal_hold (
    hold_id uuid primary key,
    person_id bigint not null,
    set_by text not null check (set_by <> ''),
    reason text not null check (length(reason) between 4 and 500),
    set_at timestamptz not null
);
create index legal_hold_person on legal_hold (person_id);
call make_append_only('legal_hold');
create table legal_hold_end (
    hold_id uuid primary key,
    ended_by text not null check (ended_by <> ''),
    reason text not null check (length(reason) between 4 and 500),
    ended_at timestamptz not null
);
call make_append_only('legal_hold_end');
grant delete on standing to gateway_app;
