"""Where the simulated town stands: what starts it, and how the gateway reaches it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.pingan_gongfu.simulator.books import Books
from adapters.pingan_gongfu.simulator.server import SimulatorSettings, create_simulator_app
from adapters.simulating import Simulated, SimulatorPlace


def create_simulator(place: SimulatorPlace) -> Simulated:
    """The town with the books it had."""
    books = Books(place.books.with_suffix(".json"))
    books.load()
    settings = SimulatorSettings(place.caller, _password_file(place).read_text().strip(), books)
    return Simulated(create_simulator_app(settings), asks_certificate=True, before_end=books.save)


def settings_for(place: SimulatorPlace) -> Mapping[str, Any]:
    """The town's table in the neighbours file of a sandbox."""
    cert, key = place.caller_cert
    return {
        "address": place.address,
        "username": place.caller,
        "password_file": str(_password_file(place)),
        "client_cert": str(cert),
        "client_key": str(key),
        "ca_file": str(place.ca_file),
        "sandbox": True,
    }


def _password_file(place: SimulatorPlace) -> Path:
    """Our password at the simulated town, made when it is first asked for; whole from its first moment."""
    path = place.certs / "password-gateway-pingan_gongfu"
    if not path.exists():
        beside = path.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}")
        beside.touch(mode=0o600)
        beside.write_text(secrets.token_urlsafe(24) + "\n")
        try:
            os.link(beside, path)
        except FileExistsError:
            pass  # another process made it meanwhile
        finally:
            beside.unlink()
    return path
