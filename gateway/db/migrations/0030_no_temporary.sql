-- Nobody makes temporary tables here, so nobody needs the right to: an auditor can write nothing, not even for themselves.
do $$ begin
    execute format('revoke temporary on database %I from public', current_database());
end $$;
