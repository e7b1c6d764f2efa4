"""The change feed of 南阳young: items a second, from the town's first page to the commit of the last.

The simulated town is a process of its own; pages of 500 come over TLS with OAuth, are read, judged and stored with the cursor.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from adapters.registry import find_simulator
from bench.report import Line, Report
from certs import ensure_development
from certs.assertion import public_jwks
from certs.files import key_pem, new_ec_key, write_private, write_public
from gateway import ledger, subjects
from gateway.flows.pull_changes import pull_changes
from gateway.house import House
from gateway.sandbox.places import simulator_place
from gateway.wiring import build_house
from schemas.contributions import ConsentGiven, MemberRegistration
from schemas.resident_id import check_character
from schemas.values import Purpose, TownCode
from tests.storm.stage import Stage, free_port

TOWN = TownCode("nanyang_young")
RESIDENTS, BAR = 400, 5_000
CHUNK = 10_000


def measure_feed(report: Report, it: Stage, items: int) -> None:
    """One row: the whole feed in one run after another, until it is read."""
    with _running(it) as (address, ca):
        house = build_house(it.config)
        _link(house)
        for first in range(0, items, CHUNK):
            _post(
                address,
                ca,
                "/_changes",
                {"changes": [_change(n) for n in range(first, min(first + CHUNK, items))]},
            )
        stored, begun = 0, time.perf_counter()
        while stored < items:
            found = pull_changes(house, now=house.clock(), unasked=True)
            if not found.get("accepted"):
                raise RuntimeError(f"the feed ended after {stored} of {items}: {found}")
            stored += found["accepted"]
        seconds = time.perf_counter() - begun
        house.db.close()
        house.audit_db.close()
    rate = stored / seconds
    report.add(Line("change feed, 500 a page", rate, "items/s", bar=f"at least {BAR:,}", holds=rate >= BAR))


@contextmanager
def _running(it: Stage) -> Iterator[tuple[str, str]]:
    port = free_port()
    place = simulator_place(it.config, ensure_development(it.config).folder, TOWN, port)
    simulator = find_simulator(TOWN)
    assert simulator is not None
    write_private(place.caller_key, key_pem(new_ec_key()))
    write_public(place.caller_jwks, json.dumps(public_jwks([place.caller_key])).encode())
    lines = [f"{name} = {json.dumps(value)}" for name, value in simulator.settings_for(place).items()]
    it.config.neighbours_file.write_text("\n".join([f"[{TOWN}]", *lines, ""]))
    process = subprocess.Popen(
        [Path(sys.executable).with_name("gateway"), "simulator", TOWN, "--port", str(port)], env=it.environ,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(150):
            with suppress(requests.RequestException):
                if requests.get(f"{place.address}/healthz", verify=str(place.ca_file), timeout=2).ok:
                    break
            time.sleep(0.2)
        yield place.address, str(place.ca_file)
    finally:
        process.terminate()
        process.wait(10)


def _post(address: str, ca: str, path: str, content: Any) -> None:
    requests.post(f"{address}{path}", json=content, verify=ca, timeout=60).raise_for_status()


def _openid(number: int) -> str:
    return f"o_ny{number:08d}x"


def _change(number: int) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(days=1 + number % 300)
    return {
        "change_id": f"ny_{number:010d}",
        "openid": _openid(number % RESIDENTS),
        "task": "volunteer_shift",
        "points": "2.5",
        "occurred_at": int(at.timestamp() * 1000),
    }


def _link(house: House) -> None:
    """Residents who agreed, put in directly: linking is not what is measured."""
    now = house.clock()
    consents = tuple(ConsentGiven(purpose, now, "bench") for purpose in Purpose)
    for number in range(RESIDENTS):
        first = f"33019919800517{number:03d}"
        member = MemberRegistration(first + check_character(first), "测试", None, False, consents)
        with house.db.transaction() as tx:
            person, _ = subjects.register_account(
                tx, house.keys, TOWN, member, _openid(number), now=now, new_id=house.new_id
            )
            ledger.open_accounts(tx, TOWN, [int(person)])
