"""Goods for points against simulated towns: what may go wrong, and that points, goods and books agree afterwards (bar 2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import orjson
import pytest

from gateway.flows._restaters import list_sum_faults
from gateway.flows.approve_redemption import approve_redemption
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.redeem_points import redeem_points
from gateway.flows.release_redemption import release_redemption
from gateway.flows.reverse_redemption import reverse_redemption
from gateway.flows.withdraw_consents import withdraw_consents
from gateway.redemptions.states import EDGES
from schemas.errors import ConflictError, ForbiddenError, RefusedError
from schemas.redemptions import Redemption
from schemas.staff import Role
from tests.conftest import TestDatabase
from tests.plain_town import invented_id_no
from tests.redemption_stage import (
    BRANCH,
    FIRST,
    OTHER_BRANCH,
    SECOND,
    Killed,
    Stage,
    Towns,
    broken_invariants,
    build_stage,
    caller,
    running_towns,
)

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
BOTH = (("PAN", FIRST, 1), ("RICE", SECOND, 2))


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    with running_towns(tmp_path_factory.mktemp("towns")) as running:
        yield running


@pytest.fixture
def stage(database: TestDatabase, towns: Towns) -> Iterator[Stage]:
    made = build_stage(database, towns)
    yield made
    towns.heal()


def _redeem(stage: Stage, *lines: tuple[str, object, int]) -> Redemption:
    return redeem_points(stage.house, stage.clerk, stage.basket(*lines), now=stage.now)


def _books(stage: Stage) -> list[str]:
    with stage.house.audit_db.transaction(read_only=True) as tx:
        return [str(fault) for fault in list_sum_faults(tx)] + broken_invariants(stage)


def test_the_database_has_the_same_edges(database: TestDatabase) -> None:
    rows = database.sql("select from_state, event, to_state from redemption_edge")
    assert {(str(f), str(e)): str(t) for f, e, t in rows} == {
        (str(f), str(e)): str(t) for (f, e), t in EDGES.items()
    }


@pytest.mark.parametrize("lines", [(("PAN", FIRST, 2),), BOTH], ids=["one town", "two towns"])
def test_from_basket_to_hand_over(stage: Stage, lines: tuple[tuple[str, object, int], ...]) -> None:
    frozen = _redeem(stage, *lines)
    assert frozen.state == "frozen"
    assert (
        confirm_redemption(stage.house, stage.clerk, frozen.redemption_id, now=stage.now).state == "confirmed"
    )
    assert (
        hand_over_goods(stage.house, stage.clerk, frozen.redemption_id, now=stage.now).state == "handed_over"
    )
    assert _books(stage) == []
    events = stage.database.sql("select event from redemption_event order by event_no")
    assert [e for (e,) in events] == [
        "freeze_sent",
        "town_froze",
        "confirm_sent",
        "town_confirmed",
        "handed_over",
    ]


def test_twice_is_once_everywhere(stage: Stage) -> None:
    basket = stage.basket(*BOTH)
    first = redeem_points(stage.house, stage.clerk, basket, now=stage.now)
    assert redeem_points(stage.house, stage.clerk, basket, now=stage.now) == first
    for step in (confirm_redemption, hand_over_goods):
        done = step(stage.house, stage.clerk, first.redemption_id, now=stage.now)
        assert step(stage.house, stage.clerk, first.redemption_id, now=stage.now) == done
    done = reverse_redemption(stage.house, stage.supervisor, first.redemption_id, now=stage.now)
    assert done.state == "reversed"
    assert reverse_redemption(stage.house, stage.supervisor, first.redemption_id, now=stage.now) == done
    assert _books(stage) == []
    given_up = _redeem(stage)
    done = release_redemption(stage.house, stage.clerk, given_up.redemption_id, now=stage.now)
    assert done.state == "released"
    assert release_redemption(stage.house, stage.clerk, given_up.redemption_id, now=stage.now) == done
    assert _books(stage) == []


def test_another_basket_under_the_same_key_is_refused(stage: Stage) -> None:
    redeem_points(stage.house, stage.clerk, stage.basket(key="k" * 16), now=stage.now)
    with pytest.raises(ConflictError) as caught:
        redeem_points(stage.house, stage.clerk, stage.basket(("RICE", FIRST, 1), key="k" * 16), now=stage.now)
    assert caught.value.code == "idempotency-key-reused"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((("PAN", FIRST, 51),), "out-of-stock"),
        ((("PAN", FIRST, 0),), "not-offered"),
        ((("PAN", FIRST, -1),), "not-offered"),
        ((("PAN", FIRST, 1), ("PAN", SECOND, 50)), "out-of-stock"),
    ],
)
def test_a_basket_that_cannot_be_leaves_nothing(
    stage: Stage, lines: tuple[tuple[str, object, int], ...], code: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        _redeem(stage, *lines)
    assert caught.value.code == code
    assert stage.states() == []


def test_who_takes_back_the_consent_to_mapping_still_gets_goods(stage: Stage) -> None:
    """Purposes differ (PIPL art. 16): refusing one must not block the other."""

    def withdraw(purpose: str) -> None:
        body = orjson.dumps([{"id_no": invented_id_no(1), "purpose": purpose}])
        for town in (FIRST, SECOND):
            (answer,) = withdraw_consents(stage.house, town, "town-a", body, now=stage.now)
            assert answer.status == "accepted"

    withdraw("loan_mapping")
    frozen = _redeem(stage, *BOTH)
    confirm_redemption(stage.house, stage.clerk, frozen.redemption_id, now=stage.now)
    assert (
        hand_over_goods(stage.house, stage.clerk, frozen.redemption_id, now=stage.now).state == "handed_over"
    )
    withdraw("redemption")
    with pytest.raises(RefusedError) as caught:
        _redeem(stage, *BOTH)
    assert caught.value.code == "no-consent"
    assert _books(stage) == []


def test_a_tampered_price_is_refused(stage: Stage) -> None:
    with pytest.raises(ConflictError) as caught:
        redeem_points(stage.house, stage.clerk, stage.basket(lijiayuan=1), now=stage.now)
    assert caught.value.code == "price-changed"


def test_more_points_than_there_are_is_refused_by_the_town(stage: Stage) -> None:
    stage.towns.fill(stage.codes, 100)
    refused = _redeem(stage, *BOTH)
    assert refused.state == "refused"
    assert stage.database.sql("select held_count from stock where held_count > 0") == []
    stage.towns.fill(stage.codes)
    assert _books(stage) == []


def test_one_town_refuses_and_the_other_gives_back(stage: Stage) -> None:
    stage.towns.arm(SECOND, "refuse", "freeze")
    assert _redeem(stage, *BOTH).state == "released"
    assert _books(stage) == []


def test_nobody_approves_their_own_and_without_approval_nothing_goes(stage: Stage) -> None:
    frozen = _redeem(stage, ("TV", FIRST, 1))
    assert frozen.needs_approval
    with pytest.raises(RefusedError) as caught:
        confirm_redemption(stage.house, stage.clerk, frozen.redemption_id, now=stage.now)
    assert caught.value.code == "approval-needed"
    own = replace(stage.clerk, roles=frozenset({Role.CLERK, Role.SUPERVISOR}))
    other_branch = caller(stage.house, "T009", Role.SUPERVISOR, branch_no=OTHER_BRANCH)
    for who in (stage.clerk, own, other_branch):
        with pytest.raises(ForbiddenError):
            approve_redemption(stage.house, who, frozen.redemption_id, now=stage.now)
    approved = approve_redemption(stage.house, stage.supervisor, frozen.redemption_id, now=stage.now)
    assert approved.approved_by == stage.supervisor.staff_id
    assert approve_redemption(stage.house, stage.supervisor, frozen.redemption_id, now=stage.now) == approved
    assert (
        confirm_redemption(stage.house, stage.clerk, frozen.redemption_id, now=stage.now).state == "confirmed"
    )


def test_a_fourth_pan_in_the_year_needs_a_second_person(stage: Stage) -> None:
    assert not _redeem(stage, ("PAN", FIRST, 2)).needs_approval
    assert not _redeem(stage, ("PAN", FIRST, 1)).needs_approval
    assert _redeem(stage, ("PAN", SECOND, 1)).needs_approval


def test_another_branch_and_the_clerk_themselves_are_refused(stage: Stage) -> None:
    frozen = _redeem(stage)
    stranger = caller(stage.house, "T008", Role.CLERK, branch_no=OTHER_BRANCH)
    for step in (confirm_redemption, hand_over_goods, release_redemption):
        with pytest.raises(ForbiddenError) as caught:
            step(stage.house, stranger, frozen.redemption_id, now=stage.now)
        assert caught.value.code == "other-branch"
    confirm_redemption(stage.house, stage.clerk, frozen.redemption_id, now=stage.now)
    hand_over_goods(stage.house, stage.clerk, frozen.redemption_id, now=stage.now)
    for who in (stage.clerk, replace(stage.clerk, roles=frozenset({Role.SUPERVISOR}))):
        with pytest.raises(ForbiddenError):
            reverse_redemption(stage.house, who, frozen.redemption_id, now=stage.now)


def test_nothing_is_handed_over_before_the_towns_confirmed(stage: Stage) -> None:
    frozen = _redeem(stage)
    with pytest.raises(ConflictError):
        hand_over_goods(stage.house, stage.clerk, frozen.redemption_id, now=stage.now)


def test_holds_end_by_themselves(stage: Stage) -> None:
    frozen = _redeem(stage, *BOTH)
    with pytest.raises(RefusedError) as caught:
        confirm_redemption(
            stage.house, stage.clerk, frozen.redemption_id, now=stage.now + timedelta(seconds=600)
        )
    assert caught.value.code == "hold-ended"
    stage.later(600)
    stage.settle()
    assert stage.states() == ["released"]
    assert _books(stage) == []


def test_confirmed_and_given_up_before_the_hand_over_goes_back(stage: Stage) -> None:
    frozen = _redeem(stage, *BOTH)
    confirm_redemption(stage.house, stage.clerk, frozen.redemption_id, now=stage.now)
    assert (
        release_redemption(stage.house, stage.clerk, frozen.redemption_id, now=stage.now).state == "reversed"
    )
    assert _books(stage) == []


def test_a_freeze_that_ended_at_the_town_is_no_confirmation(stage: Stage) -> None:
    frozen = _redeem(stage, *BOTH)
    leg = next(leg for leg in frozen.legs if leg.town == SECOND)
    stage.house.clients[SECOND].release(leg.serial)  # as if its own time were over
    assert (
        confirm_redemption(stage.house, stage.clerk, frozen.redemption_id, now=stage.now).state == "unknown"
    )
    stage.settle()
    assert stage.states() == ["released"]
    assert _books(stage) == []


def test_a_resident_without_consent_or_account_is_refused(stage: Stage) -> None:
    stage.database.sql("delete from membership where town = %s", [SECOND])
    with pytest.raises(RefusedError) as caught:
        _redeem(stage, *BOTH)
    assert caught.value.code == "no-account"
    stage.database.sql("alter table consent disable trigger all")
    stage.database.sql(
        "update consent set withdrawn_at = given_at, withdrawal_recorded_at = given_at where purpose = 'redemption'"
    )
    with pytest.raises(RefusedError) as caught:
        _redeem(stage)
    assert caught.value.code == "no-consent"


def test_on_another_day_the_reversal_is_a_correcting_entry(stage: Stage) -> None:
    frozen = _redeem(stage)
    confirm_redemption(stage.house, stage.clerk, frozen.redemption_id, now=stage.now)
    hand_over_goods(stage.house, stage.clerk, frozen.redemption_id, now=stage.now)
    reverse_redemption(stage.house, stage.supervisor, frozen.redemption_id, now=stage.now + timedelta(days=1))
    codes = stage.database.sql("select code from redemption_event where event = 'reversal_asked'")
    assert codes == [("correcting-entry",)]


def _play(stage: Stage, act: str, fault: str, kill: str, lines: tuple[tuple[str, object, int], ...]) -> None:
    """Walk to the call `act` with a fault or a death at it, then let the jobs do the rest, then the clerk what is left to do."""
    last = FIRST if len(lines) == 1 else SECOND
    dying = stage.dying(act, kill, last) if kill else stage.house
    if fault:
        stage.towns.arm(last, fault, act, seconds=1.3)
    steps = {"freeze": 0, "confirm": 1, "release": 1, "reverse": 3}[act]
    redemption_id = None
    try:
        basket = stage.basket(*lines)
        redemption_id = redeem_points(
            dying if steps == 0 else stage.house, stage.clerk, basket, now=stage.now
        ).redemption_id
        if act == "release":
            release_redemption(dying, stage.clerk, redemption_id, now=stage.now)
        if act in ("confirm", "reverse"):
            confirm_redemption(
                dying if act == "confirm" else stage.house, stage.clerk, redemption_id, now=stage.now
            )
        if act == "reverse":
            hand_over_goods(stage.house, stage.clerk, redemption_id, now=stage.now)
            reverse_redemption(dying, stage.supervisor, redemption_id, now=stage.now)
    except Killed:
        pass
    stage.towns.heal()
    stage.settle()
    rows = stage.database.sql("select redemption_id::text from redemption where state = 'confirmed'")
    for (confirmed,) in rows:
        hand_over_goods(stage.house, stage.clerk, confirmed, now=stage.now)


FAULTS = ("", "drop", "refuse", "busy", "garbage", "slow")


@pytest.mark.parametrize(
    "lines", [(("RICE", FIRST, 1),), (("RICE", FIRST, 1), ("RICE", SECOND, 1))], ids=["one", "two"]
)
@pytest.mark.parametrize("act", ["freeze", "confirm", "release", "reverse"])
def test_whatever_happens_at_a_town_everything_agrees_afterwards(
    stage: Stage, act: str, lines: tuple[tuple[str, object, int], ...]
) -> None:
    """Each fault of the simulator, and the process killed before and after the call, one after another on the same stage."""
    for fault in FAULTS:
        for kill in ("", "before", "after") if fault != "slow" else ("",):
            _play(stage, act, fault, kill, lines)
            assert broken_invariants(stage) == [], (act, fault, kill)
    assert _books(stage) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_inquiring_the_next_run_goes_on(stage: Stage, when: str) -> None:
    from gateway.flows.settle_redemptions import settle_redemptions

    stage.towns.arm(FIRST, "drop", "confirm")
    frozen = _redeem(stage)
    assert (
        confirm_redemption(stage.house, stage.clerk, frozen.redemption_id, now=stage.now).state == "unknown"
    )
    with pytest.raises(Killed):
        settle_redemptions(stage.dying("find", when), now=stage.later())
    stage.settle()
    assert stage.states() == ["confirmed"]
    hand_over_goods(stage.house, stage.clerk, frozen.redemption_id, now=stage.now)
    assert _books(stage) == []


def test_a_request_still_on_its_way_is_not_taken_for_never_heard(stage: Stage) -> None:
    from gateway.flows.settle_redemptions import settle_redemptions

    stage.towns.arm(FIRST, "drop", "freeze")
    with pytest.raises(Killed):
        redeem_points(stage.dying("freeze", "before"), stage.clerk, stage.basket(), now=stage.now)
    stage.towns.heal()
    stage.database.sql("alter table redemption disable trigger redemption_edges")
    stage.database.sql("update redemption set next_attempt_at = %s", [stage.now])
    settle_redemptions(stage.house, now=stage.later(5))
    assert stage.states() == ["unknown"]
    stage.settle()
    assert stage.states() == ["refused"]
    assert _books(stage) == []


def test_stock_is_refused_below_zero_and_never_edited(stage: Stage) -> None:
    with pytest.raises(Exception, match="held_is_there"):
        stage.database.sql(
            "insert into stock_movement values (%s, 'write_off', %s, %s, -51, 0, '', 't', now())",
            [str(uuid4()), BRANCH, str(stage.goods["PAN"])],
        )
    _redeem(stage)
    for statement in (
        "set role gateway_app; update stock set on_hand_count = 1",
        "set role gateway_app; update stock set branch_no = branch_no",
        "set role gateway_app; delete from stock_movement",
        "update stock_movement set on_hand_change_count = 1",
        "set role gateway_app; update redemption set state = 'confirmed'",
        "update redemption set state = 'confirmed'",
        "update redemption set person_id = 1",
    ):
        with pytest.raises(Exception, match=r"permission|refused|only|never|does not go"):
            stage.database.sql(statement)


def test_an_event_names_no_resident(stage: Stage) -> None:
    stage.towns.fill(stage.codes, 0)
    refused = _redeem(stage)
    rows = stage.database.sql(
        "select code, stands from redemption_event where redemption_id = %s", [str(refused.redemption_id)]
    )
    assert "notEnoughPoints" in str(rows)
    assert not any(code in str(rows) for code in stage.codes)
