"""The sandbox's branch: made once, stocked, with a person for each role."""

from __future__ import annotations

from datetime import timedelta

from gateway.flows.sign_in import sign_in
from gateway.sandbox.counter import GOODS, open_branch
from schemas.staff import Role
from tests.conftest import TestDatabase
from tests.plain_town import NOW, plain_house
from tests.staff_stage import Person


def test_a_branch_opens_once_with_staff_of_each_role(database: TestDatabase) -> None:
    house = plain_house(database)
    made = open_branch(house)
    assert {role for _, role, _ in made} == set(Role)
    assert len({credentials.password for _, _, credentials in made}) == len(Role)
    assert open_branch(house) == []
    assert len(database.sql("select * from stock where on_hand_count > 0")) == len(GOODS)
    teller_no, _, credentials = made[0]
    at = NOW + timedelta(seconds=60)
    assert sign_in(house, Person(teller_no, credentials).sign_in(at), now=at).token
