"""`gateway good …`: what can be had for points."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from gateway.config import load_config


@click.group()
def group() -> None:
    """Goods: their pictures."""


@group.command()
@click.argument("code")
@click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def picture(code: str, picture: Path) -> None:
    """Give the good CODE the PICTURE: a JPEG, PNG or WebP of at most 5 MiB. It is drawn anew; only its pixels are kept."""
    from gateway.flows.picture_good import MOST_BYTES, picture_good
    from gateway.wiring import build_house

    house = build_house(load_config())
    with picture.open("rb") as file:
        uploaded = file.read(MOST_BYTES + 1)
    new = picture_good(house, code, uploaded, by=f"cli:{getpass.getuser()}", now=house.clock())
    print(f"{code}: {'the picture is set' if new else 'has this picture already'}")
