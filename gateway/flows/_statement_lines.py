"""A town's statement as it is asked for: every line once, its account as digests only."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from gateway.house import House
from schemas.errors import InvalidError
from schemas.values import ContributionKind, TownCode

REDEMPTION = "redemption"
KINDS = frozenset(map(str, ContributionKind))
STATES = frozenset({"posted", "frozen", "confirmed", "released", "expired", "reversed"})


class Named(NamedTuple):
    """A line: (line_kind, reference, kind, points in 1/100, state), and whom it names."""

    said: tuple[str, str, str, int, str]
    code: str  # a household's code; empty where persons hold points
    id_digest: (
        str  # lookup digests in hex, of a resident id and of an openid; empty where households hold points
    )
    openid_digest: str


def read_lines(house: House, town: TownCode, on: date) -> list[Named]:
    """Ask the town; its whole statement in order of reference. A line that is repeated counts once.

    Raises InvalidError `statement-contradicts-itself` when two lines of one reference say different things, or a line says what
    no contract allows; and what the town's client raises.
    """
    person, openid = house.keys.digester("lookup:id_no"), house.keys.digester("lookup:openid")
    by_household = house.readers[town].capabilities.holds == "household"
    known: dict[str, tuple[str, str, str]] = {}
    found: dict[tuple[str, str], Named] = {}
    for line in house.clients[town].day_statement(on):
        line_kind = REDEMPTION if line.kind == REDEMPTION else "contribution"
        if (
            (line.kind not in KINDS and line.kind != REDEMPTION)
            or line.state not in STATES
            or not line.reference
        ):
            raise _contradiction(line.reference, "a line has a kind or a state that no contract allows")
        account = known.get(line.account)
        if account is None:
            account = (line.account, "", "")
            if not by_household:
                named = line.account.encode()
                account = ("", person(named.upper()).hex(), openid(named).hex())
            known[line.account] = account
        read = Named((line_kind, line.reference, line.kind, line.points_centi, line.state), *account)
        if found.setdefault((line_kind, line.reference), read) != read:
            raise _contradiction(line.reference, "two lines of one reference say different things")
    return [found[key] for key in sorted(found)]


def _contradiction(reference: str, what: str) -> InvalidError:
    return InvalidError(
        f"the town's statement cannot be used: {what}", code="statement-contradicts-itself", where="reference",
        value=reference[:64], remedy="tell the town; nothing was changed",
    )  # fmt: skip
