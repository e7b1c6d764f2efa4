"""平安共富积分's words as they stand on the wire: pinyin initials, everything a string, empty for none, nothing renamed.

The schema of the contract has judged how a message is built; what stands in an item is judged here, item by item.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from marshmallow import ValidationError, fields

from adapters.wire_fields import FIRST_YEAR, LAST_YEAR, Points, ResidentId, Text, Word
from schemas.acceptor import Fault, WireField, WireSchema
from schemas.resident_id import born_on
from schemas.values import BEIJING, GUARDIAN_UNTIL_AGE, age_on, beijing_date

MAX_ITEMS, MAX_PERSONS, MAX_WITHDRAWALS = 500, 500, 500  # in one message; the contract's schema says the same
SERIAL = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"
ACTIVITY = r"[A-Za-z0-9_]{1,32}"

AWARD, DEDUCTION, REVERSAL, SPEND = "01", "02", "03", "04"
LOAN, REDEMPTION = "01", "02"
FROZEN, CONFIRMED, RELEASED, EXPIRED, REVERSED = "01", "02", "03", "04", "05"
POSTED, FREEZE_LINE = "00", "90"  # in RZDZ: the state of an item, the kind of a freeze


def _instant(value: Any) -> datetime | None:
    """yyyyMMddHHmmss in Beijing time; China has kept one offset without summer time since 1991."""
    if type(value) is not str or len(value) != 14 or not (value.isascii() and value.isdigit()):
        return None
    try:
        at = datetime(
            int(value[:4]), int(value[4:6]), int(value[6:8]), int(value[8:10]), int(value[10:12]), int(value[12:]),
            tzinfo=BEIJING,
        )  # fmt: skip
    except ValueError:
        return None
    return at if FIRST_YEAR <= at.year <= LAST_YEAR else None


def instant_of(at: datetime) -> str:
    """yyyyMMddHHmmss of an aware instant."""
    return at.astimezone(BEIJING).strftime("%Y%m%d%H%M%S")


def day_of(on: date) -> str:
    """yyyyMMdd."""
    return on.strftime("%Y%m%d")


class BeijingTime(WireField):
    """yyyyMMddHHmmss, Beijing time, a real moment from 2015 on."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=_instant, **kwargs)

    def explain(self, value: Any) -> Fault:
        text = value if isinstance(value, str) else ""
        if len(text) != 14 or not (text.isascii() and text.isdigit()):
            return Fault("time-form", "write 14 digits yyyyMMddHHmmss, Beijing time, such as 20261123083000")
        if not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
            return Fault("time-out-of-range", f"the year must be from {FIRST_YEAR} to {LAST_YEAR}")
        return Fault("time-unreal", "there is no such day or time of day; check month, day, hour and minute")

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[0-9]{14}$", "description": "yyyyMMddHHmmss, Beijing time"}


def _original_of_reversal(kind: str, original: str | None) -> tuple[str, Fault] | None:
    if (kind == REVERSAL) == (original is not None):
        return None
    if original is None:
        return "YLSH", Fault("reversal-without-original", "LX 03 names in YLSH the item it takes back")
    return "YLSH", Fault("original-without-reversal", "only LX 03 names an original; leave YLSH empty")


class HD(WireSchema):
    """One item: what a person did, and the points the town gave or took for it."""

    LSH = Text(64, pattern=SERIAL, required=True)
    SFZH = ResidentId(required=True)
    XM = Text(64, load_default=None)
    HDLX = Text(32, pattern=ACTIVITY, few=True, required=True)
    LX = Word(dict.fromkeys((AWARD, DEDUCTION, REVERSAL, SPEND)), required=True)
    JF = Points(required=True)
    FSSJ = BeijingTime(required=True)
    YLSH = Text(64, pattern=SERIAL, load_default=None)

    rules = ((_original_of_reversal, ("LX", "YLSH")),)


class TY(WireSchema):
    """One separate consent of a person (PIPL art. 23 and 29)."""

    YT = Word(dict.fromkeys((LOAN, REDEMPTION)), required=True)
    TYSJ = BeijingTime(required=True)
    WBBB = Text(32, required=True)
    PZH = Text(64, load_default=None)
    JHR = Word(dict.fromkeys(("0", "1")), load_default="0")


class Consents(WireField):
    """TYLB: one to four consents; a person without any is not to be sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(quick=lambda value: None, **kwargs)
        self._array = fields.List(fields.Nested(TY()))

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if not value:
            raise ValidationError(
                [Fault("consent-missing", "a person without any consent is not kept; send consents only")]
            )
        return self._array.deserialize(value, attr, data)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": 1, "maxItems": 4}


def _guardian_for_a_child(id_no: str, consents: list[Mapping[str, Any]]) -> tuple[str, Fault] | None:
    birth = born_on(id_no)
    for consent in consents:
        age = age_on(birth, beijing_date(consent["TYSJ"]))
        if age is not None and age < GUARDIAN_UNTIL_AGE and consent["JHR"] != "1":
            return "TYLB", Fault(
                "guardian-needed", "under 14 a guardian gives the consent: JHR 1 (PIPL art. 31)"
            )
    return None


class RY(WireSchema):
    """One person with their consents."""

    SFZH = ResidentId(required=True)
    XM = Text(64, required=True)
    SJH = Text(20, pattern=r"\+?[0-9]{5,19}", load_default=None)
    TYLB = Consents(required=True)

    rules = ((_guardian_for_a_child, ("SFZH", "TYLB")),)


class CH(WireSchema):
    """One consent withdrawn."""

    SFZH = ResidentId(required=True)
    YT = Word(dict.fromkeys((LOAN, REDEMPTION)), required=True)
    CHSJ = BeijingTime(required=True)


def to_points_centi(text: str) -> int | None:
    """Points as the platform writes them in answers: '0', '12.50', '-3'; None when they are no number."""
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    if digits.strip("0") in ("", "."):
        return 0 if digits else None
    centi = _read_points(digits)
    return None if centi is None else sign * int(centi)


def to_day(text: str) -> date | None:
    """yyyyMMdd, or None."""
    at = _instant(text + "000000")
    return None if at is None else at.date()


_read_points = Points().quick
