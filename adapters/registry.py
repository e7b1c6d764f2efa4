"""The one list of neighbours. Adding a town is one line here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, Final, TypeVar

from adapters import lijiayuan
from schemas.errors import InvalidError, RefusedError
from schemas.ports import BankPort, TownClient, TownReader
from schemas.values import TownCode

#: town code → adapter: create_reader(), Config, create_client(config)
TOWNS: Final = {
    TownCode("lijiayuan"): lijiayuan,
}

Settings = TypeVar("Settings")


def create_readers() -> dict[TownCode, TownReader]:
    """Every town's reader: pure, so always all of them."""
    return {town: adapter.create_reader() for town, adapter in TOWNS.items()}


def create_clients(neighbours: Mapping[str, Mapping[str, Any]], *, mode: str) -> dict[TownCode, TownClient]:
    """A client for each town that has a table in the neighbours file."""
    return {
        town: adapter.create_client(read_settings(adapter.Config, town, neighbours[town], mode=mode))
        for town, adapter in TOWNS.items()
        if town in neighbours
    }


def create_bank(neighbours: Mapping[str, Mapping[str, Any]], *, mode: str) -> BankPort | None:
    """The bank's client, or None when the neighbours file has no table for it."""
    if "bank_core" not in neighbours:
        return None
    from adapters import bank_core

    settings = read_settings(bank_core.Config, "bank_core", neighbours["bank_core"], mode=mode)
    return bank_core.create_client(settings)


def read_settings(kind: type[Settings], neighbour: str, table: Mapping[str, Any], *, mode: str) -> Settings:
    """One table of the neighbours file as that adapter's Config; every fault of the table at once.

    Raises InvalidError; RefusedError for a sandbox neighbour outside sandbox mode.
    """
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    faults = [f"{name} is not a setting" for name in table if name not in known]
    faults += [
        f"{name} is missing"
        for name, f in known.items()
        if name not in table and f.default is MISSING and f.default_factory is MISSING
    ]
    values = {}
    for name, value in table.items():
        if name in known:
            wanted = str(known[name].type)
            fits = _fits(wanted, value)
            if not fits:
                faults.append(f"{name} must be {wanted.removesuffix(' | None')}")
            values[name] = Path(value) if "Path" in wanted and isinstance(value, str) else value
    if not str(table.get("address", "https://")).startswith("https://"):
        faults.append("address must begin with https://")
    if faults:
        raise InvalidError(
            f"the settings of {neighbour} cannot be used: " + "; ".join(faults),
            code="neighbour-settings",
            where=neighbour,
        )
    if mode != "sandbox" and table.get("sandbox"):
        raise RefusedError(
            f"{neighbour} is a sandbox neighbour; it is refused in {mode} mode",
            code="sandbox-neighbour",
            where=neighbour,
        )
    return kind(**values)


def _fits(wanted: str, value: Any) -> bool:
    if "Path" in wanted or wanted.startswith("str"):
        return isinstance(value, str) and bool(value)
    if wanted.startswith("bool"):
        return isinstance(value, bool)
    if wanted.startswith("float"):
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
    if wanted.startswith("int"):
        return isinstance(value, int) and not isinstance(value, bool)
    return True
