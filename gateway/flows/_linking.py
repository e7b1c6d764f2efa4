"""Entry links and what linking pages share: who may come in, what is shown of them, and how a consent ends.

An entry link carries who it was made for, sealed: the bank identified the resident, in its app or at the counter. Nothing
personal is stored before the resident agreed, and nobody else's name can be put into a link.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import orjson

from gateway import benefits, links, subjects, translog
from gateway.db import Transaction
from gateway.house import House
from gateway.links.restate import UNLINKED, link_record
from gateway.subjects.restate import WITHDRAWN, consent_records
from schemas.contributions import Withdrawal
from schemas.crypto import Sealed
from schemas.errors import InvalidError, NotFoundError, RefusedError, TamperedError
from schemas.feeds import EntryIdentity, TownLinking
from schemas.resident_id import born_on
from schemas.values import GUARDIAN_UNTIL_AGE, Purpose, TownCode, age_on, beijing_date

#: Which wording the resident saw: a test holds it to the text of the page.
TEXT_VERSION = "link-2026-11"
ENTRY_PURPOSE = "entry link"
MOST_ENTRY_CHARS = 2048
SESSION_CHARS = 43  # 32 random bytes in base64url


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry link, opened."""

    entry_id: UUID
    town: TownCode
    identity: EntryIdentity = field(repr=False)
    expires_at: datetime


def linking_of(house: House, town: TownCode) -> TownLinking:
    """The town's linking. Raises NotFoundError when its accounts are not linked by residents."""
    linking = house.linkings.get(town)
    if linking is None:
        raise NotFoundError(
            "accounts of this town are not linked here", code="no-linking", where="town", value=town
        )
    return linking


def seal_entry(house: House, entry: Entry) -> str:
    """The text an entry link carries."""
    plain = {
        "entry": str(entry.entry_id),
        "town": entry.town,
        "id_no": entry.identity.id_no,
        "name": entry.identity.name,
        "phone": entry.identity.phone,
        "ends": int(entry.expires_at.timestamp()),
    }
    sealed = house.keys.seal(orjson.dumps(plain), ENTRY_PURPOSE)
    return f"{sealed.key_id}.{base64.urlsafe_b64encode(sealed.box).rstrip(b'=').decode()}"


def open_entry(house: House, town: TownCode, text: str, *, now: datetime) -> Entry:
    """The entry behind a link. Raises RefusedError `entry-invalid` or `entry-expired`, `guardian-needed` for a child."""
    try:
        key_id, _, box = text.partition(".")
        if not box or len(text) > MOST_ENTRY_CHARS:
            raise ValueError("no entry")
        sealed = Sealed(key_id, base64.b64decode(box + "=" * (-len(box) % 4), altchars=b"-_", validate=True))
        plain = orjson.loads(house.keys.open(sealed, ENTRY_PURPOSE))
    except (ValueError, TamperedError):
        raise RefusedError(
            "this link is not one of ours, or was cut off", code="entry-invalid", where="entry",
            remedy="ask for a new link in the bank's app or at the counter",
        ) from None  # fmt: skip
    entry = Entry(
        UUID(plain["entry"]),
        TownCode(plain["town"]),
        EntryIdentity(plain["id_no"], plain["name"], plain["phone"]),
        datetime.fromtimestamp(plain["ends"], UTC),
    )
    if entry.town != town:
        raise RefusedError("this link is for another town", code="entry-invalid", where="entry")
    if entry.expires_at <= now:
        raise RefusedError(
            "this link has ended", code="entry-expired", where="entry",
            remedy="ask for a new link in the bank's app or at the counter",
        )  # fmt: skip
    age = age_on(born_on(entry.identity.id_no), beijing_date(now))
    if age is None or age < GUARDIAN_UNTIL_AGE:
        raise RefusedError(
            "under 14 a guardian agrees, at the counter (PIPL art. 31)", code="guardian-needed", where="entry"
        )
    return entry


def form_token(house: House, session: str, entry: Entry) -> str:
    """What a form must carry: only this browser's page with this entry knows it."""
    return house.keys.digester("link form")(f"{session}\n{entry.entry_id}".encode()).hex()


def check_form(house: House, session: str, entry: Entry, token: str) -> None:
    """Raises RefusedError `form-forged` for a form that this browser was not given."""
    given = token.encode("utf-8", "replace")
    if len(session) != SESSION_CHARS or not hmac.compare_digest(
        form_token(house, session, entry).encode(), given
    ):
        raise RefusedError(
            "this form was not opened in this browser", code="form-forged", where="form_token",
            remedy="open the link again, with cookies allowed",
        )  # fmt: skip


def secret_digest(house: House, use: str, value: str) -> bytes:
    """What is stored of a `state` or a session: a keyed digest."""
    return house.keys.digester(f"link {use}")(value.encode("utf-8", "replace"))


def redirect_uri(house: House, town: TownCode) -> str:
    """Where the town sends the resident back to; registered there, compared exactly."""
    return f"{house.config.public_url.rstrip('/')}/link/{town}/callback"


def read_purposes(words: Sequence[str]) -> tuple[Purpose, ...]:
    """Purposes by name, each once. Raises InvalidError."""
    try:
        return tuple(purpose for purpose in Purpose if purpose in {Purpose(word) for word in words})
    except ValueError:
        raise InvalidError("a purpose is unknown", code="purpose-unknown", where="purpose") from None


def withdraw_purposes(
    house: House,
    tx: Transaction,
    town: TownCode,
    person_id: int,
    id_no: str,
    purposes: Sequence[Purpose],
    ended_by: str,
    *,
    now: datetime,
) -> tuple[int, UUID | None]:
    """Consents end; with the last one the link too, and the town's name leads to nobody. How many ended, and which link."""
    asked = [Withdrawal(id_no, purpose, now) for purpose in purposes]
    done, _ = subjects.withdraw(tx, house.keys, town, asked, now=now)
    records = consent_records(tx, WITHDRAWN, [change.consent_id for change in done])
    ended = None
    if not any((person_id, town) in subjects.list_consenting(tx, p, [person_id]) for p in Purpose):
        ended = links.end_link(tx, town, person_id, ended_by, now=now)
        subjects.forget_account(tx, town, person_id)
        if ended is not None:
            records.append(link_record(tx, UNLINKED, ended))
    translog.append_records(tx, records, now=now, new_id=house.new_id)
    if done:
        affected = [person_id, *map(int, subjects.list_households_of(tx, [person_id]))]
        benefits.mark_changed(tx, affected, cause="consent withdrawn", now=now)
    return len(done), ended
