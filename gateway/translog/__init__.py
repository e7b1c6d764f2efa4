"""The transparency log: records in a Merkle tree that only grows, with signed checkpoints.

Owns: record, record_pending, leaf, tile, checkpoint
Reads:
Never: any row a record speaks of. A record's body comes from the room that owns the row; personal data never
enters one.
"""

from gateway.translog.records import append_records

__all__ = ["append_records"]
