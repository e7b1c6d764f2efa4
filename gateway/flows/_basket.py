"""What a basket comes to: whose points, at which account of which town, at today's price, with which limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from gateway import goods, links, redemptions, subjects
from gateway.db import Transaction
from gateway.house import House
from schemas.errors import ConflictError, InvalidError, RefusedError
from schemas.goods import Offer, Wanted, period_start
from schemas.redemptions import Line
from schemas.values import Purpose, TownCode

MOST_LINES = 20
MOST_COUNT = 99


class TownAccount(NamedTuple):
    """Where a person's points are in a town: the holder in our books, the account as the town calls it."""

    holder_id: int
    account: str


class Priced(NamedTuple):
    """A basket with prices and what about it needs a second person."""

    lines: list[Line]
    total_centi: dict[TownCode, int]
    value_fen: int
    over_limit: list[str]  # codes of goods


def list_town_accounts(
    house: House, tx: Transaction, person_id: int, on: date, consented: set[TownCode] | None = None
) -> dict[TownCode, TownAccount]:
    """Where this person's points are, town by town. For a town that keeps points by person the account is the id number:
    it goes to the town and nowhere else."""
    found: dict[TownCode, TownAccount] = {}
    for row in subjects.list_accounts_of(tx, person_id, on):
        town = TownCode(row.town)
        reader = house.readers.get(town)
        if reader is None:
            continue
        if reader.capabilities.holds == "household":
            found.setdefault(town, TownAccount(row.household_id, row.code))
    persons_towns = {t for t, reader in house.readers.items() if reader.capabilities.holds == "person"}
    if persons_towns and consented is None:
        consented = list_consented(tx, person_id)
    by_person = persons_towns & (consented or set())
    for town in sorted(by_person):
        if house.readers[town].capabilities.account == "openid":
            linked = links.list_accounts(tx, house.keys, town, [person_id])
            for openid in linked.values():
                found[town] = TownAccount(person_id, openid)
        else:
            identity = subjects.get_identity(tx, house.keys, person_id)
            found[town] = TownAccount(person_id, identity.id_no)
    return found


def list_consented(tx: Transaction, person_id: int) -> set[TownCode]:
    """Towns whose points this person agreed to use for goods (PIPL art. 23: purposes differ)."""
    return {town for _, town in subjects.list_consenting(tx, Purpose.REDEMPTION, [person_id])}


def price_basket(
    tx: Transaction,
    branch_no: str,
    person_id: int,
    wanted: Sequence[Wanted],
    shown_centi: Mapping[str, int],
    on: date,
) -> Priced:
    """Today's prices and limits.

    Raises InvalidError for a basket that is none, RefusedError for a good that is not offered or not there, ConflictError when
    the price is not the one that was shown."""
    if not 1 <= len(wanted) <= MOST_LINES:
        raise InvalidError(f"a basket has 1 to {MOST_LINES} lines", code="basket-empty", where="lines")
    towns = sorted({line.town for line in wanted})
    offers = {(o.good_id, o.town): o for o in goods.list_offers(tx, branch_no, towns, on)}
    lines, total_centi = [], dict.fromkeys(towns, 0)
    asked: dict[str, tuple[Offer, int]] = {}
    for want in wanted:
        offer = offers.get((want.good_id, want.town))
        if offer is None or not 1 <= want.quantity_count <= MOST_COUNT:
            raise RefusedError("a good is not offered for these points", code="not-offered", where="lines")
        lines.append(
            Line(offer.good_id, offer.town, want.quantity_count, offer.price_centi, offer.settle_fen)
        )
        total_centi[offer.town] += offer.price_centi * want.quantity_count
        before = asked.get(offer.code, (offer, 0))[1]
        asked[offer.code] = (offer, before + want.quantity_count)
    for code, (offer, count) in asked.items():
        if count > offer.free_count:
            raise RefusedError(
                "the branch has not so many", code="out-of-stock", where=code, value=offer.free_count
            )
    if {str(town): total for town, total in total_centi.items()} != dict(shown_centi):
        raise ConflictError(
            "the price is not the one that was shown",
            code="price-changed",
            where="shown_centi",
            remedy="look at the basket again",
        )
    over = _list_over_limit(tx, person_id, list(asked.values()), on)
    value_fen = sum(line.settle_fen * line.quantity_count for line in lines)
    return Priced(lines, total_centi, value_fen, over)


def _list_over_limit(
    tx: Transaction, person_id: int, asked: Sequence[tuple[Offer, int]], on: date
) -> list[str]:
    """Codes of goods of which a person would have more than their limit."""
    limited = [(offer, count) for offer, count in asked if offer.limit_count]
    if not limited:
        return []
    month_on, year_on = period_start("month", on), period_start("year", on)
    taken = redemptions.list_taken(tx, person_id, month_on=month_on, year_on=year_on)
    had = {good_id: counts._asdict() for good_id, counts in taken.items()}
    return [
        offer.code
        for offer, count in limited
        if had.get(offer.good_id, {}).get(f"{offer.limit_period}_count", 0) + count > offer.limit_count
    ]
