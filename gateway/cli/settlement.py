"""`gateway settlement …`: the month's statement of a town, settled and as papers."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.config import load_config
from schemas.errors import InvalidError
from schemas.values import TownCode, points_text, yuan_text

if TYPE_CHECKING:
    from gateway.house import House


def _house() -> House:
    from gateway.wiring import build_house

    return build_house(load_config())


def _month(text: str) -> int:
    if len(text) != 7 or text[4] != "-" or not (text[:4] + text[5:]).isdigit():
        raise InvalidError("a month is written 2026-10", code="month-invalid", where="MONTH", value=text[:16])
    return int(text[:4] + text[5:])


@click.group()
def group() -> None:
    """What a town owes for a month: show, settle, write the papers."""


@group.command("list")
def list_all() -> None:
    """Settled months, and those that could be."""
    from gateway.flows.list_months import list_months

    found = list_months(_house())
    for town, month in found.unsettled:
        print(f"{month // 100}-{month % 100:02d}  {town}  not settled")
    for row in found.settled:
        print(
            f"{row.month // 100}-{row.month % 100:02d}  {row.town}  {yuan_text(row.amount_fen)} CNY for"
            f" {points_text(row.points_centi)} points, {row.compared}, by {row.settled_by}"
        )


@group.command()
@click.argument("town")
@click.argument("month")
def show(town: str, month: str) -> None:
    """The statement by branch and good; what is still open."""
    from gateway.flows.inspect_month import inspect_month

    house = _house()
    found = inspect_month(house, TownCode(town), _month(month), now=house.clock())
    for line in found.lines:
        print(
            f"{line.branch_no}  {line.code:<16} {line.given_count:>6} given {line.returned_count:>4} reversed"
            f" {line.corrected_count:>4} corrected  {yuan_text(found.net_count(line) * line.settle_fen):>14} CNY"
        )
    state = "settled" if found.settled else "draft"
    print(f"{state}: {points_text(found.points_centi)} points, {yuan_text(found.amount_fen)} CNY")
    print(f"sha256 {found.sha256}")
    for row in found.open_days:
        print(f"open: branch {row.branch_no}, {row.accounting_on}")
    for row in found.differences:
        serial = getattr(row, "serial", "") or row.reference
        print(
            f"difference: {serial}, ours {row.ours or '—'}, theirs {row.theirs or '—'}, owner {row.owner},"
            f" since {row.found_at:%Y-%m-%d}: {row.why or 'not explained'}"
        )


@group.command()
@click.argument("town")
@click.argument("month")
@click.option("--by", default=getpass.getuser, help="who says so; the name of this account when absent")
def settle(town: str, month: str, by: str) -> None:
    """Settle it: every branch's days are closed, and the town's own statement agrees or is explained."""
    from gateway.flows.settle_month import settle_month

    house = _house()
    row = settle_month(house, TownCode(town), _month(month), by=by, now=house.clock())
    print(f"{town} {month}: {row.compared}, {row.agreed_count} of {row.serial_count} freezes agree")


@group.command()
@click.argument("town")
@click.argument("month")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="a file that ends in .xlsx or .pdf"
)
@click.option("--lang", type=click.Choice(["zh", "en"]), default="zh")
def export(town: str, month: str, out: Path, lang: str) -> None:
    """Write the statement as a workbook or a PDF."""
    from gateway.flows.inspect_month import inspect_month
    from gateway.web.statement_files import pdf_of, xlsx_of

    makers = {".xlsx": xlsx_of, ".pdf": pdf_of}
    if out.suffix not in makers:
        raise InvalidError(
            "a paper ends in .xlsx or .pdf", code="format-unknown", where="--out", value=out.suffix
        )
    house = _house()
    found = inspect_month(house, TownCode(town), _month(month), now=house.clock())
    out.write_bytes(makers[out.suffix](found, house.readers[TownCode(town)].profile.name(lang), lang))
    print(out)
