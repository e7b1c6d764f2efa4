"""The town's webhook sender (Standard Webhooks): signs, sends, and sends again. Shares no code with the door that checks it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests


def signature(secret: str, event_id: str, timestamp: str, body: bytes) -> str:
    """`v1,<base64 of HMAC-SHA256 over id.timestamp.body>`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac).decode()


def signed_headers(
    secrets_now: Sequence[str], event_id: str, body: bytes, *, at: int | None = None
) -> dict[str, str]:
    """The three headers, one signature for each secret (two during rotation)."""
    timestamp = str(int(time.time()) if at is None else at)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signature(s, event_id, timestamp, body) for s in secrets_now),
        "Content-Type": "application/json",
    }


def event_body(at_ms: int | None = None) -> bytes:
    """What is said: something changed."""
    said = {"type": "changes.available", "occurred_at": at_ms or int(time.time() * 1000)}
    return json.dumps(said).encode()


@dataclass(frozen=True, slots=True)
class Sender:
    """Where events go and which secrets sign them."""

    url: str  # https://gateway/towns/nanyang_young/v1/events
    secrets_now: tuple[str, ...]
    ca_file: Path

    def send(self, *, event_id: str = "", body: bytes = b"", headers: Mapping[str, str] | None = None) -> Any:
        """One event; the answer."""
        body = body or event_body()
        event_id = event_id or "evt_" + secrets.token_hex(12)
        sent = signed_headers(self.secrets_now, event_id, body) if headers is None else dict(headers)
        with requests.Session() as session:
            session.trust_env = False
            return session.post(
                self.url, data=body, headers=sent, verify=str(self.ca_file), timeout=10, allow_redirects=False
            )
