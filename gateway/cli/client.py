"""`gateway client …`: towns' OAuth clients."""

from __future__ import annotations

import json
from pathlib import Path
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
    """Towns' OAuth clients: register, list, disable, enable."""


@group.command()
@click.option("--town", required=True, help="the town it speaks for, e.g. lijiayuan")
@click.option("--client-id", required=True)
@click.option(
    "--jwks", "jwks_file", required=True, type=click.Path(exists=True, path_type=Path), help="its public keys"
)
@click.option(
    "--cert",
    "cert_files",
    required=True,
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="its client certificate (PEM); twice during rollover",
)
@click.option("--scope", "scopes", multiple=True, help="default: every scope")
def register(
    town: str, client_id: str, jwks_file: Path, cert_files: tuple[Path, ...], scopes: tuple[str, ...]
) -> None:
    """Register a client, or replace its keys, certificates and scopes."""
    from certs import read_registration
    from gateway.flows.register_client import register_client

    house = _house()
    asked = read_registration(town, client_id, jwks_file, cert_files, scopes)
    changed = register_client(house, asked, now=house.clock())
    print(f"{client_id}: {'registered' if changed else 'stands so already'}")


@group.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_command(as_json: bool) -> None:
    """Every client with its town, scopes, keys and certificates."""
    from gateway.flows.list_neighbours import list_neighbours

    for client in list_neighbours(_house()):
        keys = [key["kid"] for key in client.jwks["keys"]]
        if as_json:
            print(
                json.dumps(
                    {
                        "clientId": client.client_id,
                        "town": client.town,
                        "enabled": client.enabled,
                        "scopes": sorted(client.scopes),
                        "keys": keys,
                        "certificates": sorted(client.certificates),
                    }
                )
            )
        else:
            state = "enabled" if client.enabled else "DISABLED"
            print(f"{client.client_id:32} {client.town:16} {state:9} {' '.join(sorted(client.scopes))}")
            print(f"{'':32} keys {', '.join(keys)}; certificates {', '.join(sorted(client.certificates))}")


@group.command()
@click.argument("client_id")
def disable(client_id: str) -> None:
    """Switch a client off: its tokens stop within two seconds."""
    _switch(client_id, False)


@group.command()
@click.argument("client_id")
def enable(client_id: str) -> None:
    """Switch a client on again."""
    _switch(client_id, True)


def _switch(client_id: str, enabled: bool) -> None:
    from gateway.flows.switch_client import switch_client

    house = _house()
    changed = switch_client(house, client_id, enabled, now=house.clock())
    print(f"{client_id}: {'changed' if changed else 'was so already'}")
