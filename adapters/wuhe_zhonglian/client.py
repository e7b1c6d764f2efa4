"""Calls to 五和众联's own platform (contract/platform.wsdl), signed; answers are proven. Never retries.

Every answer begins with Result. HTTP 200 with a Code other than OK is a failure; a code that is not in the table is never read as
"nothing happened".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, NoReturn

from adapters.soap_client import SoapAccess
from adapters.wuhe_zhonglian.mapping import LINE_KINDS, STATES
from schemas.errors import (
    ConflictError,
    GatewayError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from schemas.ports import FreezeState, StatementLine
from schemas.values import Serial, points_text

MAX_PAGES: Final = 1000
MAX_REASON_CHARS: Final = 256
#: Code of Result → what it means for us.
MEANINGS: Final[Mapping[str, tuple[type[GatewayError], str, str]]] = {
    "SerialReused": (ConflictError, "serial-reused", "holds this serial with other content"),
    "AccountUnknown": (NotFoundError, "account-unknown", "has no such household"),
    "NotEnoughPoints": (RefusedError, "not-enough-points", "says there are not enough points"),
    "SerialUnknown": (NotFoundError, "serial-unknown", "never took this serial"),
    "FreezeEnded": (ConflictError, "freeze-ended", "says the freeze has ended otherwise"),
    "Busy": (UnavailableError, "neighbour-busy", "is busy and did nothing"),
}


class WuheClient:
    """`schemas.ports.TownClient`. `account` is a household's code."""

    def __init__(self, access: SoapAccess) -> None:
        self._access = access

    def freeze(self, serial: Serial, account: str, points_centi: int, reason: str) -> FreezeState:
        """Set points of a household aside under our serial; the same again is answered like the first time."""
        words = self._access.act(
            "FreezePoints",
            Serial=serial,
            HouseholdCode=account,
            Points=Decimal(points_text(points_centi)),
            Reason=reason[:MAX_REASON_CHARS],
        )
        _judge(words, acts=True)
        return _state(serial, words, OutcomeUnknownError, "frozen", points_centi)

    def confirm(self, serial: Serial) -> FreezeState:
        """The frozen points are spent."""
        words = self._access.act("ConfirmPoints", Serial=serial)
        _judge(words, acts=True)
        return _state(serial, words, OutcomeUnknownError, "confirmed")

    def release(self, serial: Serial) -> FreezeState:
        """The frozen points go back to the household."""
        words = self._access.act("ReleasePoints", Serial=serial)
        _judge(words, acts=True)
        return _state(serial, words, OutcomeUnknownError, "released")

    def reverse(self, serial: Serial) -> FreezeState:
        """The confirmed points go back to the household (冲正)."""
        words = self._access.act("ReversePoints", Serial=serial)
        _judge(words, acts=True)
        return _state(serial, words, OutcomeUnknownError, "reversed")

    def find(self, serial: Serial) -> FreezeState | None:
        """What the town knows of our serial (查证); None when it never took it."""
        words = self._access.ask("QueryFreeze", Serial=serial)
        if words["Result"]["Code"] == "SerialUnknown":
            return None
        _judge(words, acts=False)
        return _state(serial, words, UnavailableError)

    def balance(self, account: str) -> int:
        """What a household can spend now, in 1/100 points; negative where a correction took more than there was."""
        words = self._access.ask("QueryScoreboard", HouseholdCode=account)
        _judge(words, acts=False)
        if words["HouseholdCode"] != account:
            _unreadable(UnavailableError, "the answer is about another household", "HouseholdCode")
        return _centi(words["Balance"], UnavailableError, "Balance")

    def day_statement(self, on: date) -> Iterator[StatementLine]:
        """All movements of an accounting date, page by page; an empty day yields nothing. Raises UnavailableError when a page is
        of another day, or the lines are not as many as announced."""
        seen = 0
        for number in range(1, MAX_PAGES + 1):
            words = self._access.ask("QueryDayStatement", Date=on, Page=number)
            _judge(words, acts=False)
            if words["Date"] != on or words["Page"] != number or words["Pages"] is None:
                _unreadable(UnavailableError, "the statement is of another day or page", "Date")
            lines = words["Line"] or []
            seen += len(lines)
            yield from map(_line, lines)
            if number >= words["Pages"]:
                if seen != words["LineCount"]:
                    _unreadable(UnavailableError, "the statement was cut short or repeats lines", "LineCount")
                return
        _unreadable(UnavailableError, "the statement does not end", "Pages")


def _judge(words: Mapping[str, Any], *, acts: bool) -> None:
    """Return when it is done; raise what the code means. Never repeats their message: it may name a person."""
    code = words["Result"]["Code"]
    if code == "OK":
        return
    if code in MEANINGS:
        kind, ours, what = MEANINGS[code]
        raise kind(f"wuhe_zhonglian {what}", code=ours, retry_after_s=5 if kind is UnavailableError else None)
    if not acts:
        raise UnavailableError("wuhe_zhonglian could not say", code="neighbour-failed", retry_after_s=5)
    raise OutcomeUnknownError(
        "wuhe_zhonglian does not know what happened", code="neighbour-failed",
        remedy="ask by the serial before sending again",
    )  # fmt: skip


def _state(
    serial: Serial,
    words: Mapping[str, Any],
    unreadable: type[GatewayError],
    wanted: str | None = None,
    points_centi: int | None = None,
) -> FreezeState:
    """The freeze of the answer. A 'done' that says another state or other points than were asked for contradicts itself."""
    state = STATES.get(words["State"] or "", "")
    if words["Serial"] != serial or state in ("", "posted"):
        _unreadable(unreadable, "the answer is about something else", "Serial")
    found = FreezeState(
        serial, state, _centi(words["Points"], unreadable, "Points"), words["TownReference"] or ""
    )
    if points_centi is not None and found.points_centi != points_centi:
        _unreadable(unreadable, "the answer says done with other points", "Points")
    if wanted not in (None, "frozen") and state != wanted:
        _unreadable(unreadable, f"the answer says done and the state is not {wanted}", "State")
    return found


def _line(words: Mapping[str, Any]) -> StatementLine:
    kind, state = LINE_KINDS.get(words["Kind"]), STATES.get(words["State"])
    if kind is None or state is None or (kind == "redemption") == (state == "posted"):
        _unreadable(
            UnavailableError, "a line of the statement has a kind or state outside the contract", "Line"
        )
    centi = abs(_centi(words["Points"], UnavailableError, "Line/Points"))
    return StatementLine(
        words["Reference"], kind, words["HouseholdCode"], centi, state, words["TownReference"] or ""
    )


def _centi(points: Decimal | None, unreadable: type[GatewayError], where: str) -> int:
    if points is None:
        _unreadable(unreadable, "points are missing", where)
    return int(points * 100)  # the schema allows two decimals at most


def _unreadable(kind: type[GatewayError], what: str, where: str) -> NoReturn:
    raise kind(
        f"wuhe_zhonglian's answer cannot be used: {what}", code="neighbour-unreadable", where=where,
        remedy="ask by the serial before sending again" if kind is OutcomeUnknownError else None,
    )  # fmt: skip
