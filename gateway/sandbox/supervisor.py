"""Processes of the sandbox: started with their logs, started again when they die, stopped in order.

Each child is a process group of its own, so that Ctrl-C reaches only us and nothing is stopped but what we started.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import UnavailableError

STOP_WITHIN_S = 40.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 30.0
CALM_AFTER_S = 60.0  # a child that lived so long starts again without waiting
LOOK_EVERY_S = 0.25
CHILDREN = "children.json"


@dataclass(slots=True)
class Child:
    """One supervised process: `gateway <arguments>`."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0  # monotonic
    wait_s: float = 0.0
    start_again_at: float = 0.0
    deaths: int = 0


@dataclass(slots=True)
class Supervisor:
    """Keeps children alive until told to stop. `say` gets one line for everything that happens."""

    environment: Mapping[str, str]
    logs: Path
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self, name: str, arguments: Sequence[str]) -> None:
        """Start `gateway <arguments>` with its output in logs/<name>.log."""
        child = Child(name, tuple(arguments))
        self.children.append(child)
        self._spawn(child)

    def _spawn(self, child: Child) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        environment = {**self.environment, "PYTHONUNBUFFERED": "1"}
        with (self.logs / f"{child.name}.log").open("ab") as log:
            child.process = subprocess.Popen(  # noqa: S603  our own command with our own words
                [sys.executable, "-c", "from gateway.cli import main; main()", *child.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        child.started_at = time.monotonic()
        self._write_down()

    def _write_down(self) -> None:
        """Who runs, with the moment they began: pids are given again, such pairs are not."""
        running = [(child.process.pid, _began(child.process.pid)) for child in self.children if child.process]
        path = self.logs.parent / CHILDREN
        path.write_text(json.dumps(running))

    def end_leftovers(self) -> None:
        """Whoever a sandbox in this directory left behind when it was killed itself. Only what it had written down."""
        path = self.logs.parent / CHILDREN
        if not path.exists():
            return
        for pid, began in json.loads(path.read_text()):
            if began and _began(pid) == began:
                self.say(f"ending process {pid}, left behind by a sandbox that was killed")
                _end_group(pid, signal.SIGTERM)
                deadline = time.monotonic() + STOP_WITHIN_S
                while _began(pid) == began and time.monotonic() < deadline:
                    time.sleep(0.1)
                if _began(pid) == began:
                    _end_group(pid, signal.SIGKILL)
        path.unlink()

    def look(self) -> None:
        """Once around: who died is started again after a wait that doubles, so that a broken one does not spin."""
        now = time.monotonic()
        for child in self.children:
            process = child.process
            if process is not None and process.poll() is not None:
                child.process = None
                child.deaths += 1
                _end_group(process.pid, signal.SIGKILL)  # what it may have left behind
                calm = now - child.started_at > CALM_AFTER_S
                child.wait_s = (
                    FIRST_WAIT_S if calm or not child.wait_s else min(child.wait_s * 2, LONGEST_WAIT_S)
                )
                child.start_again_at = now + child.wait_s
                self.say(
                    f"{child.name} ended with {process.returncode}; starting it again in {child.wait_s:g} s"
                    f" (see {self.logs / (child.name + '.log')})"
                )
            elif process is None and now >= child.start_again_at:
                self._spawn(child)

    def wait_until(self, ready: Callable[[], bool], *, within_s: float, what: str) -> None:
        """Look after the children until `ready`. Raises UnavailableError with the tail of the log of whoever keeps dying."""
        deadline = time.monotonic() + within_s
        while not ready():
            self.look()
            restless = [child for child in self.children if child.deaths >= 3]
            if restless or time.monotonic() > deadline:
                who = restless[0] if restless else None
                reason = f"{who.name} does not stay up" if who else f"it took longer than {within_s:g} s"
                raise UnavailableError(
                    f"{what} is not ready: {reason}", code="sandbox-not-ready", where=str(self.logs),
                    remedy="the last lines were:\n" + self.tail(who.name if who else "web"),
                )  # fmt: skip
            if self._stopping.wait(LOOK_EVERY_S):
                raise UnavailableError("told to stop", code="stopped")

    def tail(self, name: str, lines: int = 15) -> str:
        """The end of a child's log."""
        path = self.logs / f"{name}.log"
        return "\n".join(path.read_text("utf-8", "replace").splitlines()[-lines:]) if path.exists() else ""

    def keep_until_told(self) -> None:
        """Supervise until `tell_to_stop`."""
        while not self._stopping.wait(LOOK_EVERY_S):
            self.look()

    def tell_to_stop(self) -> None:
        """Safe in a signal handler."""
        self._stopping.set()

    def is_stopping(self) -> bool:
        """Somebody told us to stop, or we are at it."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Stop the children in the order they were started: who needs others (web, jobs) before whom they need."""
        self._stopping.set()
        for child in self.children:
            if child.process is None:
                continue
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(signal.SIGTERM)
            try:
                child.process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.say(f"{child.name} did not stop in {STOP_WITHIN_S:g} s; it is killed")
            _end_group(child.process.pid, signal.SIGKILL)
            child.process.wait()
            child.process = None
        (self.logs.parent / CHILDREN).unlink(missing_ok=True)


def _began(pid: int) -> str:
    """When a process began, in ticks since boot; '' when there is none, it is only a zombie, or the system has no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _end_group(pid: int, how: signal.Signals) -> None:
    """Our child led this group (start_new_session), so its id is the child's and nobody else's."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, how)
