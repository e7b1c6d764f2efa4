"""The shapes of our own answers, as marshmallow schemas: the OpenAPI document is made from them. The hot path builds its
answers by hand (`towns.push_json`); a test holds both together."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from schemas.values import ItemStatus

STATUSES = [status.value for status in ItemStatus]


class Problem(Schema):
    """A problem document (RFC 9457)."""

    type = fields.Url(required=True, metadata={"description": "a readable page about this code"})
    title = fields.String(required=True)
    status = fields.Integer(required=True, validate=validate.Range(400, 599))
    detail = fields.String(required=True)
    instance = fields.String(required=True, metadata={"description": "the path that was asked"})
    code = fields.String(required=True, metadata={"description": "stable, kebab-case"})
    correlationId = fields.String(required=True, metadata={"description": "name it when you ask us"})  # noqa: N815
    where = fields.String(metadata={"description": "JSON pointer, header or setting"})
    remedy = fields.String(metadata={"description": "what to do"})


class ItemAnswer(Schema):
    """The answer for one item."""

    itemNo = fields.Integer(required=True, validate=validate.Range(0))  # noqa: N815
    reference = fields.String(required=True, allow_none=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    code = fields.String(metadata={"description": "why, kebab-case; absent for accepted and duplicate"})
    where = fields.String(metadata={"description": "JSON pointer into what was sent"})
    detail = fields.String(metadata={"description": "what is wrong and what to do"})


class ItemAnswers(Schema):
    """One answer an item, in the order sent."""

    items = fields.List(fields.Nested(ItemAnswer), required=True)


class Counts(Schema):
    """Items by answer."""

    accepted = fields.Integer(required=True)
    duplicate = fields.Integer(required=True)
    conflict = fields.Integer(required=True)
    quarantined = fields.Integer(required=True)
    rejected = fields.Integer(required=True)


class PushAnswer(Schema):
    """What a town is told about a push; the same push again gets the same answer."""

    batchId = fields.UUID(required=True)  # noqa: N815
    receivedAt = fields.AwareDateTime(required=True)  # noqa: N815
    counts = fields.Nested(Counts, required=True)
    items = fields.List(fields.Nested(ItemAnswer), required=True)
    receipt = fields.String(
        required=True, metadata={"description": "compact JWS (RFC 7515), ES256; keys at /oauth/receipt-jwks"}
    )


class Token(Schema):
    """An access token (RFC 6749 section 5.1), bound to the client certificate (RFC 8705)."""

    access_token = fields.String(required=True)
    token_type = fields.String(required=True, validate=validate.Equal("Bearer"))
    expires_in = fields.Integer(required=True)
    scope = fields.String()


class TokenRefusal(Problem):
    """RFC 6749 section 5.2 with the members of a problem document."""

    error = fields.String(required=True)
    error_description = fields.String()


class Check(Schema):
    """One thing that must be in order."""

    name = fields.String(required=True)
    ok = fields.Boolean(required=True)
    detail = fields.String(required=True)


class Readiness(Schema):
    """Whether everything the gateway needs is there."""

    status = fields.String(required=True, validate=validate.OneOf(["ready", "not ready"]))
    checks = fields.List(fields.Nested(Check), required=True)


class Health(Schema):
    """This process answers."""

    status = fields.String(required=True)


class KeySet(Schema):
    """A JWK set (RFC 7517)."""

    keys = fields.List(fields.Dict(), required=True)
