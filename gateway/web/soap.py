"""The SOAP doors: one address a town. POST is an operation, GET ?wsdl and ?xsd=NAME are its contract.

Everything that knows SOAP is the town's adapter (`schemas.soap.SoapTown`); here are the body, its limit, who may pass, and which
corridor an operation's kind means.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, request

from gateway.flows.authorize_soap import authorize_soap
from gateway.flows.find_push import find_push
from gateway.flows.find_scoreboard import find_scoreboard
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.receive_correction import receive_correction
from gateway.flows.receive_scoreboard import receive_scoreboard
from gateway.flows.register_households import register_households
from gateway.flows.withdraw_consents import withdraw_consents
from gateway.house import House
from gateway.observe.context import correlation_id
from gateway.observe.metrics import count_push, count_refusal
from gateway.observe.tracing import span
from gateway.web.certificates import certificate_reader
from gateway.web.problems import TITLES, DoorError
from gateway.web.reading import check_encoding, read_body
from schemas.contributions import Push
from schemas.errors import GatewayError, InvalidError, NotFoundError, UnavailableError
from schemas.scoreboards import Document, ScoreAnswer
from schemas.soap import SoapCall, SoapRequest, SoapTown
from schemas.values import TownCode

log = logging.getLogger("gateway.door")


def _push(house: House, call: SoapCall, now: datetime) -> object:
    push = Push(
        call.town, call.client_id, call.reference, call.payload, now, house.new_id(), correlation_id.get()
    )
    with span("receive_contributions", town=str(call.town), bytes=len(call.payload)):
        answer = receive_contributions(house, push, now=now)
    request.environ["gateway.batch"] = str(answer.batch_id)
    count_push(call.town, answer.counts())
    return answer


def _households(house: House, call: SoapCall, now: datetime) -> object:
    return register_households(house, call.town, call.client_id, call.payload, now=now)


def _withdrawals(house: House, call: SoapCall, now: datetime) -> object:
    return withdraw_consents(house, call.town, call.client_id, call.payload, now=now)


def _receipt(house: House, call: SoapCall, now: datetime) -> object:
    return find_push(house, call.town, call.client_id, call.reference)


def _document(house: House, call: SoapCall, now: datetime) -> Document:
    return Document(call.town, call.client_id, call.payload, now, house.new_id())


def _scoreboard(house: House, call: SoapCall, now: datetime) -> object:
    with span("receive_scoreboard", town=str(call.town), bytes=len(call.payload)):
        return _counted(call, receive_scoreboard(house, _document(house, call, now), now=now))


def _correction(house: House, call: SoapCall, now: datetime) -> object:
    return _counted(call, receive_correction(house, _document(house, call, now), now=now))


def _counted(call: SoapCall, answer: ScoreAnswer) -> ScoreAnswer:
    request.environ["gateway.batch"] = str(answer.batch_id)
    count_push(call.town, answer.counts())
    return answer


def _score_receipt(house: House, call: SoapCall, now: datetime) -> object:
    kind, _, document_no = call.reference.partition("/")
    return find_scoreboard(house, call.town, document_no, correction=kind == "correction")


#: An operation's kind → its corridor. A kind that is not here answers nobody: the service of its town does not start.
CORRIDORS: Final[Mapping[str, Callable[[House, SoapCall, datetime], object]]] = {
    "push": _push,
    "households": _households,
    "withdrawals": _withdrawals,
    "receipt": _receipt,
    "scoreboard": _scoreboard,
    "correction": _correction,
    "score-receipt": _score_receipt,
}


def soap_blueprint(house: House, town: TownCode) -> Blueprint:
    """The operations of one town, to stand at /towns/<town>/soap."""
    blueprint = Blueprint(f"soap_{town}", __name__)
    service = house.soap_towns[town]
    read_certificate = certificate_reader(house.config.trusted_proxies)
    if unknown := service.kinds() - set(CORRIDORS):
        raise RuntimeError(f"no corridor for {sorted(unknown)} of {town}; add it to CORRIDORS")

    @blueprint.post("", endpoint="call")
    def call() -> Response:
        environ = request.environ
        check_encoding(environ)
        body = read_body(environ, house.config.body_limit_bytes)
        asked = SoapRequest(
            body, environ.get("CONTENT_TYPE", ""), environ.get("HTTP_SOAPACTION"), read_certificate(environ)
        )
        environ["gateway.form"] = service.form_of(asked)
        now = house.clock()
        found = authorize_soap(house, town, asked, now=now)
        environ["gateway.client"] = found.client_id
        try:
            outcome = CORRIDORS[found.kind](house, found, now)
        except GatewayError as error:
            refusal = service.refusal(found, error, house.clock())
            if refusal is None:
                raise
            _note(error)
            return Response(refusal, content_type=service.content_type(found.form))
        return Response(
            service.answer(found, outcome, house.clock()), content_type=service.content_type(found.form)
        )

    _answer_with_faults(blueprint, house, service)
    return blueprint


def contract_blueprint(house: House, town: TownCode) -> Blueprint:
    """The contract of one town at the same address: it is public, as the documentation of the REST doors is."""
    blueprint = Blueprint(f"contract_{town}", __name__)
    service = house.soap_towns[town]
    address = f"{house.config.public_url.rstrip('/')}/towns/{town}/soap"

    @blueprint.get("", endpoint="file")
    def file() -> Response:
        request.environ["gateway.town"] = town
        asked = {name.lower(): value for name, value in request.args.items()}
        name = "wsdl" if "wsdl" in asked else asked.get("xsd", "")
        found = service.contract_file(name, address)
        if found is None:
            raise NotFoundError(
                "the contract has no such file", where="query", remedy=f"{address}?wsdl names the others"
            )
        return Response(found, content_type="text/xml; charset=utf-8")

    return blueprint


def _answer_with_faults(blueprint: Blueprint, house: House, service: SoapTown) -> None:
    """Every error of these addresses, the guard's too, is a Fault of the town's SOAP version."""

    def fault(
        error: GatewayError, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        environ = request.environ
        _note(error)
        form = environ.get("gateway.form") or service.form_of(
            SoapRequest(b"", environ.get("CONTENT_TYPE", ""), None, None)
        )
        own, body = service.fault(form, error, correlation_id.get(), house.clock())
        response = Response(body, status or own, content_type=service.content_type(form))
        response.headers.update(headers or {})
        response.headers["Cache-Control"] = "no-store"
        if error.retry_after_s or error.kind == "unavailable":
            response.headers["Retry-After"] = str(error.retry_after_s or 5)
        return response

    @blueprint.errorhandler(GatewayError)
    def refused(error: GatewayError) -> Response:
        if error.http_status >= 500:
            log.error(
                "failed", extra={"code": error.code, "kind": error.kind, "what": str(error)}, exc_info=error
            )
        return fault(error)

    @blueprint.errorhandler(DoorError)
    def door_refuses(error: DoorError) -> Response:
        status, _title = TITLES[error.code]
        told = InvalidError(str(error), code=error.code, where=error.where, remedy=error.remedy)
        return fault(told, status, error.headers)

    @blueprint.errorhandler(TimeoutError)
    def too_slow(_error: TimeoutError) -> Response:
        told = InvalidError(
            "the body stalled; it was not stored", code="body-too-slow", remedy="send it again"
        )
        return fault(told, TITLES["body-too-slow"][0])

    @blueprint.errorhandler(Exception)
    def something_broke(error: Exception) -> Response:
        log.error("broke", exc_info=error)
        return fault(
            _BrokenError("the request was not answered; ask for its answer by its serial, or send it again")
        )


class _BrokenError(UnavailableError):
    """What is told of an error nobody foresaw: nothing of it."""

    kind, http_status, default_code = "error", 500, "internal"


def _note(error: GatewayError) -> None:
    environ: dict[str, Any] = request.environ
    environ["gateway.code"] = error.code
    count_refusal(error.code)
