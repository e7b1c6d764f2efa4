"""Which rooms can say their records again from their rows, and which check their sums. One line a room."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any

from gateway.db import Transaction
from schemas.records import Restater

#: rooms that own rows a record speaks of: gateway/<room>/restate.py offers RESTATERS by record kind
RESTATING_ROOMS = (
    "subjects",
    "contributions",
    "policy",
    "benefits",
    "outbox",
    "clients",
    "links",
    "staff",
    "goods",
    "redemptions",
    "settlements",
    "closings",
    "translog",
    "neighbours",
    "evidence",
    "runs",
    "objections",
)
#: rooms whose sums or states are derived from their own rows: gateway/<room> offers list_faults(tx)
SUMMING_ROOMS = (
    "subjects",
    "contributions",
    "ledger",
    "benefits",
    "goods",
    "redemptions",
    "settlements",
    "closings",
)
#: kinds whose records speak of many rows: the field of the body that says how many, so that memory stays bounded
ROW_COUNTS = {"contribution_batch": "accepted_count", "reconciliation": "change_count"}

#: rooms that know what has not come yet although its number was passed: gateway/<room> offers list_missing(tx)
COUNTING_ROOMS = ("feeds", "contributions")


def list_restaters() -> Mapping[str, Restater]:
    """Every restater by record kind. Raises ValueError when two rooms claim one kind."""
    found: dict[str, Restater] = {}
    for room in RESTATING_ROOMS:
        name = f"gateway.{room}.restate"
        if importlib.util.find_spec(f"gateway.{room}") is None or importlib.util.find_spec(name) is None:
            continue
        for kind, restater in importlib.import_module(name).RESTATERS.items():
            if kind in found:
                raise ValueError(f"two rooms claim records of kind {kind!r}")
            found[kind] = restater
    return found


def list_sum_faults(tx: Transaction) -> list[tuple[str, Any]]:
    """(room, fault) for every derived sum that does not agree with the rows it is derived from."""
    found: list[tuple[str, Any]] = []
    for room in SUMMING_ROOMS:
        offered = getattr(importlib.import_module(f"gateway.{room}"), "list_faults", None)
        if offered is not None:
            found += [(room, fault) for fault in offered(tx)]
    return found


def list_missing(tx: Transaction) -> list[str]:
    """What should be here and has not come, in words: numbers of feeds, days of files."""
    return [
        one for room in COUNTING_ROOMS for one in importlib.import_module(f"gateway.{room}").list_missing(tx)
    ]
