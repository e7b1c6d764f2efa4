"""How the simulated town writes and reads SOAP 1.2 in GB18030 with a UsernameToken. No code of the adapter is used."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree  # type: ignore[import-untyped]

SOAP = "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
FRESH_S = 300

Words = Mapping[str, Any]  # name → text, or a list of Words under one name


class SpeechError(Exception):
    """Not SOAP 1.2 in GB18030, or not from somebody we know. `code` is the local name of a fault code or subcode."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


def element(name: str, namespace: str, words: Words) -> str:
    """`<name xmlns=…>` with the words in their order; a list becomes one element an entry."""
    return f'<{name} xmlns="{namespace}">{_inside(words)}</{name}>'


def _inside(words: Words) -> str:
    written = []
    for name, value in words.items():
        for entry in value if isinstance(value, list) else [value]:
            inner = _inside(entry) if isinstance(entry, Mapping) else escape(str(entry))
            written.append(f"<{name}>{inner}</{name}>")
    return "".join(written)


def envelope(body: str, header: str = "") -> bytes:
    """The whole message in GB18030."""
    text = (
        f'<?xml version="1.0" encoding="GB18030"?><s:Envelope xmlns:s="{SOAP}">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    return text.encode("gb18030")


def username_token(username: str, password: str, *, created: str = "", nonce: bytes = b"") -> str:
    """A Security header with a fresh token (WSS UsernameToken Profile 1.0, section 3)."""
    created = created or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    nonce = nonce or os.urandom(16)
    digest = base64.b64encode(_digest(nonce, created, password)).decode()
    return (
        f'<o:Security xmlns:o="{WSSE}" xmlns:u="{WSU}" s:mustUnderstand="true"><o:UsernameToken>'
        f'<o:Username>{escape(username)}</o:Username><o:Password Type="{DIGEST}">{digest}</o:Password>'
        f'<o:Nonce EncodingType="{BASE64}">{base64.b64encode(nonce).decode()}</o:Nonce>'
        f"<u:Created>{created}</u:Created></o:UsernameToken></o:Security>"
    )


def _digest(nonce: bytes, created: str, password: str) -> bytes:
    return hashlib.sha1(nonce + created.encode() + password.encode()).digest()  # noqa: S324  the standard's digest


def fault(code: str, words: str) -> bytes:
    """A Fault that blames the sender, with the code as subcode."""
    return envelope(
        f'<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value xmlns:o="{WSSE}">o:{code}</s:Value></s:Subcode>'
        f'</s:Code><s:Reason><s:Text xml:lang="zh">{escape(words)}</s:Text></s:Reason></s:Fault>'
    )


def read(content: bytes) -> Any:
    """The Envelope of a message."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        raise SpeechError("DataEncodingUnknown", "不是 XML") from None
    if root.tag != f"{{{SOAP}}}Envelope" or root.getroottree().docinfo.doctype:
        raise SpeechError("VersionMismatch", "不是 SOAP 1.2")
    return root


def body_of(root: Any) -> Any:
    """The one element in the Body."""
    body = root.find(f"{{{SOAP}}}Body")
    if body is None or len(body) != 1:
        raise SpeechError("InvalidSecurity", "报文体应有且只有一个元素")
    return body[0]


def words_of(node: Any) -> dict[str, Any]:
    """Name → text of an element's children; children with children become lists of words."""
    found: dict[str, Any] = {}
    for child in node:
        name = etree.QName(child).localname
        if len(child):
            found.setdefault(name, []).append(words_of(child))
        else:
            found[name] = child.text or ""
    return found


class TokenCheck:
    """Who may call: one name and its password; a token is fresh and used once."""

    def __init__(self, username: str, password: str) -> None:
        self._username, self._password = username, password
        self._seen: dict[str, float] = {}

    def check(self, root: Any) -> None:
        """Raises SpeechError."""
        token = root.find(f"{{{SOAP}}}Header/{{{WSSE}}}Security/{{{WSSE}}}UsernameToken")
        if token is None:
            raise SpeechError("InvalidSecurity", "缺少 UsernameToken")
        username, shown, nonce64, created = (
            token.findtext(f"{{{space}}}{name}") or ""
            for space, name in ((WSSE, "Username"), (WSSE, "Password"), (WSSE, "Nonce"), (WSU, "Created"))
        )
        try:
            made = datetime.fromisoformat(created).timestamp()
            nonce, given = base64.b64decode(nonce64, validate=True), base64.b64decode(shown, validate=True)
        except ValueError:
            raise SpeechError("InvalidSecurityToken", "UsernameToken 无法读取") from None
        now = time.time()
        if abs(now - made) > FRESH_S:
            raise SpeechError("MessageExpired", "UsernameToken 已过期")
        right = username == self._username and hmac.compare_digest(
            given, _digest(nonce, created, self._password)
        )
        if not right:
            raise SpeechError("FailedAuthentication", "用户名或密码不正确")
        self._seen = {known: until for known, until in self._seen.items() if until > now}
        if nonce64 in self._seen:
            raise SpeechError("FailedAuthentication", "Nonce 已使用")
        self._seen[nonce64] = made + FRESH_S
