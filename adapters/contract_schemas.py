"""Component schemas (OpenAPI 3.1) of wire schemas: the contract file carries them, and a test holds both together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import missing

from schemas.acceptor import WireField, WireSchema


def component_schemas(schemas: Iterable[WireSchema], prefix: str) -> dict[str, Any]:
    """Name → JSON Schema. Nothing beyond the named properties is taken."""
    return {prefix + type(schema).__name__: _object_schema(schema) for schema in schemas}


def _object_schema(schema: WireSchema) -> dict[str, Any]:
    properties = {}
    for name, field in schema.fields.items():
        assert isinstance(field, WireField), name
        described = field.json_schema()
        if not field.required and field.load_default is None:
            described = {"anyOf": [described, {"type": "null"}]}
        elif not field.required and field.load_default is not missing:
            described = {**described, "default": field.load_default}
        properties[name] = described
    return {
        "type": "object",
        "description": " ".join((type(schema).__doc__ or "").split()),
        "properties": properties,
        "required": [name for name, field in schema.fields.items() if field.required],
        "additionalProperties": False,
    }
