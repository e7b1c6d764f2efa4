"""How a redemption reads on the page of its evidence. As `page`: never edited for version 1."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

#: Only in files about a redemption: other files of version 1 name these kinds by their code.
KINDS = {
    "redemption_event": "兑换的一步 A step of the redemption",
    "stock_moved": "库存变动 Stock moved",
    "good_price_set": "协议价格 Price by agreement",
}
_LINES = (
    "行 Line",
    "商品编号 Good",
    "积分来源 Town",
    "数量 Count",
    "单价（分值）Points each",
    "结算价（元）CNY each",
)
_LEGS = ("平台 Town", "流水 Serial", "账户序号 Account", "冻结号 Hold", "积分合计 Points")


def goods_tables(body: Mapping[str, Any]) -> str:
    """The lines of the basket and what each town was asked for."""
    lines = [
        [no, good, town, count, _hundredths(price), _hundredths(settle)]
        for no, good, town, count, price, settle in body["lines"]
    ]
    legs = [
        [town, serial, holder, hold, _hundredths(total)] for town, serial, holder, hold, total in body["legs"]
    ]
    return _table(_LINES, lines) + _table(_LEGS, legs)


def _table(heads: tuple[str, ...], rows: list[list[Any]]) -> str:
    head = "".join(f"<th>{one}</th>" for one in heads)
    inside = "".join(
        "<tr>" + "".join(f"<td>{escape(str(value), quote=True)}</td>" for value in row) + "</tr>\n"
        for row in rows
    )
    return f"<table>\n<tr>{head}</tr>\n{inside}</table>\n"


def _hundredths(number: int) -> str:
    sign, whole = ("-" if number < 0 else ""), abs(number)
    return f"{sign}{whole // 100}.{whole % 100:02d}"
