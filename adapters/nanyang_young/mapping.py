"""南阳young's words to ours. Pure; the code tables stand on top."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import orjson
import yaml

from adapters.json_reading import Form, RepeatedKeys, form_of, judge, parse_json, safe_token, split_lines
from adapters.nanyang_young import wire
from schemas.acceptor import compile_acceptor
from schemas.contributions import Contribution, FaultyItem, HouseholdRegistration, ReadPush, Withdrawal
from schemas.errors import InvalidError
from schemas.feeds import FeedPage, HookEvent
from schemas.ports import Capabilities, Profile
from schemas.values import Category, ContributionKind, TownCode

#: task → our category. A word that is not here is never guessed: the item is read without a category.
#: The words are ours until the town publishes its list (domain.md: town tasks).
CATEGORIES: Final[Mapping[str, Category]] = {
    "waste_sorting": Category.SORTING,
    "recycling_day": Category.SORTING,
    "clean_lane": Category.HYGIENE,
    "river_watch": Category.HYGIENE,
    "night_patrol": Category.PATROL,
    "fire_check": Category.PATROL,
    "blood_donation": Category.CHARITY,
    "charity_sale": Category.CHARITY,
    "volunteer_shift": Category.VOLUNTEERING,
    "airport_guide": Category.VOLUNTEERING,
    "school_crossing": Category.VOLUNTEERING,
    "night_school": Category.LEARNING,
    "fraud_quiz": Category.LEARNING,
    "help_neighbour": Category.NEIGHBOURLY,
    "mediation": Category.NEIGHBOURLY,
    "residents_meeting": Category.CIVILITY,
    "plain_wedding": Category.CIVILITY,
    "littering": Category.CONDUCT,
    "illegal_parking": Category.CONDUCT,
    "shop_purchase": Category.OTHER,
}

KINDS: Final[Mapping[str, ContributionKind]] = {
    "award": ContributionKind.AWARD,
    "deduction": ContributionKind.DEDUCTION,
    "spend": ContributionKind.SPEND,
    "reversal": ContributionKind.REVERSAL,
}

PROFILE: Final = Profile(
    town=TownCode("nanyang_young"),
    name_zh="南阳young",
    name_en="Nanyang young",
    place_zh="南阳街道",
    place_en="Nanyang",
    division_code=None,  # 330109117 was the town's; today's subdistrict code is not known to us (domain.md)
    carries="openid",
)

CAPABILITIES: Final = Capabilities(
    holds="person",
    can_freeze=True,
    can_find=True,
    day_statement=True,
    posts_scores=False,
    half_points=True,
    max_items=wire.PAGE_ITEMS,
    feed=True,
    pushes=False,
    account="openid",
    can_reverse=True,
)

LISTED: Final = "changes"
_BESIDE: Final = frozenset({LISTED, "next_cursor", "has_more", "oldest_seq", "void"})
_CHANGE: Final[Form] = form_of(wire.Change(), reference="change_id")
_ACCEPT: Final = compile_acceptor(_CHANGE.schema)
_EVENT: Final[Form] = form_of(wire.Event())


def to_contribution(
    item_no: int, loaded: tuple[Any, ...], categories: Mapping[str, Category]
) -> Contribution:
    """One change as `wire.Change` loaded it, in the order of its fields. The sequence number is the feed's, not the item's."""
    _, change_id, openid, task, kind, points_centi, occurred_at, village, reverses = loaded
    return Contribution(
        item_no, change_id, KINDS[kind], task, categories.get(task), points_centi, occurred_at,
        None, None, openid, village, reverses, None,
    )  # fmt: skip


class NanyangReader:
    """Their words to ours (`schemas.ports.TownReader`). Without state: one for all threads."""

    town = PROFILE.town
    profile = PROFILE
    version = "nanyang_young/1"
    capabilities = CAPABILITIES

    def read_push(self, body: bytes, codes: Mapping[str, Category]) -> ReadPush:
        """A page of the feed, {"changes": […]}, or one change. Faults stand at '/changes/3/openid'."""
        document = parse_json(body)
        categories = {**codes, **CATEGORIES}
        read = ReadPush([], [])
        if isinstance(document, dict) and LISTED not in document:
            _read_item(document, 0, "", categories, read)
            return read
        items = _items_of(document)
        if not items:
            raise InvalidError("holds no item", code="items-empty", where="/" + LISTED)
        for item_no, item in enumerate(items):
            _read_item(item, item_no, f"/{LISTED}/{item_no}", categories, read)
        return read

    def read_lines(self, body: bytes, codes: Mapping[str, Category], first_no: int = 0) -> ReadPush:
        """One change a line: how a page is kept when it is exported. A broken line is a fault of its own."""
        categories = {**codes, **CATEGORIES}
        read = ReadPush([], [])
        for item_no, line in enumerate(split_lines(body), first_no):
            try:
                item = parse_json(line)
            except InvalidError as exc:
                read.faults.append(FaultyItem(item_no, None, exc.code, "/", f"{exc.what} ({exc.where})"))
                continue
            _read_item(item, item_no, "", categories, read)
        return read

    def without_items(self, body: bytes, item_nos: Collection[int], *, as_lines: bool) -> bytes:
        """The page with these items replaced by null, so that the others keep their numbers."""
        gone = frozenset(item_nos)
        if as_lines:
            lines = [b"null" if at in gone else line for at, line in enumerate(split_lines(body))]
            return b"\n".join([*lines, b""])
        document = orjson.loads(body)
        if LISTED not in document:
            return b"null" if 0 in gone else body
        items = document[LISTED]
        return orjson.dumps({LISTED: [None if at in gone else item for at, item in enumerate(items)]})

    def read_households(self, body: bytes) -> tuple[list[HouseholdRegistration], list[FaultyItem]]:
        """Refused: this town's residents link their accounts themselves."""
        raise _not_offered()

    def read_withdrawals(self, body: bytes) -> tuple[list[Withdrawal], list[FaultyItem]]:
        """Refused: this town's residents withdraw where they linked."""
        raise _not_offered()

    def read_event(self, body: bytes) -> HookEvent:
        """A webhook of the town. Raises InvalidError."""
        verdict = judge(_EVENT, parse_json(body), 0, "")
        if isinstance(verdict, FaultyItem):
            raise InvalidError(verdict.detail, code=verdict.code, where=verdict.where)
        return HookEvent("changes")

    def openapi_paths(self) -> Mapping[str, Any]:
        """The paths and component schemas of this town's door, from the contract beside this file."""
        contract = _contract()
        return {"paths": contract["paths"], "components": contract["components"]}


def read_page(body: bytes) -> FeedPage:
    """Cursor and sequence numbers of a page. Raises InvalidError when it cannot be followed: then nothing of it is stored."""
    document = parse_json(body)
    items = _items_of(document)
    cursor, more, oldest = document.get("next_cursor"), document.get("has_more"), document.get("oldest_seq")
    for name, right in (
        ("next_cursor", isinstance(cursor, str) and 0 < len(cursor) <= 256 and cursor.isascii()),
        ("has_more", isinstance(more, bool)),
        ("oldest_seq", _is_seq(oldest)),
    ):
        if not right:
            raise InvalidError("the page cannot be followed", code="feed-page-unreadable", where=f"/{name}")
    ranges = document.get("void", [])
    if not isinstance(ranges, list) or not all(_is_range(pair) for pair in ranges):
        raise InvalidError("void is not a list of ranges", code="feed-page-unreadable", where="/void")
    seqs = tuple(item["seq"] for item in items if isinstance(item, dict) and _is_seq(item.get("seq")))
    void = tuple((int(low), int(high) + 1) for low, high in ranges)
    return FeedPage(body, len(items), str(cursor), bool(more), int(oldest or 0), seqs, void)


def _is_seq(value: Any) -> bool:
    return type(value) is int and 0 < value <= wire.MAX_SEQ


def _is_range(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(map(_is_seq, pair)) and pair[0] <= pair[1]


def _items_of(document: Any) -> list[Any]:
    """The items of a page; beside them only the page's own fields stand. Raises InvalidError."""
    if isinstance(document, RepeatedKeys):
        raise InvalidError("a key stands twice", code="key-twice", where="/" + safe_token(document.key))
    if not isinstance(document, dict):
        raise InvalidError("the document must be a JSON object", code="document-not-an-object", where="/")
    others = sorted(safe_token(key) for key in document if key not in _BESIDE)
    if others:
        raise InvalidError(
            "beside the page's own fields nothing may stand", code="field-unknown", where="/" + others[0]
        )
    items = document.get(LISTED)
    if not isinstance(items, list):
        raise InvalidError("must be an array", code="items-not-an-array", where="/" + LISTED)
    if len(items) > wire.PAGE_ITEMS:
        raise InvalidError(
            f"holds {len(items)} items; at most {wire.PAGE_ITEMS} are taken", code="items-too-many", where="/" + LISTED,
        )  # fmt: skip
    return items


def _read_item(
    item: Any, item_no: int, pointer: str, categories: Mapping[str, Category], read: ReadPush
) -> None:
    loaded = _ACCEPT(item)
    if loaded is not None:
        read.items.append(to_contribution(item_no, loaded, categories))
        return
    verdict = judge(_CHANGE, item, item_no, pointer)
    if isinstance(verdict, FaultyItem):
        read.faults.append(verdict)
    else:
        values = tuple(verdict[name] for name in _CHANGE.fields)
        read.items.append(to_contribution(item_no, values, categories))


def _not_offered() -> InvalidError:
    return InvalidError(
        "this town's residents link their accounts and withdraw themselves", code="not-offered",
        remedy="send the resident to the linking page",
    )  # fmt: skip


@cache
def _contract() -> Mapping[str, Any]:
    text = (files("adapters.nanyang_young") / "contract" / "openapi.yaml").read_text("utf-8")
    contract: Mapping[str, Any] = yaml.safe_load(text)
    return contract
