"""平安共富积分's words to ours. Pure; the code tables stand on top."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final

from marshmallow import ValidationError

from adapters.json_reading import first_fault, split_lines
from adapters.pingan_gongfu import wire
from adapters.soap_reading import Element, canonical, local_name, parse_xml
from schemas.acceptor import WireField, WireSchema, compile_acceptor
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
from schemas.values import Category, ContributionKind, ItemStatus, Purpose, TownCode, beijing_date

CONTRACT: Final = files("adapters.pingan_gongfu") / "contract"
NAMESPACE: Final = "urn:pingan-gongfu:gateway:1"
PLATFORM: Final = "urn:pingan-gongfu:platform:1"

PROFILE: Final = Profile(
    TownCode("pingan_gongfu"), "平安共富积分", "Ping'an Gongfu", "衙前镇", "Yaqian", "330109108"
)

#: HDLX → our category. A code that is not here is never guessed: the item is read without a category.
#: The codes are ours until the town publishes its list (domain.md: safety patrol, charity, safety videos, quiz contests).
CATEGORIES: Final[Mapping[str, Category]] = {
    "PAXF": Category.PATROL,  # 平安巡防
    "YXXL": Category.PATROL,  # 夜间巡逻
    "XFYH": Category.PATROL,  # 消防隐患上报
    "ZAXS": Category.PATROL,  # 治安线索
    "GYCS": Category.CHARITY,  # 公益慈善
    "WXJX": Category.CHARITY,  # 无偿献血
    "JZJW": Category.CHARITY,  # 捐赠衣物
    "ZYFW": Category.VOLUNTEERING,  # 志愿服务
    "JTQD": Category.VOLUNTEERING,  # 交通劝导
    "FZXC": Category.VOLUNTEERING,  # 反诈宣传
    "AQSP": Category.LEARNING,  # 安全视频
    "ZSJS": Category.LEARNING,  # 知识竞赛
    "AQPX": Category.LEARNING,  # 安全培训
    "MDTJ": Category.NEIGHBOURLY,  # 矛盾调解
    "LLHZ": Category.NEIGHBOURLY,  # 邻里互助
    "CZSB": Category.CIVILITY,  # 出租房申报
    "WMJT": Category.CIVILITY,  # 文明家庭
    "WFXW": Category.CONDUCT,  # 违法行为
    "XFWG": Category.CONDUCT,  # 消防违规
    "SCXF": Category.OTHER,  # 商城消费
}

KINDS: Final[Mapping[str, ContributionKind]] = {
    wire.AWARD: ContributionKind.AWARD,
    wire.DEDUCTION: ContributionKind.DEDUCTION,
    wire.REVERSAL: ContributionKind.REVERSAL,
    wire.SPEND: ContributionKind.SPEND,
}

PURPOSES: Final[Mapping[str, Purpose]] = {
    wire.LOAN: Purpose.LOAN_MAPPING,
    wire.REDEMPTION: Purpose.REDEMPTION,
}

STATES: Final[Mapping[str, str]] = {
    wire.FROZEN: "frozen",
    wire.CONFIRMED: "confirmed",
    wire.RELEASED: "released",
    wire.EXPIRED: "expired",
    wire.REVERSED: "reversed",
    wire.POSTED: "posted",
}


class Meaning(StrEnum):
    """What a return code of the platform means for us."""

    DONE = "done"
    REPEATED = "repeated"  # done before under this serial: the answer is the first one again
    CONFLICT = "conflict"
    ACCOUNT_UNKNOWN = "account unknown"
    NOT_ENOUGH = "not enough points"
    NOT_FOUND = "original not found"
    ENDED = "already reversed"
    BUSY = "busy"
    UNKNOWN = "unknown"


#: FHM of the platform → what it means. A code that is not here is as 9999: it is never guessed that nothing happened.
MEANINGS: Final[Mapping[str, Meaning]] = {
    "0000": Meaning.DONE,
    "1001": Meaning.REPEATED,
    "1002": Meaning.CONFLICT,
    "2001": Meaning.ACCOUNT_UNKNOWN,
    "2002": Meaning.NOT_ENOUGH,
    "2003": Meaning.CONFLICT,
    "3001": Meaning.NOT_FOUND,
    "3002": Meaning.ENDED,
    "9001": Meaning.BUSY,
    "9999": Meaning.UNKNOWN,
}

#: What we answer to an item.
ITEM_CODES: Final[Mapping[ItemStatus, str]] = {
    ItemStatus.ACCEPTED: "0000",
    ItemStatus.DUPLICATE: "1001",
    ItemStatus.CONFLICT: "1002",
    ItemStatus.QUARANTINED: "4001",
    ItemStatus.REJECTED: "4002",
}

CAPABILITIES: Final = Capabilities(
    holds="person",
    can_freeze=True,
    can_find=True,
    day_statement=True,
    posts_scores=False,
    half_points=True,
    max_items=wire.MAX_ITEMS,
    speaks="soap",
    day_file=True,
    can_reverse=True,
)

_HD, _RY, _CH = wire.HD(), wire.RY(), wire.CH()
_FIELDS: Final = tuple(_HD.fields)
_ACCEPT: Final = compile_acceptor(_HD)
_CUT_LINE: Final = b"MX"  # stands where a line was that may not be kept


def to_contribution(
    item_no: int, loaded: tuple[Any, ...], categories: Mapping[str, Category]
) -> Contribution:
    """One item as `wire.HD` loaded it, in the order of its fields. The name is looked at and not taken."""
    serial, id_no, _, activity, kind, points_centi, happened_at, original = loaded
    return Contribution(
        item_no, serial, KINDS[kind], activity, categories.get(activity), points_centi, happened_at,
        None, id_no, None, None, original, None,
    )  # fmt: skip


def to_person(person: Mapping[str, Any]) -> HouseholdRegistration:
    """A person as `wire.RY` loaded them: registered for themselves, in no household."""
    consents = tuple(
        ConsentGiven(PURPOSES[c["YT"]], c["TYSJ"], c["WBBB"], c["PZH"] or "", c["JHR"] == "1")
        for c in person["TYLB"]
    )
    member = MemberRegistration(person["SFZH"], person["XM"], person["SJH"], True, consents)
    return HouseholdRegistration("", "", min(beijing_date(c.given_at) for c in consents), (member,))


def to_withdrawal(given: Mapping[str, Any]) -> Withdrawal:
    """A withdrawal as `wire.CH` loaded it."""
    return Withdrawal(given["SFZH"], PURPOSES[given["YT"]], given["CHSJ"])


class PinganReader:
    """Their words to ours (`schemas.ports.TownReader`). Without state: one for all threads.

    A push is the element `JFTS`, canonical and in UTF-8 as the door hands it on; lines are those of a day file (GB18030).
    """

    town = PROFILE.town
    profile = PROFILE
    version = "pingan_gongfu/1"
    capabilities = CAPABILITIES

    def read_push(self, body: bytes, codes: Mapping[str, Category]) -> ReadPush:
        """Faults stand at '/JFTS/HDLB/HD[3]/SFZH'."""
        categories = {**codes, **CATEGORIES}
        read = ReadPush([], [])
        for item_no, element in enumerate(_listed(body, "JFTS", "HDLB", "HD", wire.MAX_ITEMS)):
            _read_item(_words_of(element), item_no, f"/JFTS/HDLB/HD[{item_no + 1}]", categories, read)
        return read

    def read_lines(self, body: bytes, codes: Mapping[str, Category], first_no: int = 0) -> ReadPush:
        """Lines of a day file: 'MX|LSH|SFZH|…'. Faults stand at '/MX/SFZH'."""
        categories = {**codes, **CATEGORIES}
        read = ReadPush([], [])
        for item_no, line in enumerate(split_lines(body), first_no):
            words = _words_of_line(line)
            if isinstance(words, FaultyItem):
                read.faults.append(words._replace(item_no=item_no))
            else:
                _read_item(words, item_no, "/MX", categories, read)
        return read

    def without_items(self, body: bytes, item_nos: Collection[int], *, as_lines: bool) -> bytes:
        """The push with these items emptied, so that the others keep their numbers."""
        if as_lines:
            return b"\n".join(
                [*(_CUT_LINE if no in item_nos else line for no, line in enumerate(split_lines(body))), b""]
            )
        root = parse_xml(body, "message")
        for item_no, element in enumerate(_children(root, "HDLB", "HD")):
            if item_no in item_nos:
                element.clear()
        return canonical(root)

    def read_households(self, body: bytes) -> tuple[list[HouseholdRegistration], list[FaultyItem]]:
        """RYDJ: persons, each for themselves (household code empty)."""
        loaded, faults = _load_all(body, ("RYDJ", "RYLB", "RY"), wire.MAX_PERSONS, _RY)
        return [to_person(person) for person in loaded], faults

    def read_withdrawals(self, body: bytes) -> tuple[list[Withdrawal], list[FaultyItem]]:
        """TYCH."""
        loaded, faults = _load_all(body, ("TYCH", "CHLB", "CH"), wire.MAX_WITHDRAWALS, _CH)
        return [to_withdrawal(given) for given in loaded], faults

    def openapi_paths(self) -> Mapping[str, Any]:
        """None: this town's door is described by its WSDL."""
        return {"paths": {}, "components": {"schemas": {}}}


def _read_item(
    words: dict[str, Any] | None, item_no: int, place: str, categories: Mapping[str, Category], read: ReadPush
) -> None:
    loaded = None if words is None else _ACCEPT(words)
    if loaded is not None:
        read.items.append(to_contribution(item_no, loaded, categories))
        return
    verdict = _judge(_HD, words, item_no, place)
    if isinstance(verdict, FaultyItem):
        read.faults.append(verdict)
    else:
        read.items.append(to_contribution(item_no, tuple(verdict[name] for name in _FIELDS), categories))


def _judge(
    schema: WireSchema, words: Mapping[str, Any] | None, item_no: int, place: str
) -> Mapping[str, Any] | FaultyItem:
    """marshmallow's verdict; keeps the item's serial when that could be read, and nothing else of it."""
    if words is None:
        return FaultyItem(item_no, None, "element-twice", place, "an element stands twice in this item")
    if not words:
        return FaultyItem(item_no, None, "item-empty", place, "nothing stands in this item")
    try:
        loaded: Mapping[str, Any] = schema.load(words)
    except ValidationError as exc:
        inside, fault = first_fault(exc.messages, tuple(schema.fields))
        serial = schema.fields.get("LSH")
        reference = serial.quick(words.get("LSH")) if isinstance(serial, WireField) else None
        return FaultyItem(item_no, reference, fault.code, place + _one_based(inside), str(fault))
    return loaded


def _one_based(pointer: str) -> str:
    """'/TYLB/0/YT' → '/TYLB/TY[1]/YT'."""
    return "".join(
        f"/TY[{int(step) + 1}]" if step.isdigit() else f"/{step}" for step in pointer.split("/")[1:]
    )


def _listed(body: bytes, outer: str, listed: str, item: str, most: int) -> Sequence[Element]:
    """The item elements of a message. Raises InvalidError when it is not that message."""
    root = parse_xml(body, "message")
    if root.tag != f"{{{NAMESPACE}}}{outer}":
        raise InvalidError(
            f"this is no {outer}", code="element-unexpected", where=f"/{local_name(root)[:40]}",
            remedy="the WSDL names the elements and their namespace",
        )  # fmt: skip
    found = _children(root, listed, item)
    if not found:
        raise InvalidError(
            "holds no item", code="items-empty", where=f"/{outer}/{listed}", remedy="send nothing instead"
        )
    if len(found) > most:
        raise InvalidError(
            f"holds {len(found)} items; at most {most} are taken", code="items-too-many", where=f"/{outer}/{listed}",
            remedy="split the message",
        )  # fmt: skip
    return found


def _children(root: Element, listed: str, item: str) -> list[Element]:
    return [
        e
        for found in root.iterchildren(f"{{{NAMESPACE}}}{listed}")
        for e in found.iterchildren(f"{{{NAMESPACE}}}{item}")
    ]


_PREFIX: Final = len(NAMESPACE) + 2


def _words_of(element: Element) -> dict[str, Any] | None:
    """Name → text of the elements that are not empty; None when a name stands twice."""
    words: dict[str, Any] = {}
    for child in element:
        name = child.tag[_PREFIX:]
        if name in words:
            return None
        text = child.text
        if text:
            words[name] = text
        elif len(child):
            words[name] = [_words_of(inner) for inner in child]
    return words


def _words_of_line(line: bytes) -> dict[str, Any] | FaultyItem:
    if line.strip() == _CUT_LINE:
        return {}
    try:
        text = line.decode("gb18030").rstrip("\r")
    except UnicodeDecodeError:
        return FaultyItem(
            0, None, "character-outside-encoding", "/MX", "the bytes of this line are not GB18030"
        )
    kind, *fields = text.split("|")
    if kind != "MX" or len(fields) != len(_FIELDS):
        return FaultyItem(
            0,
            None,
            "line-shape",
            "/MX",
            f"a line is MX and {len(_FIELDS)} fields with | between: {'|'.join(_FIELDS)}",
        )
    return {name: field for name, field in zip(_FIELDS, fields, strict=True) if field}


def _load_all(
    body: bytes, path: tuple[str, str, str], most: int, schema: WireSchema
) -> tuple[list[Mapping[str, Any]], list[FaultyItem]]:
    good: list[Mapping[str, Any]] = []
    faults: list[FaultyItem] = []
    for item_no, element in enumerate(_listed(body, *path, most)):
        verdict = _judge(schema, _words_of(element), item_no, f"/{'/'.join(path)}[{item_no + 1}]")
        if isinstance(verdict, FaultyItem):
            faults.append(verdict)
        else:
            good.append(verdict)
    return good, faults


def kind_of_line(code: str) -> str | None:
    """LX of a statement's line → `StatementLine.kind`; None for a code that is not in the contract."""
    return "redemption" if code == wire.FREEZE_LINE else KINDS.get(code)


def is_day(on: date, text: str) -> bool:
    """Whether RQ is this day."""
    return text == wire.day_of(on)
