"""What the linking page shows a resident who came with an entry link."""

from __future__ import annotations

from datetime import datetime

from gateway import links, subjects
from gateway.flows._linking import form_token, linking_of, open_entry
from gateway.house import House
from schemas.feeds import LinkView
from schemas.values import Purpose, TownCode


def show_link(house: House, town: TownCode, entry_text: str, session: str, *, now: datetime) -> LinkView:
    """Whether the account is linked, which consents stand, and the token of this browser's form. Changes nothing.

    Errors: NotFoundError, RefusedError `entry-invalid`, `entry-expired`, `guardian-needed`.
    """
    linking_of(house, town)
    entry = open_entry(house, town, entry_text, now=now)
    linked, purposes = False, frozenset[Purpose]()
    with house.db.transaction(read_only=True) as tx:
        person = subjects.find_person(tx, house.keys, entry.identity.id_no)
        if person is not None:
            linked = links.find_link(tx, town, person) is not None
            purposes = frozenset(
                purpose
                for purpose in Purpose
                if (person, town) in subjects.list_consenting(tx, purpose, [int(person)])
            )
    name, id_no = entry.identity.name, entry.identity.id_no
    return LinkView(
        town, name[:1] + "*" * (len(name) - 1), f"{id_no[:4]}{'*' * 10}{id_no[-4:]}", linked, purposes,
        form_token(house, session, entry), entry.expires_at,
    )  # fmt: skip
