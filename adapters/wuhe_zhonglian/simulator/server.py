"""The town's SOAP service (contract/platform.wsdl) as a server of its own, with faults on demand.

`POST /_faults` {"fault": …, "on": …, "times": n, "seconds": s} arms one: `slow` acts and waits before it answers, `drop` acts and
closes the connection, `refuse` says not enough points, `busy` says Busy before it acts, `failed` acts and says Failed, `garbage`
acts and answers no XML, `forged` acts and signs the answer with a strange key, `repeat` and `reorder` change the day statement.
`on` is freeze, confirm, release, find, balance or statement.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request
from lxml import etree  # type: ignore[import-untyped]

from adapters.wuhe_zhonglian.simulator.books import Books, BooksError, Freeze, written
from adapters.wuhe_zhonglian.simulator.envelopes import (
    SOAP,
    EnvelopeError,
    Signing,
    content_of,
    envelope_of,
)

NAMESPACE = "urn:wuhe-zhonglian:platform:1"
FAULTS = ("slow", "drop", "refuse", "busy", "failed", "garbage", "forged", "repeat", "reorder")
ACTIONS: Mapping[str, str] = {
    "FreezePoints": "freeze",
    "ConfirmPoints": "confirm",
    "ReleasePoints": "release",
    "ReversePoints": "reverse",
    "QueryFreeze": "find",
    "QueryScoreboard": "balance",
    "QueryDayStatement": "statement",
}
PAGE = 100
Words = list[tuple[str, Any]]


@dataclass(slots=True)
class SimulatorSettings:
    """Who may call the simulated town, and what it signs with."""

    signing: Signing
    books: Books
    forging: Signing | None = None  # for the fault `forged`


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
        return {"fault": ""}


class DroppedError(Exception):
    """The connection is closed without an answer."""


def create_simulator_app(settings: SimulatorSettings) -> Flask:
    """The simulated town. One process, many threads."""
    app = Flask("simulated_wuhe_zhonglian")
    gate = _Gate()
    contract = files("adapters.wuhe_zhonglian") / "contract"
    schemas = threading.local()

    def schema() -> Any:
        if not hasattr(schemas, "platform"):
            schemas.platform = etree.XMLSchema(etree.parse(str(contract / "platform.xsd")))
        return schemas.platform

    @app.post("/services/points")
    def call() -> Response:
        try:
            asked = content_of(request.get_data(), settings.signing)
        except EnvelopeError as exc:
            return _fault(settings, "wsse:InvalidSecurity", str(exc))
        operation = etree.QName(asked).localname
        if (
            asked.tag != f"{{{NAMESPACE}}}{operation}"
            or operation not in ACTIONS
            or not schema().validate(asked)
        ):
            return _fault(settings, "soap:Client", "the message does not follow the contract")
        return _answer(settings, gate, operation, asked)

    @app.get("/services/points")
    def wsdl() -> Response:
        name = request.args.get("xsd") or "platform.wsdl"
        return Response((contract / Path(name).name).read_bytes(), content_type="text/xml; charset=utf-8")

    _add_controls(app, gate, settings.books)

    @app.after_request
    def say_so(response: Response) -> Response:
        response.headers["X-Simulator"] = "wuhe_zhonglian"
        return response

    @app.errorhandler(DroppedError)
    def dropped(_: DroppedError) -> Response:
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
        if asked.get("fault") not in FAULTS or asked.get("on") not in ACTIONS.values():
            told = f"fault is one of {', '.join(FAULTS)}; on is one of {', '.join(ACTIONS.values())}"
            return jsonify({"error": told}), 400
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


def _answer(settings: SimulatorSettings, gate: _Gate, operation: str, asked: Any) -> Response:
    fault = gate.take_fault(ACTIONS[operation])
    kind = fault["fault"]
    try:
        if kind == "busy":
            raise BooksError("Busy", "系统繁忙,未处理")
        if kind == "refuse":
            raise BooksError("NotEnoughPoints", "积分不足")
        words = _act(settings.books, operation, asked, kind)
        code, told = "OK", "成功"
    except BooksError as exc:
        code, told, words = exc.code, exc.words, []
    if kind == "slow":
        time.sleep(float(fault["seconds"]))
    if kind == "drop":
        raise DroppedError
    if kind == "garbage":
        return Response("<html>gateway time-out</html>", 200, content_type="text/html")
    if kind == "failed":
        code, told, words = "Failed", "处理结果未知", []
    root = etree.Element(f"{{{NAMESPACE}}}{operation}Response", nsmap={None: NAMESPACE})
    _write(root, [("Result", [("Code", code), ("Message", told)]), *words])
    signing = settings.forging if kind == "forged" and settings.forging is not None else settings.signing
    return Response(envelope_of(root, signing), content_type="text/xml; charset=utf-8")


def _act(books: Books, operation: str, asked: Any, kind: str) -> Words:
    def said(name: str) -> str:
        return asked.findtext(f"{{{NAMESPACE}}}{name}") or ""

    if operation == "FreezePoints":
        centi = int(Decimal(said("Points")) * 100)
        if centi <= 0:
            raise BooksError("NotEnoughPoints", "积分必须大于零")
        return _freeze(books.freeze(said("Serial"), said("HouseholdCode"), centi, said("Reason")))
    if operation in ("ConfirmPoints", "ReleasePoints", "ReversePoints"):
        return _freeze(books.end(said("Serial"), ACTIONS[operation]))
    if operation == "QueryFreeze":
        return _freeze(books.find(said("Serial")))
    if operation == "QueryScoreboard":
        found: Words = [
            ("HouseholdCode", said("HouseholdCode")),
            ("Balance", written(books.balance(said("HouseholdCode")))),
        ]
        score = books.score(said("HouseholdCode"), said("Quarter")) if said("Quarter") else None
        return found if score is None else [*found, ("PostedScore", score)]
    lines = books.lines(said("Date"))
    if kind == "repeat":
        lines = lines + lines
    if kind == "reorder":
        lines = lines[::-1]
    page = int(said("Page"))
    pages = max(1, -(-len(lines) // PAGE))
    shown = [("Line", list(line.items())) for line in lines[(page - 1) * PAGE : page * PAGE]]
    head = [
        ("Date", said("Date")),
        ("Page", str(page)),
        ("Pages", str(pages)),
        ("LineCount", str(len(lines))),
    ]
    return [*head, *shown]


def _freeze(freeze: Freeze) -> Words:
    return [
        ("Serial", freeze.serial),
        ("State", freeze.state),
        ("Points", written(freeze.points_centi)),
        ("TownReference", freeze.town_reference),
    ]


def _write(parent: Any, words: Words) -> None:
    for name, value in words:
        child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
        if isinstance(value, list):
            _write(child, value)
        else:
            child.text = value


def _fault(settings: SimulatorSettings, code: str, told: str) -> Response:
    wsse = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
    fault = etree.Element(f"{{{SOAP}}}Fault", nsmap={"soap": SOAP, "wsse": wsse})
    etree.SubElement(fault, "faultcode").text = code
    etree.SubElement(fault, "faultstring").text = told
    return Response(envelope_of(fault, settings.signing), 500, content_type="text/xml; charset=utf-8")
