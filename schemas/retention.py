"""How long what must be kept: kinds, terms, sources. The table of docs/retention.md is this one; a test compares them."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Term(NamedTuple):
    """What is kept for how many years, counted from `since`, and who says so."""

    kind: str
    years: int
    since: str
    source: str


_BANK = "Anti-Money Laundering Law: customers and transactions"
TERMS = (
    Term("decision", 10, "the last decision about the resident", _BANK),
    Term("redemption", 10, "the last redemption of the resident", _BANK),
    Term("objection", 3, "the last event of an objection", "Civil Code art. 188: limitation of actions"),
    Term(
        "consent", 3, "the last consent given or withdrawn", "PIPL art. 56: records of processing and sharing"
    ),
)


def years_later(on: date, years: int) -> date:
    """The same day so many years later; 29 February becomes 1 March."""
    try:
        return on.replace(year=on.year + years)
    except ValueError:
        return date(on.year + years, 3, 1)


def latest_duty(last: dict[str, date | None]) -> tuple[date, str] | None:
    """The day every duty has ended, and the one that decides it; None when nothing was ever kept. `last` is by kind of TERMS."""
    ends = [
        (years_later(on, term.years), f"{term.kind} {on.isoformat()} + {term.years} years")
        for term in TERMS
        if (on := last.get(term.kind)) is not None
    ]
    return max(ends, default=None)
