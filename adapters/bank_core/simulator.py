"""The simulated bank: a real server speaking the contract, with its own books, that fails on demand.

`POST /services` is the bank. For tests and the demo: `POST /_faults` asks for the next failures, `POST /_facilities` sets what
the credit system says of a customer, `GET /_state` lists what the bank holds. Shares `contract/bank_core.xsd` with the adapter,
and no code.
"""

from __future__ import annotations

import argparse
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request
from lxml import etree  # type: ignore[import-untyped]
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from adapters.bank_core.simulator_books import Books, Fault
from adapters.simulating import Simulated, SimulatorPlace

CONTRACT = Path(__file__).parent / "contract" / "bank_core.xsd"
MESSAGES = {
    "0000": "交易成功", "1001": "重复流水,原交易成功", "1002": "流水号重复且内容不一致",
    "2001": "客户不存在", "2002": "授信系统拒绝", "2003": "产品未开办", "2004": "超出授信权限",
    "3001": "原交易不存在", "3002": "原交易已撤销", "4001": "报文不符合规范",
    "9001": "系统繁忙", "9999": "处理结果未知",
}  # fmt: skip
FAULTS = ("slow", "drop", "drop_before", "garbage", "error", "busy", "refuse", "unknown", "repeat")


def create_simulator_app(journal: Path | None = None) -> Flask:
    """The bank as a Flask application; `journal` keeps its books over a restart. The books are `app.extensions['books']`."""
    app = Flask("bank_core_simulator")
    app.config["MAX_CONTENT_LENGTH"] = 256 * 1024
    books = Books(journal)
    app.extensions["books"] = books
    app.add_url_rule("/services", "services", lambda: _serve_message(books), methods=["POST"])
    app.add_url_rule("/_faults", "faults", lambda: _ask_faults(books), methods=["POST", "DELETE"])
    app.add_url_rule("/_facilities", "facilities", lambda: _set_facility(books), methods=["POST"])
    app.add_url_rule("/_state", "state", lambda: _show_state(books), methods=["GET"])
    app.add_url_rule("/healthz", "healthz", lambda: jsonify(status="ok"), methods=["GET"])

    @app.after_request
    def say_what_we_are(response: Response) -> Response:
        response.headers["X-Simulator"] = "bank_core"
        return response

    return app


def create_simulator(place: SimulatorPlace) -> Simulated:
    """The bank with its journal, over mutual TLS."""
    return Simulated(create_simulator_app(place.books.with_suffix(".jsonl")), asks_certificate=True)


def settings_for(place: SimulatorPlace) -> Mapping[str, Any]:
    """The bank's table in the neighbours file of a sandbox."""
    cert, key = place.caller_cert
    return {
        "address": place.address,
        "client_cert": str(cert),
        "client_key": str(key),
        "ca_file": str(place.ca_file),
        "sandbox": True,
    }


def _serve_message(books: Books) -> Response:
    root = _parse(request.get_data())
    if root is None:
        return Response("not a message of this contract", 400, mimetype="text/plain")
    service, serial = root.findtext("SYS_HEAD/SERVICE_CODE"), root.findtext("SYS_HEAD/CONSUMER_SEQ_NO")
    fault = books.take_fault(service)
    kind = fault.fault if fault else ""
    books.received[serial] += 1
    if kind == "drop_before":
        return _cut()
    if kind == "busy":
        return _answer(root, "F", "9001")
    answer = _act(books, root, service, serial, refuse=kind == "refuse")
    if kind == "repeat":
        books.received[serial] += 1
        answer = _act(books, root, service, serial, refuse=False)
    if fault and kind == "slow":
        time.sleep(fault.seconds)
    if kind == "drop":
        return _cut()
    if kind == "garbage":
        return Response(b"\x00\xff<SERVICE><SYS_HEAD>", 200, mimetype="application/xml")
    if kind == "error":
        return Response("internal error", 500, mimetype="text/plain")
    return _answer(root, "F", "9999") if kind == "unknown" else answer


def _act(books: Books, root: Any, service: str, serial: str, *, refuse: bool) -> Response:
    if not _schema().validate(root) or len(root.find("BODY")) != 1:
        return _answer(root, "F", "4001")
    words = {child.tag: child.text or "" for child in root.find("BODY")[0]}
    content = hashlib.sha256(etree.tostring(root.find("BODY"), method="c14n")).hexdigest()
    if service == "QueryFacility":
        found = books.facility(words["CUSTOMER_ID_NO"], words["PRODUCT"])
        return (
            _answer(root, "F", "2001")
            if found is None
            else _answer(root, "S", "0000", _facility(words["PRODUCT"], found))
        )
    if service == "QueryProposal":
        original = books.answered.get(words["ORIG_CONSUMER_SEQ_NO"])
        if original is None:
            return _answer(root, "F", "3001")
        return _answer(root, "S", "0000", _result(original.reference, original.status, original.code))
    done = books.act(service, serial, content, words, refuse)
    return _answer(root, done.status, done.code, _result(done.reference) if done.status == "S" else None)


def _facility(product: str, found: Mapping[str, Any]) -> Any:
    element = etree.Element("FACILITY")
    _add(element, "PRODUCT", product)
    _add(element, "BASE_LIMIT_FEN", found["base_limit_fen"])
    _add(element, "ASSET_LIMIT_FEN", found.get("asset_limit_fen"))
    if "lpr_bp" in found:
        _add(element, "LPR_BP", found["lpr_bp"])
        _add(element, "LPR_SPREAD_BP", found["lpr_spread_bp"])
    else:
        _add(element, "BASE_RATE_BP", found["base_rate_bp"])
    for name in ("vetoes", "honours"):
        codes = etree.SubElement(element, name.upper())
        for code in found[name]:
            _add(codes, "CODE", code)
    _add(element, "AGE_MIN", found.get("age_min"))
    _add(element, "AGE_MAX", found.get("age_max"))
    return element


def _result(reference: str | None, status: str | None = None, code: str | None = None) -> Any:
    element = etree.Element("RESULT")
    _add(element, "BANK_REFERENCE", reference)
    _add(element, "ORIG_RET_STATUS", status)
    _add(element, "ORIG_RET_CODE", code)
    return element


def _add(parent: Any, name: str, value: Any) -> None:
    if value is not None:
        etree.SubElement(parent, name).text = str(value)


def _answer(asked: Any, status: str, code: str, inside: Any = None) -> Response:
    root = etree.Element("SERVICE")
    head = etree.SubElement(root, "SYS_HEAD")
    for name in ("SERVICE_CODE", "SERVICE_VERSION", "CONSUMER_ID", "CONSUMER_SEQ_NO", "TRAN_DATE"):
        _add(head, name, asked.findtext(f"SYS_HEAD/{name}"))
    for name, value in (("RET_STATUS", status), ("RET_CODE", code), ("RET_MSG", MESSAGES[code])):
        _add(head, name, value)
    app = etree.SubElement(root, "APP_HEAD")
    for name in ("BRANCH_NO", "TELLER_NO"):
        _add(app, name, asked.findtext(f"APP_HEAD/{name}"))
    body = etree.SubElement(root, "BODY")
    if inside is not None:
        body.append(inside)
    return Response(
        etree.tostring(root, encoding="UTF-8", xml_declaration=True), 200, mimetype="application/xml"
    )


def _cut() -> Response:
    """Close the connection without an answer."""
    connection = request.environ.get("werkzeug.socket") or request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
    return Response(b"", 200)


def _parse(raw: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError:
        return None
    if root.getroottree().docinfo.doctype or root.tag != "SERVICE":
        return None
    heads = [root.findtext(f"SYS_HEAD/{name}") for name in ("SERVICE_CODE", "CONSUMER_SEQ_NO")]
    return root if all(heads) else None


_schemas = threading.local()  # libxml2's validation contexts are not shared between threads


def _schema() -> Any:
    if not hasattr(_schemas, "schema"):
        _schemas.schema = etree.XMLSchema(etree.parse(str(CONTRACT)))
    return _schemas.schema


def _ask_faults(books: Books) -> Response:
    with books.lock:
        if request.method == "DELETE":
            books.faults.clear()
            return jsonify(faults=[])
        asked = request.get_json()
        fault = Fault(
            asked["fault"], asked.get("service"), int(asked.get("times", 1)), float(asked.get("seconds", 1))
        )
        if fault.fault not in FAULTS:
            response = jsonify(error=f"known faults are {', '.join(FAULTS)}")
            response.status_code = 400
            return response
        books.faults.append(fault)
        return jsonify(faults=[asdict(f) for f in books.faults])


def _set_facility(books: Books) -> Response:
    asked = dict(request.get_json())
    with books.lock:
        books.facilities[asked.pop("customer_id_no")] = asked
    return jsonify(set=True)


def _show_state(books: Books) -> Response:
    with books.lock:
        return jsonify(
            benefits=[asdict(b) for b in books.benefits.values()],
            answered=[asdict(a) for a in books.answered.values()],
            received=dict(books.received),
            acted=dict(books.acted),
            faults=[asdict(f) for f in books.faults],
        )


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept alive, as a bank's bus keeps them

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """No line a request."""

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002  werkzeug's name
        """A cut connection is what was asked for."""


def create_server(
    app: Flask, host: str = "127.0.0.1", port: int = 0, *,
    cert: Path | None = None, key: Path | None = None, client_ca: Path | None = None,
) -> BaseWSGIServer:  # fmt: skip
    """A threaded server; with files, TLS 1.2 or later, and a client certificate of `client_ca` required. See `serve_forever`."""
    context = None
    if cert and key:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(cert, key)
        if client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(client_ca)
    return make_server(host, port, app, threaded=True, ssl_context=context, request_handler=_Quiet)


def main(argv: list[str] | None = None) -> None:
    """Serve until stopped: `--host --port --cert --key --client-ca --journal`."""
    parser = argparse.ArgumentParser(description="the simulated bank")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8455)
    for name in ("--cert", "--key", "--client-ca", "--journal"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args(argv)
    app = create_simulator_app(asked.journal)
    server = create_server(
        app, asked.host, asked.port, cert=asked.cert, key=asked.key, client_ca=asked.client_ca
    )
    server.serve_forever()


if __name__ == "__main__":
    main()
