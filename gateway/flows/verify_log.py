"""Prove it: rows → records → leaves → tree → signatures, in one read-only snapshot, and name the first thing wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from gateway import objections, subjects
from gateway.db import Transaction
from gateway.flows._restaters import ROW_COUNTS, list_missing, list_restaters, list_sum_faults
from gateway.house import House
from gateway.translog import (
    Expected,
    Findings,
    LogFault,
    Restaters,
    audit_log,
    load_verifiers,
    open_checkpoint,
    witness_verifier,
)
from gateway.translog.findings import Progress
from schemas.errors import InvalidError
from schemas.records import Restater


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was found. `faults` in the order found, the first hundred; `checked` counts everything looked at."""

    faults: tuple[LogFault, ...]
    fault_count: int
    checked: Mapping[str, int]
    size: int  # leaves
    took_s: float
    kinds: tuple[str, ...] = field(default=())  # record kinds that were restated from rows
    missing: tuple[
        str, ...
    ] = ()  # what should be here and has not come: no fault of the log, and named all the same

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return self.fault_count == 0


def verify_log(
    house: House,
    *,
    now: datetime,
    restaters: Mapping[str, Restater] | None = None,
    outside: Sequence[str] = (),
    progress: Progress | None = None,
) -> VerifyReport:
    """Verify everything as the read-only auditor. `outside` are signed checkpoints (notes) kept outside this database.

    `restaters` is for tests; left out, every room's. Errors: InvalidError or TamperedError for an unusable `outside`
    checkpoint or key file; what is wrong with the log itself is in the report.
    """
    began = perf_counter()
    config = house.config
    verifiers = load_verifiers(config.log_verifiers, config.log_key, config.log_origin)
    expected = []
    for note in outside:
        checkpoint = open_checkpoint(note, verifiers).checkpoint
        if checkpoint.origin != config.log_origin:
            raise InvalidError(
                "that checkpoint is of another log", where="checkpoint", value=checkpoint.origin
            )
        expected.append(
            Expected(checkpoint.size, checkpoint.root, f"outside checkpoint of size {checkpoint.size}", True)
        )
    restaters = list_restaters() if restaters is None else restaters
    findings = Findings(progress)
    witness_keys = [*(one.vkey for one in house.witnesses.known), *house.witnesses.retired]
    with house.audit_db.transaction(read_only=True, isolation="repeatable read") as tx:
        extent = audit_log(
            tx,
            Restaters(restaters, ROW_COUNTS),
            verifiers,
            findings,
            origin=config.log_origin,
            now=now,
            late_after_s=config.seal_lag_refuse_s,
            outside=expected,
            witnesses=[witness_verifier(vkey) for vkey in witness_keys],
        )
        for room, fault in list_sum_faults(tx):
            findings.add(
                "sum-differs",
                f"A sum kept by {room} is not what its rows give",
                where=room,
                value=str(fault),
                remedy="find out who could write to the database; sums are kept by triggers, never by hand",
            )
        missing = list_missing(tx)
        _check_openings(house, tx, findings)
    return VerifyReport(
        tuple(findings.faults),
        findings.fault_count,
        dict(findings.checked),
        extent.leaves,
        perf_counter() - began,
        tuple(sorted(restaters)),
        tuple(missing),
    )


def _check_openings(house: House, tx: Transaction, findings: Findings) -> None:
    """With the key ring: every commitment still opens."""
    rooms = (
        ("persons whose salt opens their commitment", subjects.list_unopened(tx, house.keys)),
        ("words of objections that open their commitment", objections.list_unopened(tx, house.keys)),
    )
    for what, pieces in rooms:
        for looked_at, faults in pieces:
            findings.count(what, looked_at - len(faults))
            for fault in faults:
                findings.add(
                    "opening-lost",
                    "It can no longer be shown what the log speaks of: a salt, commitment or sealed value was lost or changed",
                    where=f"{fault.table} {fault.row}",
                    value=str(fault),
                    remedy="take the row from the newest backup in which it opens; erasing somebody is `gateway resident erase`",
                )
