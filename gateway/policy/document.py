"""A ruleset document: YAML text to a `Ruleset`, or an error that lists every fault with its place, value and remedy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import yaml
from marshmallow import Schema, ValidationError, fields

from gateway.policy.fields import Complaint
from gateway.policy.forms import Effect, LimitFrom, RulesetForm
from gateway.policy.language import (
    Basis,
    CategoryRule,
    Codes,
    Discount,
    Factor,
    Floor,
    Gates,
    Limit,
    Linear,
    LprRow,
    Published,
    Quota,
    Ruleset,
    StepRow,
)
from schemas.canonical import canonical_json
from schemas.errors import InvalidError

RULESETS = Path(__file__).parent / "rulesets"
MOST_BYTES = 256 * 1024
_DEEPEST = 20


class Fault(NamedTuple):
    """One thing wrong with a document."""

    where: str  # path such as discount.linear.per_points
    line: int | None
    value: str | None
    what: str
    remedy: str

    def __str__(self) -> str:
        place = self.where + (f" (line {self.line})" if self.line else "")
        shown = f" {self.value}" if self.value is not None else ""
        return f"{place}:{shown} {self.what}; {self.remedy}"


class RulesetInvalidError(InvalidError):
    """The document is not a ruleset; `faults` has everything that is wrong, `str()` prints it."""

    default_code = "ruleset-invalid"

    def __init__(self, faults: list[Fault]) -> None:
        first = faults[0]
        super().__init__(
            f"the ruleset has {len(faults)} fault{'s' if len(faults) > 1 else ''}",
            where=first.where,
            value=first.value,
            remedy=first.remedy,
        )
        self.faults = faults

    def __str__(self) -> str:
        return "\n".join([f"{self.what}:", *(f"  - {fault}" for fault in self.faults)])


class _Loader(yaml.SafeLoader):
    """Safe YAML without floats (2.5 stays the text '2.5'), without anchors, and without a key given twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [
            (tag, pattern)
            for tag, pattern in known
            if tag not in ("tag:yaml.org,2002:float", "tag:yaml.org,2002:timestamp")
        ]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("anchors and aliases are refused; write the value out")
        return super().compose_node(parent, index)


def _plain(loader: _Loader, node: Any, path: str, lines: dict[str, int], depth: int = 0) -> Any:
    """A YAML node to plain values; remembers on which line each path stands."""
    lines[path] = node.start_mark.line + 1
    if depth > _DEEPEST:
        raise yaml.YAMLError(f"nested deeper than {_DEEPEST} levels")
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = (
                key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            )  # `on` is a word here, not true
            where = f"{path}.{key}" if path else str(key)
            if not isinstance(key, str) or not key.isascii() or key in found:
                raise yaml.YAMLError(
                    f"line {key_node.start_mark.line + 1}: {key!r} is given twice or is not a plain word"
                )
            found[key] = _plain(loader, value_node, where, lines, depth + 1)
            lines[where] = (
                key_node.start_mark.line + 1
            )  # where its name stands, not the first line of a block
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, item, f"{path}.{n}", lines, depth + 1) for n, item in enumerate(node.value)]
    return loader.construct_object(node)


def read_yaml(text: str) -> tuple[Any, dict[str, int]]:
    """Plain values of a YAML text and the line of each path. Raises RulesetInvalidError when it is not YAML we read."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise RulesetInvalidError(
            [Fault("$", None, None, "is too large", f"a ruleset has at most {MOST_BYTES} bytes")]
        )
    lines: dict[str, int] = {}
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        return (None if node is None else _plain(loader, node, "", lines)), lines
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        what = "is not readable YAML: " + " ".join(str(exc).split())[:300]
        raise RulesetInvalidError(
            [Fault("$", None, None, what, "correct the text at the line named")]
        ) from None
    finally:
        if loader is not None:
            loader.dispose()


def load_ruleset(text: str) -> Ruleset:
    """Read a YAML document. `floor.lpr` may name a table of lpr.yaml; the table becomes part of the document by value.

    Raises RulesetInvalidError (an InvalidError) with every fault.
    """
    document, lines = read_yaml(text)
    if isinstance(document, dict) and isinstance(document.get("floor"), dict):
        document = {**document, "floor": _embedded(document["floor"], lines)}
    return _ruleset(document, lines)


def ruleset_from_bytes(canonical: bytes) -> Ruleset:
    """Read a stored canonical document again. Raises RulesetInvalidError."""
    return _ruleset(orjson.loads(canonical), {})


def load_packaged(name: str) -> Ruleset:
    """A ruleset that ships with the gateway, by name. Raises InvalidError with the names there are."""
    return load_ruleset(packaged_text(name))


def packaged_text(name: str) -> str:
    """The YAML of a ruleset that ships with the gateway. Raises InvalidError with the names there are."""
    if name not in packaged_names():
        raise InvalidError(
            "no file, and no ruleset of that name ships with the gateway",
            value=name[:80],
            remedy="name a YAML file, or one of " + ", ".join(packaged_names()),
        )
    return (RULESETS / f"{name}.yaml").read_text("utf-8")


def packaged_names() -> list[str]:
    """Names of the rulesets that ship with the gateway."""
    return sorted(p.stem for p in RULESETS.glob("*.yaml") if p.stem != "lpr")


def _embedded(floor: dict[str, Any], lines: Mapping[str, int]) -> dict[str, Any]:
    name = floor.get("lpr")
    if not isinstance(name, str):
        return floor
    tables, _ = read_yaml((RULESETS / "lpr.yaml").read_text("utf-8"))
    if name not in tables:
        remedy = "use a table of lpr.yaml: " + ", ".join(sorted(tables))
        raise RulesetInvalidError(
            [Fault("floor.lpr", lines.get("floor.lpr"), repr(name), "is not a known table", remedy)]
        )
    table = tables[name]
    embedded = {**floor, "lpr": table["rows"]}
    if isinstance(floor.get("reference"), str) and floor["reference"].strip():
        embedded["reference"] = f"{floor['reference'].strip()} · {table['reference']}"
    return embedded


def _ruleset(document: Any, lines: Mapping[str, int]) -> Ruleset:
    if not isinstance(document, dict):
        raise RulesetInvalidError(
            [Fault("$", 1, None, "is not a ruleset", "write `name:`, `title:`, … at the top level")]
        )
    form = RulesetForm()
    try:
        data = form.load(document)
        canonical = canonical_json(_jsonable(document))
    except ValidationError as exc:
        raise RulesetInvalidError(list(_faults(_messages(exc), form, "", document, lines))) from None
    except ValueError as exc:
        raise RulesetInvalidError(
            [Fault("$", None, None, str(exc), "write whole numbers, text and dates only")]
        ) from None
    return _built(data, orjson.loads(canonical), canonical)


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return value


def _messages(exc: ValidationError) -> Any:
    return exc.messages if isinstance(exc.messages, dict) else {"_schema": exc.messages}


def _faults(messages: Any, form: Any, path: str, value: Any, lines: Mapping[str, int]) -> Iterator[Fault]:
    """marshmallow's nested messages to faults, in the document's order of words."""
    if isinstance(messages, list):
        for message in messages:
            complaint = message if isinstance(message, Complaint) else _translated(str(message), form)
            shown = None if value is None or isinstance(value, (dict, list)) else repr(value)[:80]
            line = lines.get(path) or lines.get(path.rpartition(".")[0])
            yield Fault(path or "$", line, shown, complaint.what, complaint.remedy)
        return
    for key, nested in messages.items():
        if key == "_schema":
            yield from _faults(nested, form, path, None, lines)
        elif isinstance(form, fields.Dict):
            where = f"{path}.{key}" if path else str(key)
            item = value.get(key) if isinstance(value, dict) else None
            yield from _faults(nested.get("key", []), form, where, str(key), lines)
            yield from _faults(nested.get("value", []), _inner(form.value_field), where, item, lines)
        else:
            where = f"{path}.{key}" if path else str(key)
            if isinstance(form, fields.List):
                item = value[int(key)] if isinstance(value, list) else None
                yield from _faults(nested, _inner(form.inner), where, item, lines)
            else:
                item = value.get(key) if isinstance(value, dict) else None
                known = form.fields.get(key) if isinstance(form, Schema) else None
                yield from _faults(nested, form if known is None else _inner(known), where, item, lines)


def _inner(field: Any) -> Any:
    return field.schema if isinstance(field, fields.Nested) else field


def _translated(message: str, form: Any) -> Complaint:
    if message.startswith("Missing"):
        return Complaint("is missing", "add it")
    if message.startswith("Unknown"):
        words = ", ".join(sorted(form.fields)) if isinstance(form, Schema) else ""
        return Complaint("is not a word of the ruleset language here", f"use one of: {words}")
    return Complaint("has the wrong shape", "write it as docs/policy.md shows (a block of words, or a list)")


def _built(data: Mapping[str, Any], document: Mapping[str, Any], canonical: bytes) -> Ruleset:
    categories = data.get("categories", {"of": {}, "others": {"weight_percent": 100}})
    quota = data.get("quota")
    return Ruleset(
        ruleset_id=hashlib.sha256(canonical).hexdigest(),
        name=data["name"],
        title_zh=data["title"]["zh"],
        title_en=data["title"]["en"],
        product=data["product"],
        valid_from_on=data["valid_from_on"],
        valid_until_on=data.get("valid_until_on"),
        subject=data["subject"],
        basis=Basis(data["basis"]["kind"], data["basis"].get("months", 0)),
        factors={town: Factor(f["num"], f["den"]) for town, f in data["factors"]["towns"].items()},
        score_rounding=data["factors"]["rounding"],
        categories={str(name): _category(c) for name, c in categories["of"].items()},
        other_categories=_category(categories["others"]),
        gates=_gates(data["gates"]),
        published=_published(data.get("published", {})),
        discount=_discount(data["discount"]) if "discount" in data else None,
        limit=_limit(data["limit"]) if "limit" in data else None,
        floor=_floor(data["floor"]) if "floor" in data else None,
        quota=Quota(quota["amount_cny"], quota["counts"]) if quota else None,
        term_months=data["term"]["months"],
        on_decrease=data["on_decrease"],
        on_correction=data.get("on_correction", data["on_decrease"]),
        assumed_loan_fen=data["assumed_loan"]["amount_cny"],
        document=document,
        canonical=canonical,
    )


def _category(c: Mapping[str, Any]) -> CategoryRule:
    return CategoryRule(c["weight_percent"], c.get("month_cap_points"))


def _gates(g: Mapping[str, Any]) -> Gates:
    age, score = g.get("age", {}), g.get("score", {})
    return Gates(
        vetoes=Codes(g["vetoes"]["codes"]),
        age_min_years=age.get("min_years"),
        age_max_years=age.get("max_years"),
        score_at_least_centi=score.get("at_least"),
        score_above_centi=score.get("above"),
        months_of_data=g.get("months_of_data", {}).get("at_least"),
        stale_after_days=g.get("staleness", {}).get("at_most_days"),
    )


def _published(p: Mapping[str, Any]) -> Published:
    return Published(p.get("rate_bp"), p.get("limit_cny"), p.get("limit_from") is LimitFrom.ASSETS)


def _scale(block: Mapping[str, Any], unit: str) -> tuple[Linear | None, tuple[StepRow, ...]]:
    if "linear" in block:
        row = block["linear"]
        return Linear(row[unit], row["per_points"], row["only_full"]), ()
    return None, tuple(StepRow(row["from_points"], row[unit]) for row in block["steps"])


def _honours(block: Mapping[str, Any]) -> Codes | None:
    return Codes(block["honours"]["codes"]) if "honours" in block else None


def _discount(d: Mapping[str, Any]) -> Discount:
    relative = d["effect"] is Effect.RELATIVE
    linear, steps = _scale(d, "percent" if relative else "bp")
    return Discount(
        relative, d["rounding"], linear, steps, d.get("cap_bp"), d.get("cap_percent"), _honours(d)
    )


def _limit(block: Mapping[str, Any]) -> Limit:
    relative = block["effect"] is Effect.RELATIVE
    linear, steps = _scale(block, "percent" if relative else "amount_cny")
    return Limit(
        relative,
        block["rounding"],
        block["unit_cny"],
        linear,
        steps,
        block["cap_cny"],
        block.get("total_cap_cny"),
        _honours(block),
    )


def _floor(f: Mapping[str, Any]) -> Floor:
    table = tuple(LprRow(row["from_on"], row["rate_bp"]) for row in f.get("lpr", ()))
    return Floor(f.get("fixed_bp"), table, f.get("spread_bp", 0))
