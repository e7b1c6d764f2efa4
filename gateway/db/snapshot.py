"""The schema as one file: what all migrations together make, so that a review sees the whole and a test sees a drift.

`make snapshot` writes `gateway/db/schema.sql`; tests/integration/test_schema_snapshot.py compares.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from gateway.db.embedded import Embedded, start_embedded, stop_embedded
from gateway.db.migrate import create_database, migrate

SNAPSHOT = Path(__file__).with_name("schema.sql")
_HEAD = "-- What the migrations make together. Written by `make snapshot`; read it, never run or edit it.\n\n"
#: What differs from one server or one run to the next and says nothing about the schema.
_NOISE = re.compile(  # grants on PostgreSQL's own functions are those of corners.sql
    r"^(--.*|SET .*;|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*|(GRANT|REVOKE) .* pg_catalog\..*)\n",
    re.MULTILINE,
)


def dump_schema(server: Embedded, database: str) -> str:
    """The schema of a database as SQL text: tables, constraints, indexes, functions, triggers and grants; no rows."""
    dumped = subprocess.run(  # noqa: S603 - our own program with our own arguments
        [server.bin_dir / "pg_dump", "--schema-only", "--no-comments", server.dsn("postgres", database)],
        capture_output=True,
        text=True,
        check=True,
    )
    return _HEAD + re.sub(r"\n{3,}", "\n\n", _NOISE.sub("", dumped.stdout)).strip() + "\n"


def write_snapshot(target: Path = SNAPSHOT) -> str:
    """Migrate a scratch server of our own and write its schema to `target`; the text."""
    with tempfile.TemporaryDirectory(prefix="gateway-snapshot-") as folder:
        Path(folder).chmod(0o755)  # the server runs as a user of its own when we are root
        server = start_embedded(Path(folder) / "postgres")
        try:
            create_database(server.dsn("postgres", "postgres"), "gateway")
            migrate(server.dsn("gateway_migrate", "gateway"))
            text = dump_schema(server, "gateway")
        finally:
            stop_embedded(Path(folder) / "postgres")
    target.write_text(text, "utf-8")
    return text


if __name__ == "__main__":
    write_snapshot()
