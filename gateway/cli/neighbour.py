"""`gateway neighbour …`: how neighbours stand, and the switch for maintenance."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from gateway.config import load_config

if TYPE_CHECKING:
    from gateway.house import House


def _house() -> House:
    from gateway.wiring import build_house

    return build_house(load_config())


@click.group()
def group() -> None:
    """The towns and the bank: list, pause, resume."""


@group.command()
@click.argument("name")
@click.option("--why", required=True)
@click.option("--by", default=getpass.getuser, help="who says so; the name of this account when absent")
def pause(name: str, why: str, by: str) -> None:
    """Say nothing to a neighbour until it is resumed. What is to be said waits; what comes in by its door is taken."""
    _switch(name, True, why, by)


@group.command()
@click.argument("name")
@click.option("--why", default="")
@click.option("--by", default=getpass.getuser, help="who says so; the name of this account when absent")
def resume(name: str, why: str, by: str) -> None:
    """End the pause."""
    _switch(name, False, why, by)


def _switch(name: str, paused: bool, why: str, by: str) -> None:
    from gateway.flows.switch_neighbour import switch_neighbour

    house = _house()
    changed = switch_neighbour(house, name, paused=paused, why=why, by=by, now=house.clock())
    print(f"{name}: {'paused' if paused else 'resumed'}" if changed else f"{name}: was so already")
