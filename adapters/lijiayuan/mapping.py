"""沥家园's words to ours. Pure; the code tables stand on top."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

from adapters.json_reading import (
    Form,
    form_of,
    judge,
    list_items,
    parse_json,
    parse_line,
    split_lines,
    without_items,
)
from adapters.lijiayuan import wire
from schemas.acceptor import compile_acceptor
from schemas.contributions import (
    ConsentGiven,
    Contribution,
    FaultyItem,
    HouseholdRegistration,
    MemberRegistration,
    ReadPush,
    Withdrawal,
)
from schemas.errors import InvalidError
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
)

CAPABILITIES: Final = Capabilities(
    holds="household",
    can_freeze=True,
    can_find=True,
    day_statement=True,
    posts_scores=False,
    half_points=True,
    max_items=wire.MAX_ITEMS,
)

_TASK: Final[Form] = form_of(wire.TaskDone(), reference="taskId")
_ACCEPT_TASK: Final = compile_acceptor(_TASK.schema)
_FAMILY: Final[Form] = form_of(wire.Family(), reference="familyCode")
_WITHDRAWAL: Final[Form] = form_of(wire.ConsentWithdrawal())


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


class LijiayuanReader:
    """Their words to ours (`schemas.ports.TownReader`). Without state: one for all threads."""

    town = PROFILE.town
    profile = PROFILE
    version = "lijiayuan/1"
    capabilities = CAPABILITIES

    def read_push(self, body: bytes, codes: Mapping[str, Category]) -> ReadPush:
        """A single item or {"items": […]}. Faults stand at '/items/3/memberIdNo'."""
        items, under = list_items(parse_json(body), "items", wire.MAX_ITEMS)
        categories = {**codes, **CATEGORIES}
        accept = _ACCEPT_TASK
        read = ReadPush([], [])
        good = read.items
        for item_no, item in enumerate(items):
            loaded = accept(item)
            if loaded is not None:
                good.append(to_contribution(item_no, loaded, categories))
            else:
                _judge_task(item, item_no, f"{under}/{item_no}" if under else "", categories, read)
        return read

    def read_lines(self, body: bytes, codes: Mapping[str, Category], first_no: int = 0) -> ReadPush:
        """One item a line; blank lines carry no number. A line is a document: its faults stand at '/memberIdNo'."""
        categories = {**codes, **CATEGORIES}
        accept = _ACCEPT_TASK
        read = ReadPush([], [])
        good = read.items
        for item_no, line in enumerate(split_lines(body), first_no):
            try:
                item = parse_line(line)
            except InvalidError as exc:
                detail = f"{exc.what} ({exc.where}); {exc.remedy}"
                read.faults.append(FaultyItem(item_no, None, exc.code, "/", detail))
                continue
            loaded = accept(item)
            if loaded is not None:
                good.append(to_contribution(item_no, loaded, categories))
            else:
                _judge_task(item, item_no, "", categories, read)
        return read

    def without_items(self, body: bytes, item_nos: Collection[int], *, as_lines: bool) -> bytes:
        """The push with these items replaced by null, so that the others keep their numbers."""
        return without_items(body, frozenset(item_nos), "items", as_lines=as_lines)

    def read_households(self, body: bytes) -> tuple[list[HouseholdRegistration], list[FaultyItem]]:
        """A family or {"households": […]}. A family with one fault is refused whole."""
        loaded, faults = _load_all(body, "households", wire.MAX_HOUSEHOLDS, _FAMILY)
        return [to_household(family) for family in loaded], faults

    def read_withdrawals(self, body: bytes) -> tuple[list[Withdrawal], list[FaultyItem]]:
        """A withdrawal or {"withdrawals": […]}."""
        loaded, faults = _load_all(body, "withdrawals", wire.MAX_WITHDRAWALS, _WITHDRAWAL)
        return [to_withdrawal(given) for given in loaded], faults

    def openapi_paths(self) -> Mapping[str, Any]:
        """The paths and component schemas of this town's door, from the contract beside this file."""
        contract = _contract()
        return {"paths": contract["paths"], "components": contract["components"]}


def _judge_task(
    item: Any,
    item_no: int,
    pointer: str,
    categories: Mapping[str, Category],
    read: ReadPush,
) -> None:
    verdict = judge(_TASK, item, item_no, pointer)
    if isinstance(verdict, FaultyItem):
        read.faults.append(verdict)
    else:
        read.items.append(to_contribution(item_no, tuple(verdict[name] for name in _TASK.fields), categories))


def _load_all(
    body: bytes, listed: str, most: int, form: Form
) -> tuple[list[Mapping[str, Any]], list[FaultyItem]]:
    items, under = list_items(parse_json(body), listed, most)
    good: list[Mapping[str, Any]] = []
    faults: list[FaultyItem] = []
    for item_no, item in enumerate(items):
        verdict = judge(form, item, item_no, f"{under}/{item_no}" if under else "")
        if isinstance(verdict, FaultyItem):
            faults.append(verdict)
        else:
            good.append(verdict)
    return good, faults


@cache
def _contract() -> Mapping[str, Any]:
    text = (files("adapters.lijiayuan") / "contract" / "openapi.yaml").read_text("utf-8")
    contract: Mapping[str, Any] = yaml.safe_load(text)
    return contract
