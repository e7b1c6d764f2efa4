"""Resident ids (公民身份号码, GB 11643-1999): 18 characters, a real birth date, a check character.

Towns push thousands a second, so the check is tables and slices; `tests/unit/test_resident_id.py` holds it to python-stdnum.
The county code is not looked up: counties were renumbered for forty years and old numbers stay in force. The province is.
"""

from __future__ import annotations

from datetime import date
from typing import Final

#: GB/T 2260 provinces, and 81–83: residence permits of people from Hong Kong, Macao and Taiwan (2018).
PROVINCES: Final = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83".split()
)
FIRST_BIRTH_YEAR, LAST_BIRTH_YEAR = 1880, 2100
CHECK_CHARACTERS: Final = "10X98765432"
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _weighted(digits: str, first: int) -> int:
    return sum(int(digit) * _WEIGHTS[first + at] for at, digit in enumerate(digits)) % 11


_PLACE: Final = {
    text: _weighted(text, 0) for text in (f"{number:03d}" for number in range(1000)) if text[:2] in PROVINCES
}
_COUNTY: Final = {text: _weighted(text, 3) for text in (f"{number:03d}" for number in range(1000))}
_ORDER: Final = {text: _weighted(text, 14) for text in (f"{number:03d}" for number in range(1000))}
_CHECKS: Final = {(rest, check) for rest, check in enumerate(CHECK_CHARACTERS)} | {(2, "x")}
_birth_sums: dict[str, int] = {}  # dates seen; at most one entry for each real date, about 80 000


def accepted_resident_id(value: str) -> str | None:
    """The number with an upper-case X, or None when it is not one (ask `resident_id_fault` why)."""
    if len(value) != 18:
        return None
    try:
        birth = value[6:14]
        total = _PLACE[value[:3]] + _COUNTY[value[3:6]] + _ORDER[value[14:17]] + _birth_sum(birth)
    except (KeyError, ValueError):
        return None
    check = value[17]
    if (total % 11, check) not in _CHECKS:
        return None
    return value if check != "x" else value[:17] + "X"


def _birth_sum(text: str) -> int:
    found = _birth_sums.get(text)
    if found is None:
        birth_date(text)
        found = _birth_sums[text] = _weighted(text, 6)
    return found


def birth_date(text: str) -> date:
    """The date of eight ASCII digits yyyymmdd. Raises ValueError when there is no such day in a resident's life."""
    if not (text.isascii() and text.isdigit() and len(text) == 8):
        raise ValueError("not eight digits")
    born_on = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if not FIRST_BIRTH_YEAR <= born_on.year < LAST_BIRTH_YEAR:
        raise ValueError("nobody alive was born then")
    return born_on


def born_on(id_no: str) -> date:
    """The birth date in an accepted number."""
    return birth_date(id_no[6:14])


def resident_id_fault(value: str) -> tuple[str, str]:
    """Why a number was not accepted: a code and words. Never repeats the number, nor a part of it."""
    if len(value) == 15 and value.isascii() and value.isdigit():
        return (
            "id-15-digits",
            "a 15-digit number of the first generation; ask the resident for the 18-character number",
        )
    if len(value) != 18:
        return "id-length", f"{len(value)} characters; a resident id has 18"
    if not (value[:17].isascii() and value[:17].isdigit()):
        return (
            "id-characters",
            "the first 17 characters must be ASCII digits 0-9 (no spaces, no full-width digits)",
        )
    if value[17] not in "0123456789Xx":
        return "id-characters", "the last character must be a digit or X"
    if value[:2] not in PROVINCES:
        return "id-province", "the first two digits name no province (GB/T 2260)"
    try:
        birth_date(value[6:14])
    except ValueError:
        return "id-birth-date", "characters 7 to 14 are not a real birth date; check for swapped digits"
    return "id-checksum", "the check character does not fit (GB 11643); check for swapped or mistyped digits"


def check_character(first_17: str) -> str:
    """The 18th character for 17 digits."""
    return CHECK_CHARACTERS[_weighted(first_17, 0)]
