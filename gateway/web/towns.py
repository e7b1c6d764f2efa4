"""A town's REST door: pushes, streams, households, withdrawals, and the answers to earlier pushes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any
from uuid import UUID

import orjson
from flask import Blueprint, Response, request

from gateway.flows.find_batch import find_batch
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.receive_stream import receive_stream
from gateway.flows.register_households import register_households
from gateway.flows.withdraw_consents import withdraw_consents
from gateway.house import House
from gateway.observe.context import correlation_id
from gateway.observe.metrics import count_push
from gateway.observe.tracing import span
from gateway.web.reading import check_content, idempotency_key, read_body, read_chunks
from schemas.contributions import ItemAnswer, Push, PushAnswer
from schemas.errors import GatewayError, NotFoundError
from schemas.oauth import Caller
from schemas.values import TownCode, instant_text

#: Which scope each endpoint needs; an endpoint that is missing here lets nobody in.
SCOPES = {
    "push": "contributions.write",
    "stream": "contributions.write",
    "batch": "contributions.read",
    "households": "households.write",
    "withdrawals": "consents.write",
}
SPOOL_BYTES = 4 * 1024 * 1024  # a stream's answers wait in memory up to here, then in a file


def town_blueprint(house: House, town: TownCode) -> Blueprint:
    """The door of one town, to stand below /towns/<town>/v1."""
    blueprint = Blueprint(f"town_{town}", __name__)
    limit = house.config.body_limit_bytes

    @blueprint.post("/contributions", endpoint="push")
    def push() -> Response:
        environ = request.environ
        key = idempotency_key(environ)
        check_content(environ, "application/json")
        answer = _receive(house, _push(house, town, key, read_body(environ, limit), as_lines=False))
        response = Response(orjson.dumps(push_json(answer)), content_type="application/json")
        if answer.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return response

    @blueprint.post("/contributions/stream", endpoint="stream")
    def stream() -> Response:
        environ = request.environ
        key = idempotency_key(environ)
        encoding = check_content(environ, "application/x-ndjson", ("gzip",))
        answers = tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - closed when sent
        try:
            chunks = read_chunks(environ, encoding, house.config.stream_limit_bytes)
            _receive_stream(house, town, key, chunks, answers)
        except BaseException:
            answers.close()
            raise
        length = answers.tell()
        answers.seek(0)
        response = Response(_sent(answers), content_type="application/x-ndjson", direct_passthrough=True)
        response.content_length = length
        return response

    @blueprint.get("/batches/<batch_id>", endpoint="batch")
    def batch(batch_id: str) -> Response:
        try:
            wanted = UUID(batch_id)
        except ValueError:
            raise NotFoundError("no such batch", where="batchId") from None
        answer = find_batch(house, town, _caller().client_id, wanted)
        return Response(orjson.dumps(push_json(answer)), content_type="application/json")

    def document(receive: Callable[..., list[ItemAnswer]]) -> Response:
        check_content(request.environ, "application/json")
        body = read_body(request.environ, limit)
        items = receive(house, town, _caller().client_id, body, now=house.clock())
        return Response(orjson.dumps({"items": items_json(items)}), content_type="application/json")

    @blueprint.post("/households", endpoint="households")
    def households() -> Response:
        return document(register_households)

    @blueprint.post("/consents/withdrawals", endpoint="withdrawals")
    def withdrawals() -> Response:
        return document(withdraw_consents)

    return blueprint


def push_json(answer: PushAnswer) -> dict[str, Any]:
    """The answer to a push on the wire. Built by hand: a push has thousands of items."""
    return {
        "batchId": str(answer.batch_id),
        "receivedAt": instant_text(answer.received_at),
        "counts": answer.counts(),
        "items": items_json(answer.items),
        "receipt": answer.receipt,
    }


def items_json(items: Sequence[ItemAnswer], first_no: int = 0) -> list[dict[str, Any]]:
    """Answers by item; members that say nothing are left out."""
    found: list[dict[str, Any]] = []
    for item_no, reference, status, code, where, detail in items:
        one: dict[str, Any] = {"itemNo": first_no + item_no, "reference": reference, "status": status.value}
        if code is not None:
            one["code"] = code
            if where is not None:
                one["where"] = where
            if detail is not None:
                one["detail"] = detail
        found.append(one)
    return found


def _caller() -> Caller:
    caller: Caller = request.environ["gateway.caller"]
    return caller


def _push(house: House, town: TownCode, key: str, body: bytes, *, as_lines: bool) -> Push:
    return Push(
        town, _caller().client_id, key, body, house.clock(), house.new_id(), correlation_id.get(), as_lines
    )


def _receive(house: House, push: Push) -> PushAnswer:
    with span("receive_contributions", town=str(push.town), bytes=len(push.body)):
        answer = receive_contributions(house, push, now=push.received_at)
    request.environ["gateway.batch"] = str(
        answer.batch_id
    )  # from here on, what follows names its cause: this batch
    count_push(push.town, answer.counts())
    return answer


def _receive_stream(
    house: House, town: TownCode, key: str, chunks: Iterator[list[bytes]], answers: IO[bytes]
) -> None:
    """Each chunk is a push of its own."""
    counts: dict[str, int] = {}
    batches: list[dict[str, Any]] = []
    first_no = 0
    pushes = (
        _push(house, town, f"{key}#{number}", b"\n".join(lines), as_lines=True)
        for number, lines in enumerate(chunks)
    )
    try:
        for answer in receive_stream(house, pushes):
            found = answer.counts()
            count_push(town, found)
            answers.write(b"".join(map(_line, items_json(answer.items, first_no))))
            for status, count in found.items():
                counts[status] = counts.get(status, 0) + count
            batches.append(
                {
                    "batchId": str(answer.batch_id),
                    "firstItemNo": first_no,
                    "items": len(answer.items),
                    "receipt": answer.receipt,
                    "replayed": answer.replayed,
                }
            )
            first_no += len(answer.items)
    except GatewayError as error:
        if first_no:
            stored = f"the first {first_no} items are stored; send the same stream with the same key again"
            error.remedy = f"{error.remedy}; {stored}" if error.remedy else stored
        raise
    answers.write(_line({"summary": {"items": first_no, "counts": counts, "batches": batches}}))


def _line(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value) + b"\n"


def _sent(file: IO[bytes]) -> Iterator[bytes]:
    try:
        while piece := file.read(64 * 1024):
            yield piece
    finally:
        file.close()
