"""Goods for points at the desk's own door: clerks with sessions, over TLS, against the simulated town in a process of its own.

One redemption is what the clerk does after the check page: redeem (the town freezes), confirm (the town takes the points), hand
over: three posted forms. Own time is what the clerks waited for the three answers less what the town took of it, by the guard's
measurement in the web's request lines. Beside it stands the floor: freezing and confirming at the same town with the same client
and nothing of ours around it. Town, web, PostgreSQL and clerks share the machine: the CPU each of them took is printed too.
"""

from __future__ import annotations

import json
import multiprocessing
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID, uuid4

import psutil
import requests

from adapters.registry import find_simulator
from bench import rows
from bench.client import Door, connect
from bench.report import Line, Report
from certs import ensure_development
from certs.assertion import public_jwks
from certs.files import key_pem, new_ec_key, write_private, write_public
from gateway import goods
from gateway.flows.offer_goods import offer_goods
from gateway.flows.stock_goods import stock_goods
from gateway.house import House
from gateway.sandbox.places import simulator_place
from gateway.wiring import build_house
from schemas.goods import Movement, NewGood, NewPrice
from schemas.staff import Role
from schemas.values import Serial, TownCode
from tests.staff_stage import Browser, add_person
from tests.storm.stage import Stage, free_port

TOWN = TownCode(rows.TOWN)
CLERKS, BRANCHES, GOODS = 16, 8, 12
FAMILIES, REDEMPTIONS, ROUNDS = 2_000, 1_500, 3
POINTS, PRICE, PIECES = 100_000_000, 1_000, 1_000_000


class Clerk(NamedTuple):
    """Who posts: the cookie of the session and the token its forms carry."""

    cookie: str
    form_token: str


class Found(NamedTuple):
    """What a round found: seconds in all, waits of each redemption and of each click in seconds by correlation id."""

    took_s: float
    waits_s: dict[str, list[float]]


class DeskTown:
    """The simulated town in a process of its own; the gateway of the stage knows where it is."""

    def __init__(self, it: Stage) -> None:
        self.port = free_port()
        place = simulator_place(it.config, ensure_development(it.config).folder, TOWN, self.port)
        simulator = find_simulator(TOWN)
        assert simulator is not None
        write_private(place.caller_key, key_pem(new_ec_key()))
        write_public(place.caller_jwks, json.dumps(public_jwks([place.caller_key])).encode())
        lines = [f"{name} = {json.dumps(value)}" for name, value in simulator.settings_for(place).items()]
        it.config.neighbours_file.write_text("\n".join([f"[{TOWN}]", *lines, ""]))
        self.process = subprocess.Popen(
            [Path(sys.executable).with_name("gateway"), "simulator", TOWN, "--port", str(self.port)], env=it.environ,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.address, self.ca = place.address, str(place.ca_file)

    def open_accounts(self, families: list[rows.Family]) -> None:
        """Wait until it answers; every family has points there."""
        for _ in range(150):
            with suppress(requests.RequestException):
                if requests.get(f"{self.address}/healthz", verify=self.ca, timeout=2).ok:
                    break
            time.sleep(0.2)
        accounts = {family.code: POINTS for family in families}
        requests.post(
            f"{self.address}/_accounts", json=accounts, verify=self.ca, timeout=20
        ).raise_for_status()

    def confirmed_count(self) -> int:
        """How many freezes the town's own books have as confirmed."""
        state = requests.get(f"{self.address}/_state", verify=self.ca, timeout=20).json()
        return sum(freeze["state"] == "confirmed" for freeze in state["freezes"].values())


def stock_branches(house: House) -> list[UUID]:
    """Goods with a price in the town's points, as many in each branch as anybody could want."""
    now = house.clock()
    codes = [f"BENCH-{n}" for n in range(GOODS)]
    offer_goods(
        house,
        [NewGood(code, f"货{n}", f"Good {n}", limit_count=99) for n, code in enumerate(codes)],
        [NewPrice(code, TOWN, date(2026, 1, 1), PRICE, 500, "bench") for code in codes],
        by="bench",
        now=now,
    )
    with house.db.transaction() as tx:
        ids = [row.good_id for row in goods.list_goods(tx)]
    received = [Movement("receive", _branch(b), good, PIECES, 0) for b in range(BRANCHES) for good in ids]
    stock_goods(house, received, by="bench", cause_id=uuid4(), now=now)
    return ids


def _branch(number: int) -> str:
    return f"33019900{number % BRANCHES}"


def sign_in_clerks(house: House, it: Stage, ca: Path) -> list[Clerk]:
    """Clerks of several branches with a session each."""
    clerks = []
    for n in range(CLERKS):
        browser = Browser(it.url, ca)
        assert (
            browser.sign_in(add_person(house, f"B{n:03d}", Role.CLERK, branch_no=_branch(n))).status_code
            == 303
        )
        token = browser.form_token("/desk/")
        cookie = "; ".join(f"{c.name}={c.value}" for c in browser.session.cookies)
        clerks.append(Clerk(cookie, token))
        browser.close()
    return clerks


def serve_residents(
    door: Door, clerks: list[Clerk], families: list[rows.Family], goods: list[UUID], round_no: int, count: int
) -> Found:
    """`count` redemptions by all clerks side by side, each clerk one after another, from a process apart from ours."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_serve, args=(door, clerks, families, goods, round_no, count, theirs)
    )
    process.start()
    outcome = ours.recv()
    process.join()
    if isinstance(outcome, str):
        raise RuntimeError(outcome)
    found: Found = outcome
    return found


def _serve(
    door: Door,
    clerks: list[Clerk],
    families: list[rows.Family],
    goods: list[UUID],
    round_no: int,
    count: int,
    pipe: Connection,
) -> None:
    waits: dict[str, list[float]] = {}
    failures: list[str] = []
    lines = [connect(door) for _ in clerks]

    def work(no: int) -> None:
        chance = random.Random(f"{round_no} {no}")
        try:
            for turn in range(count // len(clerks)):
                name = f"bench-{round_no}-{no:03d}-{turn:05d}"
                waits[name] = _redeem(door, lines[no], clerks[no], chance, families, goods, name)
        except (OSError, RuntimeError, ValueError) as exc:
            failures.append(f"{type(exc).__name__}: {exc}")

    threads = [threading.Thread(target=work, args=(no,)) for no in range(len(clerks))]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.perf_counter() - begun
    pipe.send(failures[0] if failures else Found(took_s, waits))


def _redeem(
    door: Door,
    line: Any,
    clerk: Clerk,
    chance: random.Random,
    families: list[rows.Family],
    goods: list[UUID],
    name: str,
) -> list[float]:
    """The three clicks; the seconds each answer took. RuntimeError when one does not lead on."""
    wanted = chance.sample(goods, chance.randint(1, 3))
    form = {
        "form_token": clerk.form_token,
        "key": uuid4().hex,
        "person_id": str(chance.choice(families).person_id),
        "reason": "redemption",
        f"shown:{TOWN}": str(PRICE * len(wanted)),
        **{f"q:{good}:{TOWN}": "1" for good in wanted},
    }
    waits = []
    where = "/desk/redeem"
    for action in ("", "/confirm", "/hand-over"):
        begun = time.perf_counter()
        status, location = _post(door, line, where + action, clerk.cookie, form, name)
        waits.append(time.perf_counter() - begun)
        if status != 303 or not location.startswith("/desk/redemptions/"):
            raise RuntimeError(f"{where}{action} answered {status} {location}")
        where, form = location, {"form_token": clerk.form_token}
    return waits


def _post(door: Door, line: Any, path: str, cookie: str, form: dict[str, str], name: str) -> tuple[int, str]:
    body = urlencode(form).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {door.host}:{door.port}\r\nCookie: {cookie}\r\nX-Correlation-Id: {name}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    line.sendall(head.encode() + body)
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(line)
    top, _, rest = received.partition(b"\r\n\r\n")
    headers = {
        name.lower(): value for name, _, value in (h.partition(": ") for h in top.decode().split("\r\n")[1:])
    }
    have = len(rest)
    while have < int(headers["content-length"]):
        have += len(_more(line))
    return int(top[9:12]), headers.get("location", "")


def _more(line: Any) -> bytes:
    piece: bytes = line.recv(65536)
    if not piece:
        raise ConnectionError("the gateway closed the connection")
    return piece


def neighbour_ms(log: Path, prefix: str) -> Counter[str]:
    """What the town took of each redemption, from the web's request lines."""
    found: Counter[str] = Counter()
    for text in log.read_text(errors="replace").splitlines():
        if prefix in text and '"event":"request"' in text:
            line = json.loads(text)
            found[line["correlationId"]] += line.get("neighbour_ms") or 0
    return found


def town_alone(house: House, families: list[rows.Family], count: int) -> float:
    """Redemptions a second of the town and our client to it, with nothing around them: freeze and confirm, as many at once
    as the guard lets one process make."""
    client = house.clients[TOWN]
    codes = [family.code for family in families]

    def work(no: int) -> None:
        for turn in range(count // CLERKS):
            serial = Serial(f"F{no:03d}{turn:06d}{uuid4().hex[:12]}")
            client.freeze(serial, codes[(no * 97 + turn) % len(codes)], PRICE, "bench")
            client.confirm(serial)

    work(0)  # connections and a token
    callers = house.config.neighbour_at_once
    threads = [threading.Thread(target=work, args=(no,)) for no in range(callers)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count // CLERKS * callers / (time.perf_counter() - begun)


def cpu_s(roots: dict[str, int]) -> dict[str, float]:
    """CPU seconds of each process with its children, by name."""
    found = {}
    for name, pid in roots.items():
        total = 0.0
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(pid)
            for process in (root, *root.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    total += times.user + times.system
        found[name] = total
    return found


def measure_redemptions(report: Report, it: Stage, count: int = REDEMPTIONS) -> None:
    """The rows of the desk; the town alone and the desk in turn, so that a slow minute hits both."""
    town = DeskTown(it)
    try:
        made = ensure_development(it.config)
        house = build_house(it.config)
        families = rows.load_families(house.db, house.keys, FAMILIES)
        town.open_accounts(families)
        ids = stock_branches(house)
        it.start("web")
        it.wait_ready()
        certificate, key = made.client(rows.TOWN)
        door = Door("localhost", it.port, made.ca_cert, certificate, key, "")
        clerks = sign_in_clerks(house, it, made.ca_cert)
        serve_residents(door, clerks, families, ids, 0, CLERKS * 4)  # warm
        assert it.server is not None
        postmaster = int((it.folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
        roots = {"web": it.running["web"].pid, "PostgreSQL": postmaster, "town": town.process.pid}
        rates, own_ms, spent = [], [], Counter[str]()
        before_count = town.confirmed_count()
        for round_no in range(1, ROUNDS + 1):
            begun = cpu_s(roots)
            found = serve_residents(door, clerks, families, ids, round_no, count)
            for name, seconds in cpu_s(roots).items():
                spent[name] += round(1_000_000 * (seconds - begun[name]))
            rates.append(len(found.waits_s) / found.took_s)
            took_ms = neighbour_ms(it.folder / "web.log", f"bench-{round_no}-")
            own = [1000 * sum(waits) - took_ms[name] for name, waits in found.waits_s.items()]
            own_ms.append(statistics.quantiles(own, n=100))
        served = town.confirmed_count() - before_count
        if served != sum(count // CLERKS * CLERKS for _ in rates):
            raise RuntimeError(f"the town confirmed {served} redemptions, the desk more or fewer")
        floors = [town_alone(house, families, count) for _ in range(ROUNDS)]
    finally:
        town.process.terminate()
        town.process.wait(20)
    rate, floor = statistics.median(rates), statistics.median(floors)
    p99_ms = statistics.median(q[98] for q in own_ms)
    report.add(Line("the town alone: freeze and confirm, our client", floor, "redemptions/s"))
    report.add(
        Line(
            f"redemptions at the desk, {CLERKS} clerks, TLS",
            rate,
            "redemptions/s",
            rate / floor,
            ">= 200 a second",
            rate >= 200,
        )
    )
    report.add(Line("own time of a redemption, median", statistics.median(q[49] for q in own_ms), "ms"))
    report.add(Line("own time of a redemption, 99th percentile", p99_ms, "ms", None, "< 50 ms", p99_ms < 50))
    total = ROUNDS * (count // CLERKS * CLERKS)
    for name, micros in spent.items():
        report.add(Line(f"CPU of one redemption: {name}", micros / total / 1000, "ms"))
