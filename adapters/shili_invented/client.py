"""Calls to the town's own platform (contract/town_openapi.yaml). Never retries; says which kind of failure it was."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NoReturn

from adapters.oauth_client import OAuthAccess
from adapters.shili_invented.mapping import KINDS
from schemas.boundary import before_neighbour_call
from schemas.errors import RefusedError, UnavailableError
from schemas.ports import FreezeState, StatementLine
from schemas.values import Serial

NAME = "shili_invented"
MAX_PAGES = 1000


class ShiliClient:
    """`schemas.ports.TownClient`. The town cannot freeze: what it does not offer is refused before anything is sent."""

    def __init__(self, access: OAuthAccess) -> None:
        self._access = access

    def freeze(self, serial: Serial, account: str, points_centi: int, reason: str) -> FreezeState:
        """Not offered."""
        _not_offered("freeze")

    def confirm(self, serial: Serial) -> FreezeState:
        """Not offered."""
        _not_offered("confirm")

    def release(self, serial: Serial) -> FreezeState:
        """Not offered."""
        _not_offered("release")

    def find(self, serial: Serial) -> FreezeState | None:
        """Not offered."""
        _not_offered("find")

    def balance(self, account: str) -> int:
        """What a person can spend now, in 1/100 points. `account` is a resident id, so it travels in the body."""
        return _centi(self._access.ask_by_post("/v2/score", {"ID_CARD": account}).get("SCORE"))

    def day_statement(self, on: date) -> Iterator[StatementLine]:
        """What the town sent us on a day, page by page; an empty day yields nothing."""
        day, seen = on.isoformat(), set()
        for page_no in range(MAX_PAGES):
            page = self._access.ask(f"/v2/days/{day}", {"page": str(page_no)})
            try:
                if page["DAY"] != day:
                    raise UnavailableError(
                        "another day's statement", code="statement-of-another-day", value=day
                    )
                for row in page["ROWS"]:
                    seen.add(row["ROW_NO"])
                    yield StatementLine(
                        row["ROW_NO"], KINDS[row["HOW"]], row["ID_CARD"], _centi(row["SCORE"]), "posted"
                    )
                if not page["MORE"]:
                    if len(seen) != page["TOTAL"]:
                        raise UnavailableError("a statement cut short", code="statement-cut-short", value=day)
                    return
            except (KeyError, TypeError) as exc:
                raise _unreadable("statement") from exc
        raise _unreadable("statement")


def _centi(score: Any) -> int:
    if type(score) is not int or score < 0:
        raise _unreadable("SCORE")
    return score * 100


def _unreadable(where: str) -> UnavailableError:
    return UnavailableError(f"{NAME} answered something unreadable", code="neighbour-unreadable", where=where)


def _not_offered(what: str) -> NoReturn:
    before_neighbour_call(NAME)
    raise RefusedError(f"{NAME} does not offer {what}", code="not-offered", where=what)
