-- name: get_version prepared
select version from standing_version where town = %(town)s;

-- name: change_version
insert into standing_version (town, version) values (%(town)s, gen_random_uuid())
on conflict (town) do update set version = excluded.version;

-- name: resolve_households prepared
-- Every period of each asked family code; the caller picks by date.
select code, household_id, valid_from_on, valid_until_on
from household_code
where town = %(town)s and code = any(string_to_array(%(codes)s, e'\n'));

-- name: find_homes_of_heads
-- The household that a head has in another town already, when it has no code in this one: the same family, seen by two towns.
select distinct on (d) d as digest, m.household_id
from unnest(string_to_array(%(digests)s, e'\n')) d
join identifier i on i.kind = 'id_no' and i.town = '' and i.digest = decode(d, 'hex')
join membership m on m.person_id = i.person_id and m.is_head and m.town <> %(town)s and m.valid_until_on = 'infinity'
where not exists (select from household_code c where c.household_id = m.household_id and c.town = %(town)s)
order by d, m.valid_from_on, m.household_id;

-- name: resolve_people prepared
-- Persons by digest, with the purposes they consented to in this town and the households they belong to (as text).
select d as digest, s.person_id, s.purposes, s.households
from unnest(string_to_array(%(digests)s, e'\n')) d
cross join lateral (  -- `offset 0`: always one probe a digest, never a scan of everybody
    select * from standing where town = %(town)s and kind = %(kind)s and digest = decode(d, 'hex') offset 0
) s;

-- name: find_people
-- Persons by digest, whether or not they have anything to do with a town.
select d as digest, i.person_id
from unnest(string_to_array(%(digests)s, e'\n')) d
join identifier i on i.kind = %(kind)s and i.town = %(identifier_town)s and i.digest = decode(d, 'hex');

-- name: refresh_standing
insert into standing as s (kind, town, digest, person_id, purposes, households)
select i.kind, %(town)s, i.digest, i.person_id,
       (select coalesce(string_agg(distinct c.purpose, ' '), '') from consent c
        where c.person_id = i.person_id and c.town = %(town)s and c.withdrawn_at is null),
       (select coalesce(string_agg(distinct m.household_id::text, ' '), '') from membership m
        where m.person_id = i.person_id and m.town = %(town)s)
from identifier i
where i.person_id = any(%(person_ids)s::bigint[]) and i.kind in ('id_no', 'openid') and i.town in ('', %(town)s)
order by i.kind, i.digest
on conflict (town, kind, digest) do update
    set person_id = excluded.person_id, purposes = excluded.purposes, households = excluded.households;

-- name: list_applicants
-- For a household: its head, or its oldest member, among members who consented to loan mapping anywhere on that day;
-- for a person: themselves.
with asked as (select unnest(%(subject_ids)s::bigint[]) as subject_id),
candidate as (
    select a.subject_id, m.person_id, m.is_head
    from asked a join membership m on m.household_id = a.subject_id
        and m.valid_from_on <= %(on)s and m.valid_until_on > %(on)s
    union all
    select a.subject_id, p.person_id, true from asked a join person p on p.person_id = a.subject_id
)
select distinct on (c.subject_id) c.subject_id, c.person_id as applicant_id, p.birth_on
from candidate c
join person p on p.person_id = c.person_id and p.restricted_at is null
where exists (select from consent k where k.person_id = c.person_id and k.purpose = 'loan_mapping' and k.withdrawn_at is null)
order by c.subject_id, c.is_head desc, p.birth_on nulls last, c.person_id;

-- name: list_consenting prepared
select distinct person_id, town from consent
where purpose = %(purpose)s and withdrawn_at is null and person_id = any(%(person_ids)s::bigint[]);

-- name: list_marks
select subject_id, kind, code from mark
where subject_id = any(%(subject_ids)s::bigint[]) and valid_from_on <= %(on)s and valid_until_on > %(on)s
order by subject_id, kind, code;

-- name: list_home_members
-- Who counts for which of these households on a day with the points they hold themselves: everybody for one household only,
-- the one they have belonged to longest, or the same points would count twice.
with member as (
    select distinct person_id from membership
    where household_id = any(%(household_ids)s::bigint[]) and valid_from_on <= %(on)s and valid_until_on > %(on)s
), home as (
    select distinct on (m.person_id) m.person_id, m.household_id
    from member join membership m using (person_id)
    where m.valid_from_on <= %(on)s and m.valid_until_on > %(on)s
    order by m.person_id, m.valid_from_on, m.household_id
)
select household_id, person_id from home where household_id = any(%(household_ids)s::bigint[]) order by household_id, person_id;

-- name: list_households_of
select distinct household_id from membership where person_id = any(%(person_ids)s::bigint[]) order by household_id;

-- name: find_household
select household_id from household_code
where town = %(town)s and code = %(code)s and valid_from_on <= %(on)s and valid_until_on > %(on)s;

-- name: find_person
select person_id from identifier where kind = %(kind)s and town = %(town)s and digest = %(digest)s limit 1;

-- name: list_sealed
select person_id, key_id, sealed from person where person_id = any(%(person_ids)s::bigint[]);

-- name: lock_registration
-- One registration at a time: two towns may register the same people. Pushes do not wait for it.
select pg_advisory_xact_lock(hashtextextended('registration', 0));

-- name: take_subject_ids
select nextval('subject_seq') from generate_series(1, %(count)s);

-- name: copy_households
copy household (household_id, village, registered_at) from stdin;

-- name: copy_household_codes
copy household_code (town, code, household_id, valid_from_on, village) from stdin;

-- name: put_villages
-- Who is registered again in another village has moved.
update household_code c set village = said.village
from unnest(string_to_array(%(codes)s, e'\n'), string_to_array(%(villages)s, e'\n')) as said(code, village)
where c.town = %(town)s and c.code = said.code and c.valid_until_on = 'infinity' and c.village <> said.village;

-- name: copy_persons
copy person (person_id, key_id, sealed, salt, commitment, birth_on, registered_at) from stdin;

-- name: list_account_owners
-- Who has this account of the town, and which accounts of the town this person has.
select person_id, digest = %(digest)s as same from identifier
where kind = 'openid' and town = %(town)s and (digest = %(digest)s or person_id = %(person_id)s);

-- name: delete_account
with gone as (
    delete from identifier where kind = 'openid' and town = %(town)s and person_id = %(person_id)s returning digest
)
delete from standing s using gone where s.kind = 'openid' and s.town = %(town)s and s.digest = gone.digest;

-- name: copy_identifiers
copy identifier (kind, town, digest, person_id, registered_at) from stdin;

-- name: list_memberships
select household_id, person_id, is_head, valid_from_on from membership
where household_id = any(%(household_ids)s::bigint[]) and town = %(town)s and valid_until_on = 'infinity';

-- name: copy_memberships
copy membership (household_id, person_id, town, is_head, valid_from_on) from stdin;

-- name: end_memberships
update membership m set valid_until_on = greatest(%(on)s::date, m.valid_from_on + 1)
from unnest(%(household_ids)s::bigint[], %(person_ids)s::bigint[]) as gone(household_id, person_id)
where m.household_id = gone.household_id and m.person_id = gone.person_id and m.town = %(town)s and m.valid_until_on = 'infinity';

-- name: list_consents_in_force
select person_id, purpose from consent
where town = %(town)s and withdrawn_at is null and person_id = any(%(person_ids)s::bigint[]);

-- name: copy_consents
copy consent (consent_id, person_id, town, purpose, recipient, text_version, evidence, by_guardian, given_at, recorded_at) from stdin;

-- name: withdraw_consents
update consent c set withdrawn_at = greatest(w.withdrawn_at, c.given_at), withdrawal_recorded_at = %(now)s
from unnest(%(person_ids)s::bigint[], %(purposes)s::text[], %(instants)s::timestamptz[]) as w(person_id, purpose, withdrawn_at)
where c.town = %(town)s and c.person_id = w.person_id and c.purpose = w.purpose and c.withdrawn_at is null
returning c.consent_id, c.person_id, c.purpose;

-- name: list_consent_ids
select consent_id::text as row_id from consent where consent_id::text > %(after)s order by consent_id::text limit %(limit)s;

-- name: list_withdrawn_ids
select consent_id::text as row_id from consent
where (withdrawn_at is not null or withdrawal_recorded_at is not null)
  and consent_id::text > %(after)s order by consent_id::text limit %(limit)s;

-- name: restate_consents
select c.consent_id::text as row_id, c.person_id, p.commitment, c.town, c.purpose, c.recipient, c.text_version, c.evidence,
       c.by_guardian, c.given_at, c.recorded_at, c.withdrawn_at, c.withdrawal_recorded_at
from consent c left join person p using (person_id)
where c.consent_id = any(%(row_ids)s::uuid[]);

-- name: list_villages
-- The village a town registered each household in.
select household_id, village from household_code
where household_id = any(%(household_ids)s::bigint[]) and town = %(town)s and valid_from_on <= %(on)s and valid_until_on > %(on)s;

-- name: list_consented_households
-- Households with a member whose consent, to whatever purpose, is in force in the town.
select distinct m.household_id from membership m
join consent c on c.person_id = m.person_id and c.town = m.town and c.withdrawn_at is null
where m.household_id = any(%(household_ids)s::bigint[]) and m.town = %(town)s and m.valid_until_on = 'infinity';

-- name: list_codes_of
-- The codes households have in a town on a day.
select household_id, code from household_code
where household_id = any(%(household_ids)s::bigint[]) and town = %(town)s and valid_from_on <= %(on)s and valid_until_on > %(on)s;

-- name: list_consents_to_open
select c.consent_id::text as consent_id, c.withdrawal_recorded_at is not null as withdrawn, p.salt
from consent c left join person p using (person_id)
where c.person_id = %(person_id)s order by c.consent_id limit 1000;

-- name: find_people_by
select person_id from identifier where kind = %(kind)s and town = %(town)s and digest = %(digest)s order by person_id limit 20;

-- name: list_accounts_of prepared
-- The households a person belongs to today, by town and the town's own code.
select m.town, m.household_id, c.code
from membership m
join household_code c on c.household_id = m.household_id and c.town = m.town
    and c.valid_from_on <= %(on)s and c.valid_until_on > %(on)s
where m.person_id = %(person_id)s and m.valid_from_on <= %(on)s and m.valid_until_on > %(on)s
order by m.town, c.code;

-- name: list_members_of
select person_id from membership
where household_id = %(household_id)s and valid_from_on <= %(on)s and valid_until_on > %(on)s
order by is_head desc, person_id limit 50;

-- name: insert_erasure_request
insert into erasure_request (request_id, person_id, requested_by, cause, basis, due_on, requested_at)
values (%(request_id)s, %(person_id)s, %(requested_by)s, %(cause)s, %(basis)s, %(due_on)s, %(requested_at)s);

-- name: find_erasure_request
select request_id, person_id, requested_by, cause, basis, due_on, requested_at from erasure_request where person_id = %(person_id)s;

-- name: restrict_person
update person set restricted_at = %(now)s where person_id = %(person_id)s and restricted_at is null;

-- name: withdraw_all_consents
update consent set withdrawn_at = greatest(%(now)s, given_at), withdrawal_recorded_at = %(now)s
where person_id = %(person_id)s and withdrawn_at is null
returning consent_id::text, town;

-- name: find_last_consent
select max(greatest(given_at, coalesce(withdrawn_at, given_at))) as at from consent where person_id = %(person_id)s;

-- name: list_due_erasures
select e.request_id::text, e.person_id from erasure_request e
where e.due_on <= %(on)s
  and not exists (select from erasure d where d.request_id = e.request_id)
  and not exists (select from legal_hold h where h.person_id = e.person_id
                  and not exists (select from legal_hold_end x where x.hold_id = h.hold_id))
  and e.person_id > %(after)s
order by e.person_id limit %(limit)s;

-- name: erase_persons
-- The commitment stays: without its salt nobody can test a guess against it, and the records that hold it still agree with it.
update person set key_id = '', sealed = '', salt = '', birth_on = null, restricted_at = coalesce(restricted_at, %(now)s)
where person_id = any(%(person_ids)s::bigint[]);

-- name: erase_identifiers
delete from identifier where person_id = any(%(person_ids)s::bigint[]);

-- name: erase_standing
delete from standing where person_id = any(%(person_ids)s::bigint[]) returning town;

-- name: copy_erasures
copy erasure (request_id, person_id, pushes_cut, erased_at) from stdin;

-- name: insert_hold
insert into legal_hold (hold_id, person_id, set_by, reason, set_at) values (%(hold_id)s, %(person_id)s, %(by)s, %(reason)s, %(now)s);

-- name: find_hold
select h.hold_id, h.person_id, x.hold_id is not null as ended from legal_hold h left join legal_hold_end x using (hold_id)
where h.hold_id = %(hold_id)s;

-- name: insert_hold_end
insert into legal_hold_end (hold_id, ended_by, reason, ended_at) values (%(hold_id)s, %(by)s, %(reason)s, %(now)s);

-- name: list_request_ids
select request_id::text from erasure_request where request_id > %(after)s::uuid order by request_id limit %(limit)s;

-- name: restate_requests
select request_id::text, person_id, requested_by, cause, basis, due_on, requested_at
from erasure_request where request_id = any(%(row_ids)s::uuid[]);

-- name: list_erasure_ids
select request_id::text from erasure where request_id > %(after)s::uuid order by request_id limit %(limit)s;

-- name: restate_erasures
select request_id::text, person_id, pushes_cut, erased_at from erasure where request_id = any(%(row_ids)s::uuid[]);

-- name: list_hold_ids
select hold_id::text from legal_hold where hold_id > %(after)s::uuid order by hold_id limit %(limit)s;

-- name: restate_holds
select hold_id::text, person_id, set_by, reason, set_at from legal_hold where hold_id = any(%(row_ids)s::uuid[]);

-- name: list_hold_end_ids
select hold_id::text from legal_hold_end where hold_id > %(after)s::uuid order by hold_id limit %(limit)s;

-- name: restate_hold_ends
select hold_id::text, ended_by, reason, ended_at from legal_hold_end where hold_id = any(%(row_ids)s::uuid[]);

-- name: list_unerased
-- Persons that were erased and are still there: the erasure was undone, or another row came in under their id.
select e.person_id from erasure e join person p using (person_id)
where octet_length(p.sealed) > 0 or octet_length(p.salt) > 0 or p.birth_on is not null
   or exists (select from identifier i where i.person_id = e.person_id)
   or exists (select from standing s where s.person_id = e.person_id)
order by e.person_id limit 20;

-- name: list_openings
select person_id, key_id, sealed, salt, commitment, birth_on from person p
where not exists (select from erasure e where e.person_id = p.person_id)
order by person_id;
