"""Every kind of record that some room restates has a schema, and no schema is of a kind that nobody writes."""

from __future__ import annotations

from gateway.flows._restaters import list_restaters
from schemas.record_kinds import RECORD_KINDS, body_fault


def test_every_kind_has_a_schema() -> None:
    """A new kind of record: add its fields to schemas/record_kinds.py, and its name to docs/log.md."""
    assert sorted(list_restaters()) == sorted(RECORD_KINDS)


def test_a_body_that_is_otherwise_is_said() -> None:
    right = {"linked_at": "2026-11-24T00:00:00Z", "person_id": 7, "town": "lijiayuan"}
    assert body_fault("account_linked", right) == ""
    assert body_fault("nothing", right) == "nothing: no such kind"
    assert "missing or too many" in body_fault("account_linked", {**right, "name": "x"})
    assert "person_id is str" in body_fault("account_linked", {**right, "person_id": "7"})
    assert "person_id is bool" in body_fault("account_linked", {**right, "person_id": True})
