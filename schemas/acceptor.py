"""A compiled acceptor: the quick way to say yes to what a marshmallow schema would load.

marshmallow takes about 33 µs for an item of ten fields; a push has thousands. `compile_acceptor` writes one straight function
from a schema's fields. It says yes (the loaded values, in field order) or None, which means *ask marshmallow*: the verdict
and the words of a refusal always come from the schema. A property test holds both together.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import marshmallow
from marshmallow import RAISE, Schema, ValidationError, fields, validates_schema

Accept = Callable[[Any], "tuple[Any, ...] | None"]
Rule = tuple[Callable[..., "tuple[str, Fault] | None"], tuple[str, ...]]


class Fault(str):
    """A message of a wire schema with its stable kebab-case code."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, detail: str) -> Fault:
        made = super().__new__(cls, detail)
        made.code = code
        return made


class WireField(fields.Field[Any], ABC):
    """A field of a neighbour's message. `quick` says yes with the loaded value, or None; `explain` says why not.

    `quick` never raises, whatever JSON value it gets; `explain` never repeats a personal value.
    """

    def __init__(self, *, quick: Callable[[Any], Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.quick = quick

    def explain(self, value: Any) -> Fault:
        """Why `quick` said None. A field that holds others leaves the words to them and needs none of its own."""
        return Fault("field-invalid", "this value is not accepted here; see the contract")

    @abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """This field in OpenAPI 3.1 (JSON Schema 2020-12)."""

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        """marshmallow's own errors (required, null), with a code."""
        texts = {
            "required": Fault("field-missing", "this field is required"),
            "null": Fault("field-null", "null is not a value here; leave the field out or give one"),
        }
        return ValidationError(texts[key]) if key in texts else super().make_error(key, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        loaded = self.quick(value)
        if loaded is None:
            raise ValidationError([self.explain(value)])
        return loaded


class WireSchema(Schema):
    """A neighbour's message in its own words: nothing renamed, nothing unknown.

    `rules` look at several loaded fields together: each is a function and the names of the fields it is called with,
    and returns None or (field, fault).
    """

    rules: ClassVar[tuple[Rule, ...]] = ()
    error_messages = {  # noqa: RUF012  marshmallow reads it from the class
        "unknown": Fault(
            "field-unknown", "this field is not in the contract; remove it or check its spelling"
        ),
        "type": Fault("item-not-an-object", "an item must be a JSON object"),
    }

    class Meta:
        unknown = RAISE

    @validates_schema
    def _check_rules(self, loaded: Mapping[str, Any], **_: Any) -> None:
        for rule, names in self.rules:
            broken = rule(*(loaded[name] for name in names))
            if broken is not None:
                raise ValidationError([broken[1]], field_name=broken[0])


def compile_acceptor(schema: WireSchema) -> Accept:
    """The quick yes for `schema`: item → tuple of loaded values in field order, or None.

    Raises TypeError for a schema it cannot promise to agree with: a field without `quick`, or an optional one without default.
    """
    known: dict[str, Any] = {}
    lines = ["def accept(item):", " if type(item) is not dict: return None", " extra = 0", " try:"]
    optional: list[str] = []
    for at, (name, field) in enumerate(schema.fields.items()):
        if not isinstance(field, WireField) or field.validators or field.data_key or field.load_only:
            raise TypeError(f"field {name!r} has no quick form the acceptor could trust")
        known[f"q{at}"], known[f"d{at}"] = field.quick, field.load_default
        if field.required:
            lines += [f"  v{at} = q{at}(item[{name!r}])", f"  if v{at} is None: return None"]
        elif field.load_default is marshmallow.missing or callable(field.load_default):
            raise TypeError(f"optional field {name!r} needs a constant load_default")
        else:
            optional += [f" if {name!r} in item:", f"  extra += 1; v{at} = item[{name!r}]"]
            if field.load_default is None:  # marshmallow then takes null for absent
                optional += [f"  if v{at} is not None:", f"   v{at} = q{at}(v{at})"]
            else:
                optional += ["  if True:", f"   v{at} = q{at}(v{at})"]
            optional += [f"   if v{at} is None: return None", f" else: v{at} = d{at}"]
    required = sum(field.required for field in schema.fields.values())
    values = ", ".join(f"v{at}" for at in range(len(schema.fields)))
    lines += [
        "  pass",
        " except KeyError: return None",
        *optional,
        f" if len(item) != {required} + extra: return None",
    ]
    for at, (rule, names) in enumerate(schema.rules):
        known[f"r{at}"] = rule
        arguments = ", ".join(f"v{list(schema.fields).index(name)}" for name in names)
        lines += [f" if r{at}({arguments}) is not None: return None"]
    lines += [f" return ({values},)"]
    exec(compile("\n".join(lines), f"<acceptor of {type(schema).__name__}>", "exec"), known)  # noqa: S102  our own text
    accept: Accept = known["accept"]
    return accept
