"""The everyday parts of a simulated REST platform: a token endpoint, faults on demand, accounts and state.

For simulators of new towns; a town's own addresses and words stand in its simulator. Shares nothing with any adapter.

`POST /_faults` {"fault": …, "on": …, "times": n, "seconds": s} arms one: `slow` waits before it answers, `drop` acts and closes
the connection, `refuse` says no, `busy` says 503 before it acts, `garbage` acts and answers no JSON, `repeat` and `reorder`
change the lines of a statement.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from adapters.simulating import SimulatorPlace

FAULTS: Final = ("slow", "drop", "refuse", "busy", "garbage", "repeat", "reorder")
LONGEST_ASSERTION_S = 300


class SaysNoError(Exception):
    """The platform says no: HTTP status and its own code."""

    def __init__(self, status: int, code: str, title: str) -> None:
        super().__init__(title)
        self.status, self.code, self.title = status, code, title


class DroppedError(Exception):
    """The connection is closed without an answer."""


@dataclass
class Platform:
    """One simulated platform. Balances are hundredths of points, by account."""

    place: SimulatorPlace
    actions: Sequence[str]  # what faults can be armed on
    lines_under: str = "lines"  # the key a statement's lines stand under
    token_path: str = "/oauth/token"  # noqa: S105  a path, not a secret
    token_lives_s: int = 600
    balances: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    _armed: list[dict[str, Any]] = field(default_factory=list)
    _tokens: dict[str, float] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def app(self) -> Flask:
        """The application with everything that is the same for every platform; the town adds its own addresses."""
        if self._file.exists():
            self.balances = json.loads(self._file.read_text())
        app = Flask(f"simulated_{self.place.name}")
        for path, method, name, view in (
            (self.token_path, "POST", "token", lambda: self.answer("token", self._give_token, guarded=False)),
            ("/_faults", "POST", "arm", self._arm),
            ("/_faults", "DELETE", "calm", self._calm),
            ("/_accounts", "POST", "accounts", self._set_accounts),
            ("/_state", "GET", "state", lambda: jsonify({"balances": self.balances, "calls": self.calls})),
            ("/healthz", "GET", "alive", lambda: jsonify({"status": "ok"})),
        ):
            app.add_url_rule(path, name, view, methods=[method])
        app.register_error_handler(SaysNoError, lambda exc: problem(exc.status, exc.code, exc.title))
        app.register_error_handler(DroppedError, _drop)

        @app.after_request
        def say_what_we_are(response: Response) -> Response:
            response.headers["X-Simulator"] = self.place.name
            return response

        return app

    def save(self) -> None:
        """Keep the accounts over a restart."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self.balances))

    def balance(self, account: str) -> int:
        """Hundredths of points. Raises SaysNoError for an account nobody has."""
        if account not in self.balances:
            raise SaysNoError(404, "accountUnknown", "nobody has this account")
        return self.balances[account]

    def answer(self, action: str, act: Callable[[], Any], *, guarded: bool = True) -> Any:
        """Do what was asked, with the fault armed for it; `guarded` asks for a valid token first."""
        fault = self._take_fault(action)
        kind = fault.get("fault", "")
        if kind == "busy":
            busy = problem(503, "busy", "the platform is busy; nothing happened")
            busy.headers["Retry-After"] = "2"
            return busy
        if (
            guarded
            and self._tokens.get(request.headers.get("Authorization", "").removeprefix("Bearer "), 0)
            < time.time()
        ):
            return problem(401, "tokenInvalid", "no valid access token")
        if kind == "refuse":
            raise SaysNoError(422, "refused", "refused on demand")
        done = act()
        if kind == "slow":
            time.sleep(float(fault["seconds"]))
        if kind == "drop":
            raise DroppedError
        if kind == "garbage":
            return Response("<html>gateway time-out</html>", 200, content_type="text/html")
        if kind in ("repeat", "reorder"):
            document = done.get_json()
            lines = document[self.lines_under]
            document[self.lines_under] = lines * 2 if kind == "repeat" else lines[::-1]
            return jsonify(document)
        return done

    @property
    def _file(self) -> Path:
        return self.place.books.with_suffix(".json")

    def _take_fault(self, action: str) -> dict[str, Any]:
        with self._lock:
            self.calls[action] = self.calls.get(action, 0) + 1
            for fault in self._armed:
                if fault["on"] == action and fault["times"] > 0:
                    fault["times"] -= 1
                    return dict(fault)
        return {}

    def _arm(self) -> Any:
        asked = request.get_json()
        if asked.get("fault") not in FAULTS or asked.get("on") not in (*self.actions, "token"):
            return problem(400, "faultUnknown", f"fault: {', '.join(FAULTS)}; on: {', '.join(self.actions)}")
        with self._lock:
            self._armed.append({"times": 1, "seconds": 1.0, **asked})
        return jsonify({"armed": len(self._armed)})

    def _calm(self) -> Any:
        with self._lock:
            self._armed.clear()
        return jsonify({"armed": 0})

    def _set_accounts(self) -> Any:
        with self._lock:
            self.balances.update({str(code): int(centi) for code, centi in request.get_json().items()})
            self.save()
        return jsonify({"accounts": len(self.balances)})

    def _give_token(self) -> Any:
        """RFC 6749 §4.4 with RFC 7523: the assertion's key, audience, times and single use are checked."""
        form, now = request.form, time.time()
        keys = KeySet.import_key_set(json.loads(self.place.caller_jwks.read_text()))
        try:
            claims = jwt.decode(form.get("client_assertion", ""), keys, algorithms=["ES256"]).claims
        except (JoseError, ValueError):
            return jsonify({"error": "invalid_client"}), 401
        audience, jti = claims.get("aud"), claims.get("jti")
        right = (
            form.get("grant_type") == "client_credentials"
            and claims.get("iss") == claims.get("sub") == self.place.caller
            and self.place.address + self.token_path
            in (audience if isinstance(audience, list) else [audience])
            and isinstance(claims.get("exp"), int)
            and now - 5 < claims["exp"] <= now + LONGEST_ASSERTION_S + 5
        )
        with self._lock:
            if not right or not isinstance(jti, str) or jti in self._seen:
                return jsonify({"error": "invalid_client"}), 401
            self._seen.add(jti)
            token = secrets.token_urlsafe(24)
            self._tokens[token] = now + self.token_lives_s
        return jsonify({"access_token": token, "token_type": "Bearer", "expires_in": self.token_lives_s})


def problem(status: int, code: str, title: str) -> Response:
    """A problem document (RFC 9457)."""
    answer = jsonify({"type": "about:blank", "title": title, "status": status, "code": code})
    answer.status_code, answer.content_type = status, "application/problem+json"
    return answer


def _drop(_: DroppedError) -> Response:
    connection = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    return Response(b"", 500)


def settings_for_oauth(place: SimulatorPlace) -> dict[str, Any]:
    """The neighbours-file table of a town that is called over OAuth: address, who we are there, our key and certificate."""
    cert, key = place.caller_cert
    return {
        "address": place.address,
        "client_id": place.caller,
        "key_file": str(place.caller_key),
        "client_cert": str(cert),
        "client_key": str(key),
        "ca_file": str(place.ca_file),
        "sandbox": True,
    }
