"""The transparency log: records in a Merkle tree that only grows, with signed checkpoints.

Owns: record, record_pending, leaf, tile, checkpoint, cosignature, cosignature_count, witness_refusal, refusal_answer
Reads:
Never: any row a record speaks of. A record's body comes from the room that owns the row; personal data never
enters one.
"""

from gateway.translog.audit import LogExtent, audit_log, get_extent
from gateway.translog.audit_records import Restaters
from gateway.translog.audit_tree import Expected
from gateway.translog.checkpoint import Proof, check_proof, open_checkpoint, parse_proof
from gateway.translog.cosigning import (
    Cosigned,
    Published,
    Refusal,
    find_published,
    insert_cosignature,
    insert_refusal,
    insert_refusal_answer,
    list_last_cosigned,
    list_refusals,
    read_cosignature,
    witness_verifier,
)
from gateway.translog.findings import Findings, LogFault
from gateway.translog.keys import add_sm2_key, load_signer, load_verifiers, publish_verifiers
from gateway.translog.merkle import leaf_hash
from gateway.translog.proofs import (
    RecordProof,
    StoredCheckpoint,
    find_checkpoint,
    find_proof,
    find_record_proof,
    get_consistency,
    list_proofs,
    list_proofs_between,
)
from gateway.translog.records import append_records
from gateway.translog.seal import SealedChunk, seal_chunk, seal_lag_s
from gateway.translog.tiles import get_tile, parse_tile_path

__all__ = [
    "Cosigned",
    "Expected",
    "Findings",
    "LogExtent",
    "LogFault",
    "Proof",
    "Published",
    "RecordProof",
    "Refusal",
    "Restaters",
    "SealedChunk",
    "StoredCheckpoint",
    "add_sm2_key",
    "append_records",
    "audit_log",
    "check_proof",
    "find_checkpoint",
    "find_proof",
    "find_published",
    "find_record_proof",
    "get_consistency",
    "get_extent",
    "get_tile",
    "insert_cosignature",
    "insert_refusal",
    "insert_refusal_answer",
    "leaf_hash",
    "list_last_cosigned",
    "list_proofs",
    "list_proofs_between",
    "list_refusals",
    "load_signer",
    "load_verifiers",
    "open_checkpoint",
    "parse_proof",
    "parse_tile_path",
    "publish_verifiers",
    "read_cosignature",
    "seal_chunk",
    "seal_lag_s",
    "witness_verifier",
]
