"""`gateway db …`"""

from __future__ import annotations

import click

from gateway.config import load_config


@click.group()
def group() -> None:
    """The database: migrate, check."""


@group.command()
def migrate() -> None:
    """Create what is missing and apply new migrations."""
    from gateway.wiring import open_databases

    dsns = open_databases(load_config(), migrate=True)
    for name in dsns.applied:
        print("applied", name)
    print("the schema is current")


@group.command()
def check() -> None:
    """Say which migrations the database lacks; exit 1 when any."""
    from gateway.db.migrate import missing_migrations
    from gateway.wiring import open_databases

    missing = missing_migrations(open_databases(load_config()).app)
    for name in missing:
        print("missing", name)
    raise SystemExit(1 if missing else 0)
