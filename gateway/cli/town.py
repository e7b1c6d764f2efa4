"""`gateway town …`: a town's day as operations see it."""

from __future__ import annotations

import getpass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.town_check import check, report
from gateway.cli.town_files import day_file, day_files
from gateway.cli.town_linking import feed, link
from gateway.cli.town_new import new
from gateway.config import load_config
from gateway.web.tables import csv_of
from schemas.values import BEIJING, TownCode

if TYPE_CHECKING:
    from gateway.house import House


def _house() -> House:
    from gateway.wiring import build_house

    return build_house(load_config())


@click.group()
def group() -> None:
    """A town's day: reconciliation, differences, quarantine, activity codes; checking a town's platform."""


group.add_command(check)
group.add_command(feed)
group.add_command(link)
group.add_command(new)
group.add_command(report)
group.add_command(day_file)
group.add_command(day_files)


@group.command()
@click.argument("name")
@click.option(
    "--on", "on", required=True, type=click.DateTime(["%Y-%m-%d"]), help="the accounting date (Beijing)"
)
@click.option(
    "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="write the day's report here"
)
def reconcile(name: str, on: datetime, csv_file: Path | None) -> None:
    """Compare one day with the town's own statement. Safe to repeat. Exit code 1 when the statement cannot be had."""
    from gateway.flows.list_differences import list_differences
    from gateway.flows.reconcile_day import reconcile_day

    house = _house()
    found = reconcile_day(house, TownCode(name), on.date(), now=house.clock())
    print(
        f"{name} {on.date()}: {found.lines} lines, {found.matched} matched, {found.ours_only} ours only,"
        f" {found.theirs_only} theirs only, {found.differing} differ; {found.changes} changes"
    )
    rows = list_differences(house, TownCode(name), on.date(), settled=True)
    if csv_file is not None:
        csv_file.write_bytes(csv_of(rows))
        print(f"{len(rows)} differences written to {csv_file}")
    _print_differences([row for row in rows if row.state != "closed"], house.clock())


@group.command()
@click.argument("name", required=False)
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="of one accounting date only")
@click.option("--settled", is_flag=True, help="closed ones too")
@click.option("--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path))
def differences(name: str | None, on: datetime | None, settled: bool, csv_file: Path | None) -> None:
    """Differences as they stand, oldest first, with owner, age and what to do."""
    from gateway.flows.list_differences import list_differences

    house = _house()
    day: date | None = on.date() if on else None
    rows = list_differences(house, TownCode(name) if name else None, day, settled=settled)
    if csv_file is not None:
        csv_file.write_bytes(csv_of(rows))
    _print_differences(rows, house.clock())


@group.command()
@click.argument("name")
@click.argument("references", nargs=-1, required=True)
@click.option("--why", required=True)
@click.option("--by", default=getpass.getuser, help="who says so; the name of this account when absent")
@click.option("--close", is_flag=True, help="closed, not only explained")
def explain(name: str, references: tuple[str, ...], why: str, by: str, close: bool) -> None:
    """Say why differences stand, or close them: kept with name and reason, in the log."""
    from gateway.flows.explain_difference import explain_difference

    house = _house()
    state = "closed" if close else "explained"
    changed = explain_difference(
        house, TownCode(name), references, why=why, by=by, state=state, now=house.clock()
    )
    print(f"{len(changed)} {state}" + (f": {', '.join(changed)}" if changed else ""))


@group.command()
@click.argument("name", required=False)
@click.option("--items", is_flag=True, help="each item with its reference, not only reasons")
def quarantine(name: str | None, items: bool) -> None:
    """What waits in quarantine: reason, age, end. Nothing personal."""
    from gateway.flows.list_quarantined import list_quarantined

    house = _house()
    rows = list_quarantined(house, TownCode(name) if name else None)
    now = house.clock()
    groups: dict[tuple[str, str, str], list[Any]] = {}
    for row in rows:
        groups.setdefault(
            (row.town, row.code, "" if row.code != "unknown-activity" else row.detail), []
        ).append(row)
    for (town, code, detail), found in sorted(groups.items()):
        age, until = (now - min(r.quarantined_at for r in found)).days, min(r.keep_until for r in found)
        print(
            f"{town} {code}: {len(found)}, oldest {age} days, first end {_on(until)}"
            + (f"; {detail}" if detail else "")
        )
        for row in found if items else ():
            print(
                f"    {row.reference} since {_on(row.quarantined_at)}, until {_on(row.keep_until)}; {row.detail}"
            )
    if not rows:
        print("nothing waits")


@group.command("read-again")
@click.argument("name", required=False)
def read_again_command(name: str | None) -> None:
    """Read the quarantine again now, with today's codes, registrations and adapter. The job does so every minute."""
    from gateway.flows.read_again import read_again

    house = _house()
    counts = read_again(house, now=house.clock(), town=TownCode(name) if name else None, always=True)
    print(", ".join(f"{word} {count}" for word, count in counts.items()) or "nothing could be posted")


@group.command()
@click.argument("name")
@click.argument("action", type=click.Choice(["list", "add"]), default="list")
@click.argument("activity", required=False)
@click.argument("category", required=False)
@click.option("--by", default=getpass.getuser, help="who says so; the name of this account when absent")
def codes(name: str, action: str, activity: str | None, category: str | None, by: str) -> None:
    """Activity codes added here: list, or add ACTIVITY CATEGORY. What waited for it is posted within a minute."""
    from gateway.flows.add_code import add_code
    from gateway.flows.list_codes import list_codes

    house = _house()
    if action == "add":
        if not activity or not category:
            raise click.UsageError("add needs ACTIVITY and CATEGORY")
        added = add_code(house, TownCode(name), activity, category, by=by, now=house.clock())
        print(f"{activity}: {'added' if added else 'stands so already'}")
        return
    for row in list_codes(house, TownCode(name)):
        print(f"{row.activity:32} {row.category:14} {_on(row.added_at)} {row.added_by}")


def _on(at: datetime) -> str:
    return at.astimezone(BEIJING).date().isoformat()


def _print_differences(rows: list[Any], now: datetime) -> None:
    for row in rows:
        said = f"ours {row.ours or '—'}, theirs {row.theirs or '—'}" + (
            f" ({row.fields})" if row.fields else ""
        )
        print(
            f"{row.town} {row.accounting_on} {row.line_kind} {row.reference}: {row.outcome}, {said}; {row.state}, owner"
            f" {row.owner}, {row.action}, {(now - row.found_at).days} days"
            + (f"; {row.why}" if row.why else "")
        )
    if not rows:
        print("no difference")
