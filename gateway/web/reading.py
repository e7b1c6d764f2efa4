"""Reading requests at a town's door: bodies within limits, the Idempotency-Key, and long streams line by line."""

from __future__ import annotations

import logging
import re
import time
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from gateway.web.problems import DoorError

log = logging.getLogger("gateway.door")

DISCARD_BYTES = 128 * 1024 * 1024
DISCARD_S = 10.0
LINE_BYTES = 16 * 1024
MAX_LINES = 1_000_000
CHUNK_LINES = 1_000
READ_BYTES = 256 * 1024
INFLATE_BYTES = 1024 * 1024  # what one step of decompression may yield
_KEY = re.compile(r'[A-Za-z0-9._~:/+=@-]{1,128}|"[A-Za-z0-9._~:/+=@-]{1,128}"')


def idempotency_key(environ: dict[str, Any]) -> str:
    """The Idempotency-Key: 1 to 128 plain characters, bare or in quotes (draft-ietf-httpapi-idempotency-key-header).
    A header sent twice arrives joined by a comma, which no key contains."""
    value = str(environ.get("HTTP_IDEMPOTENCY_KEY", "")).strip()
    if not value:
        raise DoorError(
            "idempotency-key-missing",
            "a push carries an Idempotency-Key, so that sending it again stores nothing twice",
            where="Idempotency-Key",
            remedy="send a new UUID for each new push, and the same one when you send a push again",
        )
    if not _KEY.fullmatch(value):
        raise DoorError(
            "idempotency-key-invalid",
            "an Idempotency-Key is one value of 1 to 128 letters, digits and . _ ~ : / + = @ -",
            where="Idempotency-Key",
            remedy="send a UUID",
        )
    return value.strip('"')


def check_content(environ: dict[str, Any], wanted: str, encodings: tuple[str, ...] = ()) -> str:
    """The Content-Encoding ('' for none). Raises DoorError 415 for another content type or encoding."""
    content_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if content_type != wanted:
        raise DoorError(
            "content-type-unsupported",
            f"this door takes {wanted}",
            where="Content-Type",
            remedy=f"send Content-Type: {wanted}",
            headers={"Accept-Post": wanted},
        )
    return check_encoding(environ, encodings)


def check_encoding(environ: dict[str, Any], encodings: tuple[str, ...] = ()) -> str:
    """The Content-Encoding ('' for none). Raises DoorError 415 for one that is not taken here."""
    encoding = str(environ.get("HTTP_CONTENT_ENCODING", "")).strip().lower()
    if encoding in ("", "identity"):
        return ""
    if encoding not in encodings:
        raise DoorError(
            "content-encoding-unsupported",
            f"this door takes {' or '.join(encodings) or 'plain bodies'}",
            where="Content-Encoding",
            headers={"Accept-Encoding": ", ".join(encodings) or "identity"},
        )
    return encoding


def discard_rest(environ: dict[str, Any]) -> None:
    """Read away what a refused client is still sending, so that it reads our answer instead of meeting a closed connection.
    Bounded in bytes and time, and only for holders of a client certificate; the connection closes afterwards."""
    socket = environ.get("gunicorn.socket")
    if socket is None:
        return
    deadline = time.monotonic() + DISCARD_S
    left = DISCARD_BYTES
    patience = socket.gettimeout()
    try:
        socket.settimeout(1.0)
        while left > 0 and time.monotonic() < deadline:
            piece = environ["wsgi.input"].read(64 * 1024)
            if not piece:
                break
            left -= len(piece)
    except Exception:  # whatever the connection is worth now, the refusal itself must be answered
        log.debug("a refused body could not be read to its end", exc_info=True)
    finally:
        socket.settimeout(patience)  # as it was: a client that stalls later still loses its connection


def read_body(environ: dict[str, Any], limit: int) -> bytes:
    """The whole body, never more than `limit` bytes. A longer one is refused without reading it when it says so."""
    length = _announced(environ)
    if length is not None and length > limit:
        raise _too_large(limit)
    source: BinaryIO = environ["wsgi.input"]
    body = _read(source, limit + 1 if length is None else length)
    if length is not None and len(body) < length:
        raise DoorError("body-incomplete", f"{len(body)} of {length} bytes came", where="Content-Length")
    if len(body) > limit:
        raise _too_large(limit)
    if not body:
        raise DoorError("body-missing", "the body is empty", where="")
    return body


def read_chunks(environ: dict[str, Any], encoding: str, limit: int) -> Iterator[list[bytes]]:
    """The lines of a stream, CHUNK_LINES at a time, empty ones left out. Memory stays bounded whatever comes: a line over
    LINE_BYTES, more than MAX_LINES lines or more than `limit` bytes after decompression end it with a DoorError."""
    lines: list[bytes] = []
    rest = b""
    total = count = 0
    for data in _plain(environ, encoding):
        total += len(data)
        if total > limit:
            raise DoorError("stream-too-long", f"a stream has at most {limit} bytes after decompression")
        parts = data.split(b"\n")
        parts[0] = rest + parts[0]
        rest = parts.pop()
        if len(rest) > LINE_BYTES:
            raise _line_too_long(count + len(parts))
        for part in parts:
            if len(part) > LINE_BYTES:
                raise _line_too_long(count)
            count += 1
            if count > MAX_LINES:
                raise _too_many_lines()
            if part and not part.isspace():
                lines.append(part)
                if len(lines) == CHUNK_LINES:
                    yield lines
                    lines = []
    if rest and not rest.isspace():
        if count >= MAX_LINES:
            raise _too_many_lines()
        lines.append(rest)
    if lines:
        yield lines


def _plain(environ: dict[str, Any], encoding: str) -> Iterator[bytes]:
    raw = _raw(environ)
    if encoding != "gzip":
        yield from raw
        return
    inflate, begun = zlib.decompressobj(31), False
    for piece in raw:
        pending = piece
        while pending:
            begun = True
            try:
                data = inflate.decompress(pending, INFLATE_BYTES)
            except zlib.error as exc:
                raise DoorError("broken-gzip", "the gzip stream is damaged", where="body") from exc
            if data:
                yield data
            pending = inflate.unconsumed_tail
            if inflate.eof:  # several gzip members may follow one another (RFC 1952 section 2.2)
                pending, inflate, begun = inflate.unused_data, zlib.decompressobj(31), False
    if begun and not inflate.eof:
        raise DoorError("broken-gzip", "the gzip stream ends in the middle", where="body")


def _raw(environ: dict[str, Any]) -> Iterator[bytes]:
    source: BinaryIO = environ["wsgi.input"]
    length = _announced(environ)
    left = length
    while left is None or left > 0:
        piece = _read(source, READ_BYTES if left is None else min(READ_BYTES, left))
        if not piece:
            break
        if left is not None:
            left -= len(piece)
        yield piece
    if left:
        raise DoorError("body-incomplete", f"{left} of {length} bytes did not come", where="Content-Length")


def _read(source: BinaryIO, size: int) -> bytes:
    try:
        return source.read(size)
    except ParseException as exc:
        raise DoorError(
            "request-malformed", "the body's chunks cannot be read (RFC 9112 section 7.1)"
        ) from exc


def _announced(environ: dict[str, Any]) -> int | None:
    text = environ.get("CONTENT_LENGTH") or ""
    if not text:
        return None if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() else 0
    if not text.isdigit() or len(text) > 15:
        raise DoorError("request-malformed", "Content-Length is not a number", where="Content-Length")
    return int(text)


def _too_large(limit: int) -> DoorError:
    return DoorError(
        "body-too-large",
        f"a body has at most {limit} bytes here",
        where="Content-Length",
        remedy="send smaller batches, or use contributions/stream",
    )


def _line_too_long(line_no: int) -> DoorError:
    return DoorError("line-too-long", f"a line has at most {LINE_BYTES} bytes", where=f"/lines/{line_no}")


def _too_many_lines() -> DoorError:
    return DoorError(
        "stream-too-long", f"a stream has at most {MAX_LINES} lines", remedy="send the rest as another stream"
    )
