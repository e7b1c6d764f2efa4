"""`gateway resident …`: erasing, and holding for a court. The resident id is typed unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import click

from gateway.config import load_config

if TYPE_CHECKING:
    from gateway.house import House

_BY = click.option("--by", required=True, help="who asks for it")
_PERSON = click.option(
    "--person", type=int, help="our number of the person; without it the resident id is asked for"
)


@click.group()
def group() -> None:
    """Residents: erase, hold, end-hold (docs/retention.md)."""


def _house() -> House:
    from gateway.wiring import build_house

    return build_house(load_config())


def _person(house: House, person: int | None) -> int:
    from gateway.flows.find_resident import find_resident

    return person or find_resident(house, click.prompt("resident id", hide_input=True).strip().upper())


@group.command()
@_PERSON
@_BY
@click.option(
    "--cause",
    required=True,
    type=click.Choice(["resident_asked", "consent_withdrawn", "purpose_ended", "authority"]),
)
def erase(person: int | None, by: str, cause: str) -> None:
    """Restrict at once; erase on the day every duty to keep has ended."""
    from gateway.flows.request_erasure import request_erasure

    house = _house()
    done = request_erasure(house, _person(house, person), by=by, cause=cause, now=house.clock())
    print(f"person {done.person_id} is restricted and will be erased on {done.due_on} ({done.basis})")


@group.command()
@_PERSON
@_BY
@click.option("--reason", required=True, help="which court or authority, and its reference")
def hold(person: int | None, by: str, reason: str) -> None:
    """Keep everything of the resident until the hold ends."""
    from gateway.flows.hold_resident import hold_resident

    house = _house()
    print(hold_resident(house, _person(house, person), by=by, reason=reason, now=house.clock()))


@group.command("end-hold")
@click.argument("hold_id", type=click.UUID)
@_BY
@click.option("--reason", required=True)
def end_hold_command(hold_id: UUID, by: str, reason: str) -> None:
    """End a hold; what is due is erased by the next run of the job."""
    from gateway.flows.end_legal_hold import end_legal_hold

    house = _house()
    end_legal_hold(house, hold_id, by=by, reason=reason, now=house.clock())
    print("ended")
