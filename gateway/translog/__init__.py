"""The transparency log: records in a Merkle tree that only grows, with signed checkpoints.

Owns: record, record_pending, leaf, tile, checkpoint
Reads:
Never: any row a record speaks of. A record's body comes from the room that owns the row; personal data never
enters one.
"""

from gateway.translog.keys import load_signer, load_verifiers
from gateway.translog.records import append_records
from gateway.translog.seal import SealedChunk, seal_chunk, seal_lag_s

__all__ = ["SealedChunk", "append_records", "load_signer", "load_verifiers", "seal_chunk", "seal_lag_s"]
