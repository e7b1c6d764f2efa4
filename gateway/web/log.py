"""The log as others read it: static-like resources in the C2SP formats. Nothing here asks who is calling.

What is open to everybody holds hashes, signatures and public keys only. Entries say what happened to whom by number, so bundles
of them stand behind a guard of their own; one record alone is shown to whoever can name it, as the holder of a receipt can.
"""

from __future__ import annotations

import base64
import gzip

from flask import Blueprint, Response, request

from gateway.flows.list_log_keys import list_log_keys
from gateway.flows.read_checkpoint import read_checkpoint
from gateway.flows.read_consistency import read_consistency
from gateway.flows.read_proof import read_proof
from gateway.flows.read_tile import read_tile
from gateway.house import House
from schemas.errors import NotFoundError

TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"
FOREVER = "public, max-age=31536000, immutable"
SECONDS = "public, max-age=2"  # c2sp.org/tlog-tiles: not beyond a few seconds
#: Kinds whose records a receipt names. Their row ids are ours and long; whoever knows one was given it.
RECEIPTED = frozenset({"contribution_batch"})


def log_blueprint(house: House) -> Blueprint:
    """/log/checkpoint, /log/tile/…, /log/keys, consistency between any two sizes, and what a receipt is redeemed for."""
    blueprint = Blueprint("log", __name__)

    @blueprint.get("/checkpoint")
    def checkpoint() -> Response:
        return _resource(read_checkpoint(house), TEXT, SECONDS)

    @blueprint.get("/tile/<path:tile>")
    def tile(tile: str) -> Response:
        return _resource(read_tile(house, tile), BYTES, FOREVER)

    @blueprint.get("/keys")
    def keys() -> Response:
        return _resource("".join(f"{key}\n" for key in list_log_keys(house)).encode(), TEXT, SECONDS)

    @blueprint.get("/consistency/<int:old>/<int:new>")
    def consistency(old: int, new: int) -> Response:
        lines = [base64.b64encode(one).decode() + "\n" for one in read_consistency(house, old, new)]
        return _resource("".join(lines).encode(), TEXT, FOREVER)

    @blueprint.get("/proof/<kind>/<row_id>")
    def proof(kind: str, row_id: str) -> Response:
        found = read_proof(house, kind=_receipted(kind), row_id=row_id)
        return _resource(found.proof.text().encode(), TEXT, "no-store")

    @blueprint.get("/entry/<kind>/<row_id>")
    def entry(kind: str, row_id: str) -> Response:
        found = read_proof(house, kind=_receipted(kind), row_id=row_id)
        return _resource(found.body, BYTES, "no-store")

    return blueprint


def log_entries_blueprint(house: House) -> Blueprint:
    """/log/tile/entries/…: bundles of records, compressed when the client takes it."""
    blueprint = Blueprint("log_entries", __name__)

    @blueprint.get("/<path:bundle>")
    def bundle(bundle: str) -> Response:
        response = _resource(
            read_tile(house, f"entries/{bundle}"), BYTES, "private, max-age=31536000, immutable"
        )
        response.headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.set_data(gzip.compress(response.get_data(), 1, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
        return response

    return blueprint


def _receipted(kind: str) -> str:
    if kind not in RECEIPTED:
        raise NotFoundError(
            "no receipt names records of this kind",
            code="record-not-found",
            where="/log",
            value=kind[:60],
            remedy="a receipt's claim `record` says what to ask for",
        )
    return kind


def _resource(content: bytes, content_type: str, cached: str) -> Response:
    response = Response(content, content_type=content_type)
    response.headers["Cache-Control"] = cached
    response.headers["Access-Control-Allow-Origin"] = "*"  # a verifier may be a page of somebody else's
    return response
