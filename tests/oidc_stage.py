"""Identity providers for tests: npm `oidc-provider`, which nobody here wrote, and one of ours that lies on demand."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from flask import Flask, jsonify, request
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

from certs import Development
from tests.served import free_port

FOLDER = Path(__file__).parent / "oidc"


def install_provider() -> Path | None:
    """A folder with the provider and what it needs, as its lock file says; None where Node is not, or nothing can be fetched."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    lock = hashlib.sha256((FOLDER / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"gateway-oidc-provider-{os.getuid()}-{lock}"
    if not (folder / "node_modules" / "oidc-provider").is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(FOLDER, folder)
        command = ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"]
        if subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False).returncode:
            shutil.rmtree(folder, ignore_errors=True)
            return None
    shutil.copy(FOLDER / "provider.mjs", folder)
    return folder


@contextmanager
def real_provider(
    folder: Path, made: Development, people: dict[str, Any], port: int, gateway: str
) -> Iterator[str]:
    """The issuer of a running npm `oidc-provider`. `people`: login → claims. Its own sign-in pages take any password."""
    cert, key = made.simulator("lijiayuan")
    signing = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": "k1"})
    client_key = ECKey.import_key(made.assertion("lijiayuan")[0].read_text())
    settings = {
        "issuer": f"https://127.0.0.1:{port}",
        "port": port,
        "cert": str(cert),
        "key": str(key),
        "people": people,
        "redirect_uris": [f"{gateway}/staff/callback"],
        "post_logout_redirect_uris": [f"{gateway}/staff/sign-in"],
        "provider_jwks": {"keys": [signing.as_dict(private=True)]},
        "client_jwks": {"keys": [{**client_key.as_dict(private=False), "kid": client_key.thumbprint()}]},
    }
    process = subprocess.Popen(
        ["node", "provider.mjs", json.dumps(settings)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    ready = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if line.strip() == "ready":
                ready.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        assert ready.wait(30), "".join(said)
        yield str(settings["issuer"])
    finally:
        process.terminate()
        process.wait(10)
        listener.join(5)
        if process.stdout is not None:
            process.stdout.close()


@dataclass
class Liar:
    """An identity provider of ours that can be told what to say wrongly. `claims` None leaves a claim out."""

    issuer: str
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    signs_with: Any = None  # another key than the published
    answers: dict[str, Any] = field(default_factory=dict)  # members of the token answer
    seen: dict[str, Any] = field(default_factory=dict)  # the last authorization request
    token_form: dict[str, str] = field(default_factory=dict)

    def id_token(self) -> str:
        now = int(time.time())
        every = {
            "iss": self.issuer,
            "sub": "u-1",
            "aud": "gateway",
            "iat": now,
            "exp": now + 60,
            "nonce": self.seen.get("nonce"),
            "name": "测试甲",
            "roles": ["clerk"],
            "branch_no": "330109001",
            "teller_no": "P001",
            **self.claims,
        }
        said = {name: value for name, value in every.items() if value is not None}
        header = {"alg": "RS256", "kid": "k1", **self.header}
        if header["alg"] == "HS256":
            return keyed_with_public_key(said, self.key.as_pem(private=False))
        if header["alg"] == "none":
            return unsigned(said)
        algorithms = ["RS256", "ES256", "RS512"]
        return jwt.encode(header, said, self.signs_with or self.key, algorithms=algorithms)


def unsigned(claims: dict[str, Any]) -> str:
    """A token without a signature (alg none)."""
    return ".".join([_part({"alg": "none"}), _part(claims), ""])


def keyed_with_public_key(claims: dict[str, Any], public_pem: bytes) -> str:
    """A token whose HMAC secret is the provider's public key: the classic confusion of algorithms."""
    signed = f"{_part({'alg': 'HS256', 'kid': 'k1'})}.{_part(claims)}"
    return f"{signed}.{_text(hmac.digest(public_pem, signed.encode(), 'sha256'))}"


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value).encode())


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        pass

    log = log_request  # type: ignore[assignment]


@contextmanager
def lying_provider(made: Development) -> Iterator[Liar]:
    """A server of its own for one module of tests."""
    app = Flask("lying_provider")
    port = free_port()
    liar = Liar(f"https://127.0.0.1:{port}")

    @app.get("/.well-known/openid-configuration")
    def metadata() -> Any:
        return jsonify(
            {
                "issuer": liar.issuer,
                "authorization_endpoint": liar.issuer + "/auth",
                "token_endpoint": liar.issuer + "/token",
                "jwks_uri": liar.issuer + "/jwks",
                "end_session_endpoint": liar.issuer + "/end",
                **liar.metadata,
            }
        )

    @app.get("/jwks")
    def jwks() -> Any:
        return jsonify({"keys": [liar.key.as_dict(private=False, use="sig")]})

    @app.post("/token")
    def token() -> Any:
        liar.token_form = dict(request.form)
        answer = {
            "access_token": "opaque",
            "token_type": "Bearer",
            "expires_in": 60,
            "id_token": liar.id_token(),
        }
        return jsonify({k: v for k, v in {**answer, **liar.answers}.items() if v is not None})

    cert, key = made.simulator("lijiayuan")
    server = make_server(
        "127.0.0.1", port, app, threaded=True, request_handler=_Quiet, ssl_context=(str(cert), str(key))
    )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield liar
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def walk_in(start: requests.Response, session: requests.Session, login: str, gateway: str) -> str:
    """Play a person at the provider's own pages, from our redirect to its redirect back: the address it sends the browser to."""
    url = start.headers["Location"]
    for _ in range(12):
        answer = session.get(url, timeout=20, allow_redirects=False)
        if answer.status_code == 200:  # its sign-in form
            action = answer.text.partition('action="')[2].partition('"')[0]
            target = action if action.startswith("https:") else f"https://{urlsplit(url).netloc}{action}"
            form = {"prompt": "login", "login": login, "password": "any"}
            answer = session.post(target, data=form, timeout=20, allow_redirects=False)
        assert answer.status_code in (302, 303), (answer.status_code, answer.text[:400])
        following = answer.headers["Location"]
        url = following if following.startswith("https:") else f"https://{urlsplit(url).netloc}{following}"
        if url.startswith(gateway):
            return url
    raise AssertionError("the provider leads in a circle")


def query_of(url: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
