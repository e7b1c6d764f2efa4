"""Where the simulated town stands: what starts it, and how the gateway reaches it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from adapters.nanyang_young.simulator.authority import Authority
from adapters.nanyang_young.simulator.books import Books
from adapters.nanyang_young.simulator.server import create_simulator_app
from adapters.simulating import Simulated, SimulatorPlace

CALLBACK = "/link/nanyang_young/callback"


def create_simulator(place: SimulatorPlace) -> Simulated:
    """The town with the books and grants it had; at first empty: residents and changes are posted to /_accounts and /_changes."""
    books = Books()
    keys = json.loads(place.caller_jwks.read_text())
    authority = Authority(place.address, place.caller, keys, (), books)
    path = place.books.with_suffix(".json")
    if path.exists():
        kept = json.loads(path.read_text())
        books.restore(kept["books"])
        authority.refresh = {token: tuple(found) for token, found in kept["refresh"].items()}

    def save() -> None:
        """Whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".writing")
        with authority.lock:
            beside.write_text(json.dumps({"books": books.kept(), "refresh": authority.refresh}))
        beside.replace(path)

    return Simulated(create_simulator_app(authority, save), before_end=save)


def settings_for(place: SimulatorPlace) -> Mapping[str, Any]:
    """The town's table in the neighbours file of a sandbox."""
    cert, key = place.caller_cert
    return {
        "address": place.address,
        "client_id": place.caller,
        "key_file": str(place.caller_key),
        "hook_secrets": [hook_secret(place)],
        "client_cert": str(cert),
        "client_key": str(key),
        "ca_file": str(place.ca_file),
        "sandbox": True,
    }


def hook_secret(place: SimulatorPlace) -> str:
    """The secret of a sandbox: made from our private key there, so that both sides know it and git does not."""
    made = hashlib.sha256(b"nanyang_young hook " + place.caller_key.read_bytes()).digest()
    return "whsec_" + base64.b64encode(made).decode()
