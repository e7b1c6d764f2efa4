"""Points arrive: once, whole, and in the right accounts."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import orjson
import pytest

from gateway import contributions, ledger
from gateway.flows._combining import Combiner
from gateway.flows._receiving import receive_together
from gateway.flows.find_batch import find_batch
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.receive_stream import receive_stream
from gateway.flows.register_households import register_households
from gateway.flows.withdraw_consents import withdraw_consents
from gateway.house import House
from schemas.contributions import PushAnswer
from schemas.errors import (
    ConflictError,
    GatewayError,
    InvalidError,
    NotFoundError,
    RefusedError,
    UnavailableError,
)
from tests.conftest import TestDatabase
from tests.plain_town import KEYS, NOW, TOWN, invented_id_no, plain_house, push

ID_A, ID_B, ID_C = invented_id_no(1), invented_id_no(2), invented_id_no(3)


@pytest.fixture
def house(database: TestDatabase) -> House:
    made = plain_house(database)
    _register(made, [
        {"code": "F1", "members": [{"id_no": ID_A, "head": True, "phone": "13900000001"}, {"id_no": ID_B}]},
        {"code": "F2", "members": [{"id_no": ID_C, "head": True}]},
    ])  # fmt: skip
    return made


def _register(house: House, families: list[dict[str, Any]]) -> list[str]:
    return [a.status for a in register_households(house, TOWN, "town-a", orjson.dumps(families), now=NOW)]


def _send(house: House, items: list[dict[str, Any]], key: str = "k1") -> PushAnswer:
    return receive_contributions(house, push(items, key), now=NOW)


def _award(reference: str, code: str = "F1", id_no: str = ID_A, **more: Any) -> dict[str, Any]:
    return {"reference": reference, "code": code, "id_no": id_no, **more}


def _statuses(answer: PushAnswer) -> list[tuple[str, str | None]]:
    return [(str(i.status), i.code) for i in answer.items]


def _balances(database: TestDatabase) -> dict[tuple[Any, Any], Any]:
    rows = database.sql(
        "select code, kind, balance_centi from account join household_code on household_id = holder_id where balance_centi <> 0"
    )
    return {(r[0], r[1]): r[2] for r in rows}


def _faults(database: TestDatabase) -> list[Any]:
    with database.auditor.transaction(read_only=True) as tx:
        return [*contributions.list_faults(tx), *ledger.list_faults(tx)]


def test_an_award_reaches_the_ledger_the_month_and_the_log(house: House, database: TestDatabase) -> None:
    answer = _send(house, [_award("T1", points_centi=250), _award("T2", id_no=ID_B)])
    assert _statuses(answer) == [("accepted", None), ("accepted", None)]
    assert _balances(database) == {("F1", "available"): 350}
    assert database.sql("select kind, points_centi, items from month_sum order by points_centi") == [
        ("award", 100, 1), ("award", 250, 1)]  # fmt: skip
    assert database.sql("select count(*) from record where kind = 'contribution_batch'") == [(1,)]
    assert database.sql("select count(*) from changed_batch") == [(1,)]
    assert not _faults(database)


def test_twice_is_once_and_the_answer_is_the_same(house: House, database: TestDatabase) -> None:
    items = [_award("T1"), {"code": "F1"}, _award("T2", activity="dancing")]
    first, second = _send(house, items), _send(house, items)
    assert second.replayed
    assert not first.replayed
    assert (first.items, first.receipt, first.batch_id) == (second.items, second.receipt, second.batch_id)
    assert database.sql("select count(*) from contribution") == [(1,)]
    assert find_batch(house, TOWN, "town-a", first.batch_id).items == first.items


def test_another_payload_under_the_same_key_is_refused(house: House, database: TestDatabase) -> None:
    _send(house, [_award("T1")])
    with pytest.raises(RefusedError) as refused:
        _send(house, [_award("T2")])
    assert refused.value.code == "idempotency-key-reused"
    assert database.sql("select count(*) from contribution") == [(1,)]


def test_the_same_item_under_another_key_is_a_duplicate_and_other_content_a_conflict(
    house: House, database: TestDatabase
) -> None:
    _send(house, [_award("T1")])
    answer = _send(house, [_award("T1"), _award("T1", points_centi=200)], "k2")
    assert _statuses(answer) == [("duplicate", None), ("conflict", "reference-conflict")]
    assert _balances(database) == {("F1", "available"): 100}


def test_the_same_reference_twice_in_one_push_counts_once(house: House, database: TestDatabase) -> None:
    answer = _send(house, [_award("T1"), _award("T1"), _award("T1", points_centi=1)])
    assert _statuses(answer) == [("accepted", None), ("duplicate", None), ("conflict", "reference-conflict")]
    assert _balances(database) == {("F1", "available"): 100}


def test_what_cannot_be_judged_is_kept_and_the_good_ones_land(house: House, database: TestDatabase) -> None:
    answer = _send(house, [
        _award("T1", activity="dancing"),
        _award("T2", code="F9"),
        _award("T3", at=(NOW + timedelta(days=1)).isoformat()),
        _award("T4", code="F2"),
        _award("T5", kind="reversal", reverses="nothing"),
        _award("T6"),
    ])  # fmt: skip
    assert _statuses(answer) == [
        ("quarantined", "unknown-activity"), ("quarantined", "unknown-household"), ("quarantined", "date-out-of-range"),
        ("quarantined", "not-a-member"), ("quarantined", "original-not-found"), ("accepted", None),
    ]  # fmt: skip
    assert database.sql("select count(*) from quarantined_item where keep_until > now()") == [(5,)]
    assert _balances(database) == {("F1", "available"): 100}


def test_of_a_person_without_consent_nothing_is_kept(house: House, database: TestDatabase) -> None:
    stranger = invented_id_no(99)
    answer = _send(house, [_award("T1", id_no=stranger), _award("T2")])
    assert _statuses(answer) == [("rejected", "no-consent"), ("accepted", None)]
    ((key_id, box, whole),) = database.sql("select key_id, sealed, whole from raw_push")
    import zlib

    from schemas.crypto import Sealed

    kept = zlib.decompress(KEYS.open(Sealed(str(key_id), bytes(box)), "raw_push"))  # type: ignore[call-overload]
    assert whole is False
    assert stranger.encode() not in kept
    assert ID_A.encode() in kept


def test_points_go_down_and_what_was_spent_is_owed(house: House, database: TestDatabase) -> None:
    _send(house, [_award("T1", points_centi=500), _award("T2", kind="spend", points_centi=400),
                  _award("T3", kind="deduction", activity="conduct", points_centi=300)])  # fmt: skip
    assert _balances(database) == {("F1", "spent"): 400, ("F1", "owed"): -200}
    _send(house, [_award("T4", points_centi=250)], "k2")
    assert _balances(database) == {("F1", "spent"): 400, ("F1", "available"): 50}
    assert not _faults(database)


def test_a_reversal_takes_from_the_month_of_its_original(house: House, database: TestDatabase) -> None:
    _send(house, [_award("T1", at="2026-07-15T09:00:00+08:00", points_centi=700)])
    answer = _send(house, [_award("T2", kind="reversal", reverses="T1", points_centi=700)], "k2")
    assert _statuses(answer) == [("accepted", None)]
    assert database.sql("select month, kind, points_centi from month_sum") == [(202607, "award", 0)]
    assert _balances(database) == {}
    again = _send(house, [_award("T3", kind="reversal", reverses="T1", points_centi=700)], "k3")
    assert _statuses(again) == [("conflict", "already-reversed")]
    assert not _faults(database)


def test_gifts_and_purchases_move_what_can_be_spent(house: House, database: TestDatabase) -> None:
    _send(house, [_award("T1", points_centi=600), _award("T2", kind="transfer_out", activity="neighbourly", points_centi=600),
                  _award("T3", "F2", ID_C, kind="transfer_in", activity="neighbourly", points_centi=600)])  # fmt: skip
    assert _balances(database) == {("F2", "available"): 600}
    assert not _faults(database)


def test_withdrawn_consent_stops_new_items(house: House) -> None:
    body = orjson.dumps([{"id_no": ID_A, "purpose": p} for p in ("loan_mapping", "redemption")])
    first = withdraw_consents(house, TOWN, "town-a", body, now=NOW)
    second = withdraw_consents(house, TOWN, "town-a", body, now=NOW)
    assert [a.status for a in first] == ["accepted", "accepted"]
    assert [a.status for a in second] == ["duplicate", "duplicate"]
    assert _statuses(_send(house, [_award("T1"), _award("T2", id_no=ID_B)])) == [
        ("rejected", "no-consent"),
        ("accepted", None),
    ]


def test_what_was_remembered_ends_with_every_change(house: House, database: TestDatabase) -> None:
    """Each push resolves from memory until somebody registers or withdraws, in this process or another."""
    stranger = invented_id_no(77)
    assert _statuses(_send(house, [_award("T1", "F7", stranger)])) == [("rejected", "no-consent")]
    _register(house, [{"code": "F7", "members": [{"id_no": stranger}]}])
    assert _statuses(_send(house, [_award("T1", "F7", stranger)], "k2")) == [("accepted", None)]
    database.sql("update standing set purposes = ''")  # unseen, because nothing says that something changed
    assert _statuses(_send(house, [_award("T2", "F7", stranger)], "k3")) == [("accepted", None)]
    database.sql("update standing_version set version = gen_random_uuid()")
    assert _statuses(_send(house, [_award("T3", "F7", stranger)], "k4")) == [("rejected", "no-consent")]


def test_registering_twice_changes_nothing_and_a_child_needs_a_guardian(
    house: House, database: TestDatabase
) -> None:
    before = database.sql("select count(*) from person"), database.sql("select count(*) from consent")
    assert _register(house, [{"code": "F2", "members": [{"id_no": ID_C, "head": True}]}]) == ["accepted"]
    assert before == (
        database.sql("select count(*) from person"),
        database.sql("select count(*) from consent"),
    )
    child = invented_id_no(5, date(2018, 1, 1))
    assert _register(house, [{"code": "F3", "members": [{"id_no": child}]}]) == ["rejected"]
    assert _register(house, [{"code": "F3", "members": [{"id_no": child, "guardian": True}]}]) == ["accepted"]


def test_who_leaves_a_family_is_dated_not_deleted(house: House, database: TestDatabase) -> None:
    _register(house, [{"code": "F1", "members": [{"id_no": ID_A, "head": True}]}])
    rows = database.sql("select valid_until_on from membership order by valid_until_on")
    assert rows[0] == (date(2026, 11, 20),)
    assert len(rows) == 3


def test_several_pushes_share_a_transaction_and_each_gets_its_own_answer(
    house: House, database: TestDatabase
) -> None:
    _send(house, [_award("T0")], "used")
    outcomes = receive_together(
        house,
        [
            push([_award("T1")], "a"),
            push(b"{broken", "b"),
            push([_award("T1")], "c"),
            push([_award("T9")], "used"),
        ],
        NOW,
    )
    kinds = [type(o).__name__ if isinstance(o, GatewayError) else _statuses(o)[0][0] for o in outcomes]
    assert kinds == ["accepted", "InvalidError", "duplicate", "RefusedError"]
    assert database.sql("select count(*) from contribution_batch") == [(3,)]
    assert not _faults(database)


def test_many_threads_sending_the_same_store_it_once(house: House, database: TestDatabase) -> None:
    items = [_award(f"T{n}", *(("F2", ID_C) if n % 2 else ("F1", ID_A))) for n in range(60)]
    outcomes: list[str] = []

    def send(key: str, order: int) -> None:
        try:
            outcomes.append(_statuses(_send(house, items[::order], key))[0][0])
        except (ConflictError, UnavailableError) as exc:
            outcomes.append(exc.code)

    threads = [threading.Thread(target=send, args=(f"k{n % 4}", 1 if n % 2 else -1)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "accepted" in outcomes
    assert database.sql("select count(*), sum(points_centi) from contribution") == [(60, 6000)]
    assert _balances(database) == {("F1", "available"): 3000, ("F2", "available"): 3000}
    assert not _faults(database)


def test_a_push_that_cannot_be_read_stores_nothing(house: House, database: TestDatabase) -> None:
    with pytest.raises(InvalidError):
        receive_contributions(house, push(b"[", "k"), now=NOW)
    assert database.sql("select count(*) from contribution_batch") == [(0,)]


def test_another_clients_batch_is_not_found(house: House) -> None:
    answer = _send(house, [_award("T1")])
    with pytest.raises(NotFoundError):
        find_batch(house, TOWN, "town-b", answer.batch_id)


def test_pushes_arriving_together_are_combined_and_one_bad_one_harms_nobody(
    house: House, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.flows import receive_contributions as module

    sizes: list[int] = []
    real = receive_together
    gate = threading.Event()

    def slowly(house: House, pushes: Any, now: Any) -> Any:
        sizes.append(len(pushes))
        gate.wait(5)
        if len(pushes) > 1 and any(p.idempotency_key == "poison" for p in pushes):
            raise RuntimeError("one of them is to blame")
        return real(house, pushes, now)

    monkeypatch.setattr(module, "_combiner", Combiner(slowly))
    outcomes: dict[str, str] = {}

    def send(key: str, items: Any) -> None:
        try:
            outcomes[key] = _statuses(receive_contributions(house, push(items, key), now=NOW))[0][0]
        except GatewayError as exc:
            outcomes[key] = exc.code

    work = [(f"k{n}", [_award(f"T{n}")]) for n in range(12)] + [("poison", b"{broken")]
    threads = [threading.Thread(target=send, args=entry) for entry in work]
    for thread in threads:
        thread.start()
    while len(module._combiner._waiting) < 12:
        pass
    gate.set()
    for thread in threads:
        thread.join()
    assert max(sizes) >= 12
    assert outcomes.pop("poison") == "broken-json"
    assert set(outcomes.values()) == {"accepted"}
    assert database.sql("select count(*) from contribution") == [(12,)]


def test_a_stream_answers_in_order_and_a_reversal_finds_its_original(
    house: House, database: TestDatabase
) -> None:
    """Twenty pushes of which each later one reverses an item of the one before, and sends another again."""
    pushes = []
    for n in range(20):
        items = [_award(f"S{n}-{m}", *(("F2", ID_C) if m % 2 else ("F1", ID_A))) for m in range(6)]
        if n:
            items.append(_award(f"R{n}", kind="reversal", reverses=f"S{n - 1}-0"))
            items.append(_award(f"S{n - 1}-2"))
        body = b"\n".join(orjson.dumps(item) for item in items)
        pushes.append(push(body, f"stream#{n}", as_lines=True))
    answers = list(receive_stream(house, pushes))
    assert [a.batch_id for a in answers] == [p.batch_id for p in pushes]
    assert {s for a in answers for s, _ in _statuses(a)[:6]} == {"accepted"}
    assert {tuple(_statuses(a)[6:]) for a in answers[1:]} == {(("accepted", None), ("duplicate", None))}
    assert _balances(database) == {("F1", "available"): 4100, ("F2", "available"): 6000}
    assert not _faults(database)
    again = list(receive_stream(house, pushes))
    assert all(a.replayed for a in again)
    assert [a.items for a in again] == [a.items for a in answers]


def test_a_stream_stops_at_the_first_push_that_cannot_be_received(
    house: House, database: TestDatabase
) -> None:
    _send(house, [_award("T0")], "s#1")
    pushes = [push([_award(f"T{n}")], f"s#{n}") for n in range(1, 9)]
    stream = receive_stream(house, [push([_award("T9")], "s#0"), *pushes])
    assert _statuses(next(stream)) == [("accepted", None)]
    with pytest.raises(RefusedError):
        next(stream)
    assert database.sql("select count(*) <= 5 from contribution") == [(True,)]
    assert not _faults(database)
