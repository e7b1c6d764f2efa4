"""`gateway simulator …`: simulated neighbours, each a server of its own."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway.config import Config, load_config
from schemas.errors import RefusedError


@click.group()
def group() -> None:
    """Simulated neighbours on loopback: a town, the bank. Refused in production mode."""


def _sandbox_config() -> Config:
    config = load_config()
    if config.mode != "sandbox":
        raise RefusedError("simulators run in sandbox mode only", code="sandbox-only", where="GATEWAY_MODE")
    return config


@group.command()
@click.option("--port", default=8444, show_default=True)
def lijiayuan(port: int) -> None:
    """The town 沥家园: token endpoint, freezes, balances, day statement; its books at /_state."""
    from adapters.lijiayuan.simulator import Books, SimulatorSettings, create_simulator_app
    from certs import ensure_development
    from gateway.sandbox.serving import serve_simulator

    config = _sandbox_config()
    made = ensure_development(config)
    books = Books(config.state_dir / "simulators" / "lijiayuan.json")
    books.load()
    keys = json.loads(Path(made.folder / "assertion-gateway.jwks.json").read_text())
    settings = SimulatorSettings(f"https://localhost:{port}", "gateway", keys, books)
    serve_simulator(
        create_simulator_app(settings),
        port,
        *made.simulator("lijiayuan"),
        client_ca=None,
        before_end=books.save,
    )


@group.command("bank_core")
@click.option("--port", default=8445, show_default=True)
def bank_core(port: int) -> None:
    """The bank's credit system over mutual TLS; its books at /_state."""
    from adapters.bank_core.simulator import create_simulator_app
    from certs import ensure_development
    from gateway.sandbox.serving import serve_simulator

    config = _sandbox_config()
    made = ensure_development(config)
    journal = config.state_dir / "simulators" / "bank_core.jsonl"
    journal.parent.mkdir(parents=True, exist_ok=True)
    serve_simulator(create_simulator_app(journal), port, *made.simulator("bank_core"), client_ca=made.ca_cert)
