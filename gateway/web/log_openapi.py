"""The log's resources in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from apispec import APISpec

LOG = "Transparency log"
_TEXT, _BYTES, _PROBLEM = "text/plain", "application/octet-stream", "application/problem+json"
#: path → operation, summary, content type, its parameters (name, type, about)
_RESOURCES: tuple[tuple[str, str, str, str, tuple[tuple[str, str, str], ...]], ...] = (
    ("/log/checkpoint", "logCheckpoint", "The newest signed checkpoint (c2sp.org/tlog-checkpoint)", _TEXT, ()),
    ("/log/keys", "logKeys", "Public keys of the log (c2sp.org/signed-note)", _TEXT, ()),
    (
        "/log/tile/{tile}", "logTile", "Hashes of the tree (c2sp.org/tlog-tiles)", _BYTES,
        (("tile", "string", "level/index, e.g. 0/x001/234 or 1/000.p/17"),),
    ),
    (
        "/log/tile/entries/{bundle}", "logEntries", "Records of the log, 256 a bundle; with a token", _BYTES,
        (("bundle", "string", "index, e.g. x001/234 or 000.p/17"),),
    ),
    (
        "/log/consistency/{old}/{new}", "logConsistency", "Proof that one tree is the beginning of another (RFC 6962)", _TEXT,
        (("old", "integer", "tree size"), ("new", "integer", "tree size")),
    ),
    (
        "/log/proof/{kind}/{row_id}", "logProof", "What a receipt is redeemed for: its record's proof (c2sp.org/tlog-proof)",
        _TEXT, (("kind", "string", "contribution_batch"), ("row_id", "string", "the batch's id")),
    ),
    (
        "/log/entry/{kind}/{row_id}", "logEntry", "The record that a receipt names, byte for byte", _BYTES,
        (("kind", "string", "contribution_batch"), ("row_id", "string", "the batch's id")),
    ),
)  # fmt: skip


def add_log_paths(spec: APISpec) -> None:
    """All of them, each a GET."""
    problem: dict[str, Any] = {_PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, name, summary, content_type, parameters in _RESOURCES:
        responses: dict[str, Any] = {
            "200": {"description": summary, "content": {content_type: {"schema": {"type": "string"}}}},
            "404": {"description": "Not there, or not signed yet.", "content": problem},
        }
        if name == "logEntries":
            responses["403"] = {"description": "Entries need their token.", "content": problem}
        operation = {
            "operationId": name,
            "tags": [LOG],
            "summary": summary,
            "parameters": [
                {"name": n, "in": "path", "required": True, "schema": {"type": kind}, "description": about}
                for n, kind, about in parameters
            ],
            "responses": responses,
        }
        spec.path(path, operations={"get": operation})
