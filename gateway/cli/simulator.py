"""`gateway simulator NAME`: a simulated neighbour, a server of its own."""

from __future__ import annotations

import click

from gateway.config import Config, load_config
from schemas.errors import NotFoundError, RefusedError


@click.command()
@click.argument("name", required=False)
@click.option("--port", default=8444, show_default=True)
def group(name: str | None, port: int) -> None:
    """Serve the simulated neighbour NAME (a town, or bank_core) on loopback; without NAME, list them.

    Its books stand at /_state; faults are armed at /_faults. Refused in production mode.
    """
    from adapters import registry
    from certs import ensure_development
    from gateway.sandbox.places import simulator_place
    from gateway.sandbox.serving import serve_simulator

    config = _sandbox_config()
    names = [*registry.simulated_towns(), "bank_core"]
    if name is None:
        for known in names:
            print(known)
        return
    simulator = registry.find_simulator(name)
    if simulator is None or name not in names:
        raise NotFoundError(
            f"there is no simulated neighbour {name}", code="simulator-unknown", where="NAME",
            remedy="known are " + ", ".join(names),
        )  # fmt: skip
    made = ensure_development(config)
    place = simulator_place(config, made.folder, name, port)
    place.books.parent.mkdir(parents=True, exist_ok=True)
    running = simulator.create_simulator(place)
    serve_simulator(
        running.app,
        port,
        *made.simulator(name),
        client_ca=made.ca_cert if running.asks_certificate else None,
        before_end=running.before_end,
    )


def _sandbox_config() -> Config:
    config = load_config()
    if config.mode != "sandbox":
        raise RefusedError("simulators run in sandbox mode only", code="sandbox-only", where="GATEWAY_MODE")
    return config
