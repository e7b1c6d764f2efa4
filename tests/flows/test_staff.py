"""Signing in: what lets somebody in, what does not, and what each leaves in the log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.config import Config
from gateway.flows.authorize_staff import authorize_staff
from gateway.flows.change_password import change_password
from gateway.flows.list_staff import list_staff
from gateway.flows.purge_sessions import purge_sessions
from gateway.flows.renew_credentials import renew_credentials
from gateway.flows.replace_staff import replace_staff
from gateway.flows.seal_log import seal_log
from gateway.flows.sign_in import sign_in
from gateway.flows.sign_out import sign_out
from gateway.flows.switch_staff import switch_staff
from gateway.flows.verify_log import verify_log
from gateway.house import House
from schemas.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
)
from schemas.staff import NewStaff, Role, SignIn
from tests.conftest import TestDatabase
from tests.plain_town import NOW, plain_house
from tests.staff_stage import BRANCH, Person, add_person

LATER = timedelta(seconds=60)


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path) -> House:
    key = tmp_path / "log.key"
    key.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    key.chmod(0o600)
    config = replace(Config(), log_key=key, log_verifiers=tmp_path / "log.vkeys")
    return plain_house(database, config=config)


def _enter(house: House, person: Person, at_s: int = 0) -> str:
    at = NOW + timedelta(seconds=at_s)
    return sign_in(house, person.sign_in(at), now=at).token


def _events(database: TestDatabase) -> list[tuple[object, ...]]:
    return database.sql("select event, code from staff_event order by occurred_at, event_id")


def test_the_right_credentials_let_in_and_out(house: House, database: TestDatabase) -> None:
    anna = add_person(house, "T001", Role.CLERK, Role.SUPERVISOR)
    token = _enter(house, anna)
    caller = authorize_staff(house, token, {Role.CLERK}, "/x", now=NOW)
    assert (caller.branch_no, caller.teller_no) == (BRANCH, "T001")
    assert sorted(caller.roles) == ["clerk", "supervisor"]
    assert sign_out(house, token, now=NOW + LATER) == ""
    assert sign_out(house, token, now=NOW + LATER) == ""  # twice is once
    with pytest.raises(UnauthenticatedError):
        authorize_staff(house, token, (), "/x", now=NOW + LATER)
    assert _events(database) == [("signed_in", "directory"), ("signed_out", "asked")]


def test_nothing_in_the_clear_is_stored(house: House, database: TestDatabase) -> None:
    anna = add_person(house, "T001")
    token = _enter(house, anna)
    everything = str(
        database.sql("select s::text from staff_secret s")
        + database.sql("select x::text from staff_session x")
    )
    everything += str(database.sql("select convert_from(body, 'UTF8') from record"))
    for secret in (anna.credentials.password, anna.credentials.totp_secret, token, "测试T001"):
        assert secret not in everything
        assert secret.encode().hex() not in everything


def test_the_auditor_cannot_read_secrets(house: House, database: TestDatabase) -> None:
    add_person(house, "T001")
    found = database.sql(
        "select has_table_privilege('gateway_auditor', t, 'select') from unnest(array['staff_secret', 'staff_session']) t"
    )
    assert found == [(False,), (False,)]


@pytest.mark.parametrize("wrong", ["password", "code", "teller", "all empty", "code of another person"])
def test_wrong_credentials_are_refused_alike(house: House, wrong: str) -> None:
    anna, bert = add_person(house, "T001"), add_person(house, "T002")
    asked = anna.sign_in(NOW)
    asked = {
        "password": asked._replace(password="correct horse battery"),
        "code": asked._replace(code="000000" if asked.code != "000000" else "000001"),
        "teller": asked._replace(teller_no="T999"),
        "all empty": SignIn("", "", ""),
        "code of another person": asked._replace(code=bert.sign_in(NOW).code),
    }[wrong]
    with pytest.raises(UnauthenticatedError) as caught:
        sign_in(house, asked, now=NOW)
    assert (caught.value.code, caught.value.where, caught.value.value) == ("sign-in-refused", None, None)


def test_a_code_opens_once(house: House) -> None:
    anna = add_person(house, "T001")
    sign_in(house, anna.sign_in(NOW), now=NOW)
    with pytest.raises(UnauthenticatedError):
        sign_in(house, anna.sign_in(NOW), now=NOW)
    sign_in(house, anna.sign_in(NOW, step=1), now=NOW)
    with pytest.raises(UnauthenticatedError):  # nor does an earlier one that was not used
        sign_in(house, anna.sign_in(NOW, step=-1), now=NOW)


def test_an_old_code_is_no_code(house: House) -> None:
    anna = add_person(house, "T001")
    with pytest.raises(UnauthenticatedError):
        sign_in(house, anna.sign_in(NOW), now=NOW + timedelta(seconds=90))


def test_five_failures_lock_and_time_unlocks(house: House, database: TestDatabase) -> None:
    anna = add_person(house, "T001")
    for _ in range(5):
        with pytest.raises(UnauthenticatedError):
            sign_in(house, SignIn("T001", "wrong password", "123456"), now=NOW)
    with pytest.raises(UnauthenticatedError):
        sign_in(house, anna.sign_in(NOW), now=NOW)
    with pytest.raises(UnauthenticatedError):
        _enter(house, anna, 899)
    assert _enter(house, anna, 900)
    assert [code for event, code in _events(database) if event == "locked"] == ["too-many-failures"]


def test_guesses_made_side_by_side_are_counted(house: House) -> None:
    anna = add_person(house, "T001")

    def guess(_: int) -> None:
        with pytest.raises(UnauthenticatedError):
            sign_in(house, SignIn("T001", "wrong password", "123456"), now=NOW)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(guess, range(6)))
    with pytest.raises(UnauthenticatedError):
        sign_in(house, anna.sign_in(NOW), now=NOW)


def test_a_success_forgives(house: House) -> None:
    anna = add_person(house, "T001")
    for round_no in range(3):
        for _ in range(4):
            with pytest.raises(UnauthenticatedError):
                sign_in(house, SignIn("T001", "wrong password", "123456"), now=NOW)
        assert _enter(house, anna, 60 * round_no)


def test_one_session_a_person(house: House) -> None:
    anna = add_person(house, "T001")
    first, second = _enter(house, anna), _enter(house, anna, 60)
    with pytest.raises(UnauthenticatedError):
        authorize_staff(house, first, (), "/x", now=NOW + LATER)
    assert authorize_staff(house, second, (), "/x", now=NOW + LATER).teller_no == "T001"


def test_a_session_ends_when_idle_and_at_its_longest(house: House) -> None:
    anna = add_person(house, "T001")
    token = _enter(house, anna)
    for minute in range(14, 14 * 40, 14):
        authorize_staff(house, token, (), "/x", now=NOW + timedelta(minutes=minute))
    with pytest.raises(UnauthenticatedError) as caught:
        authorize_staff(house, token, (), "/x", now=NOW + timedelta(minutes=14 * 39 + 15))
    assert caught.value.code == "session-idle"
    token = _enter(house, anna, 86_400)
    for minute in range(10, 600, 10):
        authorize_staff(house, token, (), "/x", now=NOW + timedelta(days=1, minutes=minute))
    with pytest.raises(UnauthenticatedError) as caught:
        authorize_staff(house, token, (), "/x", now=NOW + timedelta(days=1, minutes=600))
    assert caught.value.code == "session-too-old"


def test_a_session_is_bound_to_branch_and_teller(house: House, database: TestDatabase) -> None:
    anna = add_person(house, "T001")
    token = _enter(house, anna)
    moved = NewStaff("测试T001", "330109002", "T001", frozenset({Role.CLERK}))
    assert replace_staff(house, "T001", moved, by="test", now=NOW + LATER)
    assert not replace_staff(house, "T001", moved, by="test", now=NOW + LATER)
    with pytest.raises(UnauthenticatedError):
        authorize_staff(house, token, (), "/x", now=NOW + LATER)
    token = _enter(house, anna, 120)
    database.sql("alter table staff disable trigger all")
    database.sql("update staff set branch_no = '330109003'")  # behind the house's back
    with pytest.raises(UnauthenticatedError) as caught:
        authorize_staff(house, token, (), "/x", now=NOW + timedelta(seconds=121))
    assert caught.value.code == "branch-changed"


def test_a_disabled_account_is_out_at_once(house: House) -> None:
    anna = add_person(house, "T001")
    token = _enter(house, anna)
    assert switch_staff(house, "T001", False, by="test", now=NOW + LATER)
    assert not switch_staff(house, "T001", False, by="test", now=NOW + LATER)
    with pytest.raises(UnauthenticatedError):
        authorize_staff(house, token, (), "/x", now=NOW + LATER)
    with pytest.raises(UnauthenticatedError):
        _enter(house, anna, 60)
    assert switch_staff(house, "T001", True, by="test", now=NOW + LATER)
    assert _enter(house, anna, 120)


def test_a_missing_role_is_refused_and_recorded(house: House, database: TestDatabase) -> None:
    anna = add_person(house, "T001", Role.CLERK)
    token = _enter(house, anna)
    with pytest.raises(ForbiddenError):
        authorize_staff(house, token, {Role.AUDITOR}, "/audit/<case>", now=NOW)
    assert database.sql("select code, place from staff_event where event = 'refused'") == [
        ("role-missing", "/audit/<case>")
    ]


def test_new_credentials_end_the_old(house: House) -> None:
    anna = add_person(house, "T001")
    token = _enter(house, anna)
    fresh = Person("T001", renew_credentials(house, "T001", by="test", now=NOW))
    with pytest.raises(UnauthenticatedError):
        authorize_staff(house, token, (), "/x", now=NOW)
    with pytest.raises(UnauthenticatedError):
        _enter(house, anna, 60)
    assert _enter(house, fresh, 120)
    with pytest.raises(NotFoundError):
        renew_credentials(house, "T404", by="test", now=NOW)


def test_a_password_is_changed_by_its_owner(house: House) -> None:
    anna = add_person(house, "T001")
    caller = authorize_staff(house, _enter(house, anna), (), "/x", now=NOW)
    at = NOW + LATER
    right = anna.sign_in(at)
    for asked, password, code in (
        (right, "short", "password-length"),
        (right, "my number is T001 ok", "password-weak"),
        (right, "aaaaaaaaaaaaaaaa", "password-weak"),
        (right, anna.credentials.password, "password-same"),
        (right._replace(password="nonsense at all"), "a sentence of my own", "sign-in-refused"),
    ):
        with pytest.raises(InvalidError) as caught:
            change_password(house, caller, asked, password, now=at)
        assert caught.value.code == code
    change_password(house, caller, right, "a sentence of my own", now=at)
    changed = Person("T001", anna.credentials._replace(password="a sentence of my own"))
    assert _enter(house, changed, 120)
    with pytest.raises(UnauthenticatedError):
        _enter(house, anna, 180)


@pytest.mark.parametrize(
    ("new", "where"),
    [
        (NewStaff("", BRANCH, "T1", frozenset({Role.CLERK})), "name"),
        (NewStaff("甲", "branch", "T1", frozenset({Role.CLERK})), "branch_no"),
        (NewStaff("甲", BRANCH, "T 1", frozenset({Role.CLERK})), "teller_no"),
        (NewStaff("甲", BRANCH, "T1", frozenset()), "roles"),
        (NewStaff("甲", BRANCH, "T1", frozenset({Role.AUDITOR, Role.CLERK})), "roles"),
        (NewStaff("甲", BRANCH, "T1", frozenset({Role.CLERK}), "provider", ""), "subject"),
    ],
)
def test_a_wrong_account_is_refused(house: House, new: NewStaff, where: str) -> None:
    from gateway.flows.add_staff import add_staff

    with pytest.raises(InvalidError) as caught:
        add_staff(house, new, by="test", now=NOW)
    assert caught.value.where == where
    assert list_staff(house) == []


def test_a_teller_number_is_one_persons(house: House) -> None:
    add_person(house, "T001")
    with pytest.raises(ConflictError):
        add_person(house, "T001")


def test_sessions_are_forgotten_after_a_week(house: House, database: TestDatabase) -> None:
    anna = add_person(house, "T001")
    sign_out(house, _enter(house, anna), now=NOW)
    assert purge_sessions(house, NOW) == 0
    assert purge_sessions(house, NOW + LATER) == 1
    assert purge_sessions(house, NOW + LATER) == 0
    assert len(_events(database)) == 2


def test_a_password_put_in_behind_the_house_is_found(house: House, database: TestDatabase) -> None:
    add_person(house, "T001")
    seal_log(house, now=NOW)
    assert verify_log(house, now=NOW).ok
    for change in ("password_hash = password_hash || 'x'", "totp_box = totp_box || '\\x00'::bytea"):
        database.sql(f"begin; update staff_secret set {change}; commit")
        report = verify_log(house, now=NOW)
        assert not report.ok
        assert "secret_sha256" in str(report.faults[0])
