"""The one table of doors: what stands where, and who guards it. Deny by default: a rule outside this table ends start-up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Flask

from gateway.house import House
from gateway.web import (
    audit,
    closing,
    desk,
    guards,
    health,
    hooks,
    links,
    log,
    oauth,
    operations,
    overview,
    pages,
    settlement,
    soap,
    staff,
    stock,
    towns,
)
from gateway.web.guards import Guard
from schemas.staff import Role


@dataclass(frozen=True, slots=True)
class Door:
    """A blueprint's factory, the prefix it stands below, and its guard."""

    name: str
    prefix: str
    guard: Guard
    make: Callable[[House], Blueprint]


def list_doors(house: House) -> list[Door]:
    """Every door of the web process."""
    doors = [
        Door("pages", "", guards.open_to_all, pages.pages_blueprint),
        Door("health", "", guards.open_to_all, health.health_blueprint),
        Door("metrics", "", guards.metrics_reader, health.metrics_blueprint),
        Door("metadata", "/.well-known", guards.open_to_all, oauth.metadata_blueprint),
        Door("log", "/log", guards.open_to_all, log.log_blueprint),
        Door("log_entries", "/log/tile/entries", guards.entries_reader, log.log_entries_blueprint),
        Door("links", "/link", guards.carries_entry, links.links_blueprint),
        Door("oauth", "/oauth", guards.proves_itself, oauth.oauth_blueprint),
        Door("sign_in", "/staff", guards.signs_in, staff.sign_in_blueprint),
        Door("staff", "/staff", guards.staff(), staff.staff_blueprint),
        Door("desk", "/desk", guards.staff(*desk.CLERKS), desk.desk_blueprint),
        Door("audit", "/audit", guards.staff(Role.AUDITOR), audit.audit_blueprint),
        Door("closing", "/closing", guards.staff(*desk.CLERKS), closing.closing_blueprint),
        Door("settlement", "/settlement", guards.staff(Role.SUPERVISOR), settlement.settlement_blueprint),
        Door("overview", "/overview", guards.staff(Role.SUPERVISOR), overview.overview_blueprint),
        Door("stock", "/stock", guards.staff(*desk.CLERKS), stock.stock_blueprint),
        Door("operations", "/operations", guards.staff(Role.OPERATOR), operations.operations_blueprint),
    ]
    for town, reader in house.readers.items():
        if hasattr(reader, "read_event"):
            doors.append(
                Door(
                    f"hooks_{town}",
                    f"/towns/{town}/v1",
                    guards.signs_events,
                    lambda house, town=town: hooks.hooks_blueprint(house, town),  # type: ignore[misc]
                )
            )
        if reader.capabilities.speaks == "soap" or not reader.capabilities.pushes:
            continue
        doors.append(
            Door(
                f"town_{town}",
                f"/towns/{town}/v1",
                guards.town_client(town, towns.SCOPES),
                lambda house, town=town: towns.town_blueprint(house, town),  # type: ignore[misc]
            )
        )
    for town in house.soap_towns:
        doors += [
            Door(
                f"soap_{town}",
                f"/towns/{town}/soap",
                guards.soap_client(town),
                lambda house, town=town: soap.soap_blueprint(house, town),  # type: ignore[misc]
            ),
            Door(
                f"contract_{town}",
                f"/towns/{town}/soap",
                guards.open_to_all,
                lambda house, town=town: soap.contract_blueprint(house, town),  # type: ignore[misc]
            ),
        ]
    return doors


def open_doors(app: Flask, house: House) -> None:
    """Register every door with its guard."""
    for door in list_doors(house):
        blueprint = door.make(house)
        if blueprint.name != door.name:
            raise RuntimeError(f"the blueprint of door {door.name} is named {blueprint.name}")
        door.guard(house, blueprint)
        app.register_blueprint(blueprint, url_prefix=door.prefix or None)
    refuse_unguarded(app, {door.name for door in list_doors(house)})


def refuse_unguarded(app: Flask, doors: set[str]) -> None:
    """Raise RuntimeError for a URL rule that belongs to no door: it would have no guard."""
    for rule in app.url_map.iter_rules():
        door, dot, endpoint = rule.endpoint.partition(".")
        if not dot or door not in doors:
            raise RuntimeError(
                f"the address {rule.rule} belongs to no door, so it has no guard; add it to doors.py"
            )
        if door.startswith("town_") and endpoint not in towns.SCOPES:
            raise RuntimeError(
                f"the address {rule.rule} of a town's door names no scope; add it to towns.SCOPES"
            )
