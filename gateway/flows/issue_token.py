"""A town asks for an access token: it proves its key (private_key_jwt) and its certificate (mutual TLS)."""

from __future__ import annotations

from datetime import datetime

from gateway import clients
from gateway.house import House
from schemas.oauth import ASSERTION_BYTES, TokenAnswer, TokenRequest


def issue_token(house: House, asked: TokenRequest, *, now: datetime) -> TokenAnswer:
    """RFC 6749 section 5: 200 with the token, or 400/401 with an error code. A used assertion is
    remembered even when
    the request is refused afterwards. Raises UnavailableError when the database is away."""
    names = [name for name, _ in asked.form]
    form = dict(asked.form)
    if len(names) != len(set(names)):
        return _refused(400, "invalid_request", "A parameter was sent twice.")
    if asked.certificate is None:
        return _refused(
            401, "invalid_client", "A client certificate is required on this connection (RFC 8705)."
        )
    if len(form.get("client_assertion", "")) > ASSERTION_BYTES:
        return _refused(400, "invalid_request", f"The assertion is longer than {ASSERTION_BYTES} bytes.")
    if not form.get("client_assertion", "x").isascii() or any("\0" in value for value in form.values()):
        return _refused(400, "invalid_request", "A parameter has characters it cannot have.")
    with house.db.transaction() as tx:
        server = clients.TokenServer(
            tx,
            clients.memory_of(house.db, house.config.token_keys).keys,
            house.config.public_url.rstrip("/"),
            asked.certificate,
            now=now,
            new_id=house.new_id,
        )
        return server.answer(form)


def _refused(status: int, error: str, description: str) -> TokenAnswer:
    return TokenAnswer(status, {"error": error, "error_description": description})
