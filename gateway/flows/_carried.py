"""What a resident carries, as a reader or scanner types it: an id card, a phone number, a family's code, a town's QR.

An id card reader types the number alone, or a line with the name, the birth date and the address around it. A QR of a town's app
is the family's code, or an address whose query names the account in that town's own word (`Profile.carries`) [P].
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from gateway.house import House
from schemas.errors import InvalidError
from schemas.ports import TownReader
from schemas.resident_id import accepted_resident_id
from schemas.values import TownCode

MOST_CHARS: Final = 512
ID_NO, PHONE, HOUSEHOLD_CODE, OPENID = "id_no", "phone", "household_code", "openid"
_PHONE: Final = re.compile(r"1[0-9]{10}")
_ID_NO: Final = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")
_CODE: Final = re.compile(r"[0-9A-Za-z._-]{1,64}")


class Carried(NamedTuple):
    """What it is: one of the four kinds above; `town` of a town's QR, None where every town may be meant."""

    kind: str
    value: str
    town: TownCode | None = None


def read_carried(house: House, words: str) -> Carried:
    """Raises InvalidError for what is nothing of it; the words are in no error."""
    asked = words.strip()
    if len(asked) > MOST_CHARS:
        raise _unreadable()
    if asked.lower().startswith("https://"):
        return _of_address(house, asked)
    found = [n for n in map(accepted_resident_id, _ID_NO.findall(asked)) if n is not None]
    if len(set(found)) == 1:
        return Carried(ID_NO, found[0])
    joined = asked.replace(" ", "")
    if _ID_NO.fullmatch(joined):
        return Carried(ID_NO, joined.upper())
    if _PHONE.fullmatch(joined):
        return Carried(PHONE, joined)
    if _CODE.fullmatch(joined):
        return Carried(HOUSEHOLD_CODE, joined)
    raise _unreadable()


def _of_address(house: House, address: str) -> Carried:
    """The account a town's QR names. Where it leads is never asked: the address only carries the name."""
    try:
        said = dict(parse_qsl(urlsplit(address).query, max_num_fields=20))
    except ValueError:
        raise _unreadable() from None
    for town, reader in house.readers.items():
        value = said.get(reader.profile.carries or "", "")
        if value and _CODE.fullmatch(value):
            return Carried(_kind_of(reader), value, town)
    raise _unreadable()


def _kind_of(reader: TownReader) -> str:
    if reader.capabilities.account:
        return reader.capabilities.account
    return HOUSEHOLD_CODE if reader.capabilities.holds == "household" else ID_NO


def _unreadable() -> InvalidError:
    return InvalidError(
        "this is no id number, phone, family code or town's QR", code="words-unreadable", where="words",
        remedy="18 characters of the id card, 11 digits of the phone, the family's code, or the QR of a town's app",
    )  # fmt: skip
