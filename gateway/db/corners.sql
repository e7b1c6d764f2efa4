-- What PostgreSQL lets everybody do who may connect, beyond tables: for an auditor it is too much. Run once in the database, as its
-- administrator (`create_database` does it on the embedded server). An auditor then makes no large object and
-- cannot hold an advisory lock, which would stop the sealer, the jobs or a registration. (Temporary tables: migration 0030.)
do $$
declare
    it regprocedure;
begin
    for it in
        select p.oid::regprocedure from pg_proc p
        where p.pronamespace = 'pg_catalog'::regnamespace
          and (p.proname ~ '^pg_(try_)?advisory_' or p.proname ~ '^lo_(creat|create|from_bytea|put|truncate|truncate64|unlink|open|import)$'
               or p.proname in ('lowrite', 'pg_notify'))
    loop
        execute format('revoke execute on function %s from public', it);
        execute format('grant execute on function %s to gateway_migrate, gateway_app', it);
    end loop;
end $$;
