"""The town's OAuth 2.0 and OpenID Connect side: authorize, token, keys, userinfo, revoke. Faults make it lie in the known ways.

A code lives a minute and is used once; a refresh token is replaced at each use, and the one before stays good until the new one
was used, so that a client that lost the answer loses nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, jsonify, redirect, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from adapters.nanyang_young.simulator.books import Books, Member

LONGEST_ASSERTION_S, CODE_LIVES_S, ID_TOKEN_LIVES_S = 300, 60, 300
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: What the ID token, the callback or userinfo can be made to get wrong.
LIES = (
    "alg_none", "hs256_with_public_key", "header_jwk", "header_jku", "header_x5u", "unknown_kid", "wrong_issuer",
    "wrong_audience",    "wrong_nonce", "no_nonce", "expired", "other_subject", "no_id_token", "tampered", "callback_issuer",
    "callback_no_issuer", "callback_state", "userinfo_other_subject", "userinfo_other_person", "issued_ahead",
    "second_audience", "oversized",
)  # fmt: skip


@dataclass(slots=True)
class Authority:
    """Codes, tokens and grants."""

    issuer: str
    client_id: str
    client_keys: dict[str, Any]
    redirect_uris: tuple[str, ...]  # compared exactly; empty in a sandbox: our callback on any loopback port
    books: Books
    token_lives_s: int = 600
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    tokens: dict[str, tuple[float, str]] = field(default_factory=dict)  # access token → (ends, openid or '')
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    refresh: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # refresh token → (openid, the one before)
    seen: set[str] = field(default_factory=set)
    lies: list[str] = field(default_factory=list)
    revoked: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def lie(self, *about: str) -> str:
        """The armed lie if it is one of these, used up."""
        with self.lock:
            if self.lies and self.lies[0] in about:
                return self.lies.pop(0)
            return ""

    def bearer(self) -> tuple[bool, str]:
        """Whether the request shows a live token, and whose it is ('' for the client's own)."""
        header = request.headers.get("Authorization", "")
        found = self.tokens.get(header.removeprefix("Bearer ")) if header.startswith("Bearer ") else None
        return (found is not None and found[0] >= time.time()), found[1] if found else ""


def add_authority(app: Flask, authority: Authority) -> None:
    """The routes of the authorization server."""

    @app.get("/oauth/authorize")
    def authorize() -> Any:
        asked = request.args
        wrong = _wrong_request(authority, asked)
        if wrong:
            return Response(f"<h1>400</h1><p>{html.escape(wrong)}</p>", 400, content_type="text/html")
        return Response(_page(authority, asked), content_type="text/html; charset=utf-8")

    @app.post("/oauth/authorize")
    def decide() -> Any:
        asked = request.form
        wrong = _wrong_request(authority, asked)
        if wrong:
            return Response(wrong, 400)
        answer = {"state": asked["state"], "iss": authority.issuer}
        if asked.get("decision") == "deny":
            answer["error"] = "access_denied"
        else:
            member = authority.books.member(asked.get("openid", ""))
            code = secrets.token_urlsafe(32)
            with authority.lock:
                authority.codes[code] = {
                    **asked.to_dict(),
                    "member": member.openid,
                    "ends": time.time() + CODE_LIVES_S,
                }
            answer["code"] = code
        lie = authority.lie("callback_issuer", "callback_no_issuer", "callback_state")
        if lie == "callback_issuer":
            answer["iss"] = "https://attacker.example"
        elif lie == "callback_no_issuer":
            del answer["iss"]
        elif lie == "callback_state":
            answer["state"] = secrets.token_urlsafe(32)
        return redirect(asked["redirect_uri"] + "?" + urlencode(answer), 302)

    @app.get("/oauth/jwks")
    def jwks() -> Any:
        return jsonify({"keys": [{**authority.key.as_dict(private=False), "alg": "ES256", "use": "sig"}]})

    @app.get("/oauth/userinfo")
    def userinfo() -> Any:
        good, openid = authority.bearer()
        if not good or not openid:
            return jsonify({"error": "invalid_token"}), 401
        member = authority.books.member(openid)
        lie = authority.lie("userinfo_other_subject", "userinfo_other_person")
        others = [m for m in authority.books.members.values() if m.openid != openid]
        said = others[0] if lie == "userinfo_other_person" and others else member
        subject = "o_somebodyelse" if lie == "userinfo_other_subject" else openid
        return jsonify({"sub": subject, "id_no": said.id_no, "name": said.name})

    @app.post("/oauth/revoke")
    def revoke() -> Any:
        if not authenticate(authority):
            return jsonify({"error": "invalid_client"}), 401
        with authority.lock:
            found = authority.refresh.pop(request.form.get("token", ""), None)
            if found is not None:
                end_grant(authority, found[0])
        return Response(b"{}", 200, content_type="application/json")


def end_grant(authority: Authority, openid: str) -> None:
    """The resident's grant ends: no refresh, no access."""
    with authority.lock:
        authority.revoked += 1
        authority.refresh = {t: f for t, f in authority.refresh.items() if f[0] != openid}
        authority.tokens = {t: f for t, f in authority.tokens.items() if f[1] != openid}
        if openid in authority.books.members:
            authority.books.members[openid].granted = False


def give_token(authority: Authority) -> Any:
    """RFC 6749 §4.1.3, §4.4 and §6, always with private_key_jwt."""
    if not authenticate(authority):
        return jsonify({"error": "invalid_client"}), 401
    grant = request.form.get("grant_type")
    if grant == "client_credentials":
        return _tokens(authority, "")
    if grant == "authorization_code":
        return _redeem_code(authority)
    if grant == "refresh_token":
        return _refresh(authority)
    return jsonify({"error": "unsupported_grant_type"}), 400


def _redeem_code(authority: Authority) -> Any:
    form = request.form
    with authority.lock:
        found = authority.codes.pop(form.get("code", ""), None)
    verifier = form.get("code_verifier", "")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    if (
        found is None
        or found["ends"] < time.time()
        or found["redirect_uri"] != form.get("redirect_uri")
        or not secrets.compare_digest(challenge, found["code_challenge"])
    ):
        return jsonify({"error": "invalid_grant"}), 400
    member = authority.books.member(found["member"])
    member.granted = True
    return _tokens(authority, member.openid, id_token=_id_token(authority, member, found.get("nonce", "")))


def _refresh(authority: Authority) -> Any:
    shown = request.form.get("refresh_token", "")
    with authority.lock:
        found = authority.refresh.get(shown)
        if found is None:
            return jsonify({"error": "invalid_grant"}), 400
        authority.refresh.pop(found[1], None)  # the new one was used: the one before ends
        return _tokens(authority, found[0], before=shown)


def _tokens(authority: Authority, openid: str, *, before: str = "", id_token: str | None = None) -> Any:
    token = secrets.token_urlsafe(24)
    answer: dict[str, Any] = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": authority.token_lives_s,
    }
    with authority.lock:
        authority.tokens[token] = (time.time() + authority.token_lives_s, openid)
        if openid:
            answer["refresh_token"] = secrets.token_urlsafe(32)
            authority.refresh[answer["refresh_token"]] = (openid, before)
    if id_token:
        answer["id_token"] = id_token
    response = jsonify(answer)
    response.headers["Cache-Control"] = "no-store"
    return response


def _id_token(authority: Authority, member: Member, nonce: str) -> str | None:
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": authority.issuer, "sub": member.openid, "aud": authority.client_id, "nonce": nonce, "iat": now,
        "exp": now + ID_TOKEN_LIVES_S,
    }  # fmt: skip
    lie = authority.lie(*(name for name in LIES if not name.startswith(("callback", "userinfo"))))
    changed: Mapping[str, dict[str, Any]] = {
        "wrong_issuer": {"iss": "https://attacker.example"},
        "wrong_audience": {"aud": "somebody-else"},
        "second_audience": {"aud": [authority.client_id, "somebody-else"]},
        "wrong_nonce": {"nonce": secrets.token_urlsafe(16)},
        "no_nonce": {"nonce": None},
        "expired": {"iat": now - 3600, "exp": now - 1800},
        "issued_ahead": {"iat": now + 3600, "exp": now + 7200},
        "other_subject": {"sub": ""},
        "oversized": {"padding": "x" * 40_000},
    }
    claims = {k: v for k, v in {**claims, **changed.get(lie, {})}.items() if v is not None}
    if lie == "no_id_token":
        return None
    return _signed(authority, claims, lie)


def _signed(authority: Authority, claims: dict[str, Any], lie: str) -> str:
    header: dict[str, Any] = {"alg": "ES256", "kid": authority.key.kid}
    key: Any = authority.key
    if lie == "alg_none":
        return f"{_b64(_dump({'alg': 'none'}))}.{_b64(_dump(claims))}."
    if lie == "hs256_with_public_key":
        signed = f"{_b64(_dump({'alg': 'HS256', 'kid': authority.key.kid}))}.{_b64(_dump(claims))}"
        return f"{signed}.{_b64(hmac.digest(authority.key.as_pem(private=False), signed.encode(), 'sha256'))}"
    if lie in ("header_jwk", "header_jku", "header_x5u", "unknown_kid"):
        key = ECKey.generate_key("P-256", auto_kid=True)
        header = {"alg": "ES256", "kid": authority.key.kid if lie != "unknown_kid" else key.kid}
        if lie == "header_jwk":
            header["jwk"] = key.as_dict(private=False)
        if lie == "header_jku":
            header["jku"] = "https://attacker.example/jwks"
        if lie == "header_x5u":
            header["x5u"] = "https://attacker.example/chain.crt"
    token = jwt.encode(header, claims, key, algorithms=["ES256"])
    if lie == "tampered":
        head, body, signature = token.split(".")
        return (
            ".".join((head, _b64(_dump({**claims, "sub": "o_somebodyelse"})), signature)) if body else token
        )
    return token


def authenticate(authority: Authority) -> bool:
    """private_key_jwt: the assertion's key, audience, times and single use are checked."""
    form = request.form
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        return False
    keys = KeySet.import_key_set(authority.client_keys)  # type: ignore[arg-type]
    try:
        claims = jwt.decode(form.get("client_assertion", ""), keys, algorithms=["ES256"]).claims
    except (JoseError, ValueError):
        return False
    now, audience = time.time(), claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    right = (
        claims.get("iss") == claims.get("sub") == authority.client_id
        and any(str(a).startswith(authority.issuer) for a in audiences)
        and isinstance(claims.get("exp"), int)
        and now - 5 < claims["exp"] <= now + LONGEST_ASSERTION_S + 5
    )
    with authority.lock:
        jti = claims.get("jti")
        if not right or not isinstance(jti, str) or jti in authority.seen:
            return False
        authority.seen.add(jti)
    return True


def _wrong_request(authority: Authority, asked: Mapping[str, str]) -> str:
    """Why an authorization request is not served; '' when it is. The redirect address is compared exactly."""
    if asked.get("client_id") != authority.client_id:
        return "unknown client"
    if not _registered(authority, asked.get("redirect_uri", "")):
        return "this redirect address is not registered"
    if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
        return "response_type code with PKCE S256 is needed"
    if not (asked.get("code_challenge") and asked.get("state") and asked.get("nonce")):
        return "code_challenge, state and nonce are needed"
    return ""


def _registered(authority: Authority, address: str) -> bool:
    if authority.redirect_uris:
        return address in authority.redirect_uris
    return bool(
        re.fullmatch(r"https://(localhost|127\.0\.0\.1):[0-9]{1,5}/link/nanyang_young/callback", address)
    )


def _page(authority: Authority, asked: Mapping[str, str]) -> str:
    """The town's own sign-in, played: choose who you are, agree or not."""
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(k)}" value="{html.escape(v)}">' for k, v in asked.items()
    )
    chosen = list(authority.books.members.values())[:200]
    options = "".join(f'<option value="{m.openid}">{html.escape(m.name)}</option>' for m in chosen)
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>南阳young（模拟）</title><h1>南阳young（模拟平台）</h1><form method="post" action="/oauth/authorize">{hidden}'
        f'<p><label>登录为 <select name="openid">{options}</select></label></p>'
        '<p><button name="decision" value="allow">同意授权</button> '
        '<button name="decision" value="deny">拒绝</button></p></form></html>'
    )


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _dump(claims: Mapping[str, Any]) -> bytes:
    return json.dumps(claims).encode()
