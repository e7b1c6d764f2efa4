"""`gateway town day-file` and `day-files`: a town's day fetched again as a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from gateway.config import load_config
from schemas.values import TownCode, points_text


def _house() -> Any:
    from gateway.wiring import build_house

    return build_house(load_config())


@click.command("day-file")
@click.argument("name")
@click.option("--on", "on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="the day (Beijing)")
def day_file(name: str, on: datetime) -> None:
    """Take one day's file now. Safe to repeat: the same file again changes nothing. Exit code 1 when it cannot be had."""
    from gateway.flows.receive_day_file import receive_day_file

    house = _house()
    _show(receive_day_file(house, TownCode(name), on.date(), now=house.clock()))


@click.command("day-files")
@click.argument("name")
def day_files(name: str) -> None:
    """Day files that were taken, latest first: items by answer, points, persons over the town's caps."""
    from gateway.flows.list_day_files import list_day_files

    rows = list_day_files(_house(), TownCode(name))
    for row in rows:
        _show(row)
    if not rows:
        print("none was taken")


def _show(row: Any) -> None:
    print(
        f"{row.accounting_on}  {row.item_count} items, {points_text(row.points_centi)} points: {row.accepted_count} received,"
        f" {row.duplicate_count} known, {row.conflict_count} conflicts, {row.quarantined_count} in quarantine,"
        f" {row.rejected_count} rejected; {len(row.over_cap)} over a cap"
    )
    for reference, activity, centi, cap_centi in row.over_cap[:10]:
        print(
            f"    {activity}: {points_text(centi)} of {points_text(cap_centi)} allowed, crossed by {reference}"
        )
