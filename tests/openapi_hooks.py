"""What schemathesis must be told to try the served OpenAPI document: how a stream is written.
`SCHEMATHESIS_HOOKS=tests.openapi_hooks`"""

from __future__ import annotations

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(ctx: Any, value: Any) -> bytes:
    """One JSON document a line; a text stays as it is."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return b"".join(json.dumps(entry).encode() + b"\n" for entry in value)
    return json.dumps(value).encode()
