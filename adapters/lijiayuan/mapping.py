"""沥家园's words to ours. Pure; the code tables stand on top."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from adapters.json_town import Batch, JsonTownReader
from adapters.lijiayuan import wire
from adapters.lijiayuan.events import to_event
from schemas.contributions import (
    ConsentGiven,
    Contribution,
    HouseholdRegistration,
    MemberRegistration,
    Withdrawal,
)
from schemas.feeds import HookEvent
from schemas.ports import Capabilities, Profile
from schemas.values import Category, ContributionKind, Purpose, TownCode

#: taskType → our category. A word that is not here is never guessed: the item is read without a category.
#: The words are ours until the town publishes its list (domain.md: garbage sorting, door-front hygiene, charity, …).
CATEGORIES: Final[Mapping[str, Category]] = {
    "garbageSorting": Category.SORTING,
    "kitchenWasteSorting": Category.SORTING,
    "recyclablesDropOff": Category.SORTING,
    "hazardousWasteDropOff": Category.SORTING,
    "doorFrontHygiene": Category.HYGIENE,
    "courtyardBeautiful": Category.HYGIENE,
    "riverCleaning": Category.HYGIENE,
    "greenBeltAdoption": Category.HYGIENE,
    "safetyPatrol": Category.PATROL,
    "fireHazardReport": Category.PATROL,
    "floodWatch": Category.PATROL,
    "charityDonation": Category.CHARITY,
    "bloodDonation": Category.CHARITY,
    "clothesDonation": Category.CHARITY,
    "volunteerService": Category.VOLUNTEERING,
    "eventSteward": Category.VOLUNTEERING,
    "elderlyVisit": Category.VOLUNTEERING,
    "schoolRoadGuard": Category.VOLUNTEERING,
    "onlineLearning": Category.LEARNING,
    "fraudPreventionQuiz": Category.LEARNING,
    "firstAidCourse": Category.LEARNING,
    "neighbourHelp": Category.NEIGHBOURLY,
    "disputeMediation": Category.NEIGHBOURLY,
    "lostAndFound": Category.NEIGHBOURLY,
    "villageMeeting": Category.CIVILITY,
    "civilFamily": Category.CIVILITY,
    "simpleWedding": Category.CIVILITY,
    "illegalDumping": Category.CONDUCT,
    "illegalParking": Category.CONDUCT,
    "unauthorizedBuilding": Category.CONDUCT,
    "mallPurchase": Category.OTHER,
    "giftToNeighbour": Category.OTHER,
}

KINDS: Final[Mapping[str, ContributionKind]] = {
    "award": ContributionKind.AWARD,
    "deduction": ContributionKind.DEDUCTION,
    "transferIn": ContributionKind.TRANSFER_IN,
    "transferOut": ContributionKind.TRANSFER_OUT,
    "spend": ContributionKind.SPEND,
    "reversal": ContributionKind.REVERSAL,
}

PURPOSES: Final[Mapping[str, Purpose]] = {
    "loanMapping": Purpose.LOAN_MAPPING,
    "redemption": Purpose.REDEMPTION,
}

PROFILE: Final = Profile(
    town=TownCode("lijiayuan"),
    name_zh="沥家园",
    name_en="Lijiayuan",
    place_zh="瓜沥镇",
    place_en="Guali",
    division_code="330109113",
    carries="familyCode",
)

CAPABILITIES: Final = Capabilities(
    holds="household",
    can_freeze=True,
    can_find=True,
    day_statement=True,
    posts_scores=False,
    half_points=True,
    max_items=wire.MAX_ITEMS,
    can_reverse=True,
)


def to_contribution(
    item_no: int, loaded: tuple[Any, ...], categories: Mapping[str, Category]
) -> Contribution:
    """One item as `wire.TaskDone` loaded it, in the order of its fields. The other family of a transfer sends its own item."""
    task_id, task_type, kind, family, id_no, points_centi, finished_at, village, reverses, _ = loaded
    return Contribution(
        item_no, task_id, KINDS[kind], task_type, categories.get(task_type), points_centi, finished_at,
        family, id_no, None, village, reverses, None,
    )  # fmt: skip


def to_household(family: Mapping[str, Any]) -> HouseholdRegistration:
    """A family as `wire.Family` loaded it."""
    return HouseholdRegistration(
        household_code=family["familyCode"],
        village=family["village"],
        member_since_on=family["memberSince"],
        members=tuple(
            MemberRegistration(
                id_no=member["memberIdNo"],
                name=member["memberName"],
                phone=member["phone"],
                is_head=member["isHead"],
                consents=tuple(
                    ConsentGiven(
                        PURPOSES[consent["purpose"]],
                        consent["givenAt"],
                        consent["textVersion"],
                        consent["evidence"] or "",
                        consent["guardian"],
                    )
                    for consent in member["consents"]
                ),
            )
            for member in family["members"]
        ),
    )


def to_withdrawal(given: Mapping[str, Any]) -> Withdrawal:
    """A withdrawal as `wire.ConsentWithdrawal` loaded it."""
    return Withdrawal(given["memberIdNo"], PURPOSES[given["purpose"]], given["withdrawnAt"])


@cache
def _contract() -> Mapping[str, Any]:
    text = (files("adapters.lijiayuan") / "contract" / "openapi.yaml").read_text("utf-8")
    contract: Mapping[str, Any] = yaml.safe_load(text)
    return contract


class LijiayuanReader(JsonTownReader):
    """Reads pushes as every JSON town's, and signed events besides."""

    def read_event(self, body: bytes) -> HookEvent:
        """A webhook of the town. Raises InvalidError."""
        return to_event(body)


def create_reader() -> LijiayuanReader:
    """Their words to ours: pure, one for all threads."""
    return LijiayuanReader(
        profile=PROFILE,
        version="lijiayuan/1",
        capabilities=CAPABILITIES,
        categories=CATEGORIES,
        push=Batch(wire.TaskDone(), "items", wire.MAX_ITEMS, "taskId"),
        to_contribution=to_contribution,
        households=Batch(wire.Family(), "households", wire.MAX_HOUSEHOLDS, "familyCode"),
        to_household=to_household,
        withdrawals=Batch(wire.ConsentWithdrawal(), "withdrawals", wire.MAX_WITHDRAWALS),
        to_withdrawal=to_withdrawal,
        contract=_contract,
    )
