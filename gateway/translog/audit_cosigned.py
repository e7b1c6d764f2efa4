"""Verification of what witnesses signed: every line, over the checkpoint it stands with, by a key we know."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.db import Transaction, load_queries
from gateway.translog.cosigning import read_cosignature
from gateway.translog.findings import Findings
from gateway.translog.note import Verifier
from schemas.errors import GatewayError

queries = load_queries(__file__)
_KEEP = (
    "compare with the newest backup from before the change and with what the witness signed (its /cosigned/), and find out"
    " who could write to the database"
)


def audit_cosignatures(tx: Transaction, witnesses: Sequence[Verifier], findings: Findings) -> None:
    """Lines verify, their times are the signed ones, and each witness's numbers have no gap
    and end where their count ends, so that the newest cannot be removed either."""
    known = {one.vkey() for one in witnesses}
    vkey_before, number = "", 0
    for piece in tx.stream(queries.list_all_cosignatures):
        for size, vkey, found_number, line, cosigned_at, note in piece:
            number = number + 1 if vkey == vkey_before else 1
            vkey_before = vkey
            where = f"cosignature of {vkey.partition('+')[0]} on size {size}"
            if found_number != number:
                _wrong(
                    findings,
                    where,
                    f"it is number {found_number}, expected {number}: one was removed or added",
                )
                number = found_number
            findings.count("cosignatures")
            if vkey not in known:
                _wrong(
                    findings,
                    where,
                    f"the key {vkey[-20:]} is no witness's we know; give earlier ones as `retired`",
                )
            elif note is None:
                _wrong(findings, where, "there is no checkpoint of this size")
            else:
                try:
                    signed = read_cosignature(note, line, vkey)
                except GatewayError as exc:
                    _wrong(findings, where, exc.what)
                    continue
                if (signed.line, signed.cosigned_at) != (line, cosigned_at):
                    _wrong(
                        findings,
                        where,
                        f"column cosigned_at is {cosigned_at}, signed is {signed.cosigned_at}",
                    )
    for vkey, counted, stands in tx.tuples(queries.list_miscounted):
        gone = f"signatures to number {counted} were kept, expected {stands + 1}: the newest were removed"
        _wrong(
            findings,
            f"cosignatures of {vkey}",
            gone
            if counted > stands
            else f"{counted} were counted as kept and {stands} stand: some were added",
        )


def _wrong(findings: Findings, where: str, value: str) -> None:
    findings.add(
        "cosignature-wrong",
        "A witness's signature was changed, added or removed",
        where=where,
        value=value,
        remedy=_KEEP,
    )
