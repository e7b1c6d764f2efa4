"""UsernameToken with a digested password (WSS UsernameToken Profile 1.0), for towns whose software can do no more.

The digest is the standard's own: Base64(SHA-1(nonce + created + password)). It proves that the sender knows the password and made
the token lately; it says nothing about the Body. So it is taken only on a connection with the client's own certificate, which
keeps the Body whole on its way, and a nonce is taken once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from adapters.soap_reading import Element
from adapters.soap_time import check_fresh
from adapters.ws_security import WSSE, WSU, refused, single_security
from schemas.soap import FRESH_S, SoapParty

_PROFILE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
DIGEST: Final = _PROFILE + "#PasswordDigest"
NONCE_BYTES: Final = (8, 64)


class Known(NamedTuple):
    """A sender who proved to know the password."""

    party: SoapParty
    replay_id: bytes  # 32 bytes
    replay_until: datetime


def digest_of(nonce: bytes, created: str, password: str) -> bytes:
    """WSS UsernameToken Profile 1.0 section 3.1; `created` exactly as it stands in the token."""
    return hashlib.sha1(nonce + created.encode() + password.encode()).digest()  # noqa: S324  the standard's digest


def know(root: Element, parties: Sequence[SoapParty], certificate: str | None, now: datetime) -> Known:
    """Who sent the message. `certificate` is the x5t#S256 of the connection's.

    Raises UnauthenticatedError. Which of name and password was wrong is not told."""
    security = single_security(root)
    tokens = root.xpath("//w:UsernameToken", namespaces={"w": WSSE})
    if len(tokens) > 1:
        raise refused("the message has several UsernameTokens", "element-twice", "UsernameToken", "send one")
    token = security.find(f"{{{WSSE}}}UsernameToken")
    if token is None:
        raise refused("the Security header has no UsernameToken", "token-missing")
    passwords = token.findall(f"{{{WSSE}}}Password")
    if len(passwords) != 1 or passwords[0].get("Type") != DIGEST:
        raise refused(
            "the password is not digested", "password-not-digested", "Password", f"use Type {DIGEST}"
        )
    created = _only(token, WSU, "Created")
    made_at = check_fresh(created, None, now)
    timestamp = security.find(f"{{{WSU}}}Timestamp")
    if timestamp is not None:
        check_fresh(timestamp.findtext(f"{{{WSU}}}Created"), timestamp.findtext(f"{{{WSU}}}Expires"), now)
    nonce = _base64(_only(token, WSSE, "Nonce"), "Nonce")
    if not NONCE_BYTES[0] <= len(nonce) <= NONCE_BYTES[1]:
        raise refused(
            "a nonce has 8 to 64 bytes", "nonce-unusable", "Nonce", "take 16 random bytes for each message"
        )
    username, shown = _only(token, WSSE, "Username"), _base64(passwords[0].text or "", "Password")
    known = next((p for p in parties if p.username is not None and p.username == username), None)
    expected = digest_of(nonce, created, known.password or "" if known else "")
    if not hmac.compare_digest(expected, shown) or known is None or not known.password:
        raise refused("the name or the password digest is wrong", "password-mismatch", "UsernameToken")
    if certificate is None or certificate not in known.tls_certificates:
        raise refused("the connection's certificate is not this client's", "certificate-mismatch", "client certificate",
                      "connect with the certificate that was registered for this name")  # fmt: skip
    replay_id = hashlib.sha256(known.client_id.encode() + b"\0" + nonce).digest()
    return Known(known, replay_id, made_at + timedelta(seconds=FRESH_S + 60))


def _only(token: Element, namespace: str, name: str) -> str:
    found = token.findall(f"{{{namespace}}}{name}")
    if len(found) != 1 or not found[0].text:
        raise refused(f"the UsernameToken needs one {name}", "token-incomplete", name)
    return str(found[0].text)


def _base64(text: str, where: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise refused(f"{where} is not Base64", "token-incomplete", where) from None
