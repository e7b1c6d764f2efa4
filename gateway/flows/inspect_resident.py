"""A clerk looks at a resident: why is recorded ‖ each town is asked what can be spent ‖ our books stand beside it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from gateway import goods, ledger, redemptions, staff, subjects
from gateway.db import Row, Transaction
from gateway.flows._basket import TownAccount, list_consented, list_town_accounts
from gateway.flows._benefit_words import Benefit, list_benefits
from gateway.house import House
from gateway.translog import append_records
from schemas.errors import GatewayError
from schemas.goods import Offer, period_start
from schemas.masking import masked_id_no, masked_name
from schemas.redemptions import LookReason
from schemas.staff import StaffCaller
from schemas.values import TownCode, beijing_date

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TownPoints:
    """What stands in one town. `live_centi` None: it could not be asked, `code` says why."""

    town: TownCode
    live_centi: int | None
    booked_centi: int
    held_centi: int
    owed_centi: int = 0  # taken back after it was spent: later points pay it first
    held_until: datetime | None = None  # when what is held first goes back by itself
    code: str = ""  # '' spendable; 'no-consent', 'town-not-connected', 'town-cannot-freeze', or why the town did not answer

    @property
    def spendable_centi(self) -> int:
        """What may be spent now: what the town says, when it may be used at all."""
        return self.live_centi or 0 if not self.code else 0


@dataclass(frozen=True, slots=True)
class ResidentView:
    """A resident as the counter sees them: masked, with points, offers and history."""

    person_id: int
    masked_name: str = field(repr=False)
    masked_id_no: str = field(repr=False)
    towns: tuple[TownPoints, ...]
    offers: tuple[Offer, ...]
    history: tuple[Row, ...]
    benefits: tuple[Benefit, ...]
    taken: Mapping[UUID, int]  # good → how many in the period its limit counts in


def inspect_resident(
    house: House, caller: StaffCaller, person_id: int, reason: LookReason, *, now: datetime
) -> ResidentView:
    """The resident, asked live. The look is recorded first: it counts even when nothing comes back. Raises NotFoundError."""
    on = beijing_date(now)
    with house.db.transaction() as tx:
        identity = subjects.get_identity(tx, house.keys, person_id)
        draft = staff.insert_look(tx, caller, person_id, reason, now=now, look_id=house.new_id())
        append_records(tx, [draft], now=now, new_id=house.new_id)
        accounts = list_town_accounts(house, tx, person_id, on)
        consented = list_consented(tx, person_id)
        standing = ledger.list_standing(tx, sorted({a.holder_id for a in accounts.values()}))
        holds = ledger.list_open_holds(tx, sorted({a.holder_id for a in accounts.values()}))
        offers = goods.list_offers(tx, caller.branch_no, sorted(accounts), on)
        history = redemptions.list_of_person(tx, person_id, 5)
        taken = _count_taken(tx, person_id, offers, on)
        told = list_benefits(tx, person_id, on)
    ends = {(hold.holder_id, hold.town): hold.expires_at for hold in reversed(holds)}
    towns = []
    for town, account in sorted(accounts.items()):
        stands = standing.get((account.holder_id, town), ledger.Standing())
        live_centi, code = _ask(house, town, account, consented)  # ‖
        until = ends.get((account.holder_id, town))
        points = TownPoints(
            town, live_centi, stands.spendable_centi, stands.held_centi, stands.owed_centi, until, code
        )
        towns.append(points)
    return ResidentView(
        person_id,
        masked_name(identity.name),
        masked_id_no(identity.id_no),
        tuple(towns),
        tuple(offers),
        tuple(history),
        told,
        taken,
    )


def _count_taken(tx: Transaction, person_id: int, offers: Sequence[Offer], on: date) -> dict[UUID, int]:
    """How many of each offered good the person has had in the period its limit counts in."""
    month_on, year_on = period_start("month", on), period_start("year", on)
    taken = redemptions.list_taken(tx, person_id, month_on=month_on, year_on=year_on)
    return {
        offer.good_id: getattr(taken[offer.good_id], f"{offer.limit_period}_count")
        for offer in offers
        if offer.good_id in taken
    }


def _ask(
    house: House, town: TownCode, account: TownAccount, consented: set[TownCode]
) -> tuple[int | None, str]:
    """What the town says, and why it cannot be spent. Without consent the town is not even asked."""
    if town not in consented:
        return None, "no-consent"
    client = house.clients.get(town)
    if client is None:
        return None, "town-not-connected"
    try:
        live_centi = client.balance(account.account)
    except GatewayError as exc:
        return None, exc.code
    except Exception as exc:  # a question changes nothing: the page says that the town did not answer
        log.error("asking %s for a balance failed unexpectedly: %s", town, type(exc).__name__)
        return None, "unexpected"
    return live_centi, "" if house.readers[town].capabilities.can_freeze else "town-cannot-freeze"
