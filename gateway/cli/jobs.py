"""`gateway jobs`"""

from __future__ import annotations

import logging

import click

from gateway.config import load_config


@click.command()
def group() -> None:
    """The scheduler process. A second one stands by and takes over when the first dies."""
    from gateway.wiring import build_house
    from jobs.scheduler import serve_until_signalled

    config = load_config()
    if not logging.getLogger().handlers:
        logging.basicConfig(level=config.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    serve_until_signalled(build_house(config))
