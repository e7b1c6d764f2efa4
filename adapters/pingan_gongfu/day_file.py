"""The night's file as it stands on the wire (contract/README.md), taken apart. What is not whole is not taken."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Final, NoReturn

from adapters.pingan_gongfu import wire
from schemas.day_files import DayFile
from schemas.errors import UnavailableError

MAX_LINES: Final = 100_000
HEAD, CAP, ITEM, END = "RZWJ", "XE", "MX", "JS"
VERSION: Final = "1"
POINTS_FIELD: Final = 6  # of a line split at '|': MX LSH SFZH XM HDLX LX JF


def take_apart(content: bytes, on: date, *, sha256: str, item_count: int) -> DayFile:
    """The file of `on`. Raises UnavailableError, code `day-file-…`, when it is another's, cut short or not what was announced."""
    if hashlib.sha256(content).hexdigest() != sha256:
        _refuse("digest", "its digest is not the one announced", on)
    lines = content.removesuffix(b"\r\n").split(b"\r\n")
    head, end = _fields(lines[0]), _fields(lines[-1])
    if len(head) != 5 or head[:2] != [HEAD, VERSION]:
        _refuse("form", "it does not begin with RZWJ|1|…", on)
    if head[2] != wire.day_of(on):
        _refuse("other-day", "it is the file of another day", on)
    if len(lines) < 2 or len(end) != 2 or end[0] != END or not content.endswith(b"\r\n"):
        _refuse("cut", "it does not end with JS|…", on)
    caps: dict[str, int] = {}
    items, points_centi = [], 0
    for line in lines[1:-1]:
        fields = _fields(line)
        centi = wire.to_points_centi(fields[POINTS_FIELD]) if len(fields) > POINTS_FIELD else None
        if fields[0] == ITEM:
            items.append(line)
            points_centi += centi or 0  # a line without a number is answered as a faulty item
            continue
        cap = wire.to_points_centi(fields[2]) if len(fields) == 3 and fields[0] == CAP else None
        if cap is None or items:
            _refuse("form", "a line is neither XE nor MX, or XE stands after MX", on)
        caps[fields[1]] = cap
    if len(items) > MAX_LINES:
        _refuse("too-long", f"it has more than {MAX_LINES} items", on)
    if not head[3] == end[1] == str(len(items)) or len(items) != item_count:
        _refuse("count", "its number of items is not the one announced", on)
    if points_centi != wire.to_points_centi(head[4]):
        _refuse("sum", "its sum of points is not the one announced", on)
    return DayFile(on, bytes.fromhex(sha256), tuple(items), points_centi, caps)


def _fields(line: bytes) -> list[str]:
    """Decoded first: the second byte of a character of GB18030 may be that of '|'."""
    return line.decode("gb18030", "replace").split("|")


def _refuse(code: str, what: str, on: date) -> NoReturn:
    raise UnavailableError(
        f"the day file of pingan_gongfu cannot be taken: {what}", code=f"day-file-{code}", where="RZWJ",
        value=on.isoformat(), remedy="it is asked for again; nothing of it was taken", retry_after_s=1800,
    )  # fmt: skip
