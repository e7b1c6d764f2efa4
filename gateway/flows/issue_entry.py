"""The bank lets a resident in: an entry link to the page on which they link their account at a town, or end it."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from gateway.flows._linking import Entry, linking_of, seal_entry
from gateway.house import House
from schemas.errors import InvalidError
from schemas.feeds import EntryIdentity
from schemas.resident_id import accepted_resident_id, resident_id_fault
from schemas.values import TownCode


def issue_entry(house: House, town: TownCode, identity: EntryIdentity, *, now: datetime) -> str:
    """The address to show to this resident alone, good for `link_entry_s`. The bank has identified them; nothing is stored.

    Errors: NotFoundError for a town without linking; InvalidError for an id number that is none.
    """
    linking_of(house, town)
    id_no = accepted_resident_id(identity.id_no)
    if id_no is None:
        code, words = resident_id_fault(identity.id_no)
        raise InvalidError(words, code=code, where="id_no")
    if not 0 < len(identity.name) <= 64:
        raise InvalidError("a name has 1 to 64 characters", code="name-invalid", where="name")
    ends = now + timedelta(seconds=house.config.link_entry_s)
    entry = Entry(house.new_id(), town, EntryIdentity(id_no, identity.name, identity.phone), ends)
    query = urlencode({"entry": seal_entry(house, entry)})
    return f"{house.config.public_url.rstrip('/')}/link/{town}?{query}"
