"""Rows of the log: sealing alone, verifying the tree from its leaves, verifying rows against leaves."""

from __future__ import annotations

import random
import statistics
import time
from datetime import timedelta

from bench.report import Line, Report
from gateway.flows.read_proof import read_proof
from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import verify_log
from gateway.house import House
from gateway.translog import Findings, append_records, load_verifiers
from gateway.translog.audit_tree import audit_tree
from gateway.wiring import build_house
from schemas.records import RecordDraft
from tests.storm.stage import stage

LEAVES = 100_000
CHUNK = 5_000
PROOFS = 200


def measure(report: Report) -> None:
    """Leaves a second of each."""
    with stage() as it:
        house = build_house(it.config)
        _fill(house)
        begun = time.perf_counter()
        outcome = seal_log(house, now=house.clock())
        rate = outcome.sealed / (time.perf_counter() - begun)
        if outcome.sealed != LEAVES:
            raise RuntimeError(f"{outcome.sealed} of {LEAVES} leaves were sealed")
        report.add(Line("seal alone", rate, "leaves/s", rate / 10_000, ">= 10 000", rate >= 10_000))
        begun = time.perf_counter()
        found = verify_log(house, now=house.clock() + timedelta(seconds=1), restaters={})
        took = time.perf_counter() - begun
        report.add(Line("verify records, leaves, tree, signatures", found.size / took, "leaves/s"))
        _verify_tree(report, house)
        _prove(report, house)


def _fill(house: House) -> None:
    for start in range(0, LEAVES, CHUNK):
        drafts = [
            RecordDraft("bench", str(n), {"n": n, "text": "x" * 300}) for n in range(start, start + CHUNK)
        ]
        with house.db.transaction() as tx:
            append_records(tx, drafts, now=house.clock(), new_id=house.new_id)


def _verify_tree(report: Report, house: House) -> None:
    """The tree, its tiles and every signature from stored leaves alone."""
    config = house.config
    verifiers = load_verifiers(config.log_verifiers, config.log_key, config.log_origin)
    findings = Findings()
    begun = time.perf_counter()
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        audit_tree(tx, verifiers, findings, origin=config.log_origin, leaves=LEAVES)
    rate = LEAVES / (time.perf_counter() - begun)
    if findings.fault_count:
        raise RuntimeError(f"the tree does not verify: {findings.faults[0]}")
    report.add(
        Line(
            "verify tree from stored leaves", rate, "leaves/s", rate / 200_000, ">= 200 000", rate >= 200_000
        )
    )


def _prove(report: Report, house: House) -> None:
    """An inclusion proof, as a receipt is redeemed for: the median of many. The bar speaks of 10 million leaves."""
    chance = random.Random(1)
    took_s = []
    for _ in range(PROOFS):
        begun = time.perf_counter()
        read_proof(house, kind="bench", row_id=str(chance.randrange(LEAVES)))
        took_s.append(time.perf_counter() - begun)
    found_ms = statistics.median(took_s) * 1000
    name = f"inclusion proof in a tree of {LEAVES:,} leaves, median"
    report.add(Line(name, found_ms, "ms", found_ms / 5, "< 5 ms", found_ms < 5))
