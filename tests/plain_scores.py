"""Lists and corrections in our words as JSON, and a house whose plain town posts them. For tests without an adapter."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson

from gateway import contributions, ledger
from gateway.flows.receive_correction import receive_correction
from gateway.flows.receive_scoreboard import receive_scoreboard
from gateway.flows.register_households import register_households
from gateway.house import House
from schemas.contributions import FaultyItem
from schemas.scoreboards import (
    Document,
    ListedHousehold,
    ScoreAnswer,
    Scoreboard,
    ScoreCorrection,
    ScoreLine,
)
from schemas.values import Category
from tests.conftest import TestDatabase
from tests.plain_town import NOW, TOWN, PlainReader, invented_id_no

POSTED_AT = datetime(2026, 10, 8, 1, 0, tzinfo=UTC)
ITEMS = {
    "G01": Category.SORTING,
    "G02": Category.HYGIENE,
    "B01": Category.VOLUNTEERING,
    "D01": Category.CONDUCT,
}


class PlainPoster(PlainReader):
    """A plain town that posts lists."""

    def __init__(self, books: Collection[str] = ("2024",)) -> None:
        self._books = frozenset(books)

    def without_items(self, body: bytes, item_nos: Collection[int], *, as_lines: bool) -> bytes:
        said = orjson.loads(body)
        entries = [["-", None] if no in item_nos else entry for no, entry in enumerate(said["households"])]
        return orjson.dumps({**said, "households": entries})

    def read_scoreboard(self, body: bytes, codes: Mapping[str, Category]) -> Scoreboard:
        said = orjson.loads(body)
        households, faults = [], []
        for no, (code, lines) in enumerate(said["households"]):
            if lines is None:
                faults.append(FaultyItem(no, code, "score-differs", f"Household[{no + 1}]", "unreadable"))
                continue
            read = tuple(_line(item, centi, codes) for item, centi in lines.items())
            score = sum(-line.points_centi if line.deducts else line.points_centi for line in read)
            households.append(ListedHousehold(no, code, score, read))
        return Scoreboard(
            said["list_no"], said["village"], said["period"], said["rule_book"], said["rule_book"] in self._books,
            datetime.fromisoformat(said["posted_at"]), households, faults,
        )  # fmt: skip

    def read_correction(self, body: bytes, codes: Mapping[str, Category]) -> ScoreCorrection:
        said = orjson.loads(body)
        line = _line(said["item"], said["centi"], codes)
        return ScoreCorrection(
            said["no"], "objection-1", said["list_no"], said["village"], said["period"], said["code"], line, said["posted"],
            datetime.fromisoformat(said["decided_at"]),
        )  # fmt: skip


def _line(item: str, centi: int, codes: Mapping[str, Category]) -> ScoreLine:
    return ScoreLine(item, ITEMS.get(item) or codes.get(item), item.startswith("D"), centi)


def posting_house(house: House) -> House:
    """The house with a plain town that posts lists."""
    return replace(house, readers={TOWN: PlainPoster()})


def register(house: House, codes: list[str], *, village: str = "试村", first: int = 1) -> None:
    """Families of one consenting head each."""
    families = [
        {"code": code, "village": village, "members": [{"id_no": invented_id_no(n), "head": True}]}
        for n, code in enumerate(codes, first)
    ]
    register_households(house, TOWN, "town-a", orjson.dumps(families), now=NOW)


def board(
    list_no: str, households: Any, *, posted_at: datetime = POSTED_AT, village: str = "试村", period: str = "2026Q3",
    rule_book: str = "2024",
) -> bytes:  # fmt: skip
    """A list: {code: {item: centi}}, or pairs where a code comes twice; None in place of lines: unreadable."""
    pairs = list(households.items()) if isinstance(households, dict) else households
    return orjson.dumps(
        {"list_no": list_no, "village": village, "period": period, "rule_book": rule_book,
         "posted_at": posted_at.isoformat(), "households": pairs}
    )  # fmt: skip


def correction(no: str, code: str, item: str, posted: int, centi: int, **changes: Any) -> bytes:
    """A correction of `posted` to `centi` hundredths."""
    said = {"no": no, "code": code, "item": item, "posted": posted, "centi": centi, "list_no": "L1", "village": "试村",
            "period": "2026Q3", "decided_at": (POSTED_AT + timedelta(days=9)).isoformat()}  # fmt: skip
    return orjson.dumps({**said, **changes})


def document(body: bytes, now: datetime = NOW) -> Document:
    return Document(TOWN, "town-a", body, now, uuid4())


def post(house: House, body: bytes, now: datetime = NOW) -> ScoreAnswer:
    """Receive a list."""
    return receive_scoreboard(house, document(body, now), now=now)


def correct(house: House, body: bytes, now: datetime = NOW) -> ScoreAnswer:
    """Receive a correction."""
    return receive_correction(house, document(body, now), now=now)


def stands(database: TestDatabase) -> dict[str, tuple[int | None, int, int]]:
    """By code: posted score, spendable, month sums; all three must say the same."""
    rows: Any = database.sql(
        "select h.code, (select sum(points_centi)::int from contribution c"
        "   where c.holder_id = h.household_id and c.kind = 'posted_score'"
        "   and not exists (select from contribution r where r.reverses = c.reference)),"
        " (select coalesce(sum(balance_centi), 0)::int from account a where a.holder_id = h.household_id"
        "   and kind in ('available', 'owed')),"
        " (select coalesce(sum(case kind when 'award' then points_centi else -points_centi end), 0)::int from month_sum m"
        "   where m.holder_id = h.household_id)"
        " from household_code h order by 1"
    )
    return {code: (posted, spendable, summed) for code, posted, spendable, summed in rows}


def statuses(answer: ScoreAnswer) -> dict[str | None, str]:
    return {item.reference: str(item.status) for item in answer.items}


def no_faults(house: House) -> None:
    with house.audit_db.transaction(read_only=True) as tx:
        assert contributions.list_faults(tx) == []
        assert ledger.list_faults(tx) == []


#: four lines, two of them of one family, and a family with nothing
FIRST = {"F1": {"G01": 1000, "B01": 500, "D01": 200}, "F2": {"G01": 700}, "F3": {}}
