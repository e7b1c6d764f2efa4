"""Calls to 南阳young's platform (contract/town_openapi.yaml): points, and the change feed.

Never retries; says which kind of failure it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from adapters.nanyang_young.mapping import KINDS, read_page
from adapters.oauth_client import OAuthAccess
from adapters.wire_fields import Points
from schemas.errors import GatewayError, InvalidError, NotFoundError, OutcomeUnknownError, UnavailableError
from schemas.feeds import FeedPage
from schemas.ports import FreezeState, StatementLine
from schemas.values import Serial, points_text

TOWN: Final = "nanyang_young"
STATES: Final = frozenset({"frozen", "confirmed", "released", "expired", "reversed"})
MAX_PAGES = 2000

_read_points = Points().quick


class NanyangClient:
    """`schemas.ports.TownClient` over the town's REST interface. An account is an openid."""

    def __init__(self, access: OAuthAccess) -> None:
        self._access = access

    def freeze(self, serial: Serial, account: str, points_centi: int, reason: str) -> FreezeState:
        """Set points of a resident aside under our serial; the same again is answered like the first time."""
        content = {
            "serial": serial,
            "openid": account,
            "points": points_text(points_centi),
            "reason": reason,
        }
        return _state(serial, self._access.act("/v1/freezes", content), OutcomeUnknownError)

    def confirm(self, serial: Serial) -> FreezeState:
        """The frozen points are spent."""
        answer = self._access.act(f"/v1/freezes/{_path(serial)}/confirm", {})
        return _state(serial, answer, OutcomeUnknownError)

    def release(self, serial: Serial) -> FreezeState:
        """The frozen points go back to the resident."""
        answer = self._access.act(f"/v1/freezes/{_path(serial)}/release", {})
        return _state(serial, answer, OutcomeUnknownError)

    def reverse(self, serial: Serial) -> FreezeState:
        """The confirmed points go back to the resident (冲正)."""
        answer = self._access.act(f"/v1/freezes/{_path(serial)}/reverse", {})
        return _state(serial, answer, OutcomeUnknownError)

    def find(self, serial: Serial) -> FreezeState | None:
        """What the town knows of our serial; None when it never took it."""
        try:
            found = self._access.ask(f"/v1/freezes/{_path(serial)}")
        except NotFoundError as exc:
            if exc.code == "serial_unknown":
                return None
            raise UnavailableError(
                f"{TOWN} has no such path", code="neighbour-unreadable", value=exc.code
            ) from exc
        return _state(serial, found, UnavailableError)

    def balance(self, account: str) -> int:
        """What a resident can spend now, in 1/100 points."""
        answer = self._access.ask(f"/v1/members/{_path(account)}/balance")
        return _centi(answer.get("points"), UnavailableError)

    def day_statement(self, on: date) -> Iterator[StatementLine]:
        """What the town says happened on an accounting date: its changes, and what it did under our serials."""
        cursor = ""
        for _ in range(MAX_PAGES):
            query = {"cursor": cursor} if cursor else None
            page = self._access.ask(f"/v1/statements/{on.isoformat()}", query)
            if page.get("date") != on.isoformat():
                raise UnavailableError(
                    f"{TOWN} answered with another day's statement", code="neighbour-unreadable", where="date"
                )
            yield from map(_line, page.get("lines", ()))
            cursor = page.get("next_cursor") or ""
            if not cursor:
                return
        raise UnavailableError(
            f"{TOWN}'s statement does not end", code="neighbour-unreadable", value=on.isoformat()
        )


class NanyangFeed:
    """`schemas.feeds.TownFeed`: asks for changes. 429 is UnavailableError with the wait the town asked for."""

    def __init__(self, access: OAuthAccess) -> None:
        self._access = access

    def fetch_changes(self, cursor: str) -> FeedPage:
        """The page after `cursor`."""
        return self._page("/v1/changes", {"cursor": cursor} if cursor else {})

    def fetch_missing(self, from_seq: int, until_seq: int) -> FeedPage:
        """The changes with these numbers, and which of them will never be given."""
        return self._page("/v1/changes/missing", {"from_seq": str(from_seq), "to_seq": str(until_seq - 1)})

    def fetch_history(self, account: str, cursor: str) -> FeedPage:
        """One resident's changes from the beginning."""
        path = f"/v1/members/{_path(account)}/changes"
        return self._page(path, {"cursor": cursor} if cursor else {})

    def _page(self, path: str, query: Mapping[str, str]) -> FeedPage:
        body = self._access.fetch(path, query)
        try:
            return read_page(body)
        except InvalidError as exc:
            raise UnavailableError(
                f"{TOWN} answered a page that cannot be read", code="feed-page-unreadable", where=exc.where, value=exc.code,
            ) from exc  # fmt: skip


def _path(text: str) -> str:
    return quote(text, safe="")


def _line(line: Mapping[str, Any]) -> StatementLine:
    try:
        kind, points = line["kind"], _centi(line["points"], UnavailableError)
        if kind == "redemption":
            return StatementLine(
                line["serial"], kind, line["openid"], points, line["state"], line["town_reference"]
            )
        return StatementLine(
            line["change_id"], str(KINDS[kind]), line["openid"], points, "posted", line["change_id"]
        )
    except (KeyError, TypeError) as exc:
        raise UnavailableError(
            f"{TOWN}'s statement cannot be read", code="neighbour-unreadable", where="lines", value=type(exc).__name__,
        ) from exc  # fmt: skip


def _state(serial: Serial, answer: Mapping[str, Any], unreadable: type[GatewayError]) -> FreezeState:
    if answer.get("serial") != serial or answer.get("state") not in STATES:
        raise unreadable(f"{TOWN} answered about something else", code="neighbour-unreadable", where="serial")
    points = _centi(answer.get("points"), unreadable)
    return FreezeState(serial, answer["state"], points, str(answer.get("town_reference", "")))


def _centi(points: Any, unreadable: type[GatewayError]) -> int:
    if points == "0":
        return 0
    centi = _read_points(points)
    if centi is None:
        raise unreadable(
            f"{TOWN} answered points that are no number", code="neighbour-unreadable", where="points"
        )
    return int(centi)
