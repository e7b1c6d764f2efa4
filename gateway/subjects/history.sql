-- name: list_happenings
-- What is known of a person's standing with us, newest first: consents, memberships, marks, restriction, erasure, holds.
select at, what, town, detail, null::bigint as points_centi, null::bigint as discount_bp, row_id, reference from (
    select given_at as at, 'consent_given' as what, town, purpose as detail, consent_id::text as row_id, text_version as reference
    from consent where person_id = %(person_id)s
    union all
    select withdrawn_at, 'consent_withdrawn', town, purpose, consent_id::text, '' from consent
    where person_id = %(person_id)s and withdrawn_at is not null
    union all
    select valid_from_on::timestamp at time zone 'Asia/Shanghai', 'joined', town, case when is_head then 'head' else 'member' end,
           household_id::text, '' from membership where person_id = %(person_id)s
    union all
    select valid_until_on::timestamp at time zone 'Asia/Shanghai', 'left', town, '', household_id::text, '' from membership
    where person_id = %(person_id)s and valid_until_on < 'infinity'
    union all
    select recorded_at, 'mark_' || kind, '', code, mark_id::text, source from mark where subject_id = any(%(holder_ids)s::bigint[])
    union all
    select requested_at, 'erasure_requested', '', cause, request_id::text, basis from erasure_request where person_id = %(person_id)s
    union all
    select erased_at, 'erased', '', '', request_id::text, '' from erasure where person_id = %(person_id)s
    union all
    select set_at, 'hold_set', '', set_by, hold_id::text, '' from legal_hold where person_id = %(person_id)s
    union all
    select x.ended_at, 'hold_ended', '', x.ended_by, x.hold_id::text, '' from legal_hold_end x join legal_hold h using (hold_id)
    where h.person_id = %(person_id)s
) every
where at < %(before)s order by at desc, row_id limit %(limit)s;
