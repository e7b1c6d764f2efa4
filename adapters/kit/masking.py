"""Messages as they may be shown: resident ids, phones, names, tokens, keys and digests masked (JR/T 0171: C2 and C3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.wire_tap import Exchange

LONGEST_SHOWN = 4000
_RESIDENT_ID = re.compile(r"(?<![0-9])([0-9]{6})[0-9]{8}([0-9]{3}[0-9Xx])(?![0-9A-Za-z])")
_PHONE = re.compile(r"(?<![0-9])(\+?[0-9]{3})[0-9]{4,6}([0-9]{2})(?![0-9])")
_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
_SECRETS = re.compile(
    r"(?P<before>(?:client_assertion|access_token|refresh_token|id_token|client_secret|password)\"?\s*[=:]\s*\"?"
    r"|\bcode=)(?P<secret>[^\"&\s,}<]+)"  # an authorization code stands in forms; "code": is a refusal's
)
#: a signature is as long as the message and says nothing to a reader; what was wrong with it stands in the reason
_SIGNATURE = re.compile(r"(<(?:\w+:)?Signature\b[^>]*>).*?(</(?:\w+:)?Signature>)", re.DOTALL)
_SOAP_SECRETS = re.compile(
    r"(<(?:\w+:)?(?:Password|Nonce|SignatureValue|BinarySecurityToken|DigestValue)\b[^>]*>)[^<]+(</)"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An exchange with everything personal and secret masked."""

    request: str  # method and address
    sent: str
    status: str  # '200', or 'no answer'
    received: str
    took_ms: int
    lost: str


def shown(exchange: Exchange, personal: Sequence[str] = ()) -> Shown:
    """One exchange as text. `personal` are the town's own fields that name a person."""
    address = mask(re.sub(r"^https?://[^/]+", "", exchange.url), personal)
    headers = "".join(
        f"{name}: {'***' if name.lower() in _SECRET_HEADERS else mask(value, personal)}\n"
        for name, value in exchange.sent_headers.items()
        if name.lower() in ("content-type", "soapaction", "authorization")
    )
    status = "no answer" if exchange.status is None else str(exchange.status)
    return Shown(
        f"{exchange.method} {address}",
        headers + mask(_text(exchange.sent), personal),
        status,
        mask(_text(exchange.received), personal),
        exchange.took_ms,
        exchange.lost,
    )


def mask(text: str, personal: Sequence[str] = ()) -> str:
    """The text with persons and secrets masked, cut to what fits on a page."""
    for field in personal:
        name = re.escape(field)
        text = re.sub(rf'("{name}"\s*:\s*)"[^"]*"', r'\1"***"', text)
        text = re.sub(rf"(<(?:\w+:)?{name}\b[^>]*>)[^<]+(</)", r"\1***\2", text)
    text = _SECRETS.sub(r"\g<before>***", text)
    text = _SIGNATURE.sub(r"\1***\2", text)
    text = _SOAP_SECRETS.sub(r"\1***\2", text)
    text = _RESIDENT_ID.sub(r"\1********\2", text)
    text = _PHONE.sub(r"\1****\2", text)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _text(body: bytes) -> str:
    declared = re.match(rb"<\?xml[^>]*encoding=[\"']([A-Za-z0-9-]+)[\"']", body)
    encoding = declared[1].decode() if declared else "utf-8"
    try:
        return body.decode(encoding, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
