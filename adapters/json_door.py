"""The OpenAPI description of a REST town's door, made from the town's schemas: the paths are the same for every such town."""

from __future__ import annotations

from typing import Any

from adapters.contract_schemas import component_schemas
from adapters.json_town import Batch
from schemas.ports import Profile

STREAM_LINES = 1_000_000
REFUSALS = {
    "400": "The document or a header cannot be read.",
    "401": "No valid access token for this client certificate.",
    "403": "The token lacks the scope, or the client speaks for another town.",
    "409": "It contradicts what is stored, or a request with this key is being worked on.",
    "413": "The body is too large.",
    "415": "Another content type or encoding.",
    "429": "Too many requests; see Retry-After.",
    "503": "Nothing happened; send the same again after Retry-After.",
}
PUSH_REFUSALS = {
    **REFUSALS,
    "422": "The Idempotency-Key was used with another payload.",
    "504": "It may or may not be stored; send the same with the same key again.",
}


def door_contract(
    profile: Profile, prefix: str, push: Batch, households: Batch, withdrawals: Batch
) -> dict[str, Any]:
    """{'paths': …, 'components': …} for a town whose schemas carry `prefix` in the document."""
    batches = {"Push": push, "Registration": households, "Withdrawal": withdrawals}
    schemas = component_schemas([batch.schema for batch in batches.values()], prefix)
    names = {kind: prefix + type(batch.schema).__name__ for kind, batch in batches.items()}
    for kind, batch in batches.items():
        item = {"$ref": f"#/components/schemas/{names[kind]}"}
        listed = {"type": "array", "items": item, "minItems": 1, "maxItems": batch.most}
        schemas[f"{prefix}{kind}Batch"] = {
            "type": "object", "properties": {batch.listed: listed}, "required": [batch.listed],
            "additionalProperties": False,
        }  # fmt: skip
    top, tag, town = f"/towns/{profile.town}/v1", profile.name_zh, profile.town

    def json(kind: str) -> dict[str, Any]:
        options = [{"$ref": f"#/components/schemas/{name}"} for name in (names[kind], f"{prefix}{kind}Batch")]
        return {"application/json": {"schema": {"oneOf": options}}}

    def operation(name: str, summary: str, scope: str, answer: str, **more: Any) -> dict[str, Any]:
        refusals = PUSH_REFUSALS if "parameters" in more else REFUSALS
        return {
            "operationId": f"{name}_{town}", "tags": [tag], "summary": summary, "security": [{"oauth": [scope]}],
            "responses": {"200": _answer("One answer for each item. Twice is once.", answer), **_problems(refusals)},
            **more,
        }  # fmt: skip

    key = [{"$ref": "#/components/parameters/IdempotencyKey"}]
    lines = {
        "application/x-ndjson": {"schema": {"type": "string", "description": f"one {names['Push']} a line"}}
    }
    stream = operation(
        "streamContributions", f"Push up to {STREAM_LINES} contributions, one a line", "contributions.write", "",
        parameters=key, requestBody={"required": True, "content": lines},
    )  # fmt: skip
    find = operation("findBatch", "The answer to an earlier push, again", "contributions.read", "PushAnswer")
    find["parameters"] = [
        {"name": "batchId", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    ]
    find["responses"].pop("409")
    find["responses"] |= _problems({"404": "No such batch of this client."})
    return {
        "paths": {
            f"{top}/contributions": {
                "post": operation(
                    "pushContributions",
                    f"Push one contribution or a batch of up to {push.most}",
                    "contributions.write",
                    "PushAnswer",
                    parameters=key,
                    requestBody={"required": True, "content": json("Push")},
                )
            },
            f"{top}/contributions/stream": {"post": stream},
            f"{top}/batches/{{batchId}}": {"get": find},
            f"{top}/households": {
                "post": operation(
                    "registerHouseholds",
                    "Register residents with their consents",
                    "households.write",
                    "ItemAnswers",
                    requestBody={"required": True, "content": json("Registration")},
                )
            },
            f"{top}/consents/withdrawals": {
                "post": operation(
                    "withdrawConsents",
                    "Pass on withdrawn consents",
                    "consents.write",
                    "ItemAnswers",
                    requestBody={"required": True, "content": json("Withdrawal")},
                )
            },
        },
        "components": {
            "schemas": schemas,
            "parameters": {
                "IdempotencyKey": {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": True,
                    "description": "A new key for a new payload; the same key and payload get the first answer again.",
                    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
                }
            },
        },
    }


def _answer(description: str, schema: str) -> dict[str, Any]:
    if not schema:
        return {
            "description": description,
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        }
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}


def _problems(refusals: dict[str, str]) -> dict[str, Any]:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": why, "content": problem} for status, why in refusals.items()}
