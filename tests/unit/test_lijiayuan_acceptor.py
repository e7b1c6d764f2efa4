"""The acceptor says what marshmallow would load, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from adapters.lijiayuan.wire import KINDS, ConsentWithdrawal, Family, TaskDone
from adapters.wire_fields import ExponentNumber, Instant, Points, Text
from schemas.acceptor import Fault, WireField, WireSchema, compile_acceptor
from schemas.resident_id import check_character
from tests.thoroughness import examples

SCHEMA = TaskDone()
ACCEPT = compile_acceptor(SCHEMA)
ID_NO = "33010919900101001" + check_character("33010919900101001")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "taskId": st.from_regex(r"[A-Za-z0-9._:-]{1,66}", fullmatch=True),
    "taskType": st.text(max_size=70),
    "kind": st.sampled_from([*KINDS, "gift"]),
    "familyCode": st.from_regex(r"[A-Z0-9-]{1,34}", fullmatch=True),
    "memberIdNo": st.sampled_from([ID_NO, ID_NO[:-1] + "9", ID_NO.lower(), ""]),
    "points": st.integers(-1, 100_001)
    | st.decimals(0, 100_001, places=3).map(str)
    | st.floats(0, 100_001)
    | st.sampled_from([0.01, 2.5]),
    "finishedAt": st.datetimes().map(lambda at: at.isoformat() + "+08:00"),
    "village": st.text(max_size=70) | st.none(),
    "reverses": st.just("T-1") | st.none(),
    "counterpartFamilyCode": st.just("GL2") | st.none(),
}
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "taskId": st.just("T-1"),
    "taskType": st.just("garbageSorting"),
    "familyCode": st.just("GL000001"),
    "memberIdNo": st.just(ID_NO),
    "points": st.just(5),
    "finishedAt": st.just("2026-05-01T08:30:00+08:00"),
}


@st.composite
def near_items(draw: st.DrawFn) -> dict[str, Any]:
    """A good item with up to three fields changed, dropped or added."""
    item = {name: draw(values) for name, values in PLAIN.items()}
    for name in draw(st.lists(st.sampled_from([*LIKELY, "surprise"]), max_size=3)):
        if draw(st.integers(0, 5)) == 0:
            item.pop(name, None)
        else:
            item[name] = draw(LIKELY.get(name, json_values) if draw(st.booleans()) else json_values)
    return item


@settings(max_examples=examples(600), deadline=None)  # the machine may be busy
@given(near_items())
def test_the_acceptor_agrees_with_marshmallow(item: dict[str, Any]) -> None:
    accepted = ACCEPT(item)
    try:
        loaded = SCHEMA.load(item)
    except ValidationError:
        assert accepted is None
    else:
        assert accepted is not None, "a loss of speed only, but then the acceptor is not worth its name"
        assert dict(zip(SCHEMA.fields, accepted, strict=True)) == loaded


@settings(deadline=None)  # the machine may be busy
@given(json_values)
def test_anything_at_all_is_answered(value: Any) -> None:
    assert ACCEPT(value) is None
    with pytest.raises(ValidationError):
        SCHEMA.load(value)


@pytest.mark.parametrize(
    "field", [*SCHEMA.fields.values(), *Family().fields.values(), *ConsentWithdrawal().fields.values()]
)
@settings(deadline=None)  # the machine may be busy
@given(value=json_values)
def test_every_refusal_has_a_code(field: Any, value: Any) -> None:
    if value is None:
        return
    try:
        field.deserialize(value)
    except ValidationError as exc:
        flat: list[Any] = [exc.messages]
        while flat:
            message = flat.pop()
            if isinstance(message, dict):
                flat.extend(message.values())
            elif isinstance(message, list):
                flat.extend(message)
            else:
                assert isinstance(message, Fault)


def test_a_schema_the_acceptor_cannot_promise_is_refused() -> None:
    class Loose(WireSchema):
        village = Text(10)

    with pytest.raises(TypeError, match="village"):
        compile_acceptor(Loose())


@pytest.mark.parametrize(
    ("value", "centi"),
    [
        (5, 500),
        (0.5, 50),
        (100000, 10_000_000),
        ("2.5", 250),
        ("0.01", 1),
        ("12.00", 1200),
        (2.3, 230),
        (99999.99, 9_999_999),
    ],
)
def test_points_become_hundredths(value: Any, centi: int) -> None:
    assert Points().deserialize(value) == centi


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "points-not-positive"),
        (-5, "points-not-positive"),
        ("-5", "points-not-positive"),
        ("0.00", "points-not-positive"),
        (100_000.01, "points-too-many"),
        (1.8446744073709552e19, "points-too-many"),
        ("9" * 39, "points-too-many"),
        ("9" * 4000, "points-not-a-number"),
        (2.345, "points-decimals"),
        ("2.345", "points-decimals"),
        ("007", "points-decimals"),
        ("1e2", "points-exponent"),
        (ExponentNumber("1e2"), "points-exponent"),
        (" 5", "points-not-a-number"),
        ("5 ", "points-not-a-number"),
        ("５", "points-not-a-number"),
        ("NaN", "points-not-a-number"),
        ("", "points-not-a-number"),
        (True, "points-not-a-number"),
        ([5], "points-not-a-number"),
    ],
)
def test_points_that_are_none_are_told_why(value: Any, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Points().deserialize(value)
    (fault,) = caught.value.messages
    assert isinstance(fault, Fault)
    assert fault.code == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2026-05-01T08:30:00", "instant-no-offset"),
        ("2026-05-01 08:30:00", "instant-no-offset"),
        ("2014-12-31T23:59:59+08:00", "instant-out-of-range"),
        ("2101-01-01T00:00:00Z", "instant-out-of-range"),
        ("2026-02-30T08:30:00+08:00", "instant-unreadable"),
        ("2026-05-01T24:30:00+08:00", "instant-unreadable"),
        ("2026-05-01T08:30:00+25:00", "instant-unreadable"),
        ("20260501083000", "instant-unreadable"),
        ("２０２６-05-01T08:30:00+08:00", "instant-unreadable"),
        (1777595400000, "not-a-string"),
    ],
)
def test_an_instant_that_is_none_is_told_why(value: Any, code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Instant().deserialize(value)
    (fault,) = caught.value.messages
    assert isinstance(fault, Fault)
    assert fault.code == code


@pytest.mark.parametrize("points", [float("nan"), float("inf"), float("-inf"), 10**400, -(10**400)])
def test_what_is_no_finite_number_is_refused_in_words(points: float) -> None:
    """JSON has none of these, but a reader of another encoding might."""
    field = SCHEMA.fields["points"]
    assert isinstance(field, WireField)
    assert field.explain(points).code.startswith("points-")
