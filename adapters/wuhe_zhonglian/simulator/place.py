"""Where the simulated town stands: what starts it, and how the gateway reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.simulating import Simulated, SimulatorPlace
from adapters.wuhe_zhonglian.simulator.books import Books
from adapters.wuhe_zhonglian.simulator.envelopes import Signing
from adapters.wuhe_zhonglian.simulator.server import SimulatorSettings, create_simulator_app


def create_simulator(place: SimulatorPlace) -> Simulated:
    """The town with the books it had. The fault `forged` signs with the server's key, which is on nobody's list."""
    books = Books(place.books.with_suffix(".json"))
    books.load()
    ours = (place.certs / "soap.crt",)
    signing = Signing(
        place.certs / f"signing-{place.name}.key", place.certs / f"signing-{place.name}.crt", ours
    )
    forging = Signing(
        place.certs / f"simulator-{place.name}.key", place.certs / f"simulator-{place.name}.crt", ours
    )
    return Simulated(create_simulator_app(SimulatorSettings(signing, books, forging)), before_end=books.save)


def settings_for(place: SimulatorPlace) -> Mapping[str, Any]:
    """The town's table in the neighbours file of a sandbox."""
    return {
        "address": place.address,
        "signing_cert": str(place.certs / "soap.crt"),
        "signing_key": str(place.certs.parent / "keys" / "soap.key"),
        "answers_from": str(place.certs / f"signing-{place.name}.crt"),
        "ca_file": str(place.ca_file),
        "sandbox": True,
    }
