-- Which state follows which on which event; the same table stands in gateway/redemptions/states.py and a test compares them.
create table redemption_edge (
    from_state text not null,
    event text not null,
    to_state text not null,
    primary key (from_state, event)
);
insert into redemption_edge (from_state, event, to_state) values
    ('opened', 'freeze_sent', 'freezing'),
    ('freezing', 'town_froze', 'frozen'),
    ('freezing', 'town_refused', 'refused'),
    ('freezing', 'release_needed', 'releasing'),
    ('freezing', 'answer_lost', 'unknown'),
    ('frozen', 'approved', 'frozen'),
    ('frozen', 'confirm_sent', 'confirming'),
    ('frozen', 'release_needed', 'releasing'),
    ('confirming', 'town_confirmed', 'confirmed'),
    ('confirming', 'release_needed', 'releasing'),
    ('confirming', 'answer_lost', 'unknown'),
    ('confirmed', 'handed_over', 'handed_over'),
    ('confirmed', 'release_needed', 'releasing'),
    ('handed_over', 'reversal_asked', 'releasing'),
    ('releasing', 'town_released', 'released'),
    ('releasing', 'town_reversed', 'reversed'),
    ('releasing', 'answer_lost', 'unknown'),
    ('unknown', 'found_nothing', 'refused'),
    ('unknown', 'found_frozen', 'frozen'),
    ('unknown', 'found_confirmed', 'confirmed'),
    ('unknown', 'found_released', 'released'),
    ('unknown', 'found_reversed', 'reversed'),
    ('unknown', 'confirm_sent', 'confirming'),
    ('unknown', 'release_needed', 'releasing');
call make_append_only('redemption_edge');
revoke insert on redemption_edge from gateway_app;

-- One basket of one resident at one branch. What it is never changes; where it stands moves by events.
create table redemption (
    redemption_id uuid primary key,
    serial text not null unique,                -- ours, for people: on the receipt
    branch_no text not null,
    teller_no text not null,
    staff_id uuid not null,
    idempotency_key text not null,
    content_sha256 text not null,
    person_id bigint not null,
    proxy_person_id bigint,                     -- who came in their place
    business_on date not null,
    needs_approval boolean not null,
    opened_at timestamptz not null,
    expires_at timestamptz not null,            -- a freeze not confirmed by then ends by itself
    state text not null default 'opened' check (state in ('opened', 'freezing', 'frozen', 'confirming', 'confirmed',
        'handed_over', 'releasing', 'released', 'refused', 'unknown', 'reversed')),
    wanted text not null default 'freeze' check (wanted in ('freeze', 'confirm', 'release', 'reverse')),
    approved_by uuid,
    goods text not null default 'held' check (goods in ('held', 'released', 'issued', 'returned')),
    posted boolean not null default false,      -- whether the ledger's holds were posted
    next_attempt_at timestamptz,                -- until then somebody is at work on it
    attempts int not null default 0,
    unique (staff_id, idempotency_key),
    constraint approved_by_another check (approved_by is null or approved_by <> staff_id)
);
create index redemption_open on redemption (next_attempt_at) where state in ('freezing', 'confirming', 'releasing', 'unknown');
create index redemption_frozen on redemption (expires_at) where state = 'frozen';
create index redemption_person on redemption (person_id, opened_at);
create index redemption_branch on redemption (branch_no, opened_at);
grant update (state, wanted, approved_by, goods, posted, next_attempt_at, attempts) on redemption to gateway_app;

create table redemption_line (
    redemption_id uuid not null,
    line_no int not null,
    good_id uuid not null,
    town text not null,
    quantity_count int not null check (quantity_count > 0),
    price_centi bigint not null check (price_centi > 0),
    settle_fen bigint not null check (settle_fen >= 0),
    primary key (redemption_id, line_no)
);
create index redemption_line_good on redemption_line (good_id);
call make_append_only('redemption_line');

-- What a town is asked: one freeze a town, under a serial of its own. `heard` is what we are sure of.
create table redemption_leg (
    redemption_id uuid not null,
    town text not null,
    serial text not null unique,
    holder_id bigint not null,
    hold_id uuid not null unique,
    total_centi bigint not null check (total_centi > 0),
    heard text not null default 'asked' check (heard in ('asked', 'frozen', 'confirmed', 'ended', 'absent', 'doubtful')),
    town_reference text not null default '',
    asked_at timestamptz not null,
    primary key (redemption_id, town)
);
grant update (heard, town_reference, asked_at) on redemption_leg to gateway_app;

create table redemption_event (
    event_id uuid primary key,
    redemption_id uuid not null,
    event_no int not null,
    event text not null,
    from_state text not null,
    to_state text not null,
    staff_id uuid,                              -- null: the gateway itself
    teller_no text not null,
    code text not null,
    stands text not null,                       -- how it stands afterwards: aim, goods, posted, approver; each town's part
    occurred_at timestamptz not null,
    unique (redemption_id, event_no)
);
call make_append_only('redemption_event');

-- A redemption moves because an event was written, along an edge that exists. Even the owner of the table cannot do otherwise.
create function move_redemptions() returns trigger language plpgsql security definer set search_path = public as $$
declare
    wrong record;
    changed int;
    counted int;
begin
    select h.redemption_id, h.from_state, h.event, h.to_state into wrong
    from happened h left join redemption_edge e on e.from_state = h.from_state and e.event = h.event and e.to_state = h.to_state
    where e.from_state is null limit 1;
    if found then
        raise exception 'redemption %: % does not lead from % to %', wrong.redemption_id, wrong.event, wrong.from_state, wrong.to_state
            using errcode = 'check_violation', constraint = 'redemption_edge', table = 'redemption_event';
    end if;
    update redemption r set state = h.to_state from happened h where r.redemption_id = h.redemption_id and r.state = h.from_state;
    get diagnostics changed = row_count;
    select count(*) into counted from happened;
    if changed <> counted then
        raise exception '% of % redemptions were not in the state the event leaves', counted - changed, counted
            using errcode = 'check_violation', constraint = 'redemption_state', table = 'redemption_event';
    end if;
    return null;
end $$;
create trigger move_redemptions after insert on redemption_event referencing new table as happened
    for each statement execute function move_redemptions();

create function refuse_redemption_change() returns trigger language plpgsql as $$
declare
    moving text[] := array['state', 'wanted', 'approved_by', 'goods', 'posted', 'next_attempt_at', 'attempts'];
begin
    if tg_op = 'INSERT' then
        if new.state <> 'opened' then
            raise exception 'a redemption begins as opened' using errcode = 'check_violation', constraint = 'redemption_edge';
        end if;
        return new;
    end if;
    if tg_op = 'DELETE' or (to_jsonb(new) - moving) is distinct from (to_jsonb(old) - moving) then
        raise exception 'a redemption is never changed or removed; its state moves by an event'
            using errcode = 'integrity_constraint_violation', table = 'redemption';
    end if;
    if new.state <> old.state then
        if current_user <> (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
            raise exception 'a redemption moves by an event only' using errcode = 'integrity_constraint_violation', table = 'redemption';
        end if;
        if not exists (select from redemption_edge where from_state = old.state and to_state = new.state) then
            raise exception 'a redemption does not go from % to %', old.state, new.state
                using errcode = 'check_violation', constraint = 'redemption_edge', table = 'redemption';
        end if;
    end if;
    if old.approved_by is not null and new.approved_by is distinct from old.approved_by then
        raise exception 'an approval is given once' using errcode = 'integrity_constraint_violation', table = 'redemption';
    end if;
    return new;
end $$;
create trigger redemption_edges before insert or update or delete on redemption for each row execute function refuse_redemption_change();
create trigger no_truncate before truncate on redemption for each statement execute function refuse_change();
create function refuse_leg_change() returns trigger language plpgsql as $$
declare
    moving text[] := array['heard', 'town_reference', 'asked_at'];
begin
    if tg_op = 'DELETE' or (to_jsonb(new) - moving) is distinct from (to_jsonb(old) - moving) then
        raise exception 'what a town is asked never changes' using errcode = 'integrity_constraint_violation', table = 'redemption_leg';
    end if;
    return new;
end $$;
create trigger leg_stays before update or delete on redemption_leg for each row execute function refuse_leg_change();
create trigger no_truncate before truncate on redemption_leg for each statement execute function refuse_change();

-- Every look of staff at a resident: who, when, why. A record in the log; the audit desk reads it.
create table staff_look (
    look_id uuid primary key,
    staff_id uuid not null,
    branch_no text not null,
    teller_no text not null,
    person_id bigint not null,
    reason text not null check (reason in ('redemption', 'enquiry', 'complaint', 'correction')),
    looked_at timestamptz not null
);
create index staff_look_person on staff_look (person_id, looked_at);
call make_append_only('staff_look');
