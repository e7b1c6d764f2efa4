"""The kit's scenarios of part 'door': each town that pushes, through one served gateway, over its own protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from adapters import registry
from adapters.kit.running import PASSED, run_one, scenarios
from adapters.kit.scenario import Scenario, lack_of
from adapters.kit.subject import Door, DoorPlace, DoorSender
from certs import read_registration
from gateway.flows.register_client import register_client
from gateway.flows.register_soap_client import register_soap_client
from schemas.soap import SoapRegistration, SoapSecurity
from schemas.values import TownCode
from tests.conftest import TestDatabase
from tests.contract.test_scenarios import JOINED, reading_of
from tests.served import ALL_SCOPES, Served
from tests.soap_stage import x5t
from tests.wuhe_stage import der_of

OTHER = "bank"  # a certificate of the same authority that is no town's


def sends(town: TownCode) -> bool:
    joined = registry.find_check(town)
    pushes = registry.TOWNS[town].CAPABILITIES.pushes  # one that does not is skipped with that reason
    return joined is not None and (joined.sender is not None or not pushes)


def door_place(served: Served, town: TownCode) -> DoorPlace:
    """The town's credentials at the gateway, registered there."""
    made, now = served.certificates, datetime.now(UTC)
    password = "kit " + uuid4().hex
    if town in served.house.soap_towns:
        digest = served.house.soap_towns[town].security is SoapSecurity.USERNAME_DIGEST
        asked = SoapRegistration(
            f"{town}-kit",
            town,
            tuple(ALL_SCOPES.split()),
            () if digest else (der_of(made.signing(town)[0]),),
            (x5t(made.client(town)[0]),) if digest else (),
            f"{town}-kit" if digest else None,
            password if digest else None,
        )
        register_soap_client(served.house, asked, now=now)
    else:
        register_client(
            served.house,
            read_registration(town, f"{town}-kit", made.assertion(town)[1], [made.client(town)[0]]),
            now=now,
        )
    others = [other for other in registry.TOWNS if other != town]
    cert, key = map(str, made.client(town))
    return DoorPlace(
        address=served.url,
        town=town,
        client_id=f"{town}-kit",
        ca_file=str(made.ca_cert),
        client_cert=(cert, key),
        assertion_key=str(made.assertion(town)[0]),
        other_cert=(str(made.client(OTHER)[0]), str(made.client(OTHER)[1])),
        other_town=others[0],
        certs=str(made.folder),
        username=f"{town}-kit",
        password=password,
    )


@pytest.fixture(scope="module")
def doors(served: Served, served_database: TestDatabase) -> Iterator[dict[str, Door]]:
    """Each town's door, opened and its residents registered when the first scenario of the town asks."""

    def counted(town: TownCode) -> int:
        ((count,),) = served_database.sql("select count(*) from contribution where town = %s", (town,))
        return int(str(count))

    class Opened(dict[str, Door]):
        def __missing__(self, town: str) -> Door:
            code = TownCode(town)
            joined = registry.find_check(code)
            assert joined is not None
            assert joined.sender is not None
            sender: DoorSender = joined.sender(door_place(served, code))
            stack.callback(sender.close)
            reading = reading_of(code)
            registered = sender.register(reading.households or b"")
            assert set(registered.statuses) == {"accepted"}, registered
            self[town] = door = Door(reading, sender, lambda: counted(code), "t1")
            return door

    with ExitStack() as stack:
        yield Opened()


@pytest.mark.parametrize("one", scenarios("door"), ids=lambda one: one.id)
@pytest.mark.parametrize("town", [town for town in JOINED if sends(town)])
def test_their_pushes_come_through_the_door(town: TownCode, one: Scenario, doors: dict[str, Door]) -> None:
    lack = lack_of(one, registry.TOWNS[town].CAPABILITIES)
    if lack is not None:
        pytest.skip(lack[1])
    door = doors[town]
    outcome = run_one(one, door, door.reading.reader.capabilities)
    assert outcome.outcome == PASSED, outcome.reason_en
