"""Says branch_day_closed and town_month_settled records again, from rows: totals, and digests over every line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.db import Transaction, load_queries
from schemas.canonical import canonical_sha256
from schemas.records import RecordBody, RecordDraft, Restater, RowFault
from schemas.values import instant_text

queries = load_queries(__file__)
DAY = "branch_day_closed"
MONTH = "town_month_settled"
MONTH_LINE = (
    "branch_no",
    "good_id",
    "price_centi",
    "settle_fen",
    "given_count",
    "returned_count",
    "corrected_count",
)
DIFFERENCE = ("serial", "ours", "theirs", "owner", "why", "said_by", "found_at")
TOLD = 200  # lines that stand in the record by themselves; the digests are over every line
LINE = ("town", "good_id", "price_centi", "settle_fen", "given_count", "returned_count", "corrected_count")
STOCK = ("good_id", "opening_count", "issued_count", "returned_count", "received_count", "sent_count", "differing_count",
         "closing_count")  # fmt: skip


def day_records(tx: Transaction, row_ids: Sequence[str]) -> list[RecordDraft]:
    """The records of days just closed."""
    return [RecordDraft(DAY, row_id, body) for row_id, body in _day_bodies(tx, row_ids).items()]


def _day_bodies(tx: Transaction, row_ids: Sequence[str]) -> dict[str, RecordBody]:
    params = {"row_ids": list(row_ids)}
    lines, stock = (
        _rows(tx.all(queries.restate_day_lines, params), LINE),
        _rows(tx.all(queries.restate_day_stock, params), STOCK),
    )
    return {
        row.day_id: {
            "branch_no": row.branch_no,
            "accounting_on": row.accounting_on.isoformat(),
            "count_id": row.count_id,
            "signed_by": row.signed_by,
            "teller_no": row.teller_no,
            "closed_at": instant_text(row.closed_at),
            "towns": town_totals(lines.get(row.day_id, [])),
            "lines": lines.get(row.day_id, [])[:TOLD],
            "line_count": len(lines.get(row.day_id, [])),
            "lines_sha256": canonical_sha256(lines.get(row.day_id, [])).hex(),
            "stock_count": len(stock.get(row.day_id, [])),
            "stock_sha256": canonical_sha256(stock.get(row.day_id, [])).hex(),
        }
        for row in tx.all(queries.restate_days, params)
    }


def _rows(rows: Sequence[Any], columns: Sequence[str]) -> dict[str, list[list[Any]]]:
    found: dict[str, list[list[Any]]] = {}
    for row in rows:
        found.setdefault(row.owner_id, []).append([getattr(row, column) for column in columns])
    return found


def town_totals(lines: Sequence[Sequence[Any]]) -> list[RecordBody]:
    """What lines (as LINE names their columns) come to by town: pieces, points and money, net of what came back."""
    found: dict[str, RecordBody] = {}
    for town, _, price_centi, settle_fen, given, returned, corrected in lines:
        zero = {"town": town, "given_count": 0, "back_count": 0, "points_centi": 0, "amount_fen": 0}
        total = found.setdefault(town, zero)
        net = given - returned - corrected
        total["given_count"] += given
        total["back_count"] += returned + corrected
        total["points_centi"] += net * price_centi
        total["amount_fen"] += net * settle_fen
    return [found[town] for town in sorted(found)]


class _Day:
    """See schemas.records.Restater."""

    kind = DAY

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_day_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        return _day_bodies(tx, row_ids)

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault(_table_of(name), f"day_id {row_id}", name, str(recorded.get(name)), str(now.get(name)))
            for name in sorted({*now, *recorded})
            if now.get(name) != recorded.get(name)
        ]


def _table_of(name: str) -> str:
    if name.startswith("stock"):
        return "branch_day_stock"
    return "branch_day_line" if name in ("lines", "line_count", "lines_sha256", "towns") else "branch_day"


def month_records(tx: Transaction, row_ids: Sequence[str]) -> list[RecordDraft]:
    """The records of months just settled."""
    return [RecordDraft(MONTH, row_id, body) for row_id, body in _month_bodies(tx, row_ids).items()]


def _month_bodies(tx: Transaction, row_ids: Sequence[str]) -> dict[str, RecordBody]:
    params = {"row_ids": list(row_ids)}
    lines = _rows(tx.all(queries.restate_month_lines, params), MONTH_LINE)
    said = _rows(tx.all(queries.restate_month_differences, params), DIFFERENCE)
    found: dict[str, RecordBody] = {}
    for row in tx.all(queries.restate_months, params):
        own, differences = lines.get(row.month_id, []), said.get(row.month_id, [])
        net = [(given - back - later, price, fen) for _, _, price, fen, given, back, later in own]
        found[row.month_id] = {
            "town": row.town,
            "month": row.month,
            "settled_by": row.settled_by,
            "settled_at": instant_text(row.settled_at),
            "points_centi": sum(count * price for count, price, _ in net),
            "amount_fen": sum(count * fen for count, _, fen in net),
            "line_count": len(own),
            "statement_sha256": row.statement_sha256,
            "lines_sha256": canonical_sha256(sorted(own)).hex(),
            "compared": row.compared,
            "serial_count": row.serial_count,
            "agreed_count": row.agreed_count,
            "their_points_centi": row.their_points_centi,
            "difference_count": len(differences),
            "differences_sha256": canonical_sha256(
                [[*d[:-1], instant_text(d[-1])] for d in differences]
            ).hex(),
        }
    return found


class _Month:
    """See schemas.records.Restater."""

    kind = MONTH

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_month_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        return _month_bodies(tx, row_ids)

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault("town_month", f"month_id {row_id}", name, str(recorded.get(name)), str(now.get(name)))
            for name in sorted({*now, *recorded})
            if now.get(name) != recorded.get(name)
        ]


RESTATERS: dict[str, Restater] = {DAY: _Day(), MONTH: _Month()}
