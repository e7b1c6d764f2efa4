"""Where the simulated town stands: what starts it, and how the gateway reaches it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from adapters.kit.platform import settings_for_oauth
from adapters.lijiayuan.simulator.books import Books
from adapters.lijiayuan.simulator.server import SimulatorSettings, create_simulator_app
from adapters.simulating import Simulated, SimulatorPlace


def create_simulator(place: SimulatorPlace) -> Simulated:
    """The town with the books it had."""
    books = Books(place.books.with_suffix(".json"))
    books.load()
    keys = json.loads(place.caller_jwks.read_text())
    settings = SimulatorSettings(place.address, place.caller, keys, books)
    return Simulated(create_simulator_app(settings), before_end=books.save)


def settings_for(place: SimulatorPlace) -> Mapping[str, Any]:
    """The town's table in the neighbours file of a sandbox."""
    return settings_for_oauth(place)
