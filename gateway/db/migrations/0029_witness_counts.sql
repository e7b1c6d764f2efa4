-- How many signatures of each witness were kept. Counted by the trigger alone, so that the newest one cannot be removed unnoticed: a
-- number in the middle leaves a gap, the last one leaves none.
create table cosignature_count (
    vkey text primary key,
    kept bigint not null check (kept > 0)
);
revoke insert, update, delete on cosignature_count from gateway_app;
insert into cosignature_count (vkey, kept) select vkey, max(number) from cosignature group by vkey;

create function count_cosignatures() returns trigger language plpgsql security definer set search_path = public as $$
begin
    insert into cosignature_count as c (vkey, kept) select vkey, count(*) from arrived group by vkey
    on conflict (vkey) do update set kept = c.kept + excluded.kept;
    return null;
end $$;
create trigger count_cosignatures after insert on cosignature referencing new table as arrived
    for each statement execute function count_cosignatures();

create function refuse_recount() returns trigger language plpgsql as $$
begin
    if tg_op <> 'UPDATE' or new.vkey <> old.vkey or new.kept <= old.kept then
        raise exception 'signatures of witnesses are counted upwards only' using errcode = 'integrity_constraint_violation',
            table = 'cosignature_count';
    end if;
    return new;
end $$;
create trigger no_recount before update or delete on cosignature_count for each row execute function refuse_recount();
create trigger no_truncate before truncate on cosignature_count for each statement execute function refuse_change();
