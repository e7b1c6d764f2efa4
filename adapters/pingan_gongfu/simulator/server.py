"""The town's SOAP service (contract/platform.wsdl) as a server of its own, with faults on demand.

`POST /_faults` {"fault": …, "on": …, "times": n, "seconds": s} arms one: `slow` waits before it answers, `drop` acts and closes
the connection, `refuse` says 2002, `busy` says 9001 before it acts, `unknown` acts and says 9999, `garbage` acts and sends HTML,
`repeat` and `reorder` change the statement, `cut` and `another_day` it or the day file, `missing` the day file. `on` is freeze,
confirm, release, reverse, find, balance, statement or file.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Response, jsonify, request

from adapters.pingan_gongfu.simulator.books import (
    CONFIRMED,
    RELEASED,
    REVERSED,
    Books,
    BooksError,
    Freeze,
    centi_of,
    points_of,
)
from adapters.pingan_gongfu.simulator.speech import (
    SpeechError,
    TokenCheck,
    Words,
    body_of,
    element,
    envelope,
    fault,
    read,
    words_of,
)

NAMESPACE = "urn:pingan-gongfu:platform:1"
CONTENT_TYPE = "application/soap+xml; charset=GB18030"
FAULTS = (
    "slow",
    "drop",
    "refuse",
    "busy",
    "unknown",
    "garbage",
    "repeat",
    "reorder",
    "missing",
    "cut",
    "another_day",
)
ACTIONS = {
    "JFDJ": "freeze", "DJQR": "confirm", "DJQX": "release", "DJCZ": "reverse", "DJCX": "find", "YECX": "balance",
    "RZDZ": "statement", "RZWJ": "file",
}  # fmt: skip
PAGE = 100
LONGEST_BYTES = 1024 * 1024


@dataclass(slots=True)
class SimulatorSettings:
    """Who may call the simulated town, and its books."""

    username: str
    password: str = field(repr=False)
    books: Books


@dataclass(slots=True)
class _Gate:
    """Faults armed, and how often each action was called."""

    armed: list[dict[str, Any]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_fault(self, action: str) -> dict[str, Any]:
        with self.lock:
            self.calls[action] = self.calls.get(action, 0) + 1
            for armed in self.armed:
                if armed["on"] == action and armed["times"] > 0:
                    armed["times"] -= 1
                    return dict(armed)
        return {"fault": ""}


class DroppedError(Exception):
    """The connection is closed without an answer."""


def create_simulator_app(settings: SimulatorSettings) -> Flask:
    """The simulated town. One process, many threads."""
    app = Flask("simulated_pingan_gongfu")
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BYTES
    gate, tokens, service = (
        _Gate(),
        TokenCheck(settings.username, settings.password),
        _Service(settings.books),
    )

    @app.post("/services/jf")
    def call() -> Any:
        root = read(request.get_data())
        tokens.check(root)
        asked = body_of(root)
        name = asked.tag.removeprefix(f"{{{NAMESPACE}}}")
        if name not in ACTIONS:
            raise SpeechError("Sender", "没有这个操作")
        return _with_faults(gate, ACTIONS[name], name, lambda kind: service.act(name, words_of(asked), kind))

    _add_controls(app, gate, settings.books)

    @app.errorhandler(SpeechError)
    def unheard(exc: SpeechError) -> Any:
        return Response(fault(exc.code, exc.words), 400, content_type=CONTENT_TYPE)

    @app.errorhandler(DroppedError)
    def dropped(_: DroppedError) -> Any:
        connection = request.environ.get("werkzeug.socket")
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)
        return Response(b"", 500)

    @app.after_request
    def named(response: Response) -> Response:
        response.headers["X-Simulator"] = "pingan_gongfu"
        return response

    return app


def _with_faults(gate: _Gate, action: str, name: str, act: Callable[[str], Words]) -> Response:
    armed = gate.take_fault(action)
    kind = armed["fault"]
    if kind == "busy":
        return _answer(name, {"FHM": "9001", "FHXX": "系统忙,未处理"})
    if kind == "refuse":
        return _answer(name, {"FHM": "2002", "FHXX": "积分不足"})
    try:
        words = act(kind)
    except BooksError as exc:
        words = {"FHM": exc.code, "FHXX": exc.words}
    if kind == "slow":
        time.sleep(float(armed["seconds"]))
    if kind == "drop":
        raise DroppedError
    if kind == "garbage":
        return Response("<html>网关超时</html>".encode("gb18030"), 200, content_type="text/html; charset=gbk")
    if kind == "unknown":
        return _answer(name, {"FHM": "9999", "FHXX": "状态未知"})
    return _answer(name, words)


#: what each answer holds, in the contract's order
_FREEZE: Words = {"FHM": "", "FHXX": "", "LSH": "", "ZT": "", "JF": "", "PTLSH": ""}
_SHAPES: dict[str, Words] = {
    "JFDJ": _FREEZE,
    "DJQR": _FREEZE,
    "DJQX": _FREEZE,
    "DJCZ": _FREEZE,
    "DJCX": _FREEZE,
    "YECX": {"FHM": "", "FHXX": "", "JF": ""},
    "RZDZ": {"FHM": "", "FHXX": "", "RQ": "", "YM": "1", "ZYS": "0", "ZBS": "0", "MXLB": ""},
    "RZWJ": {"FHM": "", "FHXX": "", "RQ": "", "ZBS": "0", "ZY": "", "WJ": ""},
}


def _answer(name: str, words: Words) -> Response:
    content = envelope(element(name + "FH", NAMESPACE, {**_SHAPES[name], **words}))
    return Response(content, 200, content_type=CONTENT_TYPE)


class _Service:
    """What each operation does with the books."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def act(self, name: str, words: Words, fault_kind: str) -> Words:
        if name == "RZDZ":
            return self._statement(words, fault_kind)
        if name == "RZWJ":
            return self._file(words, fault_kind)
        act: Callable[[Words], Words] = getattr(self, "_" + name.lower())
        return act(words)

    def _jfdj(self, words: Words) -> Words:
        centi = centi_of(words["JF"])
        if not words["LSH"] or not centi:
            raise BooksError("9999", "报文不完整")
        return _shown(*self._books.freeze(words["LSH"], words["SFZH"], centi, words["SY"]))

    def _djqr(self, words: Words) -> Words:
        return _shown(
            *self._books.end(words["LSH"], CONFIRMED, centi_of(words["JF"]) if words["JF"] else None)
        )

    def _djqx(self, words: Words) -> Words:
        return _shown(*self._books.end(words["LSH"], RELEASED))

    def _djcz(self, words: Words) -> Words:
        return _shown(*self._books.end(words["LSH"], REVERSED))

    def _djcx(self, words: Words) -> Words:
        return _shown(self._books.find(words["LSH"]), True)

    def _yecx(self, words: Words) -> Words:
        return {"FHM": "0000", "JF": points_of(self._books.balance(words["SFZH"]))}

    def _statement(self, words: Words, fault_kind: str) -> Words:
        day, number = words["RQ"], int(words["YM"])
        lines: list[Words] = [
            {"LSH": i["LSH"], "LX": i["LX"], "SFZH": i["SFZH"], "JF": i["JF"], "ZT": "00", "PTLSH": ""}
            for i in self._books.happened_on(day)
        ]
        lines += [
            {
                "LSH": f.serial,
                "LX": "90",
                "SFZH": f.id_no,
                "JF": points_of(f.points_centi),
                "ZT": f.state,
                "PTLSH": f.town_serial,
            }
            for f in self._books.freezes_of(day)
        ]
        if fault_kind == "repeat":
            lines = lines + lines
        if fault_kind == "reorder":
            lines.reverse()
        announced = len(lines)
        if fault_kind == "cut":
            lines = lines[: len(lines) // 2]
        pages = max(-(-len(lines) // PAGE), 1)
        shown = lines[(number - 1) * PAGE : number * PAGE]
        if fault_kind == "another_day":
            day = _day_before(day)
        return {"FHM": "0000", "RQ": day, "YM": number, "ZYS": pages, "ZBS": announced,
                "MXLB": [{"MX": shown}] if shown else ""}  # fmt: skip

    def _file(self, words: Words, fault_kind: str) -> Words:
        day = words["RQ"]
        if fault_kind == "missing" or not day.isdigit():
            raise BooksError("3001", "日终文件尚未生成")
        items = self._books.items_of(day)
        if fault_kind == "another_day":
            day = _day_before(day)
        content = day_file(day, items, self._books.caps)
        shown = content[: len(content) // 2] if fault_kind == "cut" else content
        return {"FHM": "0000", "RQ": words["RQ"], "ZBS": len(items), "ZY": hashlib.sha256(content).hexdigest(),
                "WJ": base64.b64encode(shown).decode()}  # fmt: skip


def _day_before(day: str) -> str:
    before = datetime.strptime(day, "%Y%m%d") - timedelta(days=1)  # noqa: DTZ007  a day, no instant
    return before.strftime("%Y%m%d")


def day_file(day: str, items: list[dict[str, str]], caps: dict[str, int]) -> bytes:
    """The file of contract/README.md."""
    order = ("LSH", "SFZH", "XM", "HDLX", "LX", "JF", "FSSJ", "YLSH")
    total = sum(centi_of(item["JF"]) or 0 for item in items)
    lines = [f"RZWJ|1|{day}|{len(items)}|{points_of(total)}"]
    lines += [f"XE|{activity}|{points_of(cap)}" for activity, cap in sorted(caps.items())]
    lines += ["|".join(["MX", *(item[name] for name in order)]) for item in items]
    lines += [f"JS|{len(items)}", ""]
    return "\r\n".join(lines).encode("gb18030")


def _shown(freeze: Freeze, new: bool) -> Words:
    return {
        "FHM": "0000" if new else "1001",
        "LSH": freeze.serial,
        "ZT": freeze.state,
        "JF": points_of(freeze.points_centi),
        "PTLSH": freeze.town_serial,
    }


def _add_controls(app: Flask, gate: _Gate, books: Books) -> None:
    """What a test or a demo turns: not part of the town's contract."""

    @app.post("/_faults")
    def faults() -> Any:
        asked = request.get_json()
        if asked.get("fault") not in FAULTS or asked.get("on") not in ACTIONS.values():
            known = f"fault is one of {', '.join(FAULTS)}; on is one of {', '.join(ACTIONS.values())}"
            return jsonify({"code": "faultUnknown", "title": known}), 400
        with gate.lock:
            gate.armed.append({"times": 1, "seconds": 1.0, **asked})
        return jsonify({"armed": len(gate.armed)})

    @app.delete("/_faults")
    def calm() -> Any:
        with gate.lock:
            gate.armed.clear()
        return jsonify({"armed": 0})

    @app.post("/_accounts")
    def accounts() -> Any:
        books.set_balances({str(id_no): int(centi) for id_no, centi in request.get_json().items()})
        return jsonify({"accounts": len(books.balances)})

    @app.post("/_items/<day>")
    def items(day: str) -> Any:
        books.enter(day, request.get_json())
        return jsonify({"items": len(books.items_of(day))})

    @app.delete("/_items/<day>")
    def forget(day: str) -> Any:
        return jsonify({"forgotten": books.forget(day)})

    @app.post("/_caps")
    def caps() -> Any:
        books.caps = {str(activity): int(centi) for activity, centi in request.get_json().items()}
        return jsonify({"caps": len(books.caps)})

    @app.get("/_state")
    def state() -> Any:
        with gate.lock:
            return jsonify({**books.snapshot(), "calls": dict(gate.calls)})

    @app.get("/healthz")
    def alive() -> Any:
        return jsonify({"status": "ok"})
