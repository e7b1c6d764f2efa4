"""Resident ids, held to python-stdnum."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.cn import ric

from schemas.resident_id import PROVINCES, accepted_resident_id, born_on, check_character, resident_id_fault

DAYS = st.dates(date(1880, 1, 1), date(2099, 12, 31))


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Valid numbers of any province, county and day."""
    first = draw(st.sampled_from(sorted(PROVINCES))) + f"{draw(st.integers(0, 9999)):04d}"
    first += draw(DAYS).strftime("%Y%m%d") + f"{draw(st.integers(0, 999)):03d}"
    return first + check_character(first)


@settings(deadline=None)  # the machine may be busy
@given(numbers())
def test_a_valid_number_is_taken_and_stdnum_agrees(number: str) -> None:
    assert accepted_resident_id(number) == number
    assert ric.calc_check_digit(number) == number[-1]
    assert ric.get_birth_date(number) == born_on(number)
    assert accepted_resident_id(number[:17] + number[17].lower()) == number


@settings(deadline=None)  # the machine may be busy
@given(numbers(), st.integers(0, 17), st.sampled_from("0123456789Xx０ a"))
def test_one_changed_character_is_judged_like_stdnum_judges_it(number: str, at: int, other: str) -> None:
    changed = number[:at] + other + number[at + 1 :]
    ours = accepted_resident_id(changed)
    try:
        if not (changed[:17].isascii() and changed[:17].isdigit() and changed[17] in "0123456789Xx"):
            raise ValueError("characters")
        theirs = ric.calc_check_digit(changed.upper()) == changed[17].upper()
        ric.get_birth_date(changed)
        theirs = theirs and changed[:2] in PROVINCES and 1880 <= int(changed[6:10]) < 2100
    except (ValueError, ric.ValidationError):
        theirs = False
    assert (ours is not None) == theirs
    if ours is None:
        code, words = resident_id_fault(changed)
        assert code.startswith("id-")
        assert changed[2:17] not in words


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=30))
def test_any_text_gets_a_verdict(text: str) -> None:
    if accepted_resident_id(text) is None:
        assert resident_id_fault(text)[0].startswith("id-")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("330109900101001", "id-15-digits"),
        ("33010919900101", "id-length"),
        ("33010919900230100X", "id-birth-date"),
        ("330109199913011001", "id-birth-date"),
        ("990109199001011001", "id-province"),
        ("３３０１０９１９９００１０１１００１", "id-characters"),
        ("33010919900101 001", "id-characters"),
        ("3301091990010110012", "id-length"),
    ],
)
def test_a_wrong_number_is_told_why(number: str, code: str) -> None:
    assert accepted_resident_id(number) is None
    assert resident_id_fault(number)[0] == code
