-- What the migrations make together. Written by `make snapshot`; read it, never run or edit it.

CREATE FUNCTION public.count_cosignatures() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public'
    AS $$
begin
    insert into cosignature_count as c (vkey, kept) select vkey, count(*) from arrived group by vkey
    on conflict (vkey) do update set kept = c.kept + excluded.kept;
    return null;
end $$;

ALTER FUNCTION public.count_cosignatures() OWNER TO gateway_migrate;

CREATE FUNCTION public.follow_objection() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    last record;
begin
    select event_no, to_state into last from objection_event where objection_id = new.objection_id order by event_no desc limit 1;
    if new.event_no <> coalesce(last.event_no, 0) + 1 or new.from_state <> coalesce(last.to_state, 'open') then
        raise exception 'an event of an objection begins where the last one ended' using errcode = 'integrity_constraint_violation',
            table = 'objection_event', constraint = 'objection_event_order';
    end if;
    return new;
end $$;

ALTER FUNCTION public.follow_objection() OWNER TO gateway_migrate;

CREATE FUNCTION public.keep_objection() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    emptied text[] := array['sealed', 'salt'];
begin
    if tg_op = 'DELETE' or (to_jsonb(new) - emptied) is distinct from (to_jsonb(old) - emptied)
        or octet_length(new.sealed) + octet_length(new.salt) > 0 then
        raise exception 'what was recorded of an objection never changes' using errcode = 'integrity_constraint_violation', table = tg_table_name;
    end if;
    return new;
end $$;

ALTER FUNCTION public.keep_objection() OWNER TO gateway_migrate;

CREATE PROCEDURE public.make_append_only(IN target regclass)
    LANGUAGE plpgsql
    AS $$
begin
    execute format('create trigger no_change before update or delete on %s for each row execute function refuse_change()', target);
    execute format('create trigger no_truncate before truncate on %s for each statement execute function refuse_change()', target);
end $$;

ALTER PROCEDURE public.make_append_only(IN target regclass) OWNER TO gateway_migrate;

CREATE FUNCTION public.move_balances() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public'
    AS $$
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

ALTER FUNCTION public.move_balances() OWNER TO gateway_migrate;

CREATE FUNCTION public.move_proposals() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public'
    AS $$
declare
    wrong record;
    counted int;
    changed int;
begin
    select h.proposal_id, h.from_state, h.event, h.to_state into wrong
    from happened h left join proposal_edge e on e.from_state = h.from_state and e.event = h.event and e.to_state = h.to_state
    where e.from_state is null limit 1;
    if found then
        raise exception 'proposal %: % does not lead from % to %', wrong.proposal_id, wrong.event, wrong.from_state, wrong.to_state
            using errcode = 'check_violation', constraint = 'proposal_edge', table = 'proposal_event';
    end if;
    update proposal p set state = h.to_state from happened h where p.proposal_id = h.proposal_id and p.state = h.from_state;
    get diagnostics changed = row_count;
    select count(*) into counted from happened;
    if changed <> counted then
        raise exception '% of % proposals were not in the state the event leaves', counted - changed, counted
            using errcode = 'check_violation', constraint = 'proposal_state', table = 'proposal_event';
    end if;
    return null;
end $$;

ALTER FUNCTION public.move_proposals() OWNER TO gateway_migrate;

CREATE FUNCTION public.move_redemptions() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public'
    AS $$
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

ALTER FUNCTION public.move_redemptions() OWNER TO gateway_migrate;

CREATE FUNCTION public.move_stock() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public'
    AS $$
begin
    insert into stock (branch_no, good_id) select distinct branch_no, good_id from moved order by 1, 2 on conflict do nothing;
    with legs as (
        select branch_no, good_id, sum(on_hand_change_count)::int as on_hand, sum(held_change_count)::int as held
        from moved group by branch_no, good_id order by branch_no, good_id
    )
    update stock s set on_hand_count = s.on_hand_count + legs.on_hand, held_count = s.held_count + legs.held
    from legs where s.branch_no = legs.branch_no and s.good_id = legs.good_id;
    return null;
end $$;

ALTER FUNCTION public.move_stock() OWNER TO gateway_migrate;

CREATE FUNCTION public.open_accounts(holders bigint[], in_town text) RETURNS void
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public'
    AS $$
    insert into account (town, holder_id, kind)
    select in_town, holder, kind
    from unnest(holders) holder, unnest(array['available']) kind
    order by holder, kind
    on conflict do nothing
$$;

ALTER FUNCTION public.open_accounts(holders bigint[], in_town text) OWNER TO gateway_migrate;

CREATE FUNCTION public.queue_records() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public'
    AS $$
begin
    insert into record_pending (record_id, recorded_at) select record_id, recorded_at from written;
    return null;
end $$;

ALTER FUNCTION public.queue_records() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_account_edit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user <> (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        raise exception 'an account changes by a transfer only' using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;

ALTER FUNCTION public.refuse_account_edit() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception '% of % is refused: its rows are never changed or removed', tg_op, tg_table_name
        using errcode = 'integrity_constraint_violation', table = tg_table_name,
              hint = 'add a correcting row instead';
end $$;

ALTER FUNCTION public.refuse_change() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_closed_day() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    place record;
    shut record;
begin
    for place in select distinct branch_no from moved order by branch_no loop
        perform pg_advisory_xact_lock_shared(hashtextextended('branch day ' || place.branch_no, 0));
    end loop;
    select d.branch_no, d.accounting_on into shut
    from moved m join branch_day d on d.branch_no = m.branch_no and d.accounting_on >= (m.moved_at at time zone 'Asia/Shanghai')::date
    limit 1;
    if found then
        raise exception 'branch % has closed %', shut.branch_no, shut.accounting_on
            using errcode = 'check_violation', constraint = 'branch_day_closed', table = 'stock_movement';
    end if;
    return null;
end $$;

ALTER FUNCTION public.refuse_closed_day() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_consent_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op = 'DELETE' or old.withdrawn_at is not null or new.withdrawn_at is null then
        raise exception 'a consent is given once and withdrawn once' using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;

ALTER FUNCTION public.refuse_consent_change() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_hold_reopened() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op = 'DELETE' or old.state <> 'held' then
        raise exception 'hold % is % and stays so', old.hold_id, old.state using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;

ALTER FUNCTION public.refuse_hold_reopened() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_leg_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
    moving text[] := array['heard', 'town_reference', 'asked_at'];
begin
    if tg_op = 'DELETE' or (to_jsonb(new) - moving) is distinct from (to_jsonb(old) - moving) then
        raise exception 'what a town is asked never changes' using errcode = 'integrity_constraint_violation', table = 'redemption_leg';
    end if;
    return new;
end $$;

ALTER FUNCTION public.refuse_leg_change() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_link_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op = 'DELETE' or old.ended_at is not null or new.ended_at is null then
        raise exception 'an account is linked once and unlinked once' using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;

ALTER FUNCTION public.refuse_link_change() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_message_reopened() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op = 'DELETE' or old.state in ('done', 'cancelled') then
        raise exception 'message % is % and stays so', old.message_id, old.state using errcode = 'integrity_constraint_violation';
    end if;
    -- Whatever may have left the house is never simply queued again: an inquiry (state unknown) comes first.
    if old.state = 'unknown' and new.state = 'sending' then
        raise exception 'message % is unknown: ask before sending again', old.message_id using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end $$;

ALTER FUNCTION public.refuse_message_reopened() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_proposal_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'proposed' then
            raise exception 'a proposal begins as proposed, not as %', new.state
                using errcode = 'check_violation', constraint = 'proposal_edge', table = 'proposal';
        end if;
        return new;
    end if;
    if tg_op = 'DELETE' or (to_jsonb(new) - 'state') is distinct from (to_jsonb(old) - 'state') then
        raise exception 'a proposal is never changed or removed; its state moves by an event'
            using errcode = 'integrity_constraint_violation', table = 'proposal';
    end if;
    if not exists (select from proposal_edge where from_state = old.state and to_state = new.state) then
        raise exception 'a proposal does not go from % to %', old.state, new.state
            using errcode = 'check_violation', constraint = 'proposal_edge', table = 'proposal';
    end if;
    return new;
end $$;

ALTER FUNCTION public.refuse_proposal_change() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_recount() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if tg_op <> 'UPDATE' or new.vkey <> old.vkey or new.kept <= old.kept then
        raise exception 'signatures of witnesses are counted upwards only' using errcode = 'integrity_constraint_violation',
            table = 'cosignature_count';
    end if;
    return new;
end $$;

ALTER FUNCTION public.refuse_recount() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_redemption_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

ALTER FUNCTION public.refuse_redemption_change() OWNER TO gateway_migrate;

CREATE FUNCTION public.refuse_stock_edit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if current_user <> (select pg_get_userbyid(relowner) from pg_class where oid = tg_relid) then
        raise exception 'stock changes by a movement only' using errcode = 'integrity_constraint_violation', table = 'stock';
    end if;
    return new;
end $$;

ALTER FUNCTION public.refuse_stock_edit() OWNER TO gateway_migrate;

CREATE FUNCTION public.seal_records() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public'
    AS $$
declare
    leaves bigint;
    first bigint;
    last bigint;
    waiting bigint;
begin
    select count(*), min(position), max(position) into leaves, first, last from sealed;
    if leaves = 0 then
        return null;
    end if;
    if last - first + 1 <> leaves or (first > 0 and not exists (select from leaf where position = first - 1)) then
        raise exception 'leaves % to % leave a gap in the log', first, last
            using errcode = 'integrity_constraint_violation', table = 'leaf';
    end if;
    with done as (delete from record_pending p using sealed s where p.record_id = s.record_id returning 1)
    select count(*) into waiting from done;
    if waiting <> leaves then
        raise exception '% of % leaves are for no waiting record', leaves - waiting, leaves
            using errcode = 'integrity_constraint_violation', table = 'leaf';
    end if;
    return null;
end $$;

ALTER FUNCTION public.seal_records() OWNER TO gateway_migrate;

CREATE FUNCTION public.staff_secret_sha256(of_staff uuid) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public'
    AS $$
    select coalesce((
        select encode(sha256(convert_to(password_hash || ' ' || totp_key_id || ' ', 'UTF8') || totp_box), 'hex')
        from staff_secret where staff_id = of_staff), '')
$$;

ALTER FUNCTION public.staff_secret_sha256(of_staff uuid) OWNER TO gateway_migrate;

CREATE FUNCTION public.take_changed_batches(most integer) RETURNS SETOF uuid
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public'
    AS $$
    with held as materialized (
        select batch_id, queued_at from changed_batch order by queued_at, batch_id limit most for update skip locked
    ), counted as (
        select h.batch_id, sum(coalesce(b.accepted_count, 1)) over (order by h.queued_at, h.batch_id)
            - coalesce(b.accepted_count, 1) as before
        from held h left join contribution_batch b using (batch_id)
    )
    delete from changed_batch where batch_id in (select batch_id from counted where before < most) returning batch_id
$$;

ALTER FUNCTION public.take_changed_batches(most integer) OWNER TO gateway_migrate;

CREATE TABLE public.account (
    town text NOT NULL,
    holder_id bigint NOT NULL,
    kind text NOT NULL,
    balance_centi bigint DEFAULT 0 NOT NULL,
    CONSTRAINT account_kind_check CHECK ((kind = ANY (ARRAY['available'::text, 'held'::text, 'spent'::text, 'redeemed'::text, 'expired'::text, 'owed'::text]))),
    CONSTRAINT balance_not_negative CHECK (((kind = 'owed'::text) OR (balance_centi >= 0))),
    CONSTRAINT holder_is_somebody CHECK ((holder_id > 0)),
    CONSTRAINT owed_not_positive CHECK (((kind <> 'owed'::text) OR (balance_centi <= 0)))
)
WITH (fillfactor='70');

ALTER TABLE public.account OWNER TO gateway_migrate;

CREATE TABLE public.activity_code (
    town text NOT NULL,
    activity text NOT NULL,
    category text NOT NULL,
    added_by text NOT NULL,
    added_at timestamp with time zone NOT NULL
);

ALTER TABLE public.activity_code OWNER TO gateway_migrate;

CREATE TABLE public.assertion_used (
    client_id text NOT NULL,
    jti text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT assertion_used_jti_check CHECK (((length(jti) >= 1) AND (length(jti) <= 256)))
);

ALTER TABLE public.assertion_used OWNER TO gateway_migrate;

CREATE TABLE public.branch_day (
    day_id uuid NOT NULL,
    branch_no text NOT NULL,
    accounting_on date NOT NULL,
    count_id uuid,
    signed_by uuid NOT NULL,
    teller_no text NOT NULL,
    closed_at timestamp with time zone NOT NULL
);

ALTER TABLE public.branch_day OWNER TO gateway_migrate;

CREATE TABLE public.branch_day_line (
    day_id uuid NOT NULL,
    town text NOT NULL,
    good_id uuid NOT NULL,
    price_centi bigint NOT NULL,
    settle_fen bigint NOT NULL,
    given_count integer NOT NULL,
    returned_count integer NOT NULL,
    corrected_count integer NOT NULL,
    CONSTRAINT branch_day_line_corrected_count_check CHECK ((corrected_count >= 0)),
    CONSTRAINT branch_day_line_given_count_check CHECK ((given_count >= 0)),
    CONSTRAINT branch_day_line_returned_count_check CHECK ((returned_count >= 0))
);

ALTER TABLE public.branch_day_line OWNER TO gateway_migrate;

CREATE TABLE public.branch_day_stock (
    day_id uuid NOT NULL,
    good_id uuid NOT NULL,
    opening_count integer NOT NULL,
    issued_count integer NOT NULL,
    returned_count integer NOT NULL,
    received_count integer NOT NULL,
    sent_count integer NOT NULL,
    differing_count integer NOT NULL,
    closing_count integer NOT NULL,
    CONSTRAINT branch_day_stock_closing_count_check CHECK ((closing_count >= 0)),
    CONSTRAINT branch_day_stock_opening_count_check CHECK ((opening_count >= 0)),
    CONSTRAINT register_adds_up CHECK ((closing_count = (((((opening_count - issued_count) + returned_count) + received_count) - sent_count) + differing_count)))
);

ALTER TABLE public.branch_day_stock OWNER TO gateway_migrate;

CREATE TABLE public.changed_batch (
    batch_id uuid NOT NULL,
    queued_at timestamp with time zone NOT NULL
);

ALTER TABLE public.changed_batch OWNER TO gateway_migrate;

CREATE TABLE public.changed_subject (
    subject_id bigint NOT NULL,
    cause text NOT NULL,
    queued_at timestamp with time zone NOT NULL
);

ALTER TABLE public.changed_subject OWNER TO gateway_migrate;

CREATE TABLE public.checkpoint (
    size bigint NOT NULL,
    number bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    signed_at timestamp with time zone NOT NULL,
    CONSTRAINT checkpoint_number_check CHECK ((number > 0)),
    CONSTRAINT checkpoint_root_check CHECK ((octet_length(root) = 32)),
    CONSTRAINT checkpoint_size_check CHECK ((size > 0))
);

ALTER TABLE public.checkpoint OWNER TO gateway_migrate;

CREATE TABLE public.client (
    client_id text NOT NULL,
    town text NOT NULL,
    scopes text[] NOT NULL,
    jwks jsonb NOT NULL,
    cert_sha256 text[] NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT client_cert_sha256_check CHECK (((cardinality(cert_sha256) >= 1) AND (cardinality(cert_sha256) <= 4))),
    CONSTRAINT client_client_id_check CHECK ((client_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'::text))
);

ALTER TABLE public.client OWNER TO gateway_migrate;

CREATE TABLE public.client_change (
    change_id uuid NOT NULL,
    client_id text NOT NULL,
    change text NOT NULL,
    town text NOT NULL,
    scopes text[] NOT NULL,
    jwks_sha256 text NOT NULL,
    cert_sha256 text[] NOT NULL,
    enabled boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT client_change_change_check CHECK ((change = ANY (ARRAY['registered'::text, 'replaced'::text, 'enabled'::text, 'disabled'::text])))
);

ALTER TABLE public.client_change OWNER TO gateway_migrate;

CREATE TABLE public.consent (
    consent_id uuid NOT NULL,
    person_id bigint NOT NULL,
    town text NOT NULL,
    purpose text NOT NULL,
    recipient text NOT NULL,
    text_version text NOT NULL,
    evidence text DEFAULT ''::text NOT NULL,
    by_guardian boolean DEFAULT false NOT NULL,
    given_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone,
    withdrawal_recorded_at timestamp with time zone,
    CONSTRAINT consent_purpose_check CHECK ((purpose = ANY (ARRAY['loan_mapping'::text, 'redemption'::text])))
);

ALTER TABLE public.consent OWNER TO gateway_migrate;

CREATE TABLE public.contribution (
    town text NOT NULL,
    reference text NOT NULL,
    batch_id uuid NOT NULL,
    item_no integer NOT NULL,
    kind text NOT NULL,
    activity text NOT NULL,
    category text NOT NULL,
    holder_id bigint NOT NULL,
    person_id bigint DEFAULT 0 NOT NULL,
    points_centi bigint NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    occurred_on date NOT NULL,
    reverses text,
    period text,
    content_digest bytea NOT NULL,
    CONSTRAINT contribution_check CHECK (((kind = 'posted_score'::text) OR (points_centi > 0)))
);

ALTER TABLE public.contribution OWNER TO gateway_migrate;

CREATE TABLE public.contribution_batch (
    batch_id uuid NOT NULL,
    town text NOT NULL,
    client_id text NOT NULL,
    idempotency_key text NOT NULL,
    payload_sha256 bytea NOT NULL,
    adapter text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    item_count integer NOT NULL,
    accepted_count integer NOT NULL,
    exceptions jsonb DEFAULT '[]'::jsonb NOT NULL,
    item_digests bytea NOT NULL,
    receipt text NOT NULL,
    CONSTRAINT contribution_batch_accepted_count_check CHECK ((accepted_count >= 0)),
    CONSTRAINT contribution_batch_check CHECK ((octet_length(item_digests) = (32 * accepted_count))),
    CONSTRAINT contribution_batch_item_count_check CHECK ((item_count >= 0))
);

ALTER TABLE public.contribution_batch OWNER TO gateway_migrate;

CREATE TABLE public.cosignature (
    size bigint NOT NULL,
    vkey text NOT NULL,
    number bigint NOT NULL,
    line text NOT NULL,
    cosigned_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    CONSTRAINT cosignature_number_check CHECK ((number > 0))
);

ALTER TABLE public.cosignature OWNER TO gateway_migrate;

CREATE TABLE public.cosignature_count (
    vkey text NOT NULL,
    kept bigint NOT NULL,
    CONSTRAINT cosignature_count_kept_check CHECK ((kept > 0))
);

ALTER TABLE public.cosignature_count OWNER TO gateway_migrate;

CREATE TABLE public.current_decision (
    subject_id bigint NOT NULL,
    product text NOT NULL,
    decision_id uuid NOT NULL,
    proposal_id uuid
);

ALTER TABLE public.current_decision OWNER TO gateway_migrate;

CREATE TABLE public.day_file (
    town text NOT NULL,
    accounting_on date NOT NULL,
    file_sha256 bytea NOT NULL,
    item_count integer NOT NULL,
    points_centi bigint NOT NULL,
    accepted_count integer NOT NULL,
    duplicate_count integer NOT NULL,
    conflict_count integer NOT NULL,
    quarantined_count integer NOT NULL,
    rejected_count integer NOT NULL,
    over_cap_count integer NOT NULL,
    over_cap jsonb NOT NULL,
    taken_at timestamp with time zone NOT NULL,
    CONSTRAINT day_file_check CHECK ((item_count = ((((accepted_count + duplicate_count) + conflict_count) + quarantined_count) + rejected_count)))
);

ALTER TABLE public.day_file OWNER TO gateway_migrate;

CREATE TABLE public.day_file_since (
    town text NOT NULL,
    from_on date NOT NULL
);

ALTER TABLE public.day_file_since OWNER TO gateway_migrate;

CREATE TABLE public.decision (
    decision_id uuid NOT NULL,
    ruleset_id text NOT NULL,
    subject_id bigint NOT NULL,
    subject_kind text NOT NULL,
    applicant_id bigint NOT NULL,
    product text NOT NULL,
    as_of_on date NOT NULL,
    outcome text NOT NULL,
    score_centi bigint NOT NULL,
    discount_bp integer NOT NULL,
    limit_increase_fen bigint NOT NULL,
    final_rate_bp integer,
    reason_codes text[] NOT NULL,
    facts bytea NOT NULL,
    body bytea NOT NULL,
    salt bytea NOT NULL,
    caused_by text NOT NULL,
    decided_at timestamp with time zone NOT NULL,
    CONSTRAINT decision_discount_bp_check CHECK ((discount_bp >= 0)),
    CONSTRAINT decision_limit_increase_fen_check CHECK ((limit_increase_fen >= 0)),
    CONSTRAINT decision_outcome_check CHECK ((outcome = ANY (ARRAY['granted'::text, 'nothing'::text, 'not_eligible'::text, 'vetoed'::text]))),
    CONSTRAINT decision_salt_check CHECK ((octet_length(salt) = 16)),
    CONSTRAINT decision_subject_kind_check CHECK ((subject_kind = ANY (ARRAY['household'::text, 'person'::text])))
);

ALTER TABLE public.decision OWNER TO gateway_migrate;

CREATE TABLE public.difference_change (
    town text NOT NULL,
    line_kind text NOT NULL,
    reference text NOT NULL,
    change_no integer NOT NULL,
    run_id uuid NOT NULL,
    accounting_on date NOT NULL,
    outcome text NOT NULL,
    fields text NOT NULL,
    ours text NOT NULL,
    theirs text NOT NULL,
    owner text NOT NULL,
    action text NOT NULL,
    state text NOT NULL,
    why text NOT NULL,
    said_by text NOT NULL,
    found_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT difference_change_change_no_check CHECK ((change_no > 0)),
    CONSTRAINT difference_change_line_kind_check CHECK ((line_kind = ANY (ARRAY['contribution'::text, 'redemption'::text]))),
    CONSTRAINT difference_change_outcome_check CHECK ((outcome = ANY (ARRAY['ours_only'::text, 'theirs_only'::text, 'differs'::text]))),
    CONSTRAINT difference_change_owner_check CHECK ((owner = ANY (ARRAY['town'::text, 'bank'::text, 'gateway'::text]))),
    CONSTRAINT difference_change_state_check CHECK ((state = ANY (ARRAY['open'::text, 'explained'::text, 'closed'::text])))
);

ALTER TABLE public.difference_change OWNER TO gateway_migrate;

CREATE TABLE public.erasure (
    request_id uuid NOT NULL,
    person_id bigint NOT NULL,
    pushes_cut integer NOT NULL,
    erased_at timestamp with time zone NOT NULL,
    CONSTRAINT erasure_pushes_cut_check CHECK ((pushes_cut >= 0))
);

ALTER TABLE public.erasure OWNER TO gateway_migrate;

CREATE TABLE public.erasure_request (
    request_id uuid NOT NULL,
    person_id bigint NOT NULL,
    requested_by text NOT NULL,
    cause text NOT NULL,
    basis text NOT NULL,
    due_on date NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    CONSTRAINT erasure_request_cause_check CHECK ((cause = ANY (ARRAY['resident_asked'::text, 'consent_withdrawn'::text, 'purpose_ended'::text, 'authority'::text]))),
    CONSTRAINT erasure_request_requested_by_check CHECK ((requested_by <> ''::text))
);

ALTER TABLE public.erasure_request OWNER TO gateway_migrate;

CREATE TABLE public.evaluation (
    subject_id bigint NOT NULL,
    evaluated_at timestamp with time zone NOT NULL
);

ALTER TABLE public.evaluation OWNER TO gateway_migrate;

CREATE TABLE public.evidence_export (
    export_id uuid NOT NULL,
    about_kind text NOT NULL,
    about_id text NOT NULL,
    exported_by text NOT NULL,
    reason text NOT NULL,
    file_sha256 bytea NOT NULL,
    record_count integer NOT NULL,
    with_identity boolean NOT NULL,
    exported_at timestamp with time zone NOT NULL,
    CONSTRAINT evidence_export_about_kind_check CHECK ((about_kind = ANY (ARRAY['decision'::text, 'resident'::text, 'period'::text, 'redemption'::text, 'letter'::text]))),
    CONSTRAINT evidence_export_exported_by_check CHECK ((exported_by <> ''::text)),
    CONSTRAINT evidence_export_file_sha256_check CHECK ((octet_length(file_sha256) = 32)),
    CONSTRAINT evidence_export_reason_check CHECK (((length(reason) >= 4) AND (length(reason) <= 500))),
    CONSTRAINT evidence_export_record_count_check CHECK ((record_count > 0))
);

ALTER TABLE public.evidence_export OWNER TO gateway_migrate;

CREATE TABLE public.facility (
    applicant_id bigint NOT NULL,
    product text NOT NULL,
    subject_id bigint NOT NULL,
    known boolean DEFAULT false NOT NULL,
    base_rate_bp integer,
    base_limit_fen bigint,
    asset_limit_fen bigint,
    vetoes text[] DEFAULT '{}'::text[] NOT NULL,
    honours text[] DEFAULT '{}'::text[] NOT NULL,
    age_min integer,
    age_max integer,
    fetched_at timestamp with time zone,
    next_ask_at timestamp with time zone NOT NULL,
    claimed_until timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    CONSTRAINT facility_check CHECK (((NOT known) OR ((base_rate_bp IS NOT NULL) AND (base_limit_fen IS NOT NULL))))
);

ALTER TABLE public.facility OWNER TO gateway_migrate;

CREATE TABLE public.feed (
    town text NOT NULL,
    cursor text NOT NULL,
    high_seq bigint NOT NULL,
    fetched_at timestamp with time zone,
    wanted_at timestamp with time zone,
    wait_until timestamp with time zone
);

ALTER TABLE public.feed OWNER TO gateway_migrate;

CREATE TABLE public.feed_gap (
    town text NOT NULL,
    from_seq bigint NOT NULL,
    until_seq bigint NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    CONSTRAINT feed_gap_check CHECK ((from_seq < until_seq))
);

ALTER TABLE public.feed_gap OWNER TO gateway_migrate;

CREATE TABLE public.good (
    good_id uuid NOT NULL,
    code text NOT NULL,
    name_zh text NOT NULL,
    name_en text NOT NULL,
    picture text DEFAULT ''::text NOT NULL,
    low_stock_count integer DEFAULT 0 NOT NULL,
    limit_count integer DEFAULT 0 NOT NULL,
    limit_period text DEFAULT 'year'::text NOT NULL,
    offered boolean DEFAULT true NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT good_code_check CHECK ((code ~ '^[A-Z0-9-]{1,24}$'::text)),
    CONSTRAINT good_limit_count_check CHECK ((limit_count >= 0)),
    CONSTRAINT good_limit_period_check CHECK ((limit_period = ANY (ARRAY['month'::text, 'year'::text, 'ever'::text]))),
    CONSTRAINT good_low_stock_count_check CHECK ((low_stock_count >= 0))
);

ALTER TABLE public.good OWNER TO gateway_migrate;

CREATE TABLE public.good_picture (
    picture_id uuid NOT NULL,
    good_id uuid NOT NULL,
    media_type text NOT NULL,
    content bytea NOT NULL,
    set_by text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT good_picture_content_check CHECK (((octet_length(content) >= 1) AND (octet_length(content) <= 262144))),
    CONSTRAINT good_picture_media_type_check CHECK ((media_type = 'image/webp'::text))
);

ALTER TABLE public.good_picture OWNER TO gateway_migrate;

CREATE TABLE public.good_price (
    price_id uuid NOT NULL,
    good_id uuid NOT NULL,
    town text NOT NULL,
    valid_from_on date NOT NULL,
    price_centi bigint NOT NULL,
    settle_fen bigint NOT NULL,
    agreement text NOT NULL,
    set_by text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT good_price_price_centi_check CHECK ((price_centi > 0)),
    CONSTRAINT good_price_settle_fen_check CHECK ((settle_fen >= 0))
);

ALTER TABLE public.good_price OWNER TO gateway_migrate;

CREATE TABLE public.hold (
    hold_id uuid NOT NULL,
    town text NOT NULL,
    holder_id bigint NOT NULL,
    points_centi bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    state text DEFAULT 'held'::text NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT hold_check CHECK (((state = 'held'::text) = (ended_at IS NULL))),
    CONSTRAINT hold_points_centi_check CHECK ((points_centi > 0)),
    CONSTRAINT hold_state_check CHECK ((state = ANY (ARRAY['held'::text, 'posted'::text, 'voided'::text, 'expired'::text])))
);

ALTER TABLE public.hold OWNER TO gateway_migrate;

CREATE TABLE public.hook_event (
    town text NOT NULL,
    event_id text NOT NULL,
    body_sha256 bytea NOT NULL,
    kind text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    received_at timestamp with time zone NOT NULL
);

ALTER TABLE public.hook_event OWNER TO gateway_migrate;

CREATE TABLE public.household (
    household_id bigint NOT NULL,
    village text DEFAULT ''::text NOT NULL,
    registered_at timestamp with time zone NOT NULL
);

ALTER TABLE public.household OWNER TO gateway_migrate;

CREATE TABLE public.household_code (
    town text NOT NULL,
    code text NOT NULL,
    household_id bigint NOT NULL,
    valid_from_on date NOT NULL,
    valid_until_on date DEFAULT 'infinity'::date NOT NULL,
    village text DEFAULT ''::text NOT NULL,
    CONSTRAINT household_code_check CHECK ((valid_from_on < valid_until_on))
);

ALTER TABLE public.household_code OWNER TO gateway_migrate;

CREATE TABLE public.identifier (
    kind text NOT NULL,
    town text DEFAULT ''::text NOT NULL,
    digest bytea NOT NULL,
    person_id bigint NOT NULL,
    registered_at timestamp with time zone NOT NULL,
    CONSTRAINT identifier_kind_check CHECK ((kind = ANY (ARRAY['id_no'::text, 'phone'::text, 'openid'::text])))
);

ALTER TABLE public.identifier OWNER TO gateway_migrate;

CREATE TABLE public.job_outcome (
    run_id uuid NOT NULL,
    job text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    outcome text NOT NULL,
    error_code text NOT NULL,
    counts jsonb NOT NULL,
    run_by text NOT NULL,
    CONSTRAINT job_outcome_outcome_check CHECK ((outcome = ANY (ARRAY['done'::text, 'failed'::text])))
);

ALTER TABLE public.job_outcome OWNER TO gateway_migrate;

CREATE TABLE public.job_run (
    run_id uuid NOT NULL,
    job text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    outcome text NOT NULL,
    repeats integer DEFAULT 1 NOT NULL,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    error_code text DEFAULT ''::text NOT NULL,
    run_by text DEFAULT ''::text NOT NULL,
    CONSTRAINT job_run_check CHECK (((outcome = 'running'::text) = (ended_at IS NULL))),
    CONSTRAINT job_run_outcome_check CHECK ((outcome = ANY (ARRAY['running'::text, 'done'::text, 'idle'::text, 'failed'::text, 'lost'::text]))),
    CONSTRAINT job_run_repeats_check CHECK ((repeats > 0))
);

ALTER TABLE public.job_run OWNER TO gateway_migrate;

CREATE TABLE public.leaf (
    "position" bigint NOT NULL,
    record_id uuid NOT NULL,
    leaf_hash bytea NOT NULL,
    CONSTRAINT leaf_leaf_hash_check CHECK ((octet_length(leaf_hash) = 32)),
    CONSTRAINT leaf_position_check CHECK (("position" >= 0))
);

ALTER TABLE public.leaf OWNER TO gateway_migrate;

CREATE TABLE public.legal_hold (
    hold_id uuid NOT NULL,
    person_id bigint NOT NULL,
    set_by text NOT NULL,
    reason text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT legal_hold_reason_check CHECK (((length(reason) >= 4) AND (length(reason) <= 500))),
    CONSTRAINT legal_hold_set_by_check CHECK ((set_by <> ''::text))
);

ALTER TABLE public.legal_hold OWNER TO gateway_migrate;

CREATE TABLE public.legal_hold_end (
    hold_id uuid NOT NULL,
    ended_by text NOT NULL,
    reason text NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    CONSTRAINT legal_hold_end_ended_by_check CHECK ((ended_by <> ''::text)),
    CONSTRAINT legal_hold_end_reason_check CHECK (((length(reason) >= 4) AND (length(reason) <= 500)))
);

ALTER TABLE public.legal_hold_end OWNER TO gateway_migrate;

CREATE TABLE public.line_elsewhere (
    town text NOT NULL,
    line_kind text NOT NULL,
    reference text NOT NULL,
    accounting_on date NOT NULL
);

ALTER TABLE public.line_elsewhere OWNER TO gateway_migrate;

CREATE TABLE public.link (
    link_id uuid NOT NULL,
    town text NOT NULL,
    person_id bigint NOT NULL,
    linked_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    ended_by text,
    CONSTRAINT link_check CHECK (((ended_at IS NULL) = (ended_by IS NULL))),
    CONSTRAINT link_ended_by_check CHECK ((ended_by = ANY (ARRAY['resident'::text, 'town'::text])))
);

ALTER TABLE public.link OWNER TO gateway_migrate;

CREATE TABLE public.link_attempt (
    attempt_id uuid NOT NULL,
    town text NOT NULL,
    entry_id uuid NOT NULL,
    state_digest bytea NOT NULL,
    session_digest bytea NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    begun_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    taken_at timestamp with time zone,
    outcome text DEFAULT 'open'::text NOT NULL
);

ALTER TABLE public.link_attempt OWNER TO gateway_migrate;

CREATE TABLE public.link_grant (
    link_id uuid NOT NULL,
    town text NOT NULL,
    person_id bigint NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    renewed_at timestamp with time zone NOT NULL,
    history_cursor text DEFAULT ''::text NOT NULL,
    history_done_at timestamp with time zone,
    ended_at timestamp with time zone
);

ALTER TABLE public.link_grant OWNER TO gateway_migrate;

CREATE TABLE public.mark (
    mark_id uuid NOT NULL,
    subject_id bigint NOT NULL,
    kind text NOT NULL,
    code text NOT NULL,
    valid_from_on date NOT NULL,
    valid_until_on date DEFAULT 'infinity'::date NOT NULL,
    source text NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT mark_kind_check CHECK ((kind = ANY (ARRAY['veto'::text, 'honour'::text])))
);

ALTER TABLE public.mark OWNER TO gateway_migrate;

CREATE TABLE public.membership (
    household_id bigint NOT NULL,
    person_id bigint NOT NULL,
    town text NOT NULL,
    is_head boolean DEFAULT false NOT NULL,
    valid_from_on date NOT NULL,
    valid_until_on date DEFAULT 'infinity'::date NOT NULL,
    CONSTRAINT membership_check CHECK ((valid_from_on < valid_until_on))
);

ALTER TABLE public.membership OWNER TO gateway_migrate;

CREATE TABLE public.month_sum (
    holder_id bigint NOT NULL,
    town text NOT NULL,
    person_id bigint NOT NULL,
    month integer NOT NULL,
    category text NOT NULL,
    kind text NOT NULL,
    points_centi bigint NOT NULL,
    items bigint NOT NULL
)
WITH (fillfactor='70');

ALTER TABLE public.month_sum OWNER TO gateway_migrate;

CREATE TABLE public.neighbour_breaker (
    neighbour text NOT NULL,
    state text DEFAULT 'closed'::text NOT NULL,
    times_opened integer DEFAULT 0 NOT NULL,
    since timestamp with time zone NOT NULL,
    retry_at timestamp with time zone,
    last_code text DEFAULT ''::text NOT NULL,
    last_answer_at timestamp with time zone,
    last_failure_at timestamp with time zone,
    CONSTRAINT neighbour_breaker_check CHECK (((state = 'closed'::text) = (retry_at IS NULL))),
    CONSTRAINT neighbour_breaker_state_check CHECK ((state = ANY (ARRAY['closed'::text, 'open'::text, 'half_open'::text])))
);

ALTER TABLE public.neighbour_breaker OWNER TO gateway_migrate;

CREATE TABLE public.neighbour_switch (
    switch_id uuid NOT NULL,
    neighbour text NOT NULL,
    paused boolean NOT NULL,
    why text NOT NULL,
    said_by text NOT NULL,
    switched_at timestamp with time zone NOT NULL
);

ALTER TABLE public.neighbour_switch OWNER TO gateway_migrate;

CREATE TABLE public.objection (
    objection_id uuid NOT NULL,
    serial text NOT NULL,
    person_id bigint NOT NULL,
    kind text NOT NULL,
    about_kind text NOT NULL,
    about_id text NOT NULL,
    channel text NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    salt bytea NOT NULL,
    commitment bytea NOT NULL,
    due_on date NOT NULL,
    received_by text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT objection_about_kind_check CHECK ((about_kind = ANY (ARRAY['decision'::text, 'redemption'::text, 'points'::text, 'personal'::text]))),
    CONSTRAINT objection_channel_check CHECK ((channel = ANY (ARRAY['branch'::text, 'phone'::text, 'letter'::text, 'app'::text, 'regulator'::text]))),
    CONSTRAINT objection_commitment_check CHECK ((octet_length(commitment) = 32)),
    CONSTRAINT objection_kind_check CHECK ((kind = ANY (ARRAY['question'::text, 'objection'::text, 'refusal'::text]))),
    CONSTRAINT objection_received_by_check CHECK ((received_by <> ''::text))
);

ALTER TABLE public.objection OWNER TO gateway_migrate;

CREATE TABLE public.objection_event (
    event_id uuid NOT NULL,
    objection_id uuid NOT NULL,
    event_no integer NOT NULL,
    event text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    due_on date NOT NULL,
    finding text NOT NULL,
    decision_ids text[] DEFAULT '{}'::text[] NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    salt bytea NOT NULL,
    commitment bytea NOT NULL,
    recorded_by text NOT NULL,
    happened_at timestamp with time zone NOT NULL,
    CONSTRAINT objection_edge CHECK ((((((((((((((from_state = 'open'::text) AND (event = 'extended'::text) AND (to_state = 'extended'::text)) OR ((from_state = 'open'::text) AND (event = 'decided_again'::text) AND (to_state = 'reviewed'::text))) OR ((from_state = 'extended'::text) AND (event = 'decided_again'::text) AND (to_state = 'reviewed'::text))) OR ((from_state = 'reviewed'::text) AND (event = 'decided_again'::text) AND (to_state = 'reviewed'::text))) OR ((from_state = 'open'::text) AND (event = 'answered'::text) AND (to_state = 'answered'::text))) OR ((from_state = 'extended'::text) AND (event = 'answered'::text) AND (to_state = 'answered'::text))) OR ((from_state = 'reviewed'::text) AND (event = 'answered'::text) AND (to_state = 'answered'::text))) OR ((from_state = 'open'::text) AND (event = 'withdrawn'::text) AND (to_state = 'withdrawn'::text))) OR ((from_state = 'extended'::text) AND (event = 'withdrawn'::text) AND (to_state = 'withdrawn'::text))) OR ((from_state = 'reviewed'::text) AND (event = 'withdrawn'::text) AND (to_state = 'withdrawn'::text))) OR ((from_state = 'answered'::text) AND (event = 'decided_again'::text) AND (to_state = 'answered'::text))) OR ((from_state = 'answered'::text) AND (event = 'refusal_ended'::text) AND (to_state = 'ended'::text)))),
    CONSTRAINT objection_event_check CHECK (((finding <> ''::text) = (event = 'answered'::text))),
    CONSTRAINT objection_event_commitment_check CHECK ((octet_length(commitment) = 32)),
    CONSTRAINT objection_event_event_no_check CHECK ((event_no > 0)),
    CONSTRAINT objection_event_finding_check CHECK ((finding = ANY (ARRAY[''::text, 'explained'::text, 'upheld'::text, 'corrected'::text, 'accepted'::text]))),
    CONSTRAINT objection_event_recorded_by_check CHECK ((recorded_by <> ''::text))
);

ALTER TABLE public.objection_event OWNER TO gateway_migrate;

CREATE TABLE public.outbox_message (
    message_id uuid NOT NULL,
    "position" bigint NOT NULL,
    neighbour text NOT NULL,
    kind text NOT NULL,
    serial text NOT NULL,
    row_id uuid NOT NULL,
    lane text NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    abandoned boolean DEFAULT false NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    inquiries integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamp with time zone NOT NULL,
    claimed_until timestamp with time zone,
    claimed_by text,
    code text DEFAULT ''::text NOT NULL,
    correlation_id text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT outbox_message_check CHECK (((state = ANY (ARRAY['done'::text, 'cancelled'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT outbox_message_check1 CHECK (((state <> 'sending'::text) OR (claimed_until IS NOT NULL))),
    CONSTRAINT outbox_message_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sending'::text, 'unknown'::text, 'parked'::text, 'done'::text, 'cancelled'::text])))
)
WITH (fillfactor='80');

ALTER TABLE public.outbox_message OWNER TO gateway_migrate;

ALTER TABLE public.outbox_message ALTER COLUMN "position" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.outbox_message_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.own_key_change (
    change_id uuid NOT NULL,
    purpose text NOT NULL,
    public_key text NOT NULL,
    change text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT own_key_change_change_check CHECK ((change = ANY (ARRAY['begun'::text, 'ended'::text])))
);

ALTER TABLE public.own_key_change OWNER TO gateway_migrate;

CREATE TABLE public.person (
    person_id bigint NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    salt bytea NOT NULL,
    commitment bytea NOT NULL,
    birth_on date,
    registered_at timestamp with time zone NOT NULL,
    restricted_at timestamp with time zone
);

ALTER TABLE public.person OWNER TO gateway_migrate;

CREATE TABLE public.proposal (
    proposal_id uuid NOT NULL,
    business_on date NOT NULL,
    serial text NOT NULL,
    decision_id uuid NOT NULL,
    subject_id bigint NOT NULL,
    applicant_id bigint NOT NULL,
    product text NOT NULL,
    discount_bp integer NOT NULL,
    limit_increase_fen bigint NOT NULL,
    reason_codes text[] NOT NULL,
    decision_sha256 text NOT NULL,
    valid_from_on date NOT NULL,
    valid_until_on date NOT NULL,
    supersedes uuid,
    salt bytea NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    state text DEFAULT 'proposed'::text NOT NULL,
    CONSTRAINT proposal_check CHECK ((valid_from_on < valid_until_on)),
    CONSTRAINT proposal_check1 CHECK (((discount_bp > 0) OR (limit_increase_fen > 0))),
    CONSTRAINT proposal_discount_bp_check CHECK ((discount_bp >= 0)),
    CONSTRAINT proposal_limit_increase_fen_check CHECK ((limit_increase_fen >= 0)),
    CONSTRAINT proposal_salt_check CHECK ((octet_length(salt) = 16)),
    CONSTRAINT proposal_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'accepted'::text, 'declined'::text, 'unknown'::text, 'in_force'::text, 'superseded'::text, 'revoked'::text, 'expired'::text])))
);

ALTER TABLE public.proposal OWNER TO gateway_migrate;

CREATE TABLE public.proposal_edge (
    from_state text NOT NULL,
    event text NOT NULL,
    to_state text NOT NULL
);

ALTER TABLE public.proposal_edge OWNER TO gateway_migrate;

CREATE TABLE public.proposal_event (
    event_id uuid NOT NULL,
    proposal_id uuid NOT NULL,
    from_state text NOT NULL,
    event text NOT NULL,
    to_state text NOT NULL,
    code text DEFAULT ''::text NOT NULL,
    bank_reference text,
    happened_at timestamp with time zone NOT NULL
);

ALTER TABLE public.proposal_event OWNER TO gateway_migrate;

CREATE TABLE public.quarantine_reading (
    town text NOT NULL,
    ground_sha256 bytea NOT NULL,
    read_at timestamp with time zone NOT NULL
);

ALTER TABLE public.quarantine_reading OWNER TO gateway_migrate;

CREATE TABLE public.quarantined_item (
    batch_id uuid NOT NULL,
    item_no integer NOT NULL,
    town text NOT NULL,
    reference text NOT NULL,
    code text NOT NULL,
    detail text NOT NULL,
    quarantined_at timestamp with time zone NOT NULL,
    keep_until timestamp with time zone NOT NULL,
    released_at timestamp with time zone,
    released_as uuid
);

ALTER TABLE public.quarantined_item OWNER TO gateway_migrate;

CREATE TABLE public.quota (
    programme text NOT NULL,
    total_fen bigint NOT NULL,
    used_fen bigint DEFAULT 0 NOT NULL,
    CONSTRAINT quota_not_overshot CHECK ((used_fen <= total_fen)),
    CONSTRAINT quota_total_fen_check CHECK ((total_fen >= 0)),
    CONSTRAINT quota_used_fen_check CHECK ((used_fen >= 0))
);

ALTER TABLE public.quota OWNER TO gateway_migrate;

CREATE TABLE public.quota_use (
    proposal_id uuid NOT NULL,
    programme text NOT NULL,
    amount_fen bigint NOT NULL,
    counted boolean NOT NULL,
    instead_of uuid,
    taken_at timestamp with time zone NOT NULL,
    released_at timestamp with time zone,
    CONSTRAINT quota_use_amount_fen_check CHECK ((amount_fen > 0)),
    CONSTRAINT quota_use_check CHECK ((counted OR (instead_of IS NOT NULL)))
);

ALTER TABLE public.quota_use OWNER TO gateway_migrate;

CREATE TABLE public.quota_waiting (
    subject_id bigint NOT NULL,
    product text NOT NULL,
    programme text NOT NULL,
    amount_fen bigint NOT NULL,
    waiting_since timestamp with time zone NOT NULL,
    CONSTRAINT quota_waiting_amount_fen_check CHECK ((amount_fen > 0))
);

ALTER TABLE public.quota_waiting OWNER TO gateway_migrate;

CREATE TABLE public.raw_push (
    batch_id uuid NOT NULL,
    key_id text NOT NULL,
    sealed bytea NOT NULL,
    whole boolean DEFAULT true NOT NULL,
    received_at timestamp with time zone NOT NULL
);

ALTER TABLE public.raw_push OWNER TO gateway_migrate;

CREATE TABLE public.reconciled_day (
    town text NOT NULL,
    accounting_on date NOT NULL,
    run_id uuid NOT NULL,
    statement_sha256 bytea NOT NULL,
    checked_at timestamp with time zone NOT NULL
);

ALTER TABLE public.reconciled_day OWNER TO gateway_migrate;

CREATE TABLE public.reconciliation (
    run_id uuid NOT NULL,
    cause text NOT NULL,
    town text NOT NULL,
    accounting_on date NOT NULL,
    said_by text NOT NULL,
    statement_sha256 bytea NOT NULL,
    line_count integer NOT NULL,
    matched_count integer NOT NULL,
    ours_only_count integer NOT NULL,
    theirs_only_count integer NOT NULL,
    differing_count integer NOT NULL,
    change_count integer NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    reconciled_at timestamp with time zone NOT NULL,
    CONSTRAINT reconciliation_cause_check CHECK ((cause = ANY (ARRAY['day'::text, 'word'::text]))),
    CONSTRAINT reconciliation_line_count_check CHECK ((line_count >= 0))
);

ALTER TABLE public.reconciliation OWNER TO gateway_migrate;

CREATE TABLE public.record (
    record_id uuid NOT NULL,
    kind text NOT NULL,
    row_id text NOT NULL,
    body bytea NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT record_body_check CHECK (((octet_length(body) >= 2) AND (octet_length(body) <= 60000)))
);

ALTER TABLE public.record OWNER TO gateway_migrate;

CREATE TABLE public.record_pending (
    record_id uuid NOT NULL,
    queue_no bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL
);

ALTER TABLE public.record_pending OWNER TO gateway_migrate;

ALTER TABLE public.record_pending ALTER COLUMN queue_no ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.record_pending_queue_no_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.redemption (
    redemption_id uuid NOT NULL,
    serial text NOT NULL,
    branch_no text NOT NULL,
    teller_no text NOT NULL,
    staff_id uuid NOT NULL,
    idempotency_key text NOT NULL,
    content_sha256 text NOT NULL,
    person_id bigint NOT NULL,
    proxy_person_id bigint,
    business_on date NOT NULL,
    needs_approval boolean NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    state text DEFAULT 'opened'::text NOT NULL,
    wanted text DEFAULT 'freeze'::text NOT NULL,
    approved_by uuid,
    goods text DEFAULT 'held'::text NOT NULL,
    posted boolean DEFAULT false NOT NULL,
    next_attempt_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    proxy_proof text DEFAULT ''::text NOT NULL,
    CONSTRAINT approved_by_another CHECK (((approved_by IS NULL) OR (approved_by <> staff_id))),
    CONSTRAINT proxy_with_proof CHECK ((((proxy_person_id IS NULL) = (proxy_proof = ''::text)) AND (proxy_person_id IS DISTINCT FROM person_id))),
    CONSTRAINT redemption_goods_check CHECK ((goods = ANY (ARRAY['held'::text, 'released'::text, 'issued'::text, 'returned'::text]))),
    CONSTRAINT redemption_state_check CHECK ((state = ANY (ARRAY['opened'::text, 'freezing'::text, 'frozen'::text, 'confirming'::text, 'confirmed'::text, 'handed_over'::text, 'releasing'::text, 'released'::text, 'refused'::text, 'unknown'::text, 'reversed'::text]))),
    CONSTRAINT redemption_wanted_check CHECK ((wanted = ANY (ARRAY['freeze'::text, 'confirm'::text, 'release'::text, 'reverse'::text])))
);

ALTER TABLE public.redemption OWNER TO gateway_migrate;

CREATE TABLE public.redemption_edge (
    from_state text NOT NULL,
    event text NOT NULL,
    to_state text NOT NULL
);

ALTER TABLE public.redemption_edge OWNER TO gateway_migrate;

CREATE TABLE public.redemption_event (
    event_id uuid NOT NULL,
    redemption_id uuid NOT NULL,
    event_no integer NOT NULL,
    event text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    staff_id uuid,
    teller_no text NOT NULL,
    code text NOT NULL,
    stands text NOT NULL,
    occurred_at timestamp with time zone NOT NULL
);

ALTER TABLE public.redemption_event OWNER TO gateway_migrate;

CREATE TABLE public.redemption_leg (
    redemption_id uuid NOT NULL,
    town text NOT NULL,
    serial text NOT NULL,
    holder_id bigint NOT NULL,
    hold_id uuid NOT NULL,
    total_centi bigint NOT NULL,
    heard text DEFAULT 'asked'::text NOT NULL,
    town_reference text DEFAULT ''::text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    CONSTRAINT redemption_leg_heard_check CHECK ((heard = ANY (ARRAY['asked'::text, 'frozen'::text, 'confirmed'::text, 'ended'::text, 'absent'::text, 'doubtful'::text]))),
    CONSTRAINT redemption_leg_total_centi_check CHECK ((total_centi > 0))
);

ALTER TABLE public.redemption_leg OWNER TO gateway_migrate;

CREATE TABLE public.redemption_line (
    redemption_id uuid NOT NULL,
    line_no integer NOT NULL,
    good_id uuid NOT NULL,
    town text NOT NULL,
    quantity_count integer NOT NULL,
    price_centi bigint NOT NULL,
    settle_fen bigint NOT NULL,
    CONSTRAINT redemption_line_price_centi_check CHECK ((price_centi > 0)),
    CONSTRAINT redemption_line_quantity_count_check CHECK ((quantity_count > 0)),
    CONSTRAINT redemption_line_settle_fen_check CHECK ((settle_fen >= 0))
);

ALTER TABLE public.redemption_line OWNER TO gateway_migrate;

CREATE TABLE public.refusal_answer (
    refusal_id uuid NOT NULL,
    answered_by text NOT NULL,
    reason text NOT NULL,
    answered_at timestamp with time zone NOT NULL,
    CONSTRAINT refusal_answer_answered_by_check CHECK ((answered_by <> ''::text)),
    CONSTRAINT refusal_answer_reason_check CHECK (((length(reason) >= 10) AND (length(reason) <= 2000)))
);

ALTER TABLE public.refusal_answer OWNER TO gateway_migrate;

CREATE TABLE public.review_waiting (
    subject_id bigint NOT NULL,
    product text NOT NULL,
    applicant_id bigint NOT NULL,
    waiting_since timestamp with time zone NOT NULL
);

ALTER TABLE public.review_waiting OWNER TO gateway_migrate;

CREATE TABLE public.revocation (
    revocation_id uuid NOT NULL,
    proposal_id uuid NOT NULL,
    business_on date NOT NULL,
    serial text NOT NULL,
    reason_code text NOT NULL,
    caused_by text NOT NULL,
    requested_at timestamp with time zone NOT NULL
);

ALTER TABLE public.revocation OWNER TO gateway_migrate;

CREATE TABLE public.ruleset (
    ruleset_id text NOT NULL,
    name text NOT NULL,
    product text NOT NULL,
    subject text NOT NULL,
    valid_from_on date NOT NULL,
    document bytea NOT NULL,
    yaml text NOT NULL,
    proposed_by text NOT NULL,
    proposed_at timestamp with time zone NOT NULL,
    CONSTRAINT ruleset_id_is_digest CHECK ((ruleset_id = encode(sha256(document), 'hex'::text))),
    CONSTRAINT ruleset_proposed_by_check CHECK ((proposed_by ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'::text)),
    CONSTRAINT ruleset_says_its_name CHECK (((name = ((convert_from(document, 'UTF8'::name))::jsonb ->> 'name'::text)) AND (product = ((convert_from(document, 'UTF8'::name))::jsonb ->> 'product'::text)) AND (subject = ((convert_from(document, 'UTF8'::name))::jsonb ->> 'subject'::text)) AND ((valid_from_on)::text = ((convert_from(document, 'UTF8'::name))::jsonb ->> 'valid_from_on'::text)))),
    CONSTRAINT ruleset_subject_check CHECK ((subject = ANY (ARRAY['household'::text, 'person'::text])))
);

ALTER TABLE public.ruleset OWNER TO gateway_migrate;

CREATE TABLE public.ruleset_approval (
    ruleset_id text NOT NULL,
    name text NOT NULL,
    valid_from_on date NOT NULL,
    proposed_by text NOT NULL,
    approved_by text NOT NULL,
    approved_at timestamp with time zone NOT NULL,
    CONSTRAINT approver_is_not_proposer CHECK ((approved_by <> proposed_by)),
    CONSTRAINT ruleset_approval_approved_by_check CHECK ((approved_by ~ '^[a-z0-9][a-z0-9._@-]{0,63}$'::text))
);

ALTER TABLE public.ruleset_approval OWNER TO gateway_migrate;

CREATE TABLE public.schema_migration (
    number integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.schema_migration OWNER TO gateway_migrate;

CREATE TABLE public.scoreboard (
    batch_id uuid NOT NULL,
    town text NOT NULL,
    kind text NOT NULL,
    document_no text NOT NULL,
    reading integer NOT NULL,
    village text NOT NULL,
    period text NOT NULL,
    rule_book text NOT NULL,
    objection_no text NOT NULL,
    posted_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    applied boolean NOT NULL,
    content_digest bytea NOT NULL,
    answers jsonb NOT NULL,
    CONSTRAINT scoreboard_kind_check CHECK ((kind = ANY (ARRAY['list'::text, 'correction'::text]))),
    CONSTRAINT scoreboard_reading_check CHECK ((reading > 0))
);

ALTER TABLE public.scoreboard OWNER TO gateway_migrate;

CREATE TABLE public.soap_client (
    change_id uuid NOT NULL,
    client_id text NOT NULL,
    change text NOT NULL,
    town text NOT NULL,
    scopes text[] NOT NULL,
    signing_certs text[] NOT NULL,
    tls_sha256 text[] NOT NULL,
    username text,
    password_key_id text,
    password_box bytea,
    enabled boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT soap_client_change_check CHECK ((change = ANY (ARRAY['registered'::text, 'replaced'::text, 'enabled'::text, 'disabled'::text]))),
    CONSTRAINT soap_client_check CHECK (((cardinality(signing_certs) <= 4) AND (cardinality(tls_sha256) <= 4))),
    CONSTRAINT soap_client_check1 CHECK ((((username IS NULL) = (password_box IS NULL)) AND ((password_box IS NULL) = (password_key_id IS NULL)))),
    CONSTRAINT soap_client_client_id_check CHECK ((client_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'::text))
);

ALTER TABLE public.soap_client OWNER TO gateway_migrate;

CREATE TABLE public.soap_message_used (
    message_id bytea NOT NULL,
    client_id text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT soap_message_used_message_id_check CHECK ((octet_length(message_id) = 32))
);

ALTER TABLE public.soap_message_used OWNER TO gateway_migrate;

CREATE TABLE public.staff (
    staff_id uuid NOT NULL,
    name text NOT NULL,
    branch_no text NOT NULL,
    teller_no text NOT NULL,
    roles text[] NOT NULL,
    source text NOT NULL,
    subject text DEFAULT ''::text NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT staff_branch_no_check CHECK ((branch_no ~ '^[0-9]{1,12}$'::text)),
    CONSTRAINT staff_check CHECK (((source = 'provider'::text) = (subject <> ''::text))),
    CONSTRAINT staff_roles_check CHECK (((cardinality(roles) > 0) AND (roles <@ ARRAY['clerk'::text, 'supervisor'::text, 'policy_author'::text, 'policy_approver'::text, 'auditor'::text, 'operator'::text]))),
    CONSTRAINT staff_source_check CHECK ((source = ANY (ARRAY['directory'::text, 'provider'::text]))),
    CONSTRAINT staff_teller_no_check CHECK ((teller_no ~ '^[0-9A-Za-z]{1,16}$'::text))
);

ALTER TABLE public.staff OWNER TO gateway_migrate;

CREATE TABLE public.staff_change (
    change_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    change text NOT NULL,
    branch_no text NOT NULL,
    teller_no text NOT NULL,
    roles text[] NOT NULL,
    source text NOT NULL,
    subject_sha256 text NOT NULL,
    enabled boolean NOT NULL,
    secret_sha256 text NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT staff_change_change_check CHECK ((change = ANY (ARRAY['added'::text, 'replaced'::text, 'enabled'::text, 'disabled'::text, 'credentials'::text])))
);

ALTER TABLE public.staff_change OWNER TO gateway_migrate;

CREATE TABLE public.staff_event (
    event_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    event text NOT NULL,
    branch_no text NOT NULL,
    teller_no text NOT NULL,
    code text NOT NULL,
    place text DEFAULT ''::text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    CONSTRAINT staff_event_event_check CHECK ((event = ANY (ARRAY['signed_in'::text, 'signed_out'::text, 'refused'::text, 'locked'::text])))
);

ALTER TABLE public.staff_event OWNER TO gateway_migrate;

CREATE TABLE public.staff_look (
    look_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    branch_no text NOT NULL,
    teller_no text NOT NULL,
    person_id bigint NOT NULL,
    reason text NOT NULL,
    looked_at timestamp with time zone NOT NULL,
    CONSTRAINT staff_look_reason_check CHECK ((reason = ANY (ARRAY['redemption'::text, 'enquiry'::text, 'complaint'::text, 'correction'::text, 'audit_routine'::text, 'audit_sample'::text, 'audit_objection'::text, 'audit_anomaly'::text, 'audit_regulator'::text])))
);

ALTER TABLE public.staff_look OWNER TO gateway_migrate;

CREATE TABLE public.staff_secret (
    staff_id uuid NOT NULL,
    password_hash text NOT NULL,
    totp_key_id text NOT NULL,
    totp_box bytea NOT NULL,
    totp_last_step bigint DEFAULT 0 NOT NULL,
    failed_count integer DEFAULT 0 NOT NULL,
    locked_until timestamp with time zone
);

ALTER TABLE public.staff_secret OWNER TO gateway_migrate;

CREATE TABLE public.staff_session (
    session_id uuid NOT NULL,
    token_sha256 bytea NOT NULL,
    staff_id uuid NOT NULL,
    branch_no text NOT NULL,
    teller_no text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    end_code text DEFAULT ''::text NOT NULL,
    proof_key_id text DEFAULT ''::text NOT NULL,
    proof_box bytea DEFAULT '\x'::bytea NOT NULL
);

ALTER TABLE public.staff_session OWNER TO gateway_migrate;

CREATE TABLE public.standing (
    kind text NOT NULL,
    town text NOT NULL,
    digest bytea NOT NULL,
    person_id bigint NOT NULL,
    purposes text NOT NULL,
    households text NOT NULL
);

ALTER TABLE public.standing OWNER TO gateway_migrate;

CREATE TABLE public.standing_version (
    town text NOT NULL,
    version uuid NOT NULL
);

ALTER TABLE public.standing_version OWNER TO gateway_migrate;

CREATE UNLOGGED TABLE public.statement_line (
    run_id uuid NOT NULL,
    line_kind text NOT NULL,
    reference text NOT NULL,
    kind text NOT NULL,
    points_centi bigint NOT NULL,
    state text NOT NULL,
    holder_id bigint
);

ALTER TABLE public.statement_line OWNER TO gateway_migrate;

CREATE TABLE public.stock (
    branch_no text NOT NULL,
    good_id uuid NOT NULL,
    on_hand_count integer DEFAULT 0 NOT NULL,
    held_count integer DEFAULT 0 NOT NULL,
    CONSTRAINT held_is_there CHECK (((held_count >= 0) AND (held_count <= on_hand_count))),
    CONSTRAINT stock_not_negative CHECK ((on_hand_count >= 0))
);

ALTER TABLE public.stock OWNER TO gateway_migrate;

CREATE TABLE public.stock_count (
    count_id uuid NOT NULL,
    branch_no text NOT NULL,
    counted_by uuid NOT NULL,
    teller_no text NOT NULL,
    counted_at timestamp with time zone NOT NULL
);

ALTER TABLE public.stock_count OWNER TO gateway_migrate;

CREATE TABLE public.stock_count_line (
    count_id uuid NOT NULL,
    good_id uuid NOT NULL,
    book_count integer NOT NULL,
    counted_count integer NOT NULL,
    reason text NOT NULL,
    CONSTRAINT difference_has_reason CHECK (((counted_count = book_count) OR (reason <> ''::text))),
    CONSTRAINT stock_count_line_book_count_check CHECK ((book_count >= 0)),
    CONSTRAINT stock_count_line_counted_count_check CHECK ((counted_count >= 0))
);

ALTER TABLE public.stock_count_line OWNER TO gateway_migrate;

CREATE TABLE public.stock_movement (
    cause_id uuid NOT NULL,
    kind text NOT NULL,
    branch_no text NOT NULL,
    good_id uuid NOT NULL,
    on_hand_change_count integer NOT NULL,
    held_change_count integer NOT NULL,
    reason text NOT NULL,
    moved_by text NOT NULL,
    moved_at timestamp with time zone NOT NULL,
    CONSTRAINT movement_fits_kind CHECK (
CASE kind
    WHEN 'receive'::text THEN ((on_hand_change_count > 0) AND (held_change_count = 0))
    WHEN 'transfer_in'::text THEN ((on_hand_change_count > 0) AND (held_change_count = 0))
    WHEN 'return'::text THEN ((on_hand_change_count > 0) AND (held_change_count = 0))
    WHEN 'transfer_out'::text THEN ((on_hand_change_count < 0) AND (held_change_count = 0))
    WHEN 'write_off'::text THEN ((on_hand_change_count < 0) AND (held_change_count = 0))
    WHEN 'count'::text THEN ((on_hand_change_count <> 0) AND (held_change_count = 0))
    WHEN 'hold'::text THEN ((on_hand_change_count = 0) AND (held_change_count > 0))
    WHEN 'release'::text THEN ((on_hand_change_count = 0) AND (held_change_count < 0))
    WHEN 'issue'::text THEN ((on_hand_change_count < 0) AND (held_change_count = on_hand_change_count))
    ELSE NULL::boolean
END),
    CONSTRAINT stock_movement_kind_check CHECK ((kind = ANY (ARRAY['receive'::text, 'hold'::text, 'release'::text, 'issue'::text, 'return'::text, 'transfer_out'::text, 'transfer_in'::text, 'count'::text, 'write_off'::text])))
);

ALTER TABLE public.stock_movement OWNER TO gateway_migrate;

CREATE SEQUENCE public.subject_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.subject_seq OWNER TO gateway_migrate;

CREATE TABLE public.swept_ruleset (
    ruleset_id text NOT NULL,
    swept_at timestamp with time zone NOT NULL
);

ALTER TABLE public.swept_ruleset OWNER TO gateway_migrate;

CREATE TABLE public.tile (
    level smallint NOT NULL,
    index bigint NOT NULL,
    hashes bytea NOT NULL,
    root bytea NOT NULL,
    CONSTRAINT tile_hashes_check CHECK ((octet_length(hashes) = 8192)),
    CONSTRAINT tile_index_check CHECK ((index >= 0)),
    CONSTRAINT tile_level_check CHECK (((level >= 0) AND (level <= 7))),
    CONSTRAINT tile_root_check CHECK ((octet_length(root) = 32))
);

ALTER TABLE public.tile OWNER TO gateway_migrate;

CREATE TABLE public.town_month (
    month_id uuid NOT NULL,
    town text NOT NULL,
    month integer NOT NULL,
    statement_sha256 text NOT NULL,
    compared text NOT NULL,
    serial_count integer NOT NULL,
    agreed_count integer NOT NULL,
    their_points_centi bigint,
    settled_by text NOT NULL,
    settled_at timestamp with time zone NOT NULL,
    CONSTRAINT town_month_compared_check CHECK ((compared = ANY (ARRAY['agrees'::text, 'explained'::text, 'no-statement'::text]))),
    CONSTRAINT town_month_month_check CHECK ((((month % 100) >= 1) AND ((month % 100) <= 12)))
);

ALTER TABLE public.town_month OWNER TO gateway_migrate;

CREATE TABLE public.town_month_difference (
    month_id uuid NOT NULL,
    serial text NOT NULL,
    ours text NOT NULL,
    theirs text NOT NULL,
    owner text NOT NULL,
    why text NOT NULL,
    said_by text NOT NULL,
    found_at timestamp with time zone NOT NULL
);

ALTER TABLE public.town_month_difference OWNER TO gateway_migrate;

CREATE TABLE public.town_month_line (
    month_id uuid NOT NULL,
    branch_no text NOT NULL,
    good_id uuid NOT NULL,
    price_centi bigint NOT NULL,
    settle_fen bigint NOT NULL,
    given_count integer NOT NULL,
    returned_count integer NOT NULL,
    corrected_count integer NOT NULL,
    CONSTRAINT town_month_line_corrected_count_check CHECK ((corrected_count >= 0)),
    CONSTRAINT town_month_line_given_count_check CHECK ((given_count >= 0)),
    CONSTRAINT town_month_line_returned_count_check CHECK ((returned_count >= 0))
);

ALTER TABLE public.town_month_line OWNER TO gateway_migrate;

CREATE TABLE public.transfer (
    cause_id uuid NOT NULL,
    cause_no integer NOT NULL,
    leg smallint DEFAULT 0 NOT NULL,
    cause_kind text NOT NULL,
    town text NOT NULL,
    debit_holder bigint NOT NULL,
    debit_kind text NOT NULL,
    credit_holder bigint NOT NULL,
    credit_kind text NOT NULL,
    points_centi bigint NOT NULL,
    recorded_at timestamp with time zone NOT NULL,
    CONSTRAINT issue_has_no_holder CHECK ((((debit_kind = 'issue'::text) = (debit_holder = 0)) AND ((credit_kind = 'issue'::text) = (credit_holder = 0)))),
    CONSTRAINT transfer_between_two CHECK (((debit_holder <> credit_holder) OR (debit_kind <> credit_kind))),
    CONSTRAINT transfer_cause_kind_check CHECK ((cause_kind = ANY (ARRAY['contribution'::text, 'hold'::text, 'post'::text, 'void'::text, 'expiry'::text, 'reversal'::text]))),
    CONSTRAINT transfer_moves_something CHECK ((points_centi > 0))
);

ALTER TABLE public.transfer OWNER TO gateway_migrate;

CREATE TABLE public.witness_refusal (
    refusal_id uuid NOT NULL,
    vkey text NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    seen_size bigint,
    code text NOT NULL,
    refused_at timestamp with time zone NOT NULL,
    CONSTRAINT witness_refusal_root_check CHECK ((octet_length(root) = 32))
);

ALTER TABLE public.witness_refusal OWNER TO gateway_migrate;

CREATE TABLE public.workday_calendar (
    calendar_id uuid NOT NULL,
    year integer NOT NULL,
    reference text NOT NULL,
    holidays text[] NOT NULL,
    workdays text[] NOT NULL,
    set_by text NOT NULL,
    set_at timestamp with time zone NOT NULL,
    CONSTRAINT workday_calendar_reference_check CHECK ((reference <> ''::text)),
    CONSTRAINT workday_calendar_set_by_check CHECK ((set_by <> ''::text)),
    CONSTRAINT workday_calendar_year_check CHECK (((year >= 2000) AND (year <= 2200)))
);

ALTER TABLE public.workday_calendar OWNER TO gateway_migrate;

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (holder_id, town, kind);

ALTER TABLE ONLY public.activity_code
    ADD CONSTRAINT activity_code_pkey PRIMARY KEY (town, activity);

ALTER TABLE ONLY public.assertion_used
    ADD CONSTRAINT assertion_used_pkey PRIMARY KEY (client_id, jti);

ALTER TABLE ONLY public.branch_day
    ADD CONSTRAINT branch_day_branch_no_accounting_on_key UNIQUE (branch_no, accounting_on);

ALTER TABLE ONLY public.branch_day_line
    ADD CONSTRAINT branch_day_line_pkey PRIMARY KEY (day_id, town, good_id, price_centi, settle_fen);

ALTER TABLE ONLY public.branch_day
    ADD CONSTRAINT branch_day_pkey PRIMARY KEY (day_id);

ALTER TABLE ONLY public.branch_day_stock
    ADD CONSTRAINT branch_day_stock_pkey PRIMARY KEY (day_id, good_id);

ALTER TABLE ONLY public.changed_batch
    ADD CONSTRAINT changed_batch_pkey PRIMARY KEY (batch_id);

ALTER TABLE ONLY public.changed_subject
    ADD CONSTRAINT changed_subject_pkey PRIMARY KEY (subject_id, cause);

ALTER TABLE ONLY public.checkpoint
    ADD CONSTRAINT checkpoint_number_key UNIQUE (number);

ALTER TABLE ONLY public.checkpoint
    ADD CONSTRAINT checkpoint_pkey PRIMARY KEY (size);

ALTER TABLE ONLY public.client_change
    ADD CONSTRAINT client_change_pkey PRIMARY KEY (change_id);

ALTER TABLE ONLY public.client
    ADD CONSTRAINT client_pkey PRIMARY KEY (client_id);

ALTER TABLE ONLY public.consent
    ADD CONSTRAINT consent_pkey PRIMARY KEY (consent_id);

ALTER TABLE ONLY public.contribution_batch
    ADD CONSTRAINT contribution_batch_client_id_idempotency_key_key UNIQUE (client_id, idempotency_key);

ALTER TABLE ONLY public.contribution_batch
    ADD CONSTRAINT contribution_batch_pkey PRIMARY KEY (batch_id);

ALTER TABLE ONLY public.contribution
    ADD CONSTRAINT contribution_pkey PRIMARY KEY (town, reference);

ALTER TABLE ONLY public.cosignature_count
    ADD CONSTRAINT cosignature_count_pkey PRIMARY KEY (vkey);

ALTER TABLE ONLY public.cosignature
    ADD CONSTRAINT cosignature_pkey PRIMARY KEY (size, vkey);

ALTER TABLE ONLY public.cosignature
    ADD CONSTRAINT cosignature_vkey_number_key UNIQUE (vkey, number);

ALTER TABLE ONLY public.current_decision
    ADD CONSTRAINT current_decision_pkey PRIMARY KEY (subject_id, product);

ALTER TABLE ONLY public.day_file
    ADD CONSTRAINT day_file_pkey PRIMARY KEY (town, accounting_on, file_sha256);

ALTER TABLE ONLY public.day_file_since
    ADD CONSTRAINT day_file_since_pkey PRIMARY KEY (town);

ALTER TABLE ONLY public.decision
    ADD CONSTRAINT decision_pkey PRIMARY KEY (decision_id);

ALTER TABLE ONLY public.difference_change
    ADD CONSTRAINT difference_change_pkey PRIMARY KEY (town, line_kind, reference, change_no);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT erasure_pkey PRIMARY KEY (request_id);

ALTER TABLE ONLY public.erasure_request
    ADD CONSTRAINT erasure_request_person_id_key UNIQUE (person_id);

ALTER TABLE ONLY public.erasure_request
    ADD CONSTRAINT erasure_request_pkey PRIMARY KEY (request_id);

ALTER TABLE ONLY public.evaluation
    ADD CONSTRAINT evaluation_pkey PRIMARY KEY (subject_id);

ALTER TABLE ONLY public.evidence_export
    ADD CONSTRAINT evidence_export_pkey PRIMARY KEY (export_id);

ALTER TABLE ONLY public.facility
    ADD CONSTRAINT facility_pkey PRIMARY KEY (applicant_id, product);

ALTER TABLE ONLY public.feed_gap
    ADD CONSTRAINT feed_gap_pkey PRIMARY KEY (town, from_seq);

ALTER TABLE ONLY public.feed
    ADD CONSTRAINT feed_pkey PRIMARY KEY (town);

ALTER TABLE ONLY public.good
    ADD CONSTRAINT good_code_key UNIQUE (code);

ALTER TABLE ONLY public.good_picture
    ADD CONSTRAINT good_picture_pkey PRIMARY KEY (picture_id);

ALTER TABLE ONLY public.good
    ADD CONSTRAINT good_pkey PRIMARY KEY (good_id);

ALTER TABLE ONLY public.good_price
    ADD CONSTRAINT good_price_pkey PRIMARY KEY (price_id);

ALTER TABLE ONLY public.hold
    ADD CONSTRAINT hold_pkey PRIMARY KEY (hold_id);

ALTER TABLE ONLY public.hook_event
    ADD CONSTRAINT hook_event_pkey PRIMARY KEY (town, event_id);

ALTER TABLE ONLY public.household_code
    ADD CONSTRAINT household_code_pkey PRIMARY KEY (town, code, valid_from_on);

ALTER TABLE ONLY public.household
    ADD CONSTRAINT household_pkey PRIMARY KEY (household_id);

ALTER TABLE ONLY public.identifier
    ADD CONSTRAINT identifier_pkey PRIMARY KEY (kind, town, digest, person_id);

ALTER TABLE ONLY public.job_outcome
    ADD CONSTRAINT job_outcome_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY public.job_run
    ADD CONSTRAINT job_run_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY public.leaf
    ADD CONSTRAINT leaf_pkey PRIMARY KEY ("position");

ALTER TABLE ONLY public.leaf
    ADD CONSTRAINT leaf_record_id_key UNIQUE (record_id);

ALTER TABLE ONLY public.legal_hold_end
    ADD CONSTRAINT legal_hold_end_pkey PRIMARY KEY (hold_id);

ALTER TABLE ONLY public.legal_hold
    ADD CONSTRAINT legal_hold_pkey PRIMARY KEY (hold_id);

ALTER TABLE ONLY public.line_elsewhere
    ADD CONSTRAINT line_elsewhere_pkey PRIMARY KEY (town, line_kind, reference);

ALTER TABLE ONLY public.link_attempt
    ADD CONSTRAINT link_attempt_pkey PRIMARY KEY (attempt_id);

ALTER TABLE ONLY public.link_attempt
    ADD CONSTRAINT link_attempt_state_digest_key UNIQUE (state_digest);

ALTER TABLE ONLY public.link_grant
    ADD CONSTRAINT link_grant_pkey PRIMARY KEY (link_id);

ALTER TABLE ONLY public.link
    ADD CONSTRAINT link_pkey PRIMARY KEY (link_id);

ALTER TABLE ONLY public.mark
    ADD CONSTRAINT mark_pkey PRIMARY KEY (mark_id);

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT membership_pkey PRIMARY KEY (household_id, person_id, town, valid_from_on);

ALTER TABLE ONLY public.month_sum
    ADD CONSTRAINT month_sum_pkey PRIMARY KEY (holder_id, town, person_id, month, category, kind);

ALTER TABLE ONLY public.neighbour_breaker
    ADD CONSTRAINT neighbour_breaker_pkey PRIMARY KEY (neighbour);

ALTER TABLE ONLY public.neighbour_switch
    ADD CONSTRAINT neighbour_switch_pkey PRIMARY KEY (switch_id);

ALTER TABLE ONLY public.objection_event
    ADD CONSTRAINT objection_event_order UNIQUE (objection_id, event_no);

ALTER TABLE ONLY public.objection_event
    ADD CONSTRAINT objection_event_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.objection
    ADD CONSTRAINT objection_pkey PRIMARY KEY (objection_id);

ALTER TABLE ONLY public.objection
    ADD CONSTRAINT objection_serial_key UNIQUE (serial);

ALTER TABLE ONLY public.ruleset_approval
    ADD CONSTRAINT one_ruleset_a_day UNIQUE (name, valid_from_on);

ALTER TABLE ONLY public.outbox_message
    ADD CONSTRAINT outbox_message_neighbour_serial_key UNIQUE (neighbour, serial);

ALTER TABLE ONLY public.outbox_message
    ADD CONSTRAINT outbox_message_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY public.own_key_change
    ADD CONSTRAINT own_key_change_pkey PRIMARY KEY (change_id);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY public.proposal
    ADD CONSTRAINT proposal_business_on_serial_key UNIQUE (business_on, serial);

ALTER TABLE ONLY public.proposal_edge
    ADD CONSTRAINT proposal_edge_pkey PRIMARY KEY (from_state, event);

ALTER TABLE ONLY public.proposal_event
    ADD CONSTRAINT proposal_event_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.proposal
    ADD CONSTRAINT proposal_pkey PRIMARY KEY (proposal_id);

ALTER TABLE ONLY public.quarantine_reading
    ADD CONSTRAINT quarantine_reading_pkey PRIMARY KEY (town);

ALTER TABLE ONLY public.quarantined_item
    ADD CONSTRAINT quarantined_item_pkey PRIMARY KEY (batch_id, item_no);

ALTER TABLE ONLY public.quota
    ADD CONSTRAINT quota_pkey PRIMARY KEY (programme);

ALTER TABLE ONLY public.quota_use
    ADD CONSTRAINT quota_use_pkey PRIMARY KEY (proposal_id);

ALTER TABLE ONLY public.quota_waiting
    ADD CONSTRAINT quota_waiting_pkey PRIMARY KEY (subject_id, product);

ALTER TABLE ONLY public.raw_push
    ADD CONSTRAINT raw_push_pkey PRIMARY KEY (batch_id);

ALTER TABLE ONLY public.reconciled_day
    ADD CONSTRAINT reconciled_day_pkey PRIMARY KEY (town, accounting_on);

ALTER TABLE ONLY public.reconciliation
    ADD CONSTRAINT reconciliation_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY public.record
    ADD CONSTRAINT record_kind_row_id_key UNIQUE (kind, row_id);

ALTER TABLE ONLY public.record_pending
    ADD CONSTRAINT record_pending_pkey PRIMARY KEY (record_id);

ALTER TABLE ONLY public.record
    ADD CONSTRAINT record_pkey PRIMARY KEY (record_id);

ALTER TABLE ONLY public.redemption_edge
    ADD CONSTRAINT redemption_edge_pkey PRIMARY KEY (from_state, event);

ALTER TABLE ONLY public.redemption_event
    ADD CONSTRAINT redemption_event_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.redemption_event
    ADD CONSTRAINT redemption_event_redemption_id_event_no_key UNIQUE (redemption_id, event_no);

ALTER TABLE ONLY public.redemption_leg
    ADD CONSTRAINT redemption_leg_hold_id_key UNIQUE (hold_id);

ALTER TABLE ONLY public.redemption_leg
    ADD CONSTRAINT redemption_leg_pkey PRIMARY KEY (redemption_id, town);

ALTER TABLE ONLY public.redemption_leg
    ADD CONSTRAINT redemption_leg_serial_key UNIQUE (serial);

ALTER TABLE ONLY public.redemption_line
    ADD CONSTRAINT redemption_line_pkey PRIMARY KEY (redemption_id, line_no);

ALTER TABLE ONLY public.redemption
    ADD CONSTRAINT redemption_pkey PRIMARY KEY (redemption_id);

ALTER TABLE ONLY public.redemption
    ADD CONSTRAINT redemption_serial_key UNIQUE (serial);

ALTER TABLE ONLY public.redemption
    ADD CONSTRAINT redemption_staff_id_idempotency_key_key UNIQUE (staff_id, idempotency_key);

ALTER TABLE ONLY public.refusal_answer
    ADD CONSTRAINT refusal_answer_pkey PRIMARY KEY (refusal_id);

ALTER TABLE ONLY public.review_waiting
    ADD CONSTRAINT review_waiting_pkey PRIMARY KEY (subject_id, product);

ALTER TABLE ONLY public.revocation
    ADD CONSTRAINT revocation_business_on_serial_key UNIQUE (business_on, serial);

ALTER TABLE ONLY public.revocation
    ADD CONSTRAINT revocation_pkey PRIMARY KEY (revocation_id);

ALTER TABLE ONLY public.revocation
    ADD CONSTRAINT revocation_proposal_id_key UNIQUE (proposal_id);

ALTER TABLE ONLY public.ruleset_approval
    ADD CONSTRAINT ruleset_approval_pkey PRIMARY KEY (ruleset_id);

ALTER TABLE ONLY public.ruleset
    ADD CONSTRAINT ruleset_pkey PRIMARY KEY (ruleset_id);

ALTER TABLE ONLY public.ruleset
    ADD CONSTRAINT ruleset_ruleset_id_name_valid_from_on_proposed_by_key UNIQUE (ruleset_id, name, valid_from_on, proposed_by);

ALTER TABLE ONLY public.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.scoreboard
    ADD CONSTRAINT scoreboard_pkey PRIMARY KEY (batch_id);

ALTER TABLE ONLY public.scoreboard
    ADD CONSTRAINT scoreboard_said_once UNIQUE (town, kind, document_no, reading);

ALTER TABLE ONLY public.soap_client
    ADD CONSTRAINT soap_client_pkey PRIMARY KEY (change_id);

ALTER TABLE ONLY public.soap_message_used
    ADD CONSTRAINT soap_message_used_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY public.staff_change
    ADD CONSTRAINT staff_change_pkey PRIMARY KEY (change_id);

ALTER TABLE ONLY public.staff_event
    ADD CONSTRAINT staff_event_pkey PRIMARY KEY (event_id);

ALTER TABLE ONLY public.staff_look
    ADD CONSTRAINT staff_look_pkey PRIMARY KEY (look_id);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_pkey PRIMARY KEY (staff_id);

ALTER TABLE ONLY public.staff_secret
    ADD CONSTRAINT staff_secret_pkey PRIMARY KEY (staff_id);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY public.staff_session
    ADD CONSTRAINT staff_session_token_sha256_key UNIQUE (token_sha256);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_teller_no_key UNIQUE (teller_no);

ALTER TABLE ONLY public.standing
    ADD CONSTRAINT standing_pkey PRIMARY KEY (town, kind, digest);

ALTER TABLE ONLY public.standing_version
    ADD CONSTRAINT standing_version_pkey PRIMARY KEY (town);

ALTER TABLE ONLY public.statement_line
    ADD CONSTRAINT statement_line_pkey PRIMARY KEY (run_id, line_kind, reference);

ALTER TABLE ONLY public.stock_count_line
    ADD CONSTRAINT stock_count_line_pkey PRIMARY KEY (count_id, good_id);

ALTER TABLE ONLY public.stock_count
    ADD CONSTRAINT stock_count_pkey PRIMARY KEY (count_id);

ALTER TABLE ONLY public.stock_movement
    ADD CONSTRAINT stock_movement_pkey PRIMARY KEY (cause_id, kind, branch_no, good_id);

ALTER TABLE ONLY public.stock
    ADD CONSTRAINT stock_pkey PRIMARY KEY (branch_no, good_id);

ALTER TABLE ONLY public.swept_ruleset
    ADD CONSTRAINT swept_ruleset_pkey PRIMARY KEY (ruleset_id);

ALTER TABLE ONLY public.tile
    ADD CONSTRAINT tile_pkey PRIMARY KEY (level, index);

ALTER TABLE ONLY public.town_month_difference
    ADD CONSTRAINT town_month_difference_pkey PRIMARY KEY (month_id, serial);

ALTER TABLE ONLY public.town_month_line
    ADD CONSTRAINT town_month_line_pkey PRIMARY KEY (month_id, branch_no, good_id, price_centi, settle_fen);

ALTER TABLE ONLY public.town_month
    ADD CONSTRAINT town_month_pkey PRIMARY KEY (month_id);

ALTER TABLE ONLY public.town_month
    ADD CONSTRAINT town_month_town_month_key UNIQUE (town, month);

ALTER TABLE ONLY public.transfer
    ADD CONSTRAINT transfer_pkey PRIMARY KEY (cause_id, cause_no, leg);

ALTER TABLE ONLY public.witness_refusal
    ADD CONSTRAINT witness_refusal_pkey PRIMARY KEY (refusal_id);

ALTER TABLE ONLY public.workday_calendar
    ADD CONSTRAINT workday_calendar_pkey PRIMARY KEY (calendar_id);

CREATE INDEX account_owing ON public.account USING btree (holder_id, town) WHERE ((kind = 'owed'::text) AND (balance_centi < 0));

CREATE INDEX assertion_used_expiry ON public.assertion_used USING btree (expires_at);

CREATE INDEX changed_subject_age ON public.changed_subject USING btree (queued_at);

CREATE INDEX client_change_client ON public.client_change USING btree (client_id, changed_at);

CREATE INDEX client_town ON public.client USING btree (town);

CREATE UNIQUE INDEX consent_in_force ON public.consent USING btree (person_id, town, purpose) WHERE (withdrawn_at IS NULL);

CREATE INDEX consent_person ON public.consent USING btree (person_id);

CREATE INDEX contribution_batch_row ON public.contribution USING btree (batch_id, item_no);

CREATE INDEX contribution_day ON public.contribution USING brin (occurred_on) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX contribution_holder ON public.contribution USING btree (holder_id, occurred_on);

CREATE INDEX contribution_period ON public.contribution USING btree (town, period, holder_id) WHERE (period IS NOT NULL);

CREATE UNIQUE INDEX contribution_reversed_once ON public.contribution USING btree (town, reverses) WHERE (reverses IS NOT NULL);

CREATE INDEX decision_period ON public.decision USING brin (decided_at) WITH (pages_per_range='32', autosummarize='on');

CREATE INDEX decision_subject ON public.decision USING btree (subject_id, product, decided_at);

CREATE INDEX difference_day ON public.difference_change USING btree (town, accounting_on);

CREATE INDEX difference_run ON public.difference_change USING btree (run_id);

CREATE INDEX erasure_request_due ON public.erasure_request USING btree (due_on);

CREATE INDEX evidence_export_about ON public.evidence_export USING btree (about_kind, about_id, exported_at);

CREATE INDEX facility_due ON public.facility USING btree (next_ask_at);

CREATE INDEX good_picture_latest ON public.good_picture USING btree (good_id, recorded_at);

CREATE UNIQUE INDEX good_price_from ON public.good_price USING btree (good_id, town, valid_from_on);

CREATE INDEX hold_holder ON public.hold USING btree (holder_id);

CREATE INDEX hold_open ON public.hold USING btree (expires_at) WHERE (state = 'held'::text);

CREATE INDEX hook_event_age ON public.hook_event USING btree (received_at);

CREATE UNIQUE INDEX household_code_current ON public.household_code USING btree (town, code) WHERE (valid_until_on = 'infinity'::date);

CREATE INDEX household_code_household ON public.household_code USING btree (household_id);

CREATE UNIQUE INDEX identifier_one_person ON public.identifier USING btree (kind, town, digest) WHERE (kind = ANY (ARRAY['id_no'::text, 'openid'::text]));

CREATE INDEX identifier_person ON public.identifier USING btree (person_id);

CREATE INDEX job_outcome_latest ON public.job_outcome USING btree (job, ended_at DESC);

CREATE INDEX job_run_latest ON public.job_run USING btree (job, started_at DESC);

CREATE INDEX job_run_open ON public.job_run USING btree (started_at) WHERE (outcome = 'running'::text);

CREATE INDEX legal_hold_person ON public.legal_hold USING btree (person_id);

CREATE INDEX link_attempt_age ON public.link_attempt USING btree (begun_at);

CREATE INDEX link_attempt_entry ON public.link_attempt USING btree (entry_id);

CREATE INDEX link_grant_ended ON public.link_grant USING btree (town) WHERE (ended_at IS NOT NULL);

CREATE INDEX link_grant_history ON public.link_grant USING btree (town) WHERE (history_done_at IS NULL);

CREATE INDEX link_grant_person ON public.link_grant USING btree (person_id, town);

CREATE INDEX link_grant_renewed ON public.link_grant USING btree (town, renewed_at);

CREATE UNIQUE INDEX link_in_force ON public.link USING btree (town, person_id) WHERE (ended_at IS NULL);

CREATE INDEX mark_subject ON public.mark USING btree (subject_id);

CREATE INDEX membership_person ON public.membership USING btree (person_id);

CREATE INDEX neighbour_switched ON public.neighbour_switch USING btree (neighbour, switched_at DESC, switch_id DESC);

CREATE INDEX objection_person ON public.objection USING btree (person_id, received_at);

CREATE INDEX objection_refusal ON public.objection USING btree (person_id) WHERE (kind = 'refusal'::text);

CREATE INDEX outbox_doubtful ON public.outbox_message USING btree (neighbour, next_attempt_at) WHERE (state = ANY (ARRAY['sending'::text, 'unknown'::text]));

CREATE INDEX outbox_due ON public.outbox_message USING btree (neighbour, next_attempt_at) WHERE (state = 'queued'::text);

CREATE INDEX outbox_lane ON public.outbox_message USING btree (lane, "position") WHERE (state = ANY (ARRAY['queued'::text, 'sending'::text, 'unknown'::text, 'parked'::text]));

CREATE INDEX outbox_parked ON public.outbox_message USING btree (created_at) WHERE (state = 'parked'::text);

CREATE INDEX outbox_row ON public.outbox_message USING btree (row_id);

CREATE INDEX own_key_change_key ON public.own_key_change USING btree (purpose, public_key, changed_at);

CREATE INDEX proposal_ending ON public.proposal USING btree (valid_until_on) WHERE (state = ANY (ARRAY['accepted'::text, 'in_force'::text]));

CREATE INDEX proposal_event_proposal ON public.proposal_event USING btree (proposal_id, happened_at);

CREATE INDEX proposal_starting ON public.proposal USING btree (valid_from_on) WHERE (state = 'accepted'::text);

CREATE INDEX proposal_subject ON public.proposal USING btree (subject_id, product, proposed_at);

CREATE INDEX quarantined_open ON public.quarantined_item USING btree (town, code) WHERE (released_at IS NULL);

CREATE INDEX quarantined_until ON public.quarantined_item USING btree (keep_until);

CREATE INDEX quota_use_heir ON public.quota_use USING btree (instead_of) WHERE (NOT counted);

CREATE INDEX quota_waiting_age ON public.quota_waiting USING btree (programme, waiting_since);

CREATE INDEX record_pending_order ON public.record_pending USING btree (queue_no);

CREATE INDEX redemption_branch ON public.redemption USING btree (branch_no, opened_at);

CREATE INDEX redemption_event_given ON public.redemption_event USING btree (occurred_at) WHERE (event = ANY (ARRAY['handed_over'::text, 'reversal_asked'::text]));

CREATE INDEX redemption_frozen ON public.redemption USING btree (expires_at) WHERE (state = 'frozen'::text);

CREATE INDEX redemption_leg_asked ON public.redemption_leg USING btree (town, asked_at);

CREATE INDEX redemption_line_good ON public.redemption_line USING btree (good_id);

CREATE INDEX redemption_open ON public.redemption USING btree (next_attempt_at) WHERE (state = ANY (ARRAY['freezing'::text, 'confirming'::text, 'releasing'::text, 'unknown'::text]));

CREATE INDEX redemption_person ON public.redemption USING btree (person_id, opened_at);

CREATE INDEX review_waiting_age ON public.review_waiting USING btree (waiting_since);

CREATE INDEX scoreboard_quarter ON public.scoreboard USING btree (town, village, period);

CREATE INDEX soap_client_latest ON public.soap_client USING btree (client_id, changed_at DESC, change_id DESC);

CREATE INDEX soap_message_used_expiry ON public.soap_message_used USING btree (expires_at);

CREATE INDEX staff_change_staff ON public.staff_change USING btree (staff_id, changed_at);

CREATE INDEX staff_event_staff ON public.staff_event USING btree (staff_id, occurred_at);

CREATE INDEX staff_look_person ON public.staff_look USING btree (person_id, looked_at);

CREATE INDEX staff_look_staff ON public.staff_look USING btree (staff_id, looked_at);

CREATE INDEX staff_session_ended ON public.staff_session USING btree (ended_at) WHERE (ended_at IS NOT NULL);

CREATE UNIQUE INDEX staff_session_one ON public.staff_session USING btree (staff_id) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX staff_subject ON public.staff USING btree (subject) WHERE (subject <> ''::text);

CREATE INDEX standing_person ON public.standing USING btree (person_id);

CREATE INDEX stock_count_branch ON public.stock_count USING btree (branch_no, counted_at);

CREATE INDEX stock_movement_branch ON public.stock_movement USING btree (branch_no, moved_at);

CREATE INDEX stock_movement_sent ON public.stock_movement USING btree (moved_at) WHERE (kind = 'transfer_out'::text);

CREATE INDEX workday_calendar_year ON public.workday_calendar USING btree (year, set_at);

CREATE TRIGGER account_by_transfer_only BEFORE UPDATE OF kind ON public.account FOR EACH ROW EXECUTE FUNCTION public.refuse_account_edit();

CREATE TRIGGER closed_day AFTER INSERT ON public.stock_movement REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_closed_day();

CREATE TRIGGER consent_once BEFORE DELETE OR UPDATE ON public.consent FOR EACH ROW EXECUTE FUNCTION public.refuse_consent_change();

CREATE TRIGGER count_cosignatures AFTER INSERT ON public.cosignature REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT EXECUTE FUNCTION public.count_cosignatures();

CREATE TRIGGER hold_ends_once BEFORE DELETE OR UPDATE ON public.hold FOR EACH ROW EXECUTE FUNCTION public.refuse_hold_reopened();

CREATE TRIGGER leg_stays BEFORE DELETE OR UPDATE ON public.redemption_leg FOR EACH ROW EXECUTE FUNCTION public.refuse_leg_change();

CREATE TRIGGER link_once BEFORE DELETE OR UPDATE ON public.link FOR EACH ROW EXECUTE FUNCTION public.refuse_link_change();

CREATE TRIGGER message_ends_once BEFORE DELETE OR UPDATE ON public.outbox_message FOR EACH ROW EXECUTE FUNCTION public.refuse_message_reopened();

CREATE TRIGGER move_balances AFTER INSERT ON public.transfer REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION public.move_balances();

CREATE TRIGGER move_proposals AFTER INSERT ON public.proposal_event REFERENCING NEW TABLE AS happened FOR EACH STATEMENT EXECUTE FUNCTION public.move_proposals();

CREATE TRIGGER move_redemptions AFTER INSERT ON public.redemption_event REFERENCING NEW TABLE AS happened FOR EACH STATEMENT EXECUTE FUNCTION public.move_redemptions();

CREATE TRIGGER move_stock AFTER INSERT ON public.stock_movement REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION public.move_stock();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.activity_code FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.branch_day FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.branch_day_line FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.branch_day_stock FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.checkpoint FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.client_change FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.contribution FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.contribution_batch FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.cosignature FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.day_file FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.decision FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.difference_change FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.erasure FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.erasure_request FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.evidence_export FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.good_picture FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.good_price FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.job_outcome FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.leaf FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.legal_hold FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.legal_hold_end FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.neighbour_switch FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.own_key_change FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.proposal_edge FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.proposal_event FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.reconciliation FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.record FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.redemption_edge FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.redemption_event FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.redemption_line FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.refusal_answer FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.revocation FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.ruleset FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.ruleset_approval FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.scoreboard FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.soap_client FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.staff_change FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.staff_event FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.staff_look FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.stock_count FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.stock_count_line FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.stock_movement FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.tile FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.town_month FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.town_month_difference FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.town_month_line FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.transfer FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.witness_refusal FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_change BEFORE DELETE OR UPDATE ON public.workday_calendar FOR EACH ROW EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_recount BEFORE DELETE OR UPDATE ON public.cosignature_count FOR EACH ROW EXECUTE FUNCTION public.refuse_recount();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.activity_code FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.branch_day FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.branch_day_line FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.branch_day_stock FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.checkpoint FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.client_change FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.contribution FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.contribution_batch FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.cosignature FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.cosignature_count FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.day_file FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.decision FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.difference_change FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.erasure FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.erasure_request FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.evidence_export FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.good_picture FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.good_price FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.job_outcome FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.leaf FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.legal_hold FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.legal_hold_end FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.neighbour_switch FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.objection FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.objection_event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.outbox_message FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.own_key_change FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.proposal FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.proposal_edge FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.proposal_event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.reconciliation FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.record FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.redemption FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.redemption_edge FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.redemption_event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.redemption_leg FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.redemption_line FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.refusal_answer FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.revocation FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.ruleset FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.ruleset_approval FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.scoreboard FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.soap_client FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.staff_change FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.staff_event FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.staff_look FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.stock_count FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.stock_count_line FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.stock_movement FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.tile FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.town_month FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.town_month_difference FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.town_month_line FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.transfer FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.witness_refusal FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER no_truncate BEFORE TRUNCATE ON public.workday_calendar FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TRIGGER objection_event_follows BEFORE INSERT ON public.objection_event FOR EACH ROW EXECUTE FUNCTION public.follow_objection();

CREATE TRIGGER objection_event_stays BEFORE DELETE OR UPDATE ON public.objection_event FOR EACH ROW EXECUTE FUNCTION public.keep_objection();

CREATE TRIGGER objection_stays BEFORE DELETE OR UPDATE ON public.objection FOR EACH ROW EXECUTE FUNCTION public.keep_objection();

CREATE TRIGGER proposal_edges BEFORE INSERT OR DELETE OR UPDATE ON public.proposal FOR EACH ROW EXECUTE FUNCTION public.refuse_proposal_change();

CREATE TRIGGER queue_records AFTER INSERT ON public.record REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION public.queue_records();

CREATE TRIGGER redemption_edges BEFORE INSERT OR DELETE OR UPDATE ON public.redemption FOR EACH ROW EXECUTE FUNCTION public.refuse_redemption_change();

CREATE TRIGGER seal_records AFTER INSERT ON public.leaf REFERENCING NEW TABLE AS sealed FOR EACH STATEMENT EXECUTE FUNCTION public.seal_records();

CREATE TRIGGER stock_by_movement_only BEFORE UPDATE OF branch_no ON public.stock FOR EACH ROW EXECUTE FUNCTION public.refuse_stock_edit();

ALTER TABLE ONLY public.ruleset_approval
    ADD CONSTRAINT ruleset_approval_ruleset_id_name_valid_from_on_proposed_by_fkey FOREIGN KEY (ruleset_id, name, valid_from_on, proposed_by) REFERENCES public.ruleset(ruleset_id, name, valid_from_on, proposed_by);

GRANT USAGE ON SCHEMA public TO gateway_app;
GRANT USAGE ON SCHEMA public TO gateway_auditor;

REVOKE ALL ON FUNCTION public.count_cosignatures() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.follow_objection() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.keep_objection() FROM PUBLIC;

REVOKE ALL ON PROCEDURE public.make_append_only(IN target regclass) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.move_balances() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.move_proposals() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.move_redemptions() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.move_stock() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.open_accounts(holders bigint[], in_town text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.open_accounts(holders bigint[], in_town text) TO gateway_app;

REVOKE ALL ON FUNCTION public.queue_records() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_account_edit() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_closed_day() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_consent_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_hold_reopened() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_leg_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_link_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_message_reopened() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_proposal_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_recount() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_redemption_change() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.refuse_stock_edit() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.seal_records() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.staff_secret_sha256(of_staff uuid) FROM PUBLIC;
GRANT ALL ON FUNCTION public.staff_secret_sha256(of_staff uuid) TO gateway_app;
GRANT ALL ON FUNCTION public.staff_secret_sha256(of_staff uuid) TO gateway_auditor;

REVOKE ALL ON FUNCTION public.take_changed_batches(most integer) FROM PUBLIC;
GRANT ALL ON FUNCTION public.take_changed_batches(most integer) TO gateway_app;

GRANT SELECT ON TABLE public.account TO gateway_app;
GRANT SELECT ON TABLE public.account TO gateway_auditor;

GRANT UPDATE(kind) ON TABLE public.account TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.activity_code TO gateway_app;
GRANT SELECT ON TABLE public.activity_code TO gateway_auditor;

GRANT SELECT,INSERT,DELETE ON TABLE public.assertion_used TO gateway_app;
GRANT SELECT ON TABLE public.assertion_used TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.branch_day TO gateway_app;
GRANT SELECT ON TABLE public.branch_day TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.branch_day_line TO gateway_app;
GRANT SELECT ON TABLE public.branch_day_line TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.branch_day_stock TO gateway_app;
GRANT SELECT ON TABLE public.branch_day_stock TO gateway_auditor;

GRANT SELECT,INSERT,DELETE ON TABLE public.changed_batch TO gateway_app;
GRANT SELECT ON TABLE public.changed_batch TO gateway_auditor;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.changed_subject TO gateway_app;
GRANT SELECT ON TABLE public.changed_subject TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.checkpoint TO gateway_app;
GRANT SELECT ON TABLE public.checkpoint TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.client TO gateway_app;
GRANT SELECT ON TABLE public.client TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.client_change TO gateway_app;
GRANT SELECT ON TABLE public.client_change TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.consent TO gateway_app;
GRANT SELECT ON TABLE public.consent TO gateway_auditor;

GRANT UPDATE(withdrawn_at) ON TABLE public.consent TO gateway_app;

GRANT UPDATE(withdrawal_recorded_at) ON TABLE public.consent TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.contribution TO gateway_app;
GRANT SELECT ON TABLE public.contribution TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.contribution_batch TO gateway_app;
GRANT SELECT ON TABLE public.contribution_batch TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.cosignature TO gateway_app;
GRANT SELECT ON TABLE public.cosignature TO gateway_auditor;

GRANT SELECT ON TABLE public.cosignature_count TO gateway_app;
GRANT SELECT ON TABLE public.cosignature_count TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.current_decision TO gateway_app;
GRANT SELECT ON TABLE public.current_decision TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.day_file TO gateway_app;
GRANT SELECT ON TABLE public.day_file TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.day_file_since TO gateway_app;
GRANT SELECT ON TABLE public.day_file_since TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.decision TO gateway_app;
GRANT SELECT ON TABLE public.decision TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.difference_change TO gateway_app;
GRANT SELECT ON TABLE public.difference_change TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.erasure TO gateway_app;
GRANT SELECT ON TABLE public.erasure TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.erasure_request TO gateway_app;
GRANT SELECT ON TABLE public.erasure_request TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.evaluation TO gateway_app;
GRANT SELECT ON TABLE public.evaluation TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.evidence_export TO gateway_app;
GRANT SELECT ON TABLE public.evidence_export TO gateway_auditor;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.facility TO gateway_app;
GRANT SELECT ON TABLE public.facility TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.feed TO gateway_app;
GRANT SELECT ON TABLE public.feed TO gateway_auditor;

GRANT SELECT,INSERT,DELETE ON TABLE public.feed_gap TO gateway_app;
GRANT SELECT ON TABLE public.feed_gap TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.good TO gateway_app;
GRANT SELECT ON TABLE public.good TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.good_picture TO gateway_app;
GRANT SELECT ON TABLE public.good_picture TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.good_price TO gateway_app;
GRANT SELECT ON TABLE public.good_price TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.hold TO gateway_app;
GRANT SELECT ON TABLE public.hold TO gateway_auditor;

GRANT UPDATE(state) ON TABLE public.hold TO gateway_app;

GRANT UPDATE(ended_at) ON TABLE public.hold TO gateway_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.hook_event TO gateway_app;
GRANT SELECT ON TABLE public.hook_event TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.household TO gateway_app;
GRANT SELECT ON TABLE public.household TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.household_code TO gateway_app;
GRANT SELECT ON TABLE public.household_code TO gateway_auditor;

GRANT SELECT,INSERT,DELETE ON TABLE public.identifier TO gateway_app;
GRANT SELECT ON TABLE public.identifier TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.job_outcome TO gateway_app;
GRANT SELECT ON TABLE public.job_outcome TO gateway_auditor;

GRANT SELECT,INSERT,DELETE ON TABLE public.job_run TO gateway_app;
GRANT SELECT ON TABLE public.job_run TO gateway_auditor;

GRANT UPDATE(ended_at) ON TABLE public.job_run TO gateway_app;

GRANT UPDATE(outcome) ON TABLE public.job_run TO gateway_app;

GRANT UPDATE(repeats) ON TABLE public.job_run TO gateway_app;

GRANT UPDATE(counts) ON TABLE public.job_run TO gateway_app;

GRANT UPDATE(error_code) ON TABLE public.job_run TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.leaf TO gateway_app;
GRANT SELECT ON TABLE public.leaf TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.legal_hold TO gateway_app;
GRANT SELECT ON TABLE public.legal_hold TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.legal_hold_end TO gateway_app;
GRANT SELECT ON TABLE public.legal_hold_end TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.line_elsewhere TO gateway_app;
GRANT SELECT ON TABLE public.line_elsewhere TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.link TO gateway_app;
GRANT SELECT ON TABLE public.link TO gateway_auditor;

GRANT UPDATE(ended_at) ON TABLE public.link TO gateway_app;

GRANT UPDATE(ended_by) ON TABLE public.link TO gateway_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.link_attempt TO gateway_app;
GRANT SELECT ON TABLE public.link_attempt TO gateway_auditor;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.link_grant TO gateway_app;
GRANT SELECT ON TABLE public.link_grant TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.mark TO gateway_app;
GRANT SELECT ON TABLE public.mark TO gateway_auditor;

GRANT UPDATE(valid_until_on) ON TABLE public.mark TO gateway_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.membership TO gateway_app;
GRANT SELECT ON TABLE public.membership TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.month_sum TO gateway_app;
GRANT SELECT ON TABLE public.month_sum TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.neighbour_breaker TO gateway_app;
GRANT SELECT ON TABLE public.neighbour_breaker TO gateway_auditor;

GRANT UPDATE(state) ON TABLE public.neighbour_breaker TO gateway_app;

GRANT UPDATE(times_opened) ON TABLE public.neighbour_breaker TO gateway_app;

GRANT UPDATE(since) ON TABLE public.neighbour_breaker TO gateway_app;

GRANT UPDATE(retry_at) ON TABLE public.neighbour_breaker TO gateway_app;

GRANT UPDATE(last_code) ON TABLE public.neighbour_breaker TO gateway_app;

GRANT UPDATE(last_answer_at) ON TABLE public.neighbour_breaker TO gateway_app;

GRANT UPDATE(last_failure_at) ON TABLE public.neighbour_breaker TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.neighbour_switch TO gateway_app;
GRANT SELECT ON TABLE public.neighbour_switch TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.objection TO gateway_app;
GRANT SELECT ON TABLE public.objection TO gateway_auditor;

GRANT UPDATE(sealed) ON TABLE public.objection TO gateway_app;

GRANT UPDATE(salt) ON TABLE public.objection TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.objection_event TO gateway_app;
GRANT SELECT ON TABLE public.objection_event TO gateway_auditor;

GRANT UPDATE(sealed) ON TABLE public.objection_event TO gateway_app;

GRANT UPDATE(salt) ON TABLE public.objection_event TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.outbox_message TO gateway_app;
GRANT SELECT ON TABLE public.outbox_message TO gateway_auditor;

GRANT UPDATE(state) ON TABLE public.outbox_message TO gateway_app;

GRANT UPDATE(abandoned) ON TABLE public.outbox_message TO gateway_app;

GRANT UPDATE(attempts) ON TABLE public.outbox_message TO gateway_app;

GRANT UPDATE(inquiries) ON TABLE public.outbox_message TO gateway_app;

GRANT UPDATE(next_attempt_at) ON TABLE public.outbox_message TO gateway_app;

GRANT UPDATE(claimed_until) ON TABLE public.outbox_message TO gateway_app;

GRANT UPDATE(claimed_by) ON TABLE public.outbox_message TO gateway_app;

GRANT UPDATE(code) ON TABLE public.outbox_message TO gateway_app;

GRANT UPDATE(ended_at) ON TABLE public.outbox_message TO gateway_app;

GRANT SELECT,USAGE ON SEQUENCE public.outbox_message_position_seq TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.own_key_change TO gateway_app;
GRANT SELECT ON TABLE public.own_key_change TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.person TO gateway_app;
GRANT SELECT ON TABLE public.person TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.proposal TO gateway_app;
GRANT SELECT ON TABLE public.proposal TO gateway_auditor;

GRANT UPDATE(supersedes) ON TABLE public.proposal TO gateway_app;

GRANT SELECT ON TABLE public.proposal_edge TO gateway_app;
GRANT SELECT ON TABLE public.proposal_edge TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.proposal_event TO gateway_app;
GRANT SELECT ON TABLE public.proposal_event TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.quarantine_reading TO gateway_app;
GRANT SELECT ON TABLE public.quarantine_reading TO gateway_auditor;

GRANT UPDATE(ground_sha256) ON TABLE public.quarantine_reading TO gateway_app;

GRANT UPDATE(read_at) ON TABLE public.quarantine_reading TO gateway_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.quarantined_item TO gateway_app;
GRANT SELECT ON TABLE public.quarantined_item TO gateway_auditor;

GRANT UPDATE(keep_until) ON TABLE public.quarantined_item TO gateway_app;

GRANT UPDATE(released_at) ON TABLE public.quarantined_item TO gateway_app;

GRANT UPDATE(released_as) ON TABLE public.quarantined_item TO gateway_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.quota TO gateway_app;
GRANT SELECT ON TABLE public.quota TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.quota_use TO gateway_app;
GRANT SELECT ON TABLE public.quota_use TO gateway_auditor;

GRANT UPDATE(counted) ON TABLE public.quota_use TO gateway_app;

GRANT UPDATE(released_at) ON TABLE public.quota_use TO gateway_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.quota_waiting TO gateway_app;
GRANT SELECT ON TABLE public.quota_waiting TO gateway_auditor;

GRANT SELECT,INSERT,DELETE ON TABLE public.raw_push TO gateway_app;
GRANT SELECT ON TABLE public.raw_push TO gateway_auditor;

GRANT UPDATE(key_id) ON TABLE public.raw_push TO gateway_app;

GRANT UPDATE(sealed) ON TABLE public.raw_push TO gateway_app;

GRANT UPDATE(whole) ON TABLE public.raw_push TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.reconciled_day TO gateway_app;
GRANT SELECT ON TABLE public.reconciled_day TO gateway_auditor;

GRANT UPDATE(run_id) ON TABLE public.reconciled_day TO gateway_app;

GRANT UPDATE(statement_sha256) ON TABLE public.reconciled_day TO gateway_app;

GRANT UPDATE(checked_at) ON TABLE public.reconciled_day TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.reconciliation TO gateway_app;
GRANT SELECT ON TABLE public.reconciliation TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.record TO gateway_app;
GRANT SELECT ON TABLE public.record TO gateway_auditor;

GRANT SELECT ON TABLE public.record_pending TO gateway_app;
GRANT SELECT ON TABLE public.record_pending TO gateway_auditor;

GRANT SELECT,USAGE ON SEQUENCE public.record_pending_queue_no_seq TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.redemption TO gateway_app;
GRANT SELECT ON TABLE public.redemption TO gateway_auditor;

GRANT UPDATE(state) ON TABLE public.redemption TO gateway_app;

GRANT UPDATE(wanted) ON TABLE public.redemption TO gateway_app;

GRANT UPDATE(approved_by) ON TABLE public.redemption TO gateway_app;

GRANT UPDATE(goods) ON TABLE public.redemption TO gateway_app;

GRANT UPDATE(posted) ON TABLE public.redemption TO gateway_app;

GRANT UPDATE(next_attempt_at) ON TABLE public.redemption TO gateway_app;

GRANT UPDATE(attempts) ON TABLE public.redemption TO gateway_app;

GRANT SELECT ON TABLE public.redemption_edge TO gateway_app;
GRANT SELECT ON TABLE public.redemption_edge TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.redemption_event TO gateway_app;
GRANT SELECT ON TABLE public.redemption_event TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.redemption_leg TO gateway_app;
GRANT SELECT ON TABLE public.redemption_leg TO gateway_auditor;

GRANT UPDATE(heard) ON TABLE public.redemption_leg TO gateway_app;

GRANT UPDATE(town_reference) ON TABLE public.redemption_leg TO gateway_app;

GRANT UPDATE(asked_at) ON TABLE public.redemption_leg TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.redemption_line TO gateway_app;
GRANT SELECT ON TABLE public.redemption_line TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.refusal_answer TO gateway_app;
GRANT SELECT ON TABLE public.refusal_answer TO gateway_auditor;

GRANT SELECT,INSERT,DELETE ON TABLE public.review_waiting TO gateway_app;
GRANT SELECT ON TABLE public.review_waiting TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.revocation TO gateway_app;
GRANT SELECT ON TABLE public.revocation TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.ruleset TO gateway_app;
GRANT SELECT ON TABLE public.ruleset TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.ruleset_approval TO gateway_app;
GRANT SELECT ON TABLE public.ruleset_approval TO gateway_auditor;

GRANT SELECT ON TABLE public.schema_migration TO gateway_app;
GRANT SELECT ON TABLE public.schema_migration TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.scoreboard TO gateway_app;
GRANT SELECT ON TABLE public.scoreboard TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.soap_client TO gateway_app;
GRANT SELECT ON TABLE public.soap_client TO gateway_auditor;

GRANT SELECT,INSERT,DELETE ON TABLE public.soap_message_used TO gateway_app;
GRANT SELECT ON TABLE public.soap_message_used TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff TO gateway_app;
GRANT SELECT ON TABLE public.staff TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.staff_change TO gateway_app;
GRANT SELECT ON TABLE public.staff_change TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.staff_event TO gateway_app;
GRANT SELECT ON TABLE public.staff_event TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.staff_look TO gateway_app;
GRANT SELECT ON TABLE public.staff_look TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff_secret TO gateway_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.staff_session TO gateway_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.standing TO gateway_app;
GRANT SELECT ON TABLE public.standing TO gateway_auditor;

GRANT SELECT,INSERT,UPDATE ON TABLE public.standing_version TO gateway_app;
GRANT SELECT ON TABLE public.standing_version TO gateway_auditor;

GRANT SELECT,INSERT,DELETE ON TABLE public.statement_line TO gateway_app;
GRANT SELECT ON TABLE public.statement_line TO gateway_auditor;

GRANT SELECT ON TABLE public.stock TO gateway_app;
GRANT SELECT ON TABLE public.stock TO gateway_auditor;

GRANT UPDATE(branch_no) ON TABLE public.stock TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.stock_count TO gateway_app;
GRANT SELECT ON TABLE public.stock_count TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.stock_count_line TO gateway_app;
GRANT SELECT ON TABLE public.stock_count_line TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.stock_movement TO gateway_app;
GRANT SELECT ON TABLE public.stock_movement TO gateway_auditor;

GRANT SELECT,USAGE ON SEQUENCE public.subject_seq TO gateway_app;

GRANT SELECT,INSERT ON TABLE public.swept_ruleset TO gateway_app;
GRANT SELECT ON TABLE public.swept_ruleset TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.tile TO gateway_app;
GRANT SELECT ON TABLE public.tile TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.town_month TO gateway_app;
GRANT SELECT ON TABLE public.town_month TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.town_month_difference TO gateway_app;
GRANT SELECT ON TABLE public.town_month_difference TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.town_month_line TO gateway_app;
GRANT SELECT ON TABLE public.town_month_line TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.transfer TO gateway_app;
GRANT SELECT ON TABLE public.transfer TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.witness_refusal TO gateway_app;
GRANT SELECT ON TABLE public.witness_refusal TO gateway_auditor;

GRANT SELECT,INSERT ON TABLE public.workday_calendar TO gateway_app;
GRANT SELECT ON TABLE public.workday_calendar TO gateway_auditor;

ALTER DEFAULT PRIVILEGES FOR ROLE gateway_migrate IN SCHEMA public GRANT SELECT,USAGE ON SEQUENCES TO gateway_app;

ALTER DEFAULT PRIVILEGES FOR ROLE gateway_migrate IN SCHEMA public GRANT SELECT,INSERT ON TABLES TO gateway_app;
ALTER DEFAULT PRIVILEGES FOR ROLE gateway_migrate IN SCHEMA public GRANT SELECT ON TABLES TO gateway_auditor;

ALTER DEFAULT PRIVILEGES FOR ROLE gateway_migrate REVOKE ALL ON FUNCTIONS FROM PUBLIC;
