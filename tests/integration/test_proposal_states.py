"""The state table is whole: every edge walks, every other is refused by Python and by PostgreSQL."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import psycopg2
import pytest
from uuid6 import uuid7

from gateway.benefits import EDGES, ENDED, Move, ProposalEvent, move_proposals, next_state
from schemas.errors import ConflictError, NotFoundError
from schemas.proposals import ProposalState
from tests.conftest import TestDatabase

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PAIRS = [(state, event) for state in ProposalState for event in ProposalEvent]
#: How to bring a new proposal into each state.
WAYS: dict[ProposalState, list[ProposalEvent]] = {
    ProposalState.PROPOSED: [],
    ProposalState.UNKNOWN: [ProposalEvent.ANSWER_LOST],
    ProposalState.ACCEPTED: [ProposalEvent.BANK_ACCEPTED],
    ProposalState.DECLINED: [ProposalEvent.BANK_DECLINED],
    ProposalState.IN_FORCE: [ProposalEvent.BANK_ACCEPTED, ProposalEvent.STARTED],
    ProposalState.SUPERSEDED: [ProposalEvent.SUPERSEDED],
    ProposalState.REVOKED: [ProposalEvent.REVOKED],
    ProposalState.EXPIRED: [ProposalEvent.BANK_ACCEPTED, ProposalEvent.EXPIRED],
}


def _proposal(database: TestDatabase) -> UUID:
    proposal_id = uuid4()
    database.sql(
        "insert into proposal (proposal_id, business_on, serial, decision_id, subject_id, applicant_id, product, discount_bp,"
        " limit_increase_fen, reason_codes, decision_sha256, valid_from_on, valid_until_on, salt, proposed_at)"
        " values (%s, %s, %s, %s, 1, 2, 'p', 10, 0, '{}', '', %s, %s, %s, %s)",
        (str(proposal_id), date(2026, 11, 23), proposal_id.hex, str(uuid4()), date(2026, 11, 23), date(2027, 11, 23),
         b"s" * 16, NOW),
    )  # fmt: skip
    return proposal_id


def _move(database: TestDatabase, proposal_id: UUID, event: ProposalEvent) -> None:
    with database.app.transaction() as tx:
        move_proposals(tx, [Move(proposal_id, event)], now=NOW, new_id=uuid7)


def _state(database: TestDatabase, proposal_id: UUID) -> object:
    return database.sql("select state from proposal where proposal_id = %s", (str(proposal_id),))[0][0]


def test_postgresql_holds_the_same_table(database: TestDatabase) -> None:
    rows = database.sql("select from_state, event, to_state from proposal_edge")
    assert set(rows) == {(str(s), str(e), str(after)) for (s, e), after in EDGES.items()}


def test_every_state_can_be_reached_and_ended_states_end() -> None:
    assert set(EDGES.values()) == set(ProposalState)
    assert {state for state, _ in EDGES} == set(ProposalState) - ENDED


@pytest.mark.parametrize(("state", "event"), [pair for pair in PAIRS if pair not in EDGES])
def test_python_refuses_an_edge_that_is_not_there(state: ProposalState, event: ProposalEvent) -> None:
    with pytest.raises(ConflictError):
        next_state(state, event)


def test_every_edge_walks_and_every_other_is_refused_by_postgresql(database: TestDatabase) -> None:
    for state in ProposalState:
        for event in ProposalEvent:
            proposal_id = _proposal(database)
            for step in WAYS[state]:
                _move(database, proposal_id, step)
            assert _state(database, proposal_id) == state
            after = EDGES.get((state, event))
            if after is not None:
                _move(database, proposal_id, event)
                assert _state(database, proposal_id) == after
                continue
            for target in ProposalState:
                with pytest.raises(psycopg2.errors.CheckViolation):
                    _event(database.app_dsn, proposal_id, state, event, target)
            assert _state(database, proposal_id) == state


def _event(dsn: str, proposal_id: UUID, state: str, event: str, target: str) -> None:
    _run(
        dsn,
        "insert into proposal_event (event_id, proposal_id, from_state, event, to_state, happened_at)"
        " values (%s, %s, %s, %s, %s, now())",
        (str(uuid4()), str(proposal_id), str(state), str(event), str(target)),
    )


def _run(dsn: str, text: str, params: object = None) -> None:
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(text, params)
    finally:
        connection.close()


def test_an_event_that_leaves_another_state_is_refused(database: TestDatabase) -> None:
    proposal_id = _proposal(database)
    with pytest.raises(psycopg2.errors.CheckViolation):
        _event(database.app_dsn, proposal_id, "unknown", "nothing_found", "proposed")


def test_two_events_of_one_proposal_in_one_statement_are_refused(database: TestDatabase) -> None:
    proposal_id = _proposal(database)
    with pytest.raises(psycopg2.errors.CheckViolation):
        _run(
            database.app_dsn,
            "insert into proposal_event (event_id, proposal_id, from_state, event, to_state, happened_at)"
            " select gen_random_uuid(), %s, 'proposed', 'bank_accepted', 'accepted', now() from generate_series(1, 2)",
            (str(proposal_id),),
        )


@pytest.mark.parametrize(
    "change",
    ["state = 'in_force'", "state = 'proposed'", "discount_bp = 99", "state = 'accepted', discount_bp = 99"],
)
def test_even_the_owner_cannot_set_what_no_edge_gives(database: TestDatabase, change: str) -> None:
    _proposal(database)
    with pytest.raises((psycopg2.errors.CheckViolation, psycopg2.errors.IntegrityConstraintViolation)):
        _run(database.owner_dsn, f"update proposal set {change}")


@pytest.mark.parametrize(
    "statement",
    [
        "update proposal set state = 'accepted'",
        "delete from proposal",
        "truncate proposal",
        "update proposal_event set code = 'x'",
        "delete from proposal_event",
        "insert into proposal_edge values ('declined', 'bank_accepted', 'accepted')",
        "update decision set discount_bp = 1",
    ],
)
def test_the_application_has_no_way_around_events(database: TestDatabase, statement: str) -> None:
    _proposal(database)
    with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.IntegrityError)):
        _run(database.app_dsn, statement)


def test_the_right_to_lock_is_no_right_to_change(database: TestDatabase) -> None:
    _proposal(database)
    for value in ("supersedes", "gen_random_uuid()"):
        with pytest.raises((psycopg2.errors.CheckViolation, psycopg2.errors.IntegrityConstraintViolation)):
            _run(database.app_dsn, f"update proposal set supersedes = {value}")


def test_a_proposal_begins_as_proposed(database: TestDatabase) -> None:
    with pytest.raises(psycopg2.errors.CheckViolation):
        database.sql(
            "insert into proposal (proposal_id, business_on, serial, decision_id, subject_id, applicant_id, product, discount_bp,"
            " limit_increase_fen, reason_codes, decision_sha256, valid_from_on, valid_until_on, salt, proposed_at, state)"
            " values (gen_random_uuid(), '2026-11-23', 's', gen_random_uuid(), 1, 2, 'p', 10, 0, '{}', '', '2026-11-23',"
            " '2027-11-23', '0123456789abcdef', now(), 'in_force')"
        )


def test_moving_what_is_not_there_is_not_found(database: TestDatabase) -> None:
    with pytest.raises(NotFoundError):
        _move(database, uuid4(), ProposalEvent.BANK_ACCEPTED)


@pytest.mark.parametrize("state", ["done", "cancelled"])
def test_a_finished_message_is_never_reopened(database: TestDatabase, state: str) -> None:
    database.sql(
        "insert into outbox_message (message_id, neighbour, kind, serial, row_id, lane, state,"
        " next_attempt_at, created_at, ended_at)"
        " values (gen_random_uuid(), 'bank_core', 'k', 's', gen_random_uuid(), 'l', %s, now(), now(), now())",
        (state,),
    )
    for change in ("state = 'queued', ended_at = null", "attempts = 0"):
        with pytest.raises(psycopg2.errors.IntegrityConstraintViolation):
            _run(database.app_dsn, f"update outbox_message set {change}")


def test_an_unknown_message_is_never_simply_sent_again(database: TestDatabase) -> None:
    database.sql(
        "insert into outbox_message (message_id, neighbour, kind, serial, row_id, lane, state, next_attempt_at, created_at)"
        " values (gen_random_uuid(), 'bank_core', 'k', 's', gen_random_uuid(), 'l', 'unknown', now(), now())"
    )
    with pytest.raises(psycopg2.errors.IntegrityConstraintViolation):
        _run(database.app_dsn, "update outbox_message set state = 'sending', claimed_until = now()")
