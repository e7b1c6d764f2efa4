"""`gateway web`: the web process."""

from __future__ import annotations

import click

from gateway.config import load_config


@click.command()
def group() -> None:
    """Serve the doors over TLS until told to stop."""
    from gateway.web.serve import serve
    from gateway.wiring import open_databases

    config = load_config()
    open_databases(config)  # an embedded server is started once, before the workers look for it
    serve(config)
