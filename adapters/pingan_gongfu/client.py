"""Calls to 平安共富积分's own platform (contract/platform.wsdl). Never retries; says which kind of failure it was.

The platform is known to act and then not to answer, so whatever changes something there is asked about by `find` when its answer
is lost. HTTP 200 with a return code other than 0000 is a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, NoReturn

from adapters.pingan_gongfu import wire
from adapters.pingan_gongfu.day_file import take_apart
from adapters.pingan_gongfu.mapping import MEANINGS, STATES, Meaning, is_day, kind_of_line
from adapters.soap_client import SoapAccess
from schemas.day_files import DayFile
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
_DEFINITE: Final[Mapping[Meaning, tuple[type[GatewayError], str]]] = {
    Meaning.CONFLICT: (ConflictError, "holds this serial with other content"),
    Meaning.ACCOUNT_UNKNOWN: (NotFoundError, "has no such account"),
    Meaning.NOT_ENOUGH: (RefusedError, "says there are not enough points"),
    Meaning.NOT_FOUND: (NotFoundError, "never took this serial"),
    Meaning.ENDED: (ConflictError, "says the freeze has ended otherwise"),
    Meaning.BUSY: (UnavailableError, "is busy and did nothing"),
}


class PinganClient:
    """`schemas.ports.TownClient` and `schemas.day_files.TownDayFiles`. `account` is a resident id."""

    def __init__(self, access: SoapAccess) -> None:
        self._access = access

    def freeze(self, serial: Serial, account: str, points_centi: int, reason: str) -> FreezeState:
        """Set points of a person aside under our serial; the same again is answered like the first time."""
        words = self._access.act(
            "JFDJ", LSH=serial, SFZH=account, JF=points_text(points_centi), SY=reason[:MAX_REASON_CHARS]
        )
        _judge(words, acts=True)
        return _state(serial, words, OutcomeUnknownError)

    def confirm(self, serial: Serial) -> FreezeState:
        """The frozen points are spent."""
        words = self._access.act("DJQR", LSH=serial, JF="")
        _judge(words, acts=True)
        return _ended(serial, words, "confirmed")

    def release(self, serial: Serial) -> FreezeState:
        """The frozen points go back to the person. Released before: the same answer again."""
        words = self._access.act("DJQX", LSH=serial)
        if MEANINGS.get(words["FHM"]) is not Meaning.ENDED or STATES.get(words["ZT"]) != "released":
            _judge(words, acts=True)
        return _ended(serial, words, "released")

    def reverse(self, serial: Serial) -> FreezeState:
        """The confirmed points go back to the person (冲正). Reversed before: the same answer again."""
        words = self._access.act("DJCZ", LSH=serial)
        if MEANINGS.get(words["FHM"]) is not Meaning.ENDED or STATES.get(words["ZT"]) != "reversed":
            _judge(words, acts=True)
        return _ended(serial, words, "reversed")

    def find(self, serial: Serial) -> FreezeState | None:
        """What the platform knows of our serial (查证); None when it never took it."""
        words = self._access.ask("DJCX", LSH=serial)
        if MEANINGS.get(words["FHM"]) is Meaning.NOT_FOUND:
            return None
        _judge(words, acts=False)
        return _state(serial, words, UnavailableError)

    def balance(self, account: str) -> int:
        """What a person can spend now, in 1/100 points; negative where a late deduction took more than there was."""
        words = self._access.ask("YECX", SFZH=account)
        _judge(words, acts=False)
        return _centi(words["JF"], UnavailableError)

    def day_statement(self, on: date) -> Iterator[StatementLine]:
        """All movements of an accounting date, page by page; an empty day yields nothing. Raises UnavailableError when a page is
        of another day, or the lines are not as many as announced."""
        seen = 0
        for number in range(1, MAX_PAGES + 1):
            words = self._access.ask("RZDZ", RQ=wire.day_of(on), YM=number)
            _judge(words, acts=False)
            if not is_day(on, words["RQ"]) or words["YM"] != number:
                _unreadable(UnavailableError, "the statement is of another day or page", "RQ")
            lines = (words["MXLB"] or {}).get("MX") or []
            seen += len(lines)
            yield from map(_line, lines)
            if number >= words["ZYS"]:
                if seen != words["ZBS"]:
                    _unreadable(UnavailableError, "the statement was cut short or repeats lines", "ZBS")
                return
        _unreadable(UnavailableError, "the statement does not end", "ZYS")

    def fetch_day_file(self, on: date) -> DayFile:
        """The items of a day as one file. UnavailableError when it is not made yet (3001), cut short, or of another day."""
        words = self._access.ask("RZWJ", RQ=wire.day_of(on))
        if MEANINGS.get(words["FHM"]) is Meaning.NOT_FOUND:
            raise UnavailableError(
                "pingan_gongfu has not made this day's file yet", code="day-file-missing", where="RZWJ",
                value=on.isoformat(), remedy="it is asked for again", retry_after_s=1800,
            )  # fmt: skip
        _judge(words, acts=False)
        if not is_day(on, words["RQ"]) or words["WJ"] is None:
            _unreadable(UnavailableError, "the answer is about another day or holds no file", "RQ")
        return take_apart(words["WJ"], on, sha256=words["ZY"] or "", item_count=words["ZBS"])


def _judge(words: Mapping[str, Any], *, acts: bool) -> None:
    """Return when it is done; raise what the return code means. Never repeats their message: it may name a person."""
    code = words["FHM"] or ""
    meaning = MEANINGS.get(code, Meaning.UNKNOWN)
    if meaning in (Meaning.DONE, Meaning.REPEATED):
        return
    known = f"pingan-{code}" if code in MEANINGS else "pingan-code-unknown"
    if meaning in _DEFINITE:
        kind, what = _DEFINITE[meaning]
        raise kind(f"pingan_gongfu {what}", code=known, retry_after_s=5 if kind is UnavailableError else None)
    if not acts:
        raise UnavailableError("pingan_gongfu could not say", code=known, retry_after_s=5)
    raise OutcomeUnknownError(
        "pingan_gongfu does not know what happened",
        code=known,
        remedy="ask by the serial before sending again",
    )


def _state(serial: Serial, words: Mapping[str, Any], unreadable: type[GatewayError]) -> FreezeState:
    state = STATES.get(words["ZT"] or "", "")
    if words["LSH"] != serial or state in ("", "posted"):
        _unreadable(unreadable, "the answer is about something else", "LSH")
    return FreezeState(serial, state, _centi(words["JF"], unreadable), words["PTLSH"] or "")


def _ended(serial: Serial, words: Mapping[str, Any], wanted: str) -> FreezeState:
    """The state after confirming or releasing: a 'done' with another state contradicts itself."""
    found = _state(serial, words, OutcomeUnknownError)
    if found.state != wanted:
        _unreadable(OutcomeUnknownError, f"the answer says done and the state is not {wanted}", "ZT")
    return found


def _line(words: Mapping[str, Any]) -> StatementLine:
    kind, state = kind_of_line(words["LX"]), STATES.get(words["ZT"])
    if kind is None or state is None or (kind == "redemption") == (state == "posted"):
        _unreadable(
            UnavailableError, "a line of the statement has a kind or state outside the contract", "MX"
        )
    return StatementLine(
        words["LSH"],
        str(kind),
        words["SFZH"],
        _centi(words["JF"], UnavailableError),
        state,
        words["PTLSH"] or "",
    )


def _centi(text: str | None, unreadable: type[GatewayError]) -> int:
    centi = wire.to_points_centi(text or "")
    if centi is None:
        _unreadable(unreadable, "points are no number", "JF")
    return centi


def _unreadable(kind: type[GatewayError], what: str, where: str) -> NoReturn:
    raise kind(
        f"pingan_gongfu's answer cannot be used: {what}", code="neighbour-unreadable", where=where,
        remedy="ask by the serial before sending again" if kind is OutcomeUnknownError else None,
    )  # fmt: skip
