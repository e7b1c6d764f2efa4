"""Verification as a whole, in one snapshot: rows, records, leaves, tree, signatures, in that order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.db import Transaction, load_queries
from gateway.translog.audit_cosigned import audit_cosignatures
from gateway.translog.audit_records import (
    Restaters,
    audit_leaves,
    audit_nowhere,
    audit_unrecorded,
    audit_waiting,
)
from gateway.translog.audit_tree import Expected, audit_tree
from gateway.translog.findings import Findings
from gateway.translog.note import Verifier

queries = load_queries(__file__)


class LogExtent(NamedTuple):
    """How much there is."""

    leaves: int  # last position + 1
    leaf_rows: int
    records: int
    pending: int
    tiles: int
    checkpoints: int


def get_extent(tx: Transaction) -> LogExtent:
    """Counts of the log's tables."""
    return LogExtent(*tx.tuples(queries.get_log_extent)[0])


def audit_log(
    tx: Transaction,
    restaters: Restaters,
    verifiers: Sequence[Verifier],
    findings: Findings,
    *,
    origin: str,
    now: datetime,
    late_after_s: int,
    outside: Sequence[Expected] = (),
    witnesses: Sequence[Verifier] = (),
) -> LogExtent:
    """Check everything into `findings`. `tx` must be repeatable read, so that rows and log are of one moment.

    `late_after_s`: a record that waited longer than this for its leaf is a fault. `outside`: checkpoints kept elsewhere.
    `witnesses`: keys of everybody who ever co-signed.
    """
    extent = get_extent(tx)
    audit_leaves(tx, restaters, findings, extent.leaves)
    audit_waiting(tx, restaters, findings, now=now, late_after_s=late_after_s)
    if extent.records != extent.leaf_rows + extent.pending:
        audit_nowhere(tx, findings)
    findings.count("records", extent.records)
    audit_unrecorded(tx, restaters, findings)
    if extent.leaf_rows == extent.leaves:
        audit_tree(tx, verifiers, findings, origin=origin, leaves=extent.leaves, outside=outside)
    audit_cosignatures(tx, witnesses, findings)
    return extent
