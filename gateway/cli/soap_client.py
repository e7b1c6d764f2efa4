"""`gateway soap-client …`: who may speak for a town over SOAP."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.config import load_config

if TYPE_CHECKING:
    from gateway.house import House

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _house() -> House:
    from gateway.wiring import build_house

    return build_house(load_config())


@click.group()
def group() -> None:
    """Who may speak for a town over SOAP: register, list, disable, enable."""


@group.command()
@click.option("--town", required=True, help="the town it speaks for, e.g. wuhe_zhonglian")
@click.option("--client-id", required=True)
@click.option(
    "--signing-cert", "signing_files", multiple=True, type=_FILE,
    help="the certificate its messages are signed with (PEM); twice during rollover",
)  # fmt: skip
@click.option(
    "--tls-cert", "tls_files", multiple=True, type=_FILE,
    help="the certificate of its connections (PEM); twice during rollover",
)  # fmt: skip
@click.option("--username", help="for a town with UsernameToken")
@click.option("--password-file", type=_FILE, help="its password; left out: one is made and shown once")
@click.option("--scope", "scopes", multiple=True, help="default: every scope")
def register(
    town: str,
    client_id: str,
    signing_files: tuple[Path, ...],
    tls_files: tuple[Path, ...],
    username: str | None,
    password_file: Path | None,
    scopes: tuple[str, ...],
) -> None:
    """Register a client, or replace its certificates, password and scopes."""
    from certs import read_soap_registration
    from gateway.flows.register_soap_client import register_soap_client

    password, made = None, False
    if username is not None:
        made = password_file is None
        password = (
            secrets.token_urlsafe(32) if password_file is None else password_file.read_text("utf-8").strip()
        )
    house = _house()
    asked = read_soap_registration(town, client_id, signing_files, tls_files, username, password, scopes)
    changed = register_soap_client(house, asked, now=house.clock())
    print(f"{client_id}: {'registered' if changed else 'stands so already'}")
    if made:
        print(f"its password, shown this once: {password}")


@group.command("list")
def list_command() -> None:
    """Every client with its town, scopes and certificates, and when these end."""
    from certs import end_of
    from gateway.flows.list_soap_clients import list_soap_clients

    now = datetime.now(UTC)
    for client in list_soap_clients(_house()):
        state = "enabled" if client.enabled else "DISABLED"
        print(f"{client.client_id:32} {client.town:16} {state:9} {' '.join(client.scopes)}")
        for der in client.signing_certificates:
            ends = end_of(der)
            print(f"{'':32} signs with a certificate until {ends:%Y-%m-%d} ({(ends - now).days} days)")
        if client.tls_certificates:
            print(f"{'':32} connects with {', '.join(client.tls_certificates)}")
        if client.username is not None:
            print(f"{'':32} username {client.username}")


@group.command()
@click.argument("client_id")
def disable(client_id: str) -> None:
    """Switch a client off: its messages are refused within two seconds."""
    _switch(client_id, False)


@group.command()
@click.argument("client_id")
def enable(client_id: str) -> None:
    """Switch a client on again."""
    _switch(client_id, True)


def _switch(client_id: str, enabled: bool) -> None:
    from gateway.flows.switch_soap_client import switch_soap_client

    house = _house()
    changed = switch_soap_client(house, client_id, enabled, now=house.clock())
    print(f"{client_id}: {'changed' if changed else 'was so already'}")
