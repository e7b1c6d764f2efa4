"""Proof that an older tree is the beginning of a newer one (RFC 6962 section 2.1.2)."""

from __future__ import annotations

from gateway.house import House
from gateway.translog import get_consistency


def read_consistency(house: House, old: int, new: int) -> list[bytes]:
    """The proof from tree size `old` to `new`, 32 bytes each. Raises NotFoundError beyond the signed tree."""
    with house.db.transaction(read_only=True, isolation="repeatable read") as tx:
        return get_consistency(tx, old, new)
