"""Calls to 沥家园's own platform (contract/town_openapi.yaml). Never retries; says which kind of failure it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from adapters.lijiayuan.mapping import KINDS
from adapters.oauth_client import OAuthAccess
from adapters.wire_fields import Points
from schemas.errors import GatewayError, NotFoundError, OutcomeUnknownError, UnavailableError
from schemas.ports import FreezeState, StatementLine
from schemas.values import Serial, points_text

STATES: Final = frozenset({"frozen", "confirmed", "released", "expired", "reversed"})
MAX_PAGES = 10_000

_read_points = Points().quick


class LijiayuanClient:
    """`schemas.ports.TownClient` over the town's REST interface."""

    def __init__(self, access: OAuthAccess) -> None:
        self._access = access

    def freeze(self, serial: Serial, account: str, points_centi: int, reason: str) -> FreezeState:
        """Set points of a family aside under our serial; the same again is answered like the first time."""
        content = {
            "serial": serial,
            "familyCode": account,
            "points": points_text(points_centi),
            "reason": reason,
        }
        return _state(serial, self._access.act("/api/v1/freezes", content), OutcomeUnknownError)

    def confirm(self, serial: Serial) -> FreezeState:
        """The frozen points are spent."""
        return _state(
            serial,
            self._access.act(f"/api/v1/freezes/{quote(serial, safe='')}/confirm", {}),
            OutcomeUnknownError,
        )

    def release(self, serial: Serial) -> FreezeState:
        """The frozen points go back to the family."""
        return _state(
            serial,
            self._access.act(f"/api/v1/freezes/{quote(serial, safe='')}/release", {}),
            OutcomeUnknownError,
        )

    def reverse(self, serial: Serial) -> FreezeState:
        """The confirmed points go back to the family (冲正)."""
        return _state(
            serial,
            self._access.act(f"/api/v1/freezes/{quote(serial, safe='')}/reverse", {}),
            OutcomeUnknownError,
        )

    def find(self, serial: Serial) -> FreezeState | None:
        """What the town knows of our serial; None when it never took it."""
        try:
            found = self._access.ask(f"/api/v1/freezes/{quote(serial, safe='')}")
        except NotFoundError as exc:
            if exc.code == "serialUnknown":
                return None
            raise UnavailableError(
                "lijiayuan has no such path", code="neighbour-unreadable", value=exc.code
            ) from exc
        return _state(serial, found, UnavailableError)

    def balance(self, account: str) -> int:
        """What a family can spend now, in 1/100 points."""
        answer = self._access.ask(f"/api/v1/accounts/{quote(account, safe='')}/balance")
        return _centi(answer.get("points"), UnavailableError)

    def day_statement(self, on: date) -> Iterator[StatementLine]:
        """The town's account of a day, page by page; an empty day yields nothing.

        Raises UnavailableError for an answer of another day, one that cannot be read, and (after its last line) one cut short.
        """
        day, cursor, total = on.isoformat(), "", None
        seen: set[tuple[str, str]] = set()
        for _ in range(MAX_PAGES):
            page = self._access.ask(f"/api/v1/statements/{day}", {"cursor": cursor} if cursor else None)
            if page.get("date") != day:
                raise UnavailableError(
                    "lijiayuan answered with another day's statement",
                    code="statement-of-another-day",
                    value=day,
                )
            total = page.get("total") if total is None else total
            if (
                not isinstance(total, int)
                or page.get("total") != total
                or not isinstance(page.get("lines"), list)
            ):
                raise _unreadable(day)
            for line in page["lines"]:
                read = _statement_line(line, day)
                seen.add((read.kind if read.kind == "redemption" else "", read.reference))
                yield read
            cursor = page.get("next") or ""
            if not cursor:
                if len(seen) != total:
                    raise UnavailableError(
                        "lijiayuan's statement is cut short", code="statement-cut-short", where=day,
                        value=f"{len(seen)} of {total} lines", remedy="ask again later",
                    )  # fmt: skip
                return
        raise UnavailableError("lijiayuan's statement does not end", code="neighbour-unreadable", value=day)


def _statement_line(line: Any, day: str) -> StatementLine:
    """A task it sent us, or a freeze under one of our serials."""
    if not isinstance(line, dict):
        raise _unreadable(day)
    points = _centi(line.get("points"), UnavailableError)
    try:
        if "taskId" in line:
            return StatementLine(line["taskId"], KINDS[line["kind"]], line["familyCode"], points, "posted")
        if line["state"] in STATES:
            return StatementLine(
                line["serial"], "redemption", line["familyCode"], points, line["state"], line["townReference"]
            )
    except (KeyError, TypeError) as exc:
        raise _unreadable(day) from exc
    raise _unreadable(day)


def _unreadable(day: str) -> UnavailableError:
    return UnavailableError("lijiayuan's statement cannot be read", code="neighbour-unreadable", value=day)


def _state(serial: Serial, answer: Mapping[str, Any], unreadable: type[GatewayError]) -> FreezeState:
    if answer.get("serial") != serial or answer.get("state") not in STATES:
        raise unreadable(
            "lijiayuan answered about something else", code="neighbour-unreadable", where="serial"
        )
    return FreezeState(
        serial,
        answer["state"],
        _centi(answer.get("points"), unreadable),
        str(answer.get("townReference", "")),
    )


def _centi(points: Any, unreadable: type[GatewayError]) -> int:
    if points in (0, "0"):
        return 0
    centi = _read_points(points)
    if centi is None:
        raise unreadable(
            "lijiayuan answered points that are no number", code="neighbour-unreadable", where="points"
        )
    return int(centi)
