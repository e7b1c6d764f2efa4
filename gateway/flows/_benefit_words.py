"""What a resident has on their loans, as the counter tells it: one line a product, with the reasons and the steps behind it."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import orjson

from gateway import benefits, policy, subjects
from gateway.db import Row, Transaction

Said = tuple[str, str]  # zh, en
AT_BANK = frozenset({"accepted", "in_force"})


class Benefit(NamedTuple):
    """One product. `state` is the proposal's: 'in_force', 'accepted', 'proposed', … ; '' when nothing was proposed."""

    title: Said
    state: str
    discount_bp: int
    limit_increase_fen: int
    valid_until_on: date | None
    as_of_on: date
    reasons: tuple[Said, ...]
    steps: tuple[Said, ...]

    @property
    def given(self) -> bool:
        """Whether the bank gives it."""
        return self.state in AT_BANK and bool(self.discount_bp or self.limit_increase_fen)


def list_benefits(tx: Transaction, person_id: int, on: date) -> tuple[Benefit, ...]:
    """Of a person as applicant, for themselves and for their household. Without a decision (no consent to loan mapping): none."""
    concerned = [person_id, *subjects.list_households_of(tx, [person_id])]
    titles = {each.product: (each.title_zh, each.title_en) for each in policy.list_in_force(tx, on)}
    return tuple(_told(row, titles) for row in benefits.list_told(tx, person_id, concerned))


def _told(row: Row, titles: dict[str, Said]) -> Benefit:
    body = orjson.loads(bytes(row.body))
    at_bank = row.state in AT_BANK
    return Benefit(
        titles.get(row.product, (row.product, row.product)),
        row.state or "",
        row.proposal_discount_bp if at_bank else row.discount_bp,
        row.proposal_limit_fen if at_bank else row.limit_increase_fen,
        row.valid_until_on,
        row.as_of_on,
        tuple((reason["zh"], reason["en"]) for reason in body["reasons"]),
        tuple((step["zh"], step["en"]) for step in body["trace"]),
    )
