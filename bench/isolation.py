"""One town that answers in 30 seconds: what the others' pushes notice of it.

Town, web and jobs are processes of their own. The slow town is asked by jobs (its day statements) and by 16 callers, as a
branch's counters would ask for balances; the other town pushes single items meanwhile. Quiet and slow rounds take turns.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import orjson
import requests

from adapters.registry import find_simulator
from bench import rows
from bench.client import Door, Shot, fire
from bench.report import Line, Report
from certs import ensure_development
from certs.assertion import public_jwks
from certs.files import key_pem, new_ec_key, write_private, write_public
from gateway.flows.reconcile_due import reconcile_due
from gateway.house import House
from gateway.sandbox.places import simulator_place
from gateway.wiring import build_house
from schemas.errors import GatewayError
from schemas.values import TownCode
from tests.storm.stage import Stage, free_port

SLOW = "shili_invented"
ACCOUNT = "330199197803050024"  # invented
ANSWERS_IN_S = 30
PUSH = f"/towns/{rows.TOWN}/v1/contributions"
CLIENTS, CALLERS, ROUNDS, PUSHES = 8, 16, 3, 3_000


class SlowTown:
    """The simulated town in a process of its own, told to take its time; and those who ask it."""

    def __init__(self, it: Stage) -> None:
        self.it, self.port = it, free_port()
        place = simulator_place(it.config, ensure_development(it.config).folder, SLOW, self.port)
        simulator = find_simulator(SLOW)
        assert simulator is not None
        write_private(place.caller_key, key_pem(new_ec_key()))
        write_public(place.caller_jwks, json.dumps(public_jwks([place.caller_key])).encode())
        table = {**simulator.settings_for(place), "answer_timeout_s": ANSWERS_IN_S + 10.0}
        lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
        it.config.neighbours_file.write_text("\n".join([f"[{SLOW}]", *lines, ""]))
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("gateway"), "simulator", SLOW, "--port", str(self.port)], env=it.environ,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.address, self.ca = place.address, str(place.ca_file)
        self.outcomes: Counter[str] = Counter()
        self.stopping = threading.Event()

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(150):
            with suppress(requests.RequestException):
                if requests.get(f"{self.address}/healthz", verify=self.ca, timeout=2).ok:
                    return
            time.sleep(0.2)
        raise RuntimeError("the slow town did not come up")

    def be_slow(self, house: House) -> list[threading.Thread]:
        """From now on every answer takes its time, and everybody asks."""
        for action in ("balance", "statement"):
            fault = {"fault": "slow", "on": action, "times": 1_000_000, "seconds": ANSWERS_IN_S}
            requests.post(f"{self.address}/_faults", json=fault, verify=self.ca, timeout=5).raise_for_status()
        accounts = {ACCOUNT: 10_000}
        requests.post(
            f"{self.address}/_accounts", json=accounts, verify=self.ca, timeout=5
        ).raise_for_status()
        self.stopping.clear()
        threads = [threading.Thread(target=self._ask, args=(house,), daemon=True) for _ in range(CALLERS)]
        threads.append(threading.Thread(target=self._reconcile, args=(house,), daemon=True))
        for thread in threads:
            thread.start()
        time.sleep(2)  # by now every place is taken
        return threads

    def rest(self) -> None:
        """Nobody asks any more; what is under way ends by itself."""
        self.stopping.set()
        requests.delete(f"{self.address}/_faults", verify=self.ca, timeout=5).raise_for_status()

    def _ask(self, house: House) -> None:
        while not self.stopping.is_set():
            try:
                house.clients[TownCode(SLOW)].balance(ACCOUNT)
                self.outcomes["answered"] += 1
            except GatewayError as exc:
                self.outcomes[exc.code] += 1
                self.stopping.wait(0.2)

    def _reconcile(self, house: House) -> None:
        while not self.stopping.is_set():
            reconcile_due(house, now=house.clock())
            self.stopping.wait(1)


def _latencies_ms(door: Door, families: list[rows.Family], name: str, pushes: int) -> list[float]:
    made = rows.events(families, pushes, name, seed=len(name))
    shots = [
        Shot(PUSH, orjson.dumps(event), "application/json", f"{name}-{no}") for no, event in enumerate(made)
    ]
    _, latencies, _ = fire(door, [shots[n::CLIENTS] for n in range(CLIENTS)])
    return [1000 * s for s in latencies]


def measure_isolation(
    report: Report, it: Stage, door: Door, families: list[rows.Family], pushes: int = PUSHES
) -> None:
    """Median and 99th percentile of pushes while the other town is slow, against the same without it."""
    slow = SlowTown(it)
    slow.wait()
    house = build_house(it.config)
    it.start("jobs")
    _latencies_ms(door, families, "warm", pushes)
    quiet: list[list[float]] = []
    slowed: list[list[float]] = []
    try:
        for round_no in range(ROUNDS):
            quiet.append(_latencies_ms(door, families, f"quiet{round_no}", pushes))
            slow.be_slow(house)
            slowed.append(_latencies_ms(door, families, f"slow{round_no}", pushes))
            slow.rest()
    finally:
        slow.process.terminate()
        slow.process.wait(20)
    for what, at in (("median", 49), ("99th percentile", 98)):
        before = [statistics.quantiles(found, n=100)[at] for found in quiet]
        after = [statistics.quantiles(found, n=100)[at] for found in slowed]
        ratio = statistics.median(a / b for a, b in zip(after, before, strict=True))
        report.add(
            Line(f"single push, {what}, while a town answers in {ANSWERS_IN_S} s", statistics.median(after), "ms", ratio,
                 "<= 1.2 of the same without it", ratio <= 1.2)
        )  # fmt: skip
    if not slow.outcomes["neighbour-crowded"]:
        raise RuntimeError(f"the slow town was never crowded: nothing was measured ({dict(slow.outcomes)})")
