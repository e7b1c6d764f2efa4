"""Verification, second half: tiles recomputed from leaves, every checkpoint a prefix, every signature.

One pass over the leaves: whole tiles hash at full speed, and only tiles that a checkpoint cuts are walked leaf by leaf.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.db import Transaction, load_queries
from gateway.translog.checkpoint import SignedCheckpoint, open_checkpoint
from gateway.translog.findings import Findings
from gateway.translog.merkle import HASH_BYTES, Edge, perfect_root
from gateway.translog.note import Verifier
from gateway.translog.sm2 import SM2
from gateway.translog.tiles import WIDTH
from schemas.errors import GatewayError

queries = load_queries(__file__)

TILES_A_PIECE = 128  # 32 768 leaves, 1 MB of hashes
_RESTORE = (
    "compare with the newest backup from before the change and find out who could write to the database"
)
_SPLIT = (
    "the log was rewritten after that checkpoint was signed: keep both checkpoints, they prove it; "
    "no honest log can sign both"
)


class Expected(NamedTuple):
    """A root that the tree must have at a size."""

    size: int
    root: bytes
    source: str  # in words
    outside: bool = False  # kept outside this database


class _Audit:
    """The state of one pass."""

    def __init__(
        self, tx: Transaction, findings: Findings, expected: Iterator[Expected], leaves: int
    ) -> None:
        self.tx = tx
        self.findings = findings
        self.leaves = leaves
        self.edge = Edge()
        self._expected = expected
        self._next = next(expected, None)
        self._last_good = 0
        self._wrong = False
        self._signed = 0  # size of the last checkpoint stored here

    def due(self, size: int) -> bool:
        """Whether a root is expected at or before `size`."""
        return self._next is not None and self._next.size <= size

    def check_here(self, edge: Edge) -> None:
        """Compare every root expected at the edge's size."""
        while self._next is not None and self._next.size <= edge.size:
            one, self._next = self._next, next(self._expected, None)
            self.findings.count("roots compared")
            self._signed = self._signed if one.outside else one.size
            if one.size == edge.size and one.root == edge.root():
                self._last_good = one.size if not self._wrong else self._last_good
            elif not self._wrong or one.outside:
                self._wrong = True
                self.findings.add(
                    "rewritten" if one.outside else "root-differs",
                    "The leaves no longer give the root that was signed: a leaf was changed, moved, added or removed",
                    where=one.source,
                    value=f"among leaves {self._last_good} to {one.size - 1}; signed {one.root.hex()},"
                    f" recomputed {edge.root().hex()}",
                    remedy=_SPLIT if one.outside else _RESTORE,
                )

    def finish(self) -> None:
        """What is still expected lies beyond the leaves there are; and no leaf lies beyond what was signed."""
        beyond = self._next is not None
        while self._next is not None:
            one, self._next = self._next, next(self._expected, None)
            self.findings.add(
                "log-cut",
                "A checkpoint was signed over more leaves than there are: leaves were removed from the end",
                where=one.source,
                value=f"signed {one.size} leaves, stored {self.leaves}",
                remedy=_SPLIT if one.outside else _RESTORE,
            )
        if self.leaves > self._signed and not beyond:
            self.findings.add(
                "leaf-unsigned",
                "Leaves stand beyond the last checkpoint: they were added past the sealer, or a checkpoint was removed",
                where=f"leaves {self._signed} to {self.leaves - 1}",
                value=f"the last checkpoint signs {self._signed} leaves",
                remedy=_RESTORE,
            )


def audit_tree(
    tx: Transaction,
    verifiers: Sequence[Verifier],
    findings: Findings,
    *,
    origin: str,
    leaves: int,
    outside: Sequence[Expected] = (),
) -> None:
    """Tiles and checkpoints against the stored leaves, whose positions must already be known to have no gap."""
    checkpoints = _check_notes(tx, verifiers, findings, origin)
    audit = _Audit(tx, findings, _merged(checkpoints, sorted(outside)), leaves)
    roots = [root for piece in _walk_leaves(audit) for root in piece]
    audit.finish()
    level = 1
    while len(roots) >= WIDTH:
        roots = _check_upper(tx, findings, level, roots)
        level += 1
    for level_found, index in tx.tuples(queries.list_tiles_beyond, {"size": leaves}):
        findings.add(
            "tile-added",
            "A tile stands where the tree has none",
            where=f"tile level {level_found}, index {index}",
            value=f"the tree has {leaves} leaves",
            remedy=_RESTORE,
        )


def _merged(stored: Iterator[Expected], outside: Sequence[Expected]) -> Iterator[Expected]:
    waiting = list(outside)
    for one in stored:
        while waiting and waiting[0].size <= one.size:
            yield waiting.pop(0)
        yield one
    yield from waiting


def _walk_leaves(audit: _Audit) -> Iterator[list[bytes]]:
    """Yield the roots of full level-0 tiles, piece by piece, checking them and the checkpoints on the way."""
    for first in range(0, -(-audit.leaves // WIDTH), TILES_A_PIECE):
        last = first + TILES_A_PIECE
        stored = {
            index: (bytes(hashes), bytes(root))
            for index, hashes, root in audit.tx.tuples(
                queries.list_tile_span, {"level": 0, "start": first, "end": last}
            )
        }
        span = {"start": first * WIDTH, "end": last * WIDTH}
        roots = []
        for index, _, _, _, joined in audit.tx.tuples(queries.list_leaf_spans, span):
            hashes = bytes(joined)
            full = len(hashes) == WIDTH * HASH_BYTES
            if audit.due((index + 1) * WIDTH - 1 if full else audit.leaves):
                _walk_tile(audit, hashes)
            if full:
                root = perfect_root(hashes)
                roots.append(root)
                _check_tile(audit.findings, 0, index, (hashes, root), stored.get(index))
                audit.edge.append(root, 8)
                audit.check_here(audit.edge)
        audit.findings.count("leaves hashed into the tree", min(audit.leaves, last * WIDTH) - first * WIDTH)
        audit.findings.show("tree", min(audit.leaves, last * WIDTH), audit.leaves)
        yield roots


def _walk_tile(audit: _Audit, hashes: bytes) -> None:
    edge = audit.edge.copy()
    for at in range(0, len(hashes), HASH_BYTES):
        edge.append(hashes[at : at + HASH_BYTES])
        if at + HASH_BYTES < WIDTH * HASH_BYTES and audit.due(edge.size):
            audit.check_here(edge)


def _check_upper(tx: Transaction, findings: Findings, level: int, below: list[bytes]) -> list[bytes]:
    roots = []
    full = len(below) // WIDTH
    for first in range(0, full, TILES_A_PIECE):
        last = min(full, first + TILES_A_PIECE)
        stored = {
            index: (bytes(hashes), bytes(root))
            for index, hashes, root in tx.tuples(
                queries.list_tile_span, {"level": level, "start": first, "end": last}
            )
        }
        for index in range(first, last):
            hashes = b"".join(below[index * WIDTH : (index + 1) * WIDTH])
            roots.append(perfect_root(hashes))
            _check_tile(findings, level, index, (hashes, roots[-1]), stored.get(index))
    return roots


def _check_tile(
    findings: Findings, level: int, index: int, right: tuple[bytes, bytes], stored: tuple[bytes, bytes] | None
) -> None:
    findings.count("tiles")
    if stored == right:
        return
    if stored is None:
        wrong = "the tile is gone"
    elif stored[0] != right[0]:
        at = next(
            at
            for at in range(0, len(right[0]), HASH_BYTES)
            if stored[0][at : at + 32] != right[0][at : at + 32]
        )
        place = index * WIDTH + at // HASH_BYTES
        thing = f"leaf {place}" if level == 0 else f"tile level {level - 1}, index {place}"
        wrong = f"the tile and {thing} say different hashes"
    else:
        wrong = "the tile's column root is not the root of its hashes"
    findings.add(
        "tile-differs",
        "A tile is not what the leaves below it give: the tile or a leaf was changed",
        where=f"tile level {level}, index {index}",
        value=wrong,
        remedy=_RESTORE,
    )


def _check_notes(
    tx: Transaction, verifiers: Sequence[Verifier], findings: Findings, origin: str
) -> Iterator[Expected]:
    """Each stored checkpoint: columns, note, signatures, time and number; yields the root it claims."""
    number, signed_at, second_from = 0, None, 0
    for piece in tx.stream(queries.list_checkpoints):
        for row in piece:
            found_number, size, root, note, found_at = row
            where = f"checkpoint of size {size}"
            number += 1
            if found_number != number:
                _note_wrong(
                    findings,
                    where,
                    f"it is number {found_number}, expected {number}: one was removed or added",
                )
                number = found_number
            signed = _check_note((size, bytes(root), note, found_at), verifiers, findings, origin)
            if signed_at is not None and found_at < signed_at:
                _note_wrong(findings, where, f"its time {found_at} lies before that of the one before it")
            signed_at = found_at
            findings.count("checkpoints")
            if signed is None:
                yield Expected(size, bytes(root), where)
                continue
            if _has_second(signed, findings):
                second_from = second_from or size
            elif second_from:
                value = (
                    f"its second signature (SM2) is missing; checkpoints carry one from size {second_from} on"
                )
                _note_wrong(findings, where, value)
            if signed.checkpoint.size == size:
                yield Expected(size, signed.checkpoint.root, where)


def _has_second(signed: SignedCheckpoint, findings: Findings) -> bool:
    """Whether the log signed with SM2 too; counted as checked, or as not checked where nothing here can."""
    mine = signed.checkpoint.origin
    if any(one.kind == SM2 and one.name == mine for one in signed.by):
        findings.count("SM2 signatures")
        return True
    if any(one.name == mine for one in signed.unchecked):
        findings.count("SM2 signatures NOT checked (the extra guomi is not installed)")
        return True
    return False


def _check_note(
    row: tuple[int, bytes, str, datetime], verifiers: Sequence[Verifier], findings: Findings, origin: str
) -> SignedCheckpoint | None:
    """What was signed; None when the note cannot be believed."""
    size, root, note, signed_at = row
    where = f"checkpoint of size {size}"
    try:
        signed = open_checkpoint(note, verifiers, timed=True)
    except GatewayError as exc:
        _note_wrong(findings, where, f"{exc.what} ({exc.value})")
        return None
    findings.count("signatures", 2)
    if (signed.checkpoint.origin, signed.checkpoint.size) != (origin, size):
        _note_wrong(
            findings, where, f"its note speaks of {signed.checkpoint.origin!r}, size {signed.checkpoint.size}"
        )
    if signed.checkpoint.root != root:
        _note_wrong(findings, where, f"column root is {root.hex()}, signed is {signed.checkpoint.root.hex()}")
    if signed.signed_at != signed_at:
        _note_wrong(findings, where, f"column signed_at is {signed_at}, signed is {signed.signed_at}")
    return signed


def _note_wrong(findings: Findings, where: str, value: str) -> None:
    findings.add(
        "checkpoint-wrong",
        "A stored checkpoint was changed, added or removed",
        where=where,
        value=value,
        remedy=_RESTORE,
    )
