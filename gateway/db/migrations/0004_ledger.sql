-- Kinds of account of (town, holder). 'issue' (holder 0) is the town itself and has no balance row: never one hot row.
-- 'owed' is what a late deduction could not take because it was already spent; it may be negative.
create table account (
    town text not null,
    holder_id bigint not null,
    kind text not null check (kind in ('available', 'held', 'spent', 'redeemed', 'expired', 'owed')),
    balance_centi bigint not null default 0,
    primary key (holder_id, town, kind),
    constraint balance_not_negative check (kind = 'owed' or balance_centi >= 0),
    constraint owed_not_positive check (kind <> 'owed' or balance_centi <= 0),
    constraint holder_is_somebody check (holder_id > 0)
) with (fillfactor = 70);

create index account_owing on account (holder_id, town) where kind = 'owed' and balance_centi < 0;

-- One row is one transfer: points leave the debit account and enter the credit account, so the sum is zero by construction.
create table transfer (
    cause_id uuid not null,                  -- the batch, redemption or job that caused it
    cause_no int not null,                   -- the item in it
    leg smallint not null default 0,         -- a deduction may need two: from available, then from owed
    cause_kind text not null check (cause_kind in ('contribution', 'hold', 'post', 'void', 'expiry', 'reversal')),
    town text not null,
    debit_holder bigint not null,
    debit_kind text not null,
    credit_holder bigint not null,
    credit_kind text not null,
    points_centi bigint not null,
    recorded_at timestamptz not null,
    primary key (cause_id, cause_no, leg),   -- the same cause twice is refused
    constraint transfer_moves_something check (points_centi > 0),
    constraint transfer_between_two check ((debit_holder, debit_kind) <> (credit_holder, credit_kind)),
    constraint issue_has_no_holder check ((debit_kind = 'issue') = (debit_holder = 0) and (credit_kind = 'issue') = (credit_holder = 0))
);
-- No index by holder: a transfer is reached through its cause, and contributions and holds are indexed by holder.
call make_append_only('transfer');

-- Balances move only because a transfer was written. Nobody, not even the application, may set one.
create function move_balances() returns trigger language plpgsql security definer set search_path = public as $$
declare
    lacking text;
begin
    -- A row that ON CONFLICT would update is still checked as if inserted, so what takes from an account is an UPDATE.
    with legs as (
        select town, holder_id, kind, sum(points)::bigint as points
        from (
            select town, credit_holder as holder_id, credit_kind as kind, points_centi as points from moved where credit_holder > 0
            union all
            select town, debit_holder, debit_kind, -points_centi from moved where debit_holder > 0
        ) each_leg
        group by town, holder_id, kind
        having sum(points) <> 0
        order by holder_id, town, kind
    ), given as (
        insert into account as a (town, holder_id, kind, balance_centi)
        select town, holder_id, kind, points from legs where (kind = 'owed') = (points < 0)
        on conflict (holder_id, town, kind) do update set balance_centi = a.balance_centi + excluded.balance_centi
    ), taken as (
        update account a set balance_centi = a.balance_centi + legs.points
        from legs
        where (legs.kind = 'owed') <> (legs.points < 0)
          and a.holder_id = legs.holder_id and a.town = legs.town and a.kind = legs.kind
        returning a.holder_id, a.town, a.kind
    )
    select format('%s account of holder %s in %s', legs.kind, legs.holder_id, legs.town) into lacking
    from legs left join taken using (holder_id, town, kind)
    where (legs.kind = 'owed') <> (legs.points < 0) and taken.holder_id is null
    limit 1;
    if lacking is not null then
        raise exception 'points cannot leave the %: it has none', lacking
            using errcode = 'check_violation', constraint = 'balance_not_negative', table = 'account';
    end if;
    return null;
end $$;
create trigger move_balances after insert on transfer referencing new table as moved
    for each statement execute function move_balances();
revoke insert, update, delete on account from gateway_app;
grant update (kind) on account to gateway_app;  -- never used: PostgreSQL asks for it before it lets `for update` lock a row
create function refuse_account_edit() returns trigger language plpgsql as $$
begin
    if current_user <> (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        raise exception 'an account changes by a transfer only' using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger account_by_transfer_only before update of kind on account for each row execute function refuse_account_edit();

-- Accounts stand before the first points come, so that they can be locked in one order.
create function open_accounts(holders bigint[], in_town text) returns void
language sql security definer set search_path = public as $$
    insert into account (town, holder_id, kind)
    select in_town, holder, kind
    from unnest(holders) holder, unnest(array['available']) kind
    order by holder, kind
    on conflict do nothing
$$;
grant execute on function open_accounts(bigint[], text) to gateway_app;

-- A hold: points set aside until posted or voided; ends by itself.
create table hold (
    hold_id uuid primary key,
    town text not null,
    holder_id bigint not null,
    points_centi bigint not null check (points_centi > 0),
    expires_at timestamptz not null,
    created_at timestamptz not null,
    state text not null default 'held' check (state in ('held', 'posted', 'voided', 'expired')),
    ended_at timestamptz,
    check ((state = 'held') = (ended_at is null))
);
create index hold_open on hold (expires_at) where state = 'held';
create index hold_holder on hold (holder_id);
grant update (state, ended_at) on hold to gateway_app;
create function refuse_hold_reopened() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.state <> 'held' then
        raise exception 'hold % is % and stays so', old.hold_id, old.state using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;
create trigger hold_ends_once before update or delete on hold for each row execute function refuse_hold_reopened();
