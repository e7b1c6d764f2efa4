"""Says stock_moved, good_price_set, good_picture_set and stock_counted records again, from rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from gateway.goods.catalogue import PRICE_SET, price_body, queries
from gateway.goods.counting import COUNTED, count_body, counted_line
from gateway.goods.pictures import PICTURE_SET, picture_body
from gateway.goods.register import MOVED, line_of, moved_body
from schemas.records import RecordBody, Restater, RowFault


class _Rows(ABC):
    """What both restaters share: naming what differs."""

    kind = ""
    table = ""

    @abstractmethod
    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        """See schemas.records.Restater."""

    def explain(self, tx: Any, row_id: str, recorded: RecordBody) -> list[RowFault]:
        now = self.restate(tx, [row_id]).get(row_id, {})
        return [
            RowFault(self.table, row_id, name, str(recorded.get(name)), str(now.get(name)))
            for name in sorted({*now, *recorded})
            if now.get(name) != recorded.get(name)
        ]


class _Moved(_Rows):
    """See schemas.records.Restater."""

    kind, table = MOVED, "stock_movement"

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_move_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.all(queries.restate_moves, {"row_ids": list(row_ids)})
        found = {}
        for row_id, group in groupby(rows, key=lambda row: str(row.row_id)):
            lines = list(group)
            first = lines[0]
            odd = [r for r in lines if (r.moved_by, r.moved_at) != (first.moved_by, first.moved_at)]
            said_by = first.moved_by if not odd else f"{first.moved_by} and {odd[0].moved_by}"
            found[row_id] = moved_body([line_of(row) for row in lines], said_by, first.moved_at)
        return found


class _PriceSet(_Rows):
    """See schemas.records.Restater."""

    kind, table = PRICE_SET, "good_price"

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_price_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.all(queries.restate_prices, {"row_ids": list(row_ids)})
        return {row.price_id: price_body(row) for row in rows}


class _Counted(_Rows):
    """See schemas.records.Restater."""

    kind, table = COUNTED, "stock_count"

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_count_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        params = {"row_ids": list(row_ids)}
        lines: dict[str, list[list[Any]]] = {}
        for row in tx.all(queries.restate_count_lines, params):
            lines.setdefault(row.count_id, []).append(counted_line(row))
        return {
            row.count_id: count_body(
                row.branch_no, row.counted_by, row.teller_no, row.counted_at, lines.get(row.count_id, [])
            )
            for row in tx.all(queries.restate_counts, params)
        }


class _PictureSet(_Rows):
    """See schemas.records.Restater."""

    kind, table = PICTURE_SET, "good_picture"

    def list_row_ids(self, tx: Any, after: str, limit: int) -> list[str]:
        return [row.row_id for row in tx.all(queries.list_picture_ids, {"after": after, "limit": limit})]

    def restate(self, tx: Any, row_ids: Sequence[str]) -> Mapping[str, RecordBody]:
        rows = tx.all(queries.restate_pictures, {"row_ids": list(row_ids)})
        return {row.picture_id: picture_body(row) for row in rows}


RESTATERS: dict[str, Restater] = {
    MOVED: _Moved(),
    PRICE_SET: _PriceSet(),
    PICTURE_SET: _PictureSet(),
    COUNTED: _Counted(),
}
