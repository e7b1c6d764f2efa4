"""The town's platform (contract/town_openapi.yaml) as a server of its own, with faults on demand.

`POST /_faults` {"fault": …, "on": …, "times": n, "seconds": s} arms one. `slow` waits before it answers; `drop` acts and closes
the connection; `refuse` says not enough points; `busy` says 429 before it acts; `garbage` acts and answers no JSON; `repeat`
gives items again; `reorder` turns their order round; on `id_token`, one of `authority.LIES`. `POST /_changes` makes changes,
`/_reveal` lets hidden ones commit, `/_skip` gives numbers that are never used.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
from flask import Flask, Response, jsonify, request

from adapters.nanyang_young.simulator.authority import LIES, Authority, add_authority, end_grant, give_token
from adapters.nanyang_young.simulator.books import Books, BooksError, Change, Freeze

FAULTS = ("slow", "drop", "refuse", "busy", "garbage", "repeat", "reorder", *LIES)
ACTIONS = (
    "token", "freeze", "confirm", "release", "reverse", "find", "balance", "statement", "changes", "missing", "history",
    "id_token", "revoke",
)  # fmt: skip
PAGE = 500
LINES = 200


@dataclass(slots=True)
class _Gate:
    """Faults armed, calls counted."""

    armed: list[dict[str, Any]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_fault(self, action: str) -> dict[str, Any]:
        with self.lock:
            self.calls[action] = self.calls.get(action, 0) + 1
            for fault in self.armed:
                if fault["on"] == action and fault["times"] > 0:
                    fault["times"] -= 1
                    return dict(fault)
        return {"fault": "", "seconds": 0}


class DroppedError(Exception):
    """The connection is closed without an answer."""


def create_simulator_app(authority: Authority, save: Callable[[], None] = lambda: None) -> Flask:
    """The simulated town. One process, many threads. `save` is called when a resident's grant changed, and at `POST /_save`."""
    app = Flask("simulated_nanyang_young")
    gate, books = _Gate(), authority.books

    def served(action: str, act: Callable[[], Any], *, guarded: bool = True) -> Any:
        return _with_faults(gate, authority, action, act, guarded=guarded)

    @app.post("/oauth/token")
    def token() -> Any:
        answer = served("token", lambda: give_token(authority), guarded=False)
        if request.form.get("grant_type") != "client_credentials":
            save()
        return answer

    @app.post("/v1/freezes")
    def freeze() -> Any:
        def act() -> Any:
            serial, openid, points_centi, reason = _read_freeze(request.get_json(silent=True))
            made, new = books.freeze(serial, openid, points_centi, reason)
            return jsonify(_shown(made)), 201 if new else 200

        return served("freeze", act)

    @app.post("/v1/freezes/<serial>/<any(confirm, release, reverse):how>")
    def end(serial: str, how: str) -> Any:
        return served(how, lambda: jsonify(_shown(books.end(serial, how))))

    @app.get("/v1/freezes/<serial>")
    def find(serial: str) -> Any:
        return served("find", lambda: jsonify(_shown(books.find(serial))))

    @app.get("/v1/members/<openid>/balance")
    def balance(openid: str) -> Any:
        return served(
            "balance",
            lambda: jsonify({"openid": openid, "points": _points(books.member(openid).balance_centi)}),
        )

    @app.get("/v1/statements/<day>")
    def statement(day: str) -> Any:
        return served("statement", lambda: jsonify(_statement(books, day, request.args.get("cursor", ""))))

    _add_feed(app, books, served)
    _add_controls(app, gate, authority)

    @app.post("/_save")
    def keep() -> Any:
        save()
        return jsonify({"saved": True})

    add_authority(app, authority)

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


def _add_feed(app: Flask, books: Books, served: Callable[[str, Callable[[], Any]], Any]) -> None:
    @app.get("/v1/changes")
    def changes() -> Any:
        def act() -> Any:
            after = _cursor(books.oldest_seq - 1)
            found, last = books.after(after, PAGE)
            return _as_json(_feed_page(books, found, last, len(found) == PAGE))

        return served("changes", act)

    @app.get("/v1/changes/missing")
    def missing() -> Any:
        def act() -> Any:
            low, high = (int(request.args.get(name, "0")) for name in ("from_seq", "to_seq"))
            if not 0 < low <= high or high - low >= PAGE:
                raise BooksError(400, "range_invalid", "from_seq to to_seq, 500 at most")
            found, void = books.between(low, high)
            return jsonify(
                {**_feed_page(books, found, high, False), "void": [[number, number] for number in void]}
            )

        return served("missing", act)

    @app.get("/v1/members/<openid>/changes")
    def history(openid: str) -> Any:
        def act() -> Any:
            if not books.member(openid).granted:
                raise BooksError(403, "not_granted", "the resident did not agree, or took it back")
            found = books.of_member(openid, _cursor(0), PAGE)
            last = found[-1]["seq"] if found else _cursor(0)
            return _as_json(_feed_page(books, found, last, len(found) == PAGE))

        return served("history", act)


def _as_json(document: dict[str, Any]) -> Response:
    """Quicker than jsonify: pages are what a load test asks for."""
    return Response(orjson.dumps(document), content_type="application/json")


def _cursor(default: int) -> int:
    text = request.args.get("cursor", "")
    if not text:
        return default
    if not re.fullmatch(r"c[0-9]{1,15}", text):
        raise BooksError(400, "cursor_invalid", "this cursor is not ours")
    return int(text[1:])


def _feed_page(books: Books, found: list[Change], last: int, more: bool) -> dict[str, Any]:
    return {"changes": found, "next_cursor": f"c{last}", "has_more": more, "oldest_seq": books.oldest_seq}


def _add_controls(app: Flask, gate: _Gate, authority: Authority) -> None:
    """What a test or a demo turns: not part of the town's contract."""
    books = authority.books

    @app.post("/_faults")
    def faults() -> Any:
        asked = request.get_json()
        if asked.get("fault") not in FAULTS or asked.get("on") not in ACTIONS:
            return _problem(400, "fault_unknown", f"on is one of {', '.join(ACTIONS)}")
        with gate.lock:
            if asked["fault"] in LIES:
                authority.lies.append(asked["fault"])
            else:
                gate.armed.append({"times": 1, "seconds": 1.0, **asked})
        return jsonify({"armed": len(gate.armed)})

    @app.delete("/_faults")
    def calm() -> Any:
        with gate.lock:
            gate.armed.clear()
            authority.lies.clear()
        return jsonify({"armed": 0})

    @app.post("/_accounts")
    def accounts() -> Any:
        books.add_members(request.get_json())
        return jsonify({"accounts": len(books.members)})

    @app.post("/_changes")
    def add_changes() -> Any:
        asked = request.get_json()
        return jsonify({"seqs": books.add_changes(asked["changes"], hide=asked.get("hide", ()))})

    @app.post("/_reveal")
    def reveal() -> Any:
        books.reveal(request.get_json()["seqs"])
        return jsonify({"hidden": sorted(books.hidden)})

    @app.post("/_skip")
    def skip() -> Any:
        return jsonify({"seqs": books.skip(int(request.get_json()["count"]))})

    @app.post("/_end_grant")
    def ended() -> Any:
        end_grant(authority, request.get_json()["openid"])
        return jsonify({"revoked": authority.revoked})

    @app.get("/_state")
    def state() -> Any:
        with gate.lock:
            calls = dict(gate.calls)
        return jsonify({**books.snapshot(), "calls": calls, "revoked": authority.revoked})

    @app.get("/healthz")
    def alive() -> Any:
        return jsonify({"status": "ok"})


def _with_faults(
    gate: _Gate, authority: Authority, action: str, act: Callable[[], Any], *, guarded: bool
) -> Any:
    fault = gate.take_fault(action)
    kind = fault["fault"]
    if kind == "busy":
        answer = _problem(429, "busy", "busy hours; nothing happened")
        answer.headers["Retry-After"] = str(int(float(fault["seconds"])))
        return answer
    if guarded and not authority.bearer()[0]:
        return _problem(401, "token_invalid", "no valid access token")
    if kind == "refuse":
        raise BooksError(422, "not_enough_points", "refused on demand")
    answer = act()
    if kind == "slow":
        time.sleep(float(fault["seconds"]))
    if kind == "drop":
        raise DroppedError
    if kind == "garbage":
        return Response("<html>gateway time-out</html>", 200, content_type="text/html")
    if kind in ("repeat", "reorder"):
        return _disordered(answer, kind)
    return answer


def _disordered(answer: Response, kind: str) -> Response:
    """The same lines, some given again or in another order; a page keeps its size."""
    page = answer.get_json()
    for listed in ("changes", "lines"):
        items = page.get(listed)
        if not items:
            continue
        if kind == "repeat":
            page[listed] = (items + items)[: max(PAGE, len(items))]
        else:
            page[listed] = items[1::2] + items[::2][::-1]
    return jsonify(page)


def _read_freeze(asked: Any) -> tuple[str, str, int, str]:
    wrong = BooksError(400, "request_invalid", "serial, openid, points and reason are needed")
    if not isinstance(asked, dict) or set(asked) != {"serial", "openid", "points", "reason"}:
        raise wrong
    if not all(isinstance(value, str) and value for value in asked.values()):
        raise wrong
    if not re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,2})?", asked["points"]):
        raise wrong
    centi = int(Decimal(asked["points"]) * 100)
    if centi <= 0:
        raise wrong
    return asked["serial"], asked["openid"], centi, asked["reason"]


def _statement(books: Books, day: str, cursor: str) -> dict[str, Any]:
    shown = ("kind", "change_id", "openid", "points")
    lines: list[dict[str, Any]] = [
        {name: change.get(name, "award") for name in shown} for change in books.on_day(day)
    ]
    lines += [
        {**_shown(freeze), "kind": "redemption", "openid": freeze.openid} for freeze in books.freezes_on(day)
    ]
    start = int(cursor) if cursor.isdigit() else 0
    following = str(start + LINES) if start + LINES < len(lines) else None
    return {"date": day, "lines": lines[start : start + LINES], "next_cursor": following}


def _shown(freeze: Freeze) -> dict[str, Any]:
    return {
        "serial": freeze.serial,
        "state": freeze.state,
        "points": _points(freeze.points_centi),
        "town_reference": freeze.town_reference,
    }


def _points(centi: int) -> str:
    return f"{centi // 100}.{centi % 100:02d}" if centi % 100 else str(centi // 100)


def _problem(status: int, code: str, title: str) -> Response:
    answer = jsonify({"type": "about:blank", "title": title, "status": status, "code": code})
    answer.status_code, answer.content_type = status, "application/problem+json"
    return answer
