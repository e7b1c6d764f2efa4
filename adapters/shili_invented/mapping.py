"""The town's words to ours. Pure; the code tables stand on top."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from adapters.json_door import door_contract
from adapters.json_town import Batch, JsonTownReader
from adapters.shili_invented import wire
from schemas.contributions import (
    ConsentGiven,
    Contribution,
    HouseholdRegistration,
    MemberRegistration,
    Withdrawal,
)
from schemas.ports import Capabilities, Profile
from schemas.values import Category, ContributionKind, Purpose, TownCode

#: ACT → our category. A word that is not here is never guessed.
CATEGORIES: Final[Mapping[str, Category]] = {
    "sort": Category.SORTING,
    "sweep": Category.HYGIENE,
    "night-walk": Category.PATROL,
    "give": Category.CHARITY,
    "help": Category.VOLUNTEERING,
    "learn": Category.LEARNING,
    "neighbour": Category.NEIGHBOURLY,
    "meeting": Category.CIVILITY,
    "litter": Category.CONDUCT,
}
KINDS: Final[Mapping[str, ContributionKind]] = {
    "+": ContributionKind.AWARD,
    "-": ContributionKind.DEDUCTION,
    "undo": ContributionKind.REVERSAL,
}
PURPOSES: Final[Mapping[str, Purpose]] = {"loan": Purpose.LOAN_MAPPING, "goods": Purpose.REDEMPTION}

PROFILE: Final = Profile(
    town=TownCode("shili_invented"),
    name_zh="示例积分（虚构）",
    name_en="Shili points (invented)",
    place_zh="虚构镇",
    place_en="Nowhere",
    division_code=None,
    invented=True,
)
CAPABILITIES: Final = Capabilities(
    holds="person",
    can_freeze=False,
    can_find=False,
    day_statement=True,
    posts_scores=False,
    half_points=False,
    max_items=wire.MAX_ROWS,
)

PUSH: Final = Batch(wire.Row(), "ROWS", wire.MAX_ROWS, "ROW_NO", "SCORE")
PERSONS: Final = Batch(wire.Person(), "PERSONS", wire.MAX_PERSONS)
ENDINGS: Final = Batch(wire.Ending(), "ENDINGS", wire.MAX_PERSONS)


def to_contribution(
    item_no: int, loaded: tuple[Any, ...], categories: Mapping[str, Category]
) -> Contribution:
    """One row as `wire.Row` loaded it, in the order of its fields."""
    row_no, act, how, id_card, score_centi, at, undoes = loaded
    return Contribution(
        item_no, row_no, KINDS[how], act, categories.get(act), score_centi, at, id_no=id_card, reverses=undoes
    )


def to_household(person: wire.Loaded) -> HouseholdRegistration:
    """One person, who holds points alone: no household code."""
    given = ((Purpose.LOAN_MAPPING, person["LOAN_AT"]), (Purpose.REDEMPTION, person["GOODS_AT"]))
    consents = tuple(
        ConsentGiven(purpose, at, person["WORDING"], "", person["GUARDIAN"]) for purpose, at in given if at
    )
    member = MemberRegistration(person["ID_CARD"], person["NAME"], person["PHONE"], False, consents)
    return HouseholdRegistration("", person["VILLAGE"], person["SINCE"], (member,))


def to_withdrawal(ending: wire.Loaded) -> Withdrawal:
    """A consent taken back."""
    return Withdrawal(ending["ID_CARD"], PURPOSES[ending["WHAT"]], ending["AT"])


@cache
def _contract() -> Mapping[str, Any]:
    return door_contract(PROFILE, "Shili", PUSH, PERSONS, ENDINGS)


def create_reader() -> JsonTownReader:
    """Their words to ours: pure, one for all threads."""
    return JsonTownReader(
        profile=PROFILE,
        version="shili_invented/1",
        capabilities=CAPABILITIES,
        categories=CATEGORIES,
        push=PUSH,
        to_contribution=to_contribution,
        households=PERSONS,
        to_household=to_household,
        withdrawals=ENDINGS,
        to_withdrawal=to_withdrawal,
        contract=_contract,
    )
