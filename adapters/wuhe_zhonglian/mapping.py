"""五和众联's words to ours. Pure; the rule book stands in `rule_book`, the other code tables on top."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, time
from importlib.resources import files
from typing import Any, Final, TypeVar

from adapters.soap_reading import Element, canonical, parse_xml
from adapters.wuhe_zhonglian import wire
from adapters.wuhe_zhonglian.rule_book import ITEMS, RULE_BOOK_CODE, RULE_BOOKS
from schemas.acceptor import Fault
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
from schemas.resident_id import born_on
from schemas.scoreboards import ListedHousehold, Scoreboard, ScoreCorrection, ScoreLine, period_ends_on
from schemas.values import (
    BEIJING,
    GUARDIAN_UNTIL_AGE,
    Category,
    ContributionKind,
    Purpose,
    TownCode,
    age_on,
    beijing_date,
    points_text,
)

CONTRACT: Final = files("adapters.wuhe_zhonglian") / "contract"
PLATFORM: Final = "urn:wuhe-zhonglian:platform:1"

PROFILE: Final = Profile(
    TownCode("wuhe_zhonglian"),
    "五和众联",
    "Wuhe Zhonglian",
    "河上镇",
    "Heshang",
    "330109101",
    carries="HouseholdCode",
)

PURPOSES: Final[Mapping[str, Purpose]] = {
    "LoanMapping": Purpose.LOAN_MAPPING,
    "Redemption": Purpose.REDEMPTION,
}

Ours = TypeVar("Ours")

#: State of a freeze or a line of the day statement → our word.
STATES: Final[Mapping[str, str]] = {
    "Posted": "posted",
    "Frozen": "frozen",
    "Confirmed": "confirmed",
    "Released": "released",
    "Expired": "expired",
    "Reversed": "reversed",
}

#: Kind of a line of the day statement → our word.
LINE_KINDS: Final[Mapping[str, str]] = {
    "Award": str(ContributionKind.AWARD),
    "Deduction": str(ContributionKind.DEDUCTION),
    "Reversal": str(ContributionKind.REVERSAL),
    "PostedScore": str(ContributionKind.POSTED_SCORE),
    "Redemption": "redemption",
}

CAPABILITIES: Final = Capabilities(
    holds="household",
    can_freeze=True,
    can_find=True,
    day_statement=True,
    posts_scores=True,
    half_points=True,
    max_items=wire.MAX_HOUSEHOLDS,
    speaks="soap",
    can_reverse=True,
)


def to_scoreboard(root: Element, codes: Mapping[str, Category]) -> Scoreboard:
    """A list. Entries whose household stands twice, whose item stands twice or whose score is not the sum are faults."""
    rule_book = wire.code_of(wire.text_of(root, "RuleBookVersion"), "RuleBookVersion")
    entries = list(wire.entries_of(root))
    listed = Counter(entry.household_code for entry in entries if entry is not None)
    board = Scoreboard(
        wire.code_of(wire.text_of(root, "ListNo"), "ListNo"),
        wire.text_of(root, "Village"),
        wire.quarter_of(wire.text_of(root, "Quarter")),
        rule_book,
        rule_book in RULE_BOOKS or RULE_BOOK_CODE + rule_book in codes,
        wire.instant_of(wire.text_of(root, "PostedAt"), "PostedAt"),
        [],
        [],
    )
    for item_no, entry in enumerate(entries):
        if entry is None:  # its time in quarantine ended
            continue
        fault = _entry_fault(entry, listed[entry.household_code])
        if fault is None:
            lines = tuple(_line(line, codes) for line in entry.lines if line.points_centi)
            board.households.append(ListedHousehold(item_no, entry.household_code, entry.score_centi, lines))
        else:
            where = f"/SubmitScoreboard/Households/Household[{item_no + 1}]"
            board.faults.append(FaultyItem(item_no, entry.household_code, fault.code, where, str(fault)))
    return board


def _entry_fault(entry: wire.Entry, times: int) -> Fault | None:
    if times > 1:
        return Fault(
            "household-twice",
            f"this household stands {times} times on the list; which entry is right is not guessed",
        )
    items = Counter(line.item_code for line in entry.lines)
    twice = [item for item, count in items.items() if count > 1]
    if twice:
        return Fault(
            "line-twice",
            f"item {', '.join(twice)} stands twice; give each item once, with the quarter's points",
        )
    total = sum(-line.points_centi if line.item_code[0] == "D" else line.points_centi for line in entry.lines)
    if total != entry.score_centi:
        return Fault(
            "score-differs",
            f"the lines sum to {points_text(total)}, PostedScore says {points_text(entry.score_centi)}",
        )
    return None


def _line(line: wire.Line, codes: Mapping[str, Category]) -> ScoreLine:
    known = ITEMS.get(line.item_code)
    category = known.category if known is not None else codes.get(line.item_code)
    return ScoreLine(line.item_code, category, line.item_code[0] == "D", line.points_centi)


def to_correction(root: Element, codes: Mapping[str, Category]) -> ScoreCorrection:
    """A correction, naming the posted line."""
    item = wire.item_code_of(wire.text_of(root, "PostedLine", "ItemCode"), "PostedLine/ItemCode")
    points_centi = wire.line_points_of(wire.text_of(root, "CorrectedPoints"), "CorrectedPoints")
    return ScoreCorrection(
        wire.code_of(wire.text_of(root, "CorrectionNo"), "CorrectionNo"),
        wire.code_of(wire.text_of(root, "ObjectionNo"), "ObjectionNo"),
        wire.code_of(wire.text_of(root, "PostedLine", "ListNo"), "PostedLine/ListNo"),
        wire.text_of(root, "Village"),
        wire.quarter_of(wire.text_of(root, "Quarter")),
        wire.code_of(wire.text_of(root, "PostedLine", "HouseholdCode"), "PostedLine/HouseholdCode"),
        _line(wire.Line(item, points_centi), codes),
        wire.line_points_of(wire.text_of(root, "PostedLine", "Points"), "PostedLine/Points"),
        wire.instant_of(wire.text_of(root, "DecidedAt"), "DecidedAt"),
    )


def to_household(household: Element, where: str) -> HouseholdRegistration:
    """A family as RegisterHouseholds has it. Raises wire.EntryFaultError."""
    said = wire.read_fields(household, wire.HOUSEHOLD, where)
    members = tuple(
        _member(member, f"{where}/Member[{number}]")
        for number, member in enumerate(household.findall(f"{{{wire.NAMESPACE}}}Member"), 1)
    )
    if sum(member.is_head for member in members) != 1:
        raise wire.EntryFaultError(where, Fault("household-head", "exactly one member has Head true"))
    if len({member.id_no for member in members}) != len(members):
        raise wire.EntryFaultError(
            where, Fault("member-twice", "the same resident id stands twice in one family")
        )
    return HouseholdRegistration(said["HouseholdCode"], said["Village"], said["MemberSince"], members)


def _member(member: Element, where: str) -> MemberRegistration:
    said = wire.read_fields(member, wire.MEMBER, where)
    consents = tuple(
        _consent(consent, f"{where}/Consent[{number}]", said["IdNo"])
        for number, consent in enumerate(member.findall(f"{{{wire.NAMESPACE}}}Consent"), 1)
    )
    return MemberRegistration(said["IdNo"], said["Name"], said["Phone"], wire.is_true(said["Head"]), consents)


def _consent(consent: Element, where: str, id_no: str) -> ConsentGiven:
    said = wire.read_fields(consent, wire.CONSENT, where)
    guardian = wire.is_true(said["Guardian"])
    age = age_on(born_on(id_no), beijing_date(said["GivenAt"]))
    if age is not None and age < GUARDIAN_UNTIL_AGE and not guardian:
        fault = Fault(
            "guardian-needed", "under 14 a guardian gives the consent: Guardian true (PIPL art. 31)"
        )
        raise wire.EntryFaultError(where, fault)
    return ConsentGiven(
        PURPOSES[said["Purpose"]], said["GivenAt"], said["TextVersion"], said["Evidence"] or "", guardian
    )


def to_withdrawal(withdrawal: Element, where: str) -> Withdrawal:
    """A withdrawn consent. Raises wire.EntryFaultError."""
    said = wire.read_fields(withdrawal, wire.WITHDRAWAL, where)
    return Withdrawal(said["IdNo"], PURPOSES[said["Purpose"]], said["WithdrawnAt"])


class WuheReader:
    """Their words to ours (`schemas.ports.TownReader`, `schemas.scoreboards.ScoreboardReader`). Without state."""

    town = PROFILE.town
    profile = PROFILE
    version = "wuhe_zhonglian/1"
    capabilities = CAPABILITIES

    def read_scoreboard(self, body: bytes, codes: Mapping[str, Category]) -> Scoreboard:
        """SubmitScoreboard."""
        return to_scoreboard(wire.payload_of(body, "SubmitScoreboard"), codes)

    def read_correction(self, body: bytes, codes: Mapping[str, Category]) -> ScoreCorrection:
        """SubmitCorrection."""
        return to_correction(wire.payload_of(body, "SubmitCorrection"), codes)

    def read_push(self, body: bytes, codes: Mapping[str, Category]) -> ReadPush:
        """A list as the rows it makes where nothing stands yet: each line, and each household's posted score."""
        board = self.read_scoreboard(body, codes)
        at = datetime.combine(period_ends_on(board.period), time(23, 59, 59), BEIJING)
        read = ReadPush([], list(board.faults))
        for household in board.households:
            begins = f"{board.period}/{household.household_code}"
            for line in household.lines:
                kind = ContributionKind.DEDUCTION if line.deducts else ContributionKind.AWARD
                reference = f"{begins}/{line.item_code}/list:{board.list_no}"
                read.items.append(
                    Contribution(len(read.items), reference, kind, line.item_code, line.category, line.points_centi, at,
                                 household.household_code, village=board.village, period=board.period)
                )  # fmt: skip
            read.items.append(
                Contribution(len(read.items), f"{begins}/score/list:{board.list_no}", ContributionKind.POSTED_SCORE, "score",
                             Category.OTHER, household.score_centi, board.posted_at, household.household_code,
                             village=board.village, period=board.period)
            )  # fmt: skip
        return read

    def read_lines(self, body: bytes, codes: Mapping[str, Category], first_no: int = 0) -> ReadPush:
        """This town has no stream."""
        raise InvalidError("五和众联 sends lists, no streams", code="no-stream", where="/")

    def without_items(self, body: bytes, item_nos: Collection[int], *, as_lines: bool) -> bytes:
        """The list with these entries emptied, so that the others keep their numbers; anything else names nobody and stays."""
        root = parse_xml(body, "payload")
        households = root.find(f"{{{wire.NAMESPACE}}}Households")
        for item_no, household in enumerate(households if households is not None else ()):
            if item_no in item_nos:
                household.clear()
        return canonical(root)

    def read_households(self, body: bytes) -> tuple[list[HouseholdRegistration], list[FaultyItem]]:
        """RegisterHouseholds. A family with one fault is refused whole."""
        root = wire.payload_of(body, "RegisterHouseholds")
        return _read_all(root, "Household", wire.MAX_REGISTERED, to_household)

    def read_withdrawals(self, body: bytes) -> tuple[list[Withdrawal], list[FaultyItem]]:
        """WithdrawConsent."""
        root = wire.payload_of(body, "WithdrawConsent")
        return _read_all(root, "Withdrawal", wire.MAX_WITHDRAWALS, to_withdrawal)

    def openapi_paths(self) -> Mapping[str, Any]:
        """None: the interface is published as WSDL."""
        return {"paths": {}, "components": {}}


def _read_all(
    root: Element, name: str, most: int, to_ours: Callable[[Element, str], Ours]
) -> tuple[list[Ours], list[FaultyItem]]:
    entries: Sequence[Element] = root.findall(f"{{{wire.NAMESPACE}}}{name}")
    if not 0 < len(entries) <= most:
        raise InvalidError(f"must hold 1 to {most} entries", code="contract-violated", where=name)
    good: list[Ours] = []
    faults: list[FaultyItem] = []
    for item_no, entry in enumerate(entries):
        where = f"/{root.tag.rpartition('}')[2]}/{name}[{item_no + 1}]"
        try:
            good.append(to_ours(entry, where))
        except wire.EntryFaultError as exc:
            code = entry.findtext(f"{{{wire.NAMESPACE}}}HouseholdCode") if name == "Household" else None
            faults.append(FaultyItem(item_no, code, exc.fault.code, exc.where, str(exc.fault)))
    return good, faults
