"""Rows of the log: sealing, verifying, proving; alone, on a log of ten million leaves, and rows against leaves.

Rates of verification are *per core*: leaves over the processor time of the verifier and of PostgreSQL together, so that a second
core or a neighbour's load changes nothing. What the clock says stands beside them.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import orjson
import psutil

from bench.deep_log import KEPT_EACH, KIND, fill_deep
from bench.report import Line, Report
from bench.rows import TOWN, invented_id_no
from gateway.flows._restaters import list_restaters
from gateway.flows.read_proof import read_proof
from gateway.flows.register_households import register_households
from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import verify_log
from gateway.house import House
from gateway.translog import Findings, append_records, check_proof, leaf_hash, load_verifiers
from gateway.translog.audit_tree import audit_tree
from gateway.wiring import build_house
from schemas.records import RecordDraft
from schemas.values import TownCode
from tests.storm.stage import Stage, stage

LEAVES = 100_000
CHUNK = 5_000
DEEP_LEAVES = int(os.environ.get("BENCH_DEEP_LEAVES", "10000000"))
PROOFS = 1_000
FAMILIES, FAMILIES_A_PUSH = 20_000, 1_000


@dataclass
class Took:
    """By the clock, and of processors: ours and PostgreSQL's together."""

    clock_s: float = 0.0
    cpu_s: float = 0.0


def measure(report: Report) -> None:
    """Each on a stage of its own."""
    with stage() as it:
        _measure_alone(report, build_house(it.config), it)
    with stage() as it:
        _measure_rows(report, build_house(it.config), it)
    with stage() as it:
        _measure_deep(report, build_house(it.config), it)


@contextmanager
def _timed(it: Stage) -> Iterator[Took]:
    took = Took()
    postmaster = psutil.Process(
        int((it.folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
    )

    def spent_s() -> float:
        backends = (one.cpu_times() for one in postmaster.children())
        return time.process_time() + float(sum(times.user + times.system for times in backends))

    begun, spent = time.perf_counter(), spent_s()
    yield took
    took.clock_s, took.cpu_s = time.perf_counter() - begun, spent_s() - spent


def _measure_alone(report: Report, house: House, it: Stage) -> None:
    for start in range(0, LEAVES, CHUNK):
        drafts = [RecordDraft(KIND, str(n), {"n": n, "text": "x" * 300}) for n in range(start, start + CHUNK)]
        with house.db.transaction() as tx:
            append_records(tx, drafts, now=house.clock(), new_id=house.new_id)
    with _timed(it) as took:
        outcome = seal_log(house, now=house.clock())
    if outcome.sealed != LEAVES:
        raise RuntimeError(f"{outcome.sealed} of {LEAVES} leaves were sealed")
    rate = LEAVES / took.clock_s
    report.add(Line("seal alone", rate, "leaves/s", rate / 10_000, ">= 10 000", rate >= 10_000))


def _measure_rows(report: Report, house: House, it: Stage) -> None:
    """Everything from rows to signatures, over records that towns caused: each consent is a row, a record and a leaf."""
    consents = [
        {"purpose": one, "givenAt": "2026-01-01T09:00:00+08:00", "textVersion": "1"}
        for one in ("loanMapping", "redemption")
    ]
    for start in range(0, FAMILIES, FAMILIES_A_PUSH):
        families = [
            {"familyCode": f"F{n:07d}", "village": "试村", "memberSince": "2026-01-01",
             "members": [{"memberIdNo": invented_id_no(n), "memberName": "测试", "isHead": True, "consents": consents}]}
            for n in range(start, start + FAMILIES_A_PUSH)
        ]  # fmt: skip
        body = orjson.dumps({"households": families})
        answers = register_households(house, TownCode(TOWN), "bench", body, now=house.clock())
        if {str(one.status) for one in answers} != {"accepted"}:
            raise RuntimeError(f"families were refused: {answers[0]}")
    seal_log(house, now=house.clock())
    list_restaters()  # every room's module is loaded before anything is measured
    shown: list[tuple[str, int, int]] = []
    with _timed(it) as took:
        found = verify_log(
            house, now=house.clock() + timedelta(seconds=1), progress=lambda *said: shown.append(said)
        )
    restated = found.checked["records restated from rows"]
    if not found.ok or restated != found.size or not any(done for _, done, _ in shown):
        raise RuntimeError(f"the log does not verify, or says no progress: {found.faults[:1]}")
    rate = restated / took.cpu_s
    name = "verify rows against leaves, tree and signatures"
    report.add(Line(f"{name}, per core", rate, "leaves/s", rate / 20_000, ">= 20 000", rate >= 20_000))
    report.add(Line(f"{name}, by the clock", restated / took.clock_s, "leaves/s"))


def _measure_deep(report: Report, house: House, it: Stage) -> None:
    """The tree of ten million: verified whole, proved from, and sealed on."""
    with _timed(it) as took:
        fill_deep(house, it.dsn(), DEEP_LEAVES)
    report.add(Line(f"prepare a log of {DEEP_LEAVES:,} leaves", took.clock_s, "s"))
    _verify_tree(report, house, it)
    _prove(report, house)
    drafts = [RecordDraft("bench_after", str(n), {"n": n}) for n in range(CHUNK)]
    with house.db.transaction() as tx:
        append_records(tx, drafts, now=house.clock(), new_id=house.new_id)
    with _timed(it) as took:
        outcome = seal_log(house, now=house.clock())
    if (outcome.sealed, outcome.size) != (CHUNK, DEEP_LEAVES + CHUNK):
        raise RuntimeError(f"sealed {outcome.sealed}, size {outcome.size}")
    report.add(Line(f"seal on top of {DEEP_LEAVES:,} leaves", CHUNK / took.clock_s, "leaves/s"))


def _verify_tree(report: Report, house: House, it: Stage) -> None:
    """The tree, its tiles and every signature from stored leaves alone."""
    config = house.config
    verifiers = load_verifiers(config.log_verifiers, config.log_key, config.log_origin)
    findings = Findings()
    with _timed(it) as took, house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        audit_tree(tx, verifiers, findings, origin=config.log_origin, leaves=DEEP_LEAVES)
    if findings.fault_count or findings.checked["leaves hashed into the tree"] != DEEP_LEAVES:
        raise RuntimeError(f"the tree does not verify: {findings.faults[:1]}")
    rate = DEEP_LEAVES / took.cpu_s
    name = f"verify the tree from {DEEP_LEAVES:,} stored leaves"
    report.add(Line(f"{name}, per core", rate, "leaves/s", rate / 200_000, ">= 200 000", rate >= 200_000))
    report.add(Line(f"{name}, by the clock", DEEP_LEAVES / took.clock_s, "leaves/s"))


def _prove(report: Report, house: House) -> None:
    """An inclusion proof, as a receipt is redeemed for; each is checked against the signed root."""
    config = house.config
    verifiers = load_verifiers(config.log_verifiers, config.log_key, config.log_origin)
    chance = random.Random(1)
    took_ms = []
    for _ in range(PROOFS):
        row_id = str(chance.randrange(DEEP_LEAVES // KEPT_EACH) * KEPT_EACH)
        begun = time.perf_counter()
        found = read_proof(house, kind=KIND, row_id=row_id)
        took_ms.append((time.perf_counter() - begun) * 1000)
        check_proof(found.proof, leaf_hash(found.body), verifiers)
    took_ms.sort()
    median_ms, most_ms = statistics.median(took_ms), took_ms[len(took_ms) * 99 // 100]
    name = f"inclusion proof in a tree of {DEEP_LEAVES:,} leaves"
    report.add(Line(f"{name}, median", median_ms, "ms", median_ms / 5, "< 5 ms", median_ms < 5))
    report.add(Line(f"{name}, 99 %", most_ms, "ms"))
