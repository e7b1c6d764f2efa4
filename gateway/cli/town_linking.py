"""`gateway town link` and `gateway town feed`: entry links for residents, and how far a change feed was read."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.config import load_config
from schemas.values import BEIJING, TownCode


@click.command()
@click.argument("name")
@click.option(
    "--qr", "qr_file", type=click.Path(dir_okay=False, path_type=Path), help="write the link as a QR code (.svg or .png)"
)  # fmt: skip
def link(name: str, qr_file: Path | None) -> None:
    """An entry link with which one resident links the account at town NAME, or ends it.

    Whoever runs this has identified the resident. Id number, name and phone are asked for, or read as three lines from a pipe;
    they are never arguments, because arguments are seen by everybody on the machine.
    """
    from gateway.flows.issue_entry import issue_entry
    from gateway.wiring import build_house
    from schemas.feeds import EntryIdentity

    if sys.stdin.isatty():
        id_no = click.prompt("id number 身份证号", hide_input=True)
        person, phone = click.prompt("name 姓名"), click.prompt("phone 手机号", default="")
    else:
        id_no, person, phone = [*sys.stdin.read().splitlines(), "", "", ""][:3]
    house = build_house(load_config())
    identity = EntryIdentity(id_no.strip(), person.strip(), phone.strip() or None)
    url = issue_entry(house, TownCode(name), identity, now=house.clock())
    if qr_file is not None:
        import segno

        segno.make(url, error="m").save(str(qr_file), scale=4)
        print(f"written to {qr_file}; good for {house.config.link_entry_s} s, for this resident alone")
        return
    print(url)


@click.command()
def feed() -> None:
    """How far each change feed was read, and which numbers are missing. Exit code 1 when one is missing."""
    from gateway.flows.inspect_feeds import inspect_feeds
    from gateway.wiring import build_house

    missing = 0
    for state in inspect_feeds(build_house(load_config())):
        missing += state.missing
        at = (
            state.fetched_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
            if state.fetched_at
            else "never"
        )
        print(f"{state.town}: read to number {state.high_seq}, last {at}, {state.missing} missing")
        for gap in state.gaps:
            since = gap.seen_at.astimezone(BEIJING)
            print(f"  {gap.from_seq} to {gap.until_seq - 1}, since {since:%Y-%m-%d %H:%M:%S}")
    if missing:
        sys.exit(1)
