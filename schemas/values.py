"""Values: ids, enumerations, instants and units.

Units stand last in names: `points_centi` is 1/100 point, `amount_fen` is 1/100 CNY, `discount_bp` is 1/100 of a
percentage point. Instants end in `_at` (aware, UTC), dates in `_on` (Asia/Shanghai calendar), ends in `_until` (exclusive).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import NewType
from uuid import UUID

TownCode = NewType("TownCode", str)  # 'lijiayuan', 'nanyang_young', …: the adapter's folder name
HolderId = NewType("HolderId", int)  # a household's or a person's id: one id space for both
PersonId = NewType("PersonId", int)
HouseholdId = NewType("HouseholdId", int)
Serial = NewType("Serial", str)  # a bank's serial number (流水号), our CONSUMER_SEQ_NO

GUARDIAN_UNTIL_AGE = 14  # PIPL art. 31: below it a guardian consents

BEIJING = timezone(timedelta(hours=8), "CST")  # China has kept UTC+8 without summer time since 1991


class ContributionKind(StrEnum):
    """What moves points (towns.md)."""

    AWARD = "award"
    DEDUCTION = "deduction"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    SPEND = "spend"
    REVERSAL = "reversal"
    POSTED_SCORE = "posted_score"


#: Kinds that count as *contribution* (for loans). Gifts and purchases move what can be spent, not what was given.
CONTRIBUTED = frozenset({ContributionKind.AWARD, ContributionKind.DEDUCTION, ContributionKind.REVERSAL})


class Category(StrEnum):
    """Our words for what a resident did; each town's adapter maps its activity codes to one of these."""

    SORTING = "sorting"  # 垃圾分类
    HYGIENE = "hygiene"  # 门前卫生
    PATROL = "patrol"  # 平安巡防
    CHARITY = "charity"  # 公益慈善
    VOLUNTEERING = "volunteering"  # 志愿服务
    LEARNING = "learning"  # 学习
    NEIGHBOURLY = "neighbourly"  # 邻里互助
    CIVILITY = "civility"  # 文明乡风
    CONDUCT = "conduct"  # 违规减分
    OTHER = "other"


class Purpose(StrEnum):
    """What a consent is for (PIPL art. 23: a named purpose; purposes differ)."""

    LOAN_MAPPING = "loan_mapping"
    REDEMPTION = "redemption"


class ItemStatus(StrEnum):
    """The answer to one pushed item (towns.md)."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


def beijing_date(at: datetime) -> date:
    """The accounting date of an aware instant."""
    return at.astimezone(BEIJING).date()


def month_of(on: date) -> int:
    """`date` to yyyymm as an integer, e.g. 202611."""
    return on.year * 100 + on.month


def months_before(month: int, count: int) -> int:
    """The month `count` months before yyyymm `month`."""
    index = month // 100 * 12 + month % 100 - 1 - count
    return index // 12 * 100 + index % 12 + 1


def age_on(birth_on: date | None, on: date) -> int | None:
    """Whole years of age on a day; None when the birth date is not known."""
    if birth_on is None:
        return None
    return on.year - birth_on.year - ((on.month, on.day) < (birth_on.month, birth_on.day))


def instant_text(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds and Z: the one form in which instants enter records and digests."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def points_text(points_centi: int) -> str:
    """Centi-points to the shortest decimal text: 58300 → '583', 250 → '2.5'."""
    return format((Decimal(points_centi) / 100).normalize(), "f")


def yuan_text(amount_fen: int) -> str:
    """Fen to CNY with two decimals and thousands separators."""
    return f"{Decimal(amount_fen) / 100:,.2f}"


def percent_text(rate_bp: int) -> str:
    """Basis points to percent with two decimals: 442 → '4.42'."""
    return f"{Decimal(rate_bp) / 100:.2f}"


def first_id_of(at: datetime) -> UUID:
    """The smallest UUIDv7 (RFC 9562) an id given from this instant on can have: ids begin with their millisecond."""
    millis = max(int(at.timestamp() * 1000), 0)
    return UUID(int=millis << 80 | 0x7 << 76 | 0x2 << 62)
