"""The client certificate of a connection: from the TLS socket, or from a configured proxy's Client-Cert (RFC 9440)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

log = logging.getLogger("gateway.door")

HEADER = "HTTP_CLIENT_CERT"
HEADER_BYTES = 16 * 1024


def certificate_reader(trusted_proxies: tuple[str, ...]) -> Callable[[Mapping[str, Any]], str | None]:
    """A function from a WSGI environment to the certificate's x5t#S256 (base64url of SHA-256 of the DER), or None.

    From a trusted proxy only the header counts, never the proxy's own certificate. From anybody else the header is
    ignored and a line is logged: whoever sends it is mistaken or is trying something. Raises ValueError for a setting
    that is no address."""
    networks = [ip_network(word, strict=False) for word in trusted_proxies]

    def trusted(address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in networks)

    def read(environ: Mapping[str, Any]) -> str | None:
        header = environ.get(HEADER)
        if networks and trusted(environ.get("REMOTE_ADDR", "")):
            der = _from_header(header) if header else None
        else:
            if header is not None:
                log.warning(
                    "a Client-Cert header from an untrusted address was ignored",
                    extra={"code": "client-cert-ignored"},
                )
            socket = environ.get("gunicorn.socket")
            getpeercert = getattr(socket, "getpeercert", None)
            der = getpeercert(True) if getpeercert is not None else None
        return x5t_s256(der) if der else None

    return read


def x5t_s256(der: bytes) -> str:
    """RFC 8705 section 3.1: base64url without padding of the SHA-256 of the certificate's DER."""
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def _from_header(value: str) -> bytes | None:
    """`:BASE64:`, an RFC 8941 byte sequence. None when it is not one."""
    value = value.strip()
    if len(value) > HEADER_BYTES or len(value) < 3 or value[0] != ":" or value[-1] != ":":
        return None
    try:
        return base64.b64decode(value[1:-1], validate=True) or None
    except (binascii.Error, ValueError):
        return None
