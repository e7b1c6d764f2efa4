"""`gateway staff …`: accounts of the bank's staff in the local directory."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from gateway.config import load_config
from schemas.staff import Credentials, NewStaff, Role

if TYPE_CHECKING:
    from gateway.house import House

ROLES = click.Choice([role.value for role in Role])


def _house() -> House:
    from gateway.wiring import build_house

    return build_house(load_config())


def _operator() -> str:
    """Who types: the account of this machine. It goes into the record of the change."""
    return f"cli:{getpass.getuser()}"


@click.group()
def group() -> None:
    """Staff accounts: add, list, replace, disable, enable, reset."""


@group.command()
@click.option("--name", required=True)
@click.option("--branch", "branch_no", required=True, help="branch number (机构号)")
@click.option("--teller", "teller_no", required=True, help="teller number (柜员号), one a person")
@click.option("--role", "roles", required=True, multiple=True, type=ROLES)
def add(name: str, branch_no: str, teller_no: str, roles: tuple[str, ...]) -> None:
    """Add an account. Password and second factor are printed once and kept nowhere in the clear."""
    from gateway.flows.add_staff import add_staff

    house = _house()
    new = NewStaff(name, branch_no, teller_no, frozenset(Role(role) for role in roles))
    credentials = add_staff(house, new, by=_operator(), now=house.clock())
    print(f"{teller_no}: added")
    if credentials is not None:
        _show(teller_no, credentials)


@group.command("list")
def list_command() -> None:
    """Every account with branch, roles and state."""
    from gateway.flows.list_staff import list_staff

    for account in list_staff(_house()):
        state = "enabled" if account.enabled else "DISABLED"
        roles = " ".join(sorted(account.roles))
        print(f"{account.branch_no:12} {account.teller_no:16} {state:9} {account.source:9} {roles}")


@group.command()
@click.argument("teller_no")
@click.option("--name", required=True)
@click.option("--branch", "branch_no", required=True)
@click.option("--new-teller", default=None, help="another teller number")
@click.option("--role", "roles", required=True, multiple=True, type=ROLES)
def replace(
    teller_no: str, name: str, branch_no: str, new_teller: str | None, roles: tuple[str, ...]
) -> None:
    """Another branch, other roles: everything is given anew. The person's session ends."""
    from gateway.flows.replace_staff import replace_staff

    house = _house()
    new = NewStaff(name, branch_no, new_teller or teller_no, frozenset(Role(role) for role in roles))
    changed = replace_staff(house, teller_no, new, by=_operator(), now=house.clock())
    print(f"{teller_no}: {'replaced' if changed else 'stands so already'}")


@group.command()
@click.argument("teller_no")
def disable(teller_no: str) -> None:
    """Switch an account off: its session ends with the next request."""
    _switch(teller_no, False)


@group.command()
@click.argument("teller_no")
def enable(teller_no: str) -> None:
    """Switch an account on again."""
    _switch(teller_no, True)


@group.command()
@click.argument("teller_no")
def reset(teller_no: str) -> None:
    """A new password and a new second factor, printed once; failures are forgiven."""
    from gateway.flows.renew_credentials import renew_credentials

    house = _house()
    _show(teller_no, renew_credentials(house, teller_no, by=_operator(), now=house.clock()))


def _switch(teller_no: str, enabled: bool) -> None:
    from gateway.flows.switch_staff import switch_staff

    house = _house()
    changed = switch_staff(house, teller_no, enabled, by=_operator(), now=house.clock())
    print(f"{teller_no}: {'changed' if changed else 'was so already'}")


def _show(teller_no: str, credentials: Credentials) -> None:
    """Once, on the operator's screen: the password, and the second factor as text and as a picture for an authenticator app."""
    import pyotp
    import segno

    address = pyotp.TOTP(credentials.totp_secret).provisioning_uri(name=teller_no, issuer_name="gateway")
    print(f"  password       {credentials.password}")
    print(f"  second factor  {credentials.totp_secret}")
    print(f"  {address}")
    segno.make(address, micro=False).terminal(compact=True)
    print("  Shown once: hand it over in person, and have the password changed at the first sign-in.")
