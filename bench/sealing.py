"""Rows of the log: sealing alone, verifying the tree from its leaves, verifying rows against leaves."""

from __future__ import annotations

import time
from datetime import timedelta

from bench.report import Line, Report
from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import verify_log
from gateway.house import House
from gateway.translog import append_records
from gateway.wiring import build_house
from schemas.records import RecordDraft
from tests.storm.stage import stage

LEAVES = 100_000
CHUNK = 5_000


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


def _fill(house: House) -> None:
    for start in range(0, LEAVES, CHUNK):
        drafts = [
            RecordDraft("bench", str(n), {"n": n, "text": "x" * 300}) for n in range(start, start + CHUNK)
        ]
        with house.db.transaction() as tx:
            append_records(tx, drafts, now=house.clock(), new_id=house.new_id)
