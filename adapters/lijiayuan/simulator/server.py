"""The town's REST interface (contract/town_openapi.yaml) as a server of its own, with faults on demand.

`POST /_faults` {"fault": …, "on": …, "times": n, "seconds": s} arms one: `slow` waits before it answers, `drop` acts and closes
the connection, `refuse` says not enough points, `busy` says 503 before it acts, `garbage` acts and answers no JSON; `repeat`,
`reorder`, `cut` and `another_day` change the day statement. `on` is token, freeze,
confirm, release, reverse, find, balance or statement.
"""

from __future__ import annotations

import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from flask import Flask, Response, jsonify, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from adapters.lijiayuan.simulator.books import Books, BooksError, Freeze

FAULTS = ("slow", "drop", "refuse", "busy", "garbage", "repeat", "reorder", "cut", "another_day")
ACTIONS = ("token", "freeze", "confirm", "release", "reverse", "find", "balance", "statement")
TOKEN_LIVES_S = 600
LONGEST_ASSERTION_S = 300
PAGE = 500


@dataclass(slots=True)
class SimulatorSettings:
    """Who may call the simulated town."""

    issuer: str  # its own address: https://localhost:9443
    client_id: str
    client_keys: dict[str, Any]  # the caller's public JWK set
    books: Books
    token_lives_s: int = TOKEN_LIVES_S


@dataclass(slots=True)
class _Gate:
    """Tokens given, assertions seen, faults armed."""

    tokens: dict[str, float] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    armed: list[dict[str, Any]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_fault(self, action: str) -> dict[str, Any] | None:
        with self.lock:
            self.calls[action] = self.calls.get(action, 0) + 1
            for fault in self.armed:
                if fault["on"] == action and fault["times"] > 0:
                    fault["times"] -= 1
                    return dict(fault)
        return None


class DroppedError(Exception):
    """The connection is closed without an answer."""


def create_simulator_app(settings: SimulatorSettings) -> Flask:
    """The simulated town. One process, many threads."""
    app = Flask("simulated_lijiayuan")
    gate = _Gate()
    books = settings.books
    keys = KeySet.import_key_set(settings.client_keys)  # type: ignore[arg-type]

    @app.post("/oauth/token")
    def token() -> Any:
        return _with_faults(gate, "token", lambda: _give_token(settings, gate, keys))

    @app.post("/api/v1/freezes")
    def freeze() -> Any:
        def act() -> Any:
            serial, family, points_centi, reason = _read_freeze(request.get_json(silent=True))
            made, new = books.freeze(serial, family, points_centi, reason)
            return jsonify(_shown(made)), 201 if new else 200

        return _with_faults(gate, "freeze", act, guarded=True)

    @app.post("/api/v1/freezes/<serial>/<any(confirm, release, reverse):how>")
    def end(serial: str, how: str) -> Any:
        return _with_faults(gate, how, lambda: jsonify(_shown(books.end(serial, how))), guarded=True)

    @app.get("/api/v1/freezes/<serial>")
    def find(serial: str) -> Any:
        return _with_faults(gate, "find", lambda: jsonify(_shown(books.find(serial))), guarded=True)

    @app.get("/api/v1/accounts/<family>/balance")
    def balance(family: str) -> Any:
        def act() -> Any:
            return jsonify({"familyCode": family, "points": _points(books.balance(family))})

        return _with_faults(gate, "balance", act, guarded=True)

    @app.get("/api/v1/statements/<day>")
    def statement(day: str) -> Any:
        def act() -> Any:
            return jsonify(_page(books, day, request.args.get("cursor", "")))

        return _with_faults(gate, "statement", act, guarded=True)

    _add_controls(app, gate, books)

    @app.errorhandler(BooksError)
    def refused(exc: BooksError) -> Any:
        return _problem(exc.status, exc.code, exc.title)

    @app.errorhandler(DroppedError)
    def dropped(_: DroppedError) -> Any:
        connection = request.environ.get("werkzeug.socket")
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)
        return Response(b"", 500)

    return app


def _add_controls(app: Flask, gate: _Gate, books: Books) -> None:
    """What a test or a demo turns: not part of the town's contract."""

    @app.post("/_faults")
    def faults() -> Any:
        asked = request.get_json()
        if asked.get("fault") not in FAULTS or asked.get("on") not in ACTIONS:
            return _problem(
                400, "faultUnknown", f"fault is one of {', '.join(FAULTS)}; on is one of {', '.join(ACTIONS)}"
            )
        with gate.lock:
            gate.armed.append({"times": 1, "seconds": 1.0, **asked})
        return jsonify({"armed": len(gate.armed)})

    @app.delete("/_faults")
    def calm() -> Any:
        with gate.lock:
            gate.armed.clear()
        return jsonify({"armed": 0})

    @app.post("/_expire/<serial>")
    def expire(serial: str) -> Any:
        return jsonify({"state": books.end(serial, "expire").state})

    @app.post("/_accounts")
    def accounts() -> Any:
        books.set_balances({str(code): int(centi) for code, centi in request.get_json().items()})
        return jsonify({"accounts": len(books.balances)})

    @app.post("/_sent")
    def sent() -> Any:
        return jsonify({"new": books.note_sent(request.get_json())})

    @app.delete("/_sent")
    def forget() -> Any:
        return jsonify({"days": books.forget_sent()})

    @app.get("/_state")
    def state() -> Any:
        with gate.lock:
            return jsonify({**books.snapshot(), "calls": dict(gate.calls)})

    @app.get("/healthz")
    def alive() -> Any:
        return jsonify({"status": "ok"})


def _with_faults(gate: _Gate, action: str, act: Callable[[], Any], *, guarded: bool = False) -> Any:
    fault = gate.take_fault(action)
    kind = fault["fault"] if fault else ""
    if kind == "busy":
        answer = _problem(503, "busy", "the platform is busy; nothing happened")
        answer.headers["Retry-After"] = "2"
        return answer
    if guarded:
        header = request.headers.get("Authorization", "")
        ends = gate.tokens.get(header.removeprefix("Bearer ")) if header.startswith("Bearer ") else None
        if ends is None or ends < time.time():
            return _problem(401, "tokenInvalid", "no valid access token")
    if kind == "refuse":
        raise BooksError(422, "notEnoughPoints", "refused on demand")
    answer = act()
    if kind == "slow":
        time.sleep(float(fault["seconds"]) if fault else 0)
    if kind == "drop":
        raise DroppedError
    if kind == "garbage":
        return Response("<html>gateway time-out</html>", 200, content_type="text/html")
    if kind in ("repeat", "reorder", "cut", "another_day"):
        return jsonify(_spoilt(kind, answer.get_json()))
    return answer


def _spoilt(kind: str, page: dict[str, Any]) -> dict[str, Any]:
    """A page of the day statement with a fault."""
    lines = page["lines"]
    if kind == "another_day":
        return {**page, "date": "2000-01-01"}
    if kind == "cut":
        return {**page, "lines": lines[: len(lines) // 2], "next": None}
    return {**page, "lines": lines + lines if kind == "repeat" else lines[::-1]}


def _give_token(settings: SimulatorSettings, gate: _Gate, keys: KeySet) -> Any:
    """RFC 6749 §4.4 with RFC 7523: the assertion's key, audience, times and single use are checked."""
    form = request.form
    if form.get("grant_type") != "client_credentials":
        return jsonify({"error": "unsupported_grant_type"}), 400
    if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
        return jsonify({"error": "invalid_client"}), 401
    try:
        claims = jwt.decode(form.get("client_assertion", ""), keys, algorithms=["ES256"]).claims
    except (JoseError, ValueError):
        return jsonify({"error": "invalid_client"}), 401
    now = time.time()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    right = (
        claims.get("iss") == claims.get("sub") == settings.client_id
        and settings.issuer + "/oauth/token" in audiences
        and isinstance(claims.get("exp"), int)
        and now - 5 < claims["exp"] <= now + LONGEST_ASSERTION_S + 5
    )
    with gate.lock:
        jti = claims.get("jti")
        if not right or not isinstance(jti, str) or jti in gate.seen:
            return jsonify({"error": "invalid_client"}), 401
        gate.seen.add(jti)
        token = secrets.token_urlsafe(24)
        gate.tokens[token] = now + settings.token_lives_s
    answer = jsonify({"access_token": token, "token_type": "Bearer", "expires_in": settings.token_lives_s})
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _read_freeze(asked: Any) -> tuple[str, str, int, str]:
    wrong = BooksError(400, "requestInvalid", "serial, familyCode, points and reason are needed")
    if not isinstance(asked, dict) or set(asked) != {"serial", "familyCode", "points", "reason"}:
        raise wrong
    if not all(isinstance(value, str) and value for value in asked.values()):
        raise wrong
    if not re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,2})?", asked["points"]):
        raise wrong
    centi = int(Decimal(asked["points"]) * 100)
    if centi <= 0:
        raise wrong
    return asked["serial"], asked["familyCode"], centi, asked["reason"]


def _page(books: Books, day: str, cursor: str) -> dict[str, Any]:
    lines = [
        *books.tasks(day),
        *({**_shown(freeze), "familyCode": freeze.family} for freeze in books.day(day)),
    ]
    start = int(cursor) if cursor.isdigit() else 0
    following = str(start + PAGE) if start + PAGE < len(lines) else None
    return {"date": day, "total": len(lines), "lines": lines[start : start + PAGE], "next": following}


def _shown(freeze: Freeze) -> dict[str, Any]:
    return {
        "serial": freeze.serial,
        "state": freeze.state,
        "points": _points(freeze.points_centi),
        "townReference": freeze.town_reference,
    }


def _points(centi: int) -> str:
    return f"{centi // 100}.{centi % 100:02d}" if centi % 100 else str(centi // 100)


def _problem(status: int, code: str, title: str) -> Response:
    answer = jsonify({"type": "about:blank", "title": title, "status": status, "code": code})
    answer.status_code, answer.content_type = status, "application/problem+json"
    return answer
