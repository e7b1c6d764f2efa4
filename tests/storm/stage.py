"""A stage for storms: the real web, jobs and PostgreSQL processes in a directory of their own, to be killed and started again."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

from gateway.config import Config, load_config
from gateway.db.embedded import Embedded, start_embedded, stop_embedded

VICTIMS = ("web worker", "web master", "jobs", "postgres", "postgres backend")


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Stage:
    """Processes by name, and where their files are. Use `with stage() as it`."""

    folder: Path
    port: int
    settings: dict[str, str] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    server: Embedded | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of every process here: nothing of the caller's GATEWAY_*."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
        return clean | {
            "GATEWAY_STATE_DIR": str(self.folder),
            "GATEWAY_BIND": f"127.0.0.1:{self.port}",
            "GATEWAY_PUBLIC_URL": self.url,
            "GATEWAY_RATE_PER_MINUTE": "1000000",
            "PYTHONUNBUFFERED": "1",
            **self.settings,
        }

    @property
    def config(self) -> Config:
        return load_config(self.environ)

    def dsn(self, role: str = "postgres") -> str:
        assert self.server is not None
        return self.server.dsn(role)

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `gateway WORDS` to its end."""
        done = subprocess.run(
            [_gateway(), *words], env=self.environ, capture_output=True, text=True, timeout=120, check=False
        )
        if check and done.returncode:
            raise AssertionError(
                f"gateway {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            )
        return done

    def prepare(self) -> None:
        """Keys, certificates, database and schema."""
        self.command("certs", "init")
        self.start_postgres()
        self.command("db", "migrate")

    def start_postgres(self) -> None:
        self.server = start_embedded(self.folder / "postgres", extra_settings="shared_buffers = 128MB\n")

    def start(self, name: str) -> None:
        """Start 'web' or 'jobs' in a session of its own; their output goes to a file."""
        log = (self.folder / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(
            [_gateway(), name], env=self.environ, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        log.close()

    def start_all(self) -> None:
        self.start("web")
        self.start("jobs")
        self.wait_ready()

    def wait_ready(self, within_s: float = 60.0) -> None:
        """Until the web answers; what ended meanwhile is started again, as by a supervisor (a port was still taken)."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for name, process in self.running.items():
                if process.poll() is not None:
                    self.start(name)
            with contextlib.suppress(requests.RequestException):
                ca = str(self.config.tls_client_ca)
                if requests.get(f"{self.url}/healthz", verify=ca, timeout=2).status_code == 200:
                    return
            time.sleep(0.2)
        raise AssertionError(f"the web did not come up:\n{self.tail('web')}")

    def tail(self, name: str, count: int = 4000) -> str:
        """The end of what a process wrote."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-count:] if path.exists() else "(nothing)"

    def kill_one(self, victim: str, dice: random.Random) -> str:
        """kill -9 `victim`; what was killed, in words."""
        if victim == "web worker":
            workers = _children(self.running["web"].pid)
            if not workers:
                return "nobody: the web had no worker"
            chosen = dice.choice(workers)
            _kill(chosen)
            return f"web worker {chosen}"
        if victim == "web master":
            _kill(self.running["web"].pid)
            return "web master"
        if victim == "jobs":
            for pid in (*_children(self.running["jobs"].pid), self.running["jobs"].pid):
                _kill(pid)
            return "jobs"
        postmaster = int((self.folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
        backends = _children(postmaster)
        if victim == "postgres backend" and backends:
            chosen = dice.choice(backends)
            _kill(chosen)
            return f"postgres backend {chosen}"
        _kill(postmaster)
        for pid in backends:
            _kill(pid)
        return f"postgres with {len(backends)} backends"

    def mend(self) -> None:
        """Start again what is not there, as a supervisor would."""
        for name in ("web", "jobs"):
            if self.running[name].poll() is not None:
                self.start(name)
        for _ in range(20):  # it may still be recovering, or the last of it may not have gone yet
            try:
                self.start_postgres()
                return
            except (RuntimeError, subprocess.SubprocessError, OSError):
                time.sleep(0.5)
        raise AssertionError("PostgreSQL did not come back")

    def stop(self) -> None:
        """End everything that was started here."""
        for process in self.running.values():
            pids = [*_children(process.pid), process.pid]
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
            for pid in pids:
                _kill(pid)
        stop_embedded(self.folder / "postgres")


@contextlib.contextmanager
def stage(**settings: str) -> Iterator[Stage]:
    """A prepared stage; nothing runs on it yet but PostgreSQL. Everything is ended and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-storm-"))
    folder.chmod(
        0o755
    )  # PostgreSQL runs as a user of its own when we are root, so pytest's own folder will not do
    it = Stage(folder, free_port(), settings)
    try:
        it.prepare()
        yield it
    finally:
        it.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _gateway() -> str:
    return str(Path(sys.executable).with_name("gateway"))


def _children(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
