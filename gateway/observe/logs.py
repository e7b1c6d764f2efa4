"""JSON log lines, one object a line, with the correlation id. A last filter masks resident ids and phone numbers, should one
ever get here; code must not rely on it."""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import Any

import orjson

from gateway.observe.context import correlation_id

_RESIDENT_ID = re.compile(r"(?<![0-9A-Fa-f])([1-9][0-9]{5})(?:18|19|20)[0-9]{9}[0-9Xx](?![0-9A-Fa-f])")
_PHONE = re.compile(r"(?<![0-9A-Fa-f.])(1[3-9][0-9])[0-9]{8}(?![0-9A-Fa-f])")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


def mask(text: str) -> str:
    """Resident ids keep their first six digits (the county), mobile numbers their first three."""
    if "1" not in text and "2" not in text:
        return text
    return _PHONE.sub(r"\1********", _RESIDENT_ID.sub(r"\1************", text))


class JsonLines(logging.Formatter):
    """A record to one JSON line: at, level, event, logger, correlationId, and what was given as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": _instant(record.created),
            "level": record.levelname,
            "event": record.getMessage(),
            "logger": record.name,
        }
        correlation = correlation_id.get()
        if correlation:
            line["correlationId"] = correlation
        for name, value in record.__dict__.items():
            if name not in _STANDARD and not name.startswith("_"):
                line[name] = value
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = self.formatException(record.exc_info)
        return mask(orjson.dumps(line, default=str).decode())


def _instant(at: float) -> str:
    whole, part = divmod(at, 1)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int(part * 1000):03d}Z"


def configure_logging(level: str = "INFO") -> None:
    """All of the process's logging to standard error as JSON lines. Safe to call again."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("urllib3", "werkzeug", "authlib", "zeep", "apscheduler.executors"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.raiseExceptions = False  # a full pipe must not end a request
