"""The evidence file: one HTML page that a person opens, with the records and proofs inside, and a seal over all of it.

    page · <script id="evidence"> canonical JSON </script> · seal (a signed note over SHA-256 of everything before it)

The page is made from the JSON and from nothing else, so a verifier makes it again and compares; the seal covers what no proof
covers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from gateway.verifier.page import render_page
from schemas.errors import InvalidError

VERSION = 1
OPENS = '<script type="application/json" id="evidence">'
CLOSES = "</script>\n</body>\n</html>\n"
SEAL_OPENS, SEAL_CLOSES = "<!--\n", "-->\n"
SEAL_HEAD = "gateway evidence seal v1"
MAX_BYTES = 256 * 1024 * 1024

Document = Mapping[str, Any]


def canonical_text(value: Any) -> str:
    """RFC 8785 for the values evidence holds (strings, whole numbers, booleans, null, lists, objects with ASCII keys)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write_unsealed(document: Document) -> str:
    """Everything but the seal. `<`, `>` and `&` inside the JSON are escaped, so that no text in it can end the script."""
    plain = canonical_text(document)
    inside = plain.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return render_page(json.loads(plain)) + OPENS + inside + CLOSES  # in the order it will be read in again


def seal_text(origin: str, unsealed: str) -> str:
    """What is signed: never a checkpoint, whose second line is a number."""
    return f"{SEAL_HEAD}\n{origin}\nsha256 {hashlib.sha256(unsealed.encode()).hexdigest()}\n"


def join(unsealed: str, sealed_note: str) -> str:
    """The whole file."""
    return f"{unsealed}{SEAL_OPENS}{sealed_note}{SEAL_CLOSES}"


def split(content: bytes) -> tuple[Document, str, str]:
    """(document, everything but the seal, the seal's signed note). Raises InvalidError saying what of the form is broken."""
    if len(content) > MAX_BYTES:
        raise InvalidError(
            "the file is too large for evidence", code="evidence-form", value=f"{len(content)} bytes"
        )
    try:
        text = content.decode()
    except UnicodeDecodeError as exc:
        raise InvalidError(
            "the file is not text: a byte was changed", code="evidence-form", where=f"byte {exc.start}"
        ) from None
    unsealed, marker, rest = text.rpartition(CLOSES + SEAL_OPENS)
    if not marker or not rest.endswith(SEAL_CLOSES):
        raise InvalidError(
            "the seal at the end of the file is gone or broken", code="evidence-form", where="seal"
        )
    page, marker, inside = unsealed.rpartition(OPENS)
    if not marker:
        raise InvalidError("the block with the records is gone", code="evidence-form", where=OPENS)
    try:
        document = json.loads(inside)
    except ValueError as exc:
        raise InvalidError(
            "the block with the records cannot be read: it was changed", code="evidence-form", where=str(exc)
        ) from None
    if not isinstance(document, dict) or document.get("v") != VERSION:
        raise InvalidError("this is no evidence of a version known here", code="evidence-form", where="v")
    return document, f"{page}{OPENS}{inside}{CLOSES}", rest.removesuffix(SEAL_CLOSES)
