-- Roles see only what they are granted; every later migration relies on these defaults.
revoke create on schema public from public;
grant usage on schema public to gateway_app, gateway_auditor;
alter default privileges in schema public grant select, insert on tables to gateway_app;
alter default privileges in schema public grant usage, select on sequences to gateway_app;
alter default privileges in schema public grant select on tables to gateway_auditor;
alter default privileges revoke execute on functions from public;
grant select on public.schema_migration to gateway_app, gateway_auditor;

-- Tables whose rows never change carry this trigger twice: for each row, and for truncate.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% of % is refused: its rows are never changed or removed', tg_op, tg_table_name
        using errcode = 'integrity_constraint_violation', table = tg_table_name,
              hint = 'add a correcting row instead';
end $$;

create procedure make_append_only(target regclass) language plpgsql as $$
begin
    execute format('create trigger no_change before update or delete on %s for each row execute function refuse_change()', target);
    execute format('create trigger no_truncate before truncate on %s for each statement execute function refuse_change()', target);
end $$;
