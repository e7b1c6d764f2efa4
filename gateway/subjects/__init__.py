"""Subjects: residents and households, the only room that holds personal data.

Owns: person, identifier, household, household_code, membership, consent, mark, standing, standing_version,
    erasure_request, erasure, legal_hold, legal_hold_end
Reads:
Never: hands an id number, a name or a phone to anything but the corridor that must send or show it

Identities are sealed (AES-256-GCM or SM4-GCM) and found by keyed digests; everybody else holds ids. Consent is per person,
town and purpose (PIPL art. 23 and 29); membership of households is dated, because families split and merge.
"""

from gateway.subjects.commitments import list_unopened
from gateway.subjects.erasing import (
    Due,
    ErasureRequest,
    end_legal_hold,
    erase_persons,
    find_last_consent_at,
    insert_erasure_request,
    insert_hold,
    list_due,
    list_faults,
)
from gateway.subjects.history import list_happenings
from gateway.subjects.identity import (
    Identity,
    find_people_by_phone,
    find_person,
    find_person_by_account,
    get_identity,
    get_person,
    list_identities,
)
from gateway.subjects.opening import open_consents
from gateway.subjects.registration import (
    Registered,
    forget_account,
    register,
    register_account,
    withdraw,
)
from gateway.subjects.resolution import (
    Asked,
    Resolution,
    find_household,
    list_accounts_of,
    list_applicants,
    list_codes_of,
    list_consented_households,
    list_consenting,
    list_home_members,
    list_households_of,
    list_marks,
    list_members_of,
    list_villages,
    resolve,
    town_version,
)

__all__ = [
    "Asked",
    "Due",
    "ErasureRequest",
    "Identity",
    "Registered",
    "Resolution",
    "end_legal_hold",
    "erase_persons",
    "find_household",
    "find_last_consent_at",
    "find_people_by_phone",
    "find_person",
    "find_person_by_account",
    "forget_account",
    "get_identity",
    "get_person",
    "insert_erasure_request",
    "insert_hold",
    "list_accounts_of",
    "list_applicants",
    "list_codes_of",
    "list_consented_households",
    "list_consenting",
    "list_due",
    "list_faults",
    "list_happenings",
    "list_home_members",
    "list_households_of",
    "list_identities",
    "list_marks",
    "list_members_of",
    "list_unopened",
    "list_villages",
    "open_consents",
    "register",
    "register_account",
    "resolve",
    "town_version",
    "withdraw",
]
