"""Evidence of redemptions and of opened periods: complete, unchangeable byte by byte and by the holder of the key."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import lijiayuan
from gateway.db.embedded import Embedded
from gateway.flows.answer_objection import answer_objection
from gateway.flows.export_evidence import Wanted, export_evidence
from gateway.flows.find_resident import find_resident
from gateway.flows.reverse_redemption import reverse_redemption
from gateway.flows.seal_log import seal_log
from gateway.house import House
from gateway.translog import load_signer, load_verifiers
from gateway.translog.note import Verifier
from gateway.verifier.document import join, seal_text, split, write_unsealed
from gateway.verifier.evidence import verify_evidence
from schemas.errors import GatewayError, NotFoundError
from schemas.objections import Finding, ObjectionKind
from schemas.staff import Role
from tests.contract.simulated_town import running_town
from tests.goods_stage import a_clerk, stock_pans, take_pan
from tests.objection_stage import ANNA, BORIS, WORDS, object_to, objection_house
from tests.plain_town import NOW, TOWN
from tests.served import scratch_database


@dataclass
class Stage:
    """Anna took three pans, one of which she gave back; and asked."""

    house: House
    verifiers: list[Verifier]
    redemptions: list[UUID]

    def export(self, wanted: Wanted) -> bytes:
        return export_evidence(self.house, wanted, by="auditor", reason="a test", now=NOW).content

    def seal_again(self, document: Any) -> bytes:
        """As whoever holds the bank's key would."""
        signer = load_signer(self.house.config.log_key, self.house.config.log_origin)
        text = seal_text(signer.name, write_unsealed(document))
        return join(write_unsealed(document), f"{text}\n{signer.sign(text)}").encode()


@pytest.fixture(scope="module")
def stage(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("goods")
    with (
        scratch_database(postgres) as database,
        objection_house(database, folder) as (plain, _),
        running_town(folder / "town") as town,
    ):
        house = replace(plain, clients={TOWN: lijiayuan.create_client(town.config)})
        pan, clerk = stock_pans(house, town), a_clerk()
        anna, boris = find_resident(house, ANNA), find_resident(house, BORIS)
        taken = [
            take_pan(house, clerk, anna, pan),
            take_pan(house, clerk, anna, pan, proxy_id=boris),
            take_pan(house, clerk, anna, pan),
        ]
        supervisor = replace(a_clerk("S001"), roles=frozenset({Role.SUPERVISOR}))
        reverse_redemption(house, supervisor, taken[2], now=NOW)
        asked = object_to(house, ANNA, ObjectionKind.QUESTION)
        answer_objection(
            house, asked.objection_id, by="T1", finding=Finding.EXPLAINED, answer="so it is", now=NOW
        )
        seal_log(house, now=NOW)
        config = house.config
        keys = load_verifiers(config.log_verifiers, config.log_key, config.log_origin)
        yield Stage(house, keys, taken)


@pytest.fixture(scope="module")
def taken(stage: Stage) -> bytes:
    return stage.export(Wanted(redemption_id=stage.redemptions[0]))


@pytest.fixture(scope="module")
def given_back(stage: Stage) -> bytes:
    return stage.export(Wanted(redemption_id=stage.redemptions[2]))


def test_a_redemption_comes_with_its_price_its_stock_and_each_step(
    stage: Stage, taken: bytes, given_back: bytes
) -> None:
    verdict = verify_evidence(taken, stage.verifiers)
    assert (verdict.about_kind, verdict.about_id) == ("redemption", str(stage.redemptions[0]))
    assert verdict.kinds == {"redemption_event": 5, "stock_moved": 2, "good_price_set": 1}
    assert verify_evidence(given_back, stage.verifiers).kinds["stock_moved"] == 3
    page = taken.decode()
    for words in ("兑换的一步", "协议价格", "50.00", "库存变动"):
        assert words in page
    with pytest.raises(NotFoundError):
        stage.export(Wanted(redemption_id=UUID(int=7)))


def test_a_resident_s_file_holds_goods_and_objections(stage: Stage) -> None:
    content = stage.export(Wanted(person_id=find_resident(stage.house, ANNA)))
    verdict = verify_evidence(content, stage.verifiers)
    assert (verdict.kinds["objection_received"], verdict.kinds["objection_event"]) == (1, 1)
    assert verdict.kinds["redemption_event"] > 15
    assert WORDS in content.decode()  # it is the resident's own file: the words are opened
    fetched = verify_evidence(
        stage.export(Wanted(person_id=find_resident(stage.house, BORIS))), stage.verifiers
    )
    assert fetched.kinds["redemption_event"] == 5
    document = json.loads(json.dumps(split(content)[0]))
    _of(document, "objection_received")["opening"]["content"]["words"] = "nothing"
    with pytest.raises(GatewayError, match="not those the record committed to"):
        verify_evidence(stage.seal_again(document), stage.verifiers)


def test_an_opened_period_shows_what_was_committed_to(stage: Stage) -> None:
    day = Wanted(from_at=NOW - timedelta(hours=1), until_at=NOW + timedelta(hours=1))
    closed, opened = stage.export(day), stage.export(replace(day, opened=True))
    assert verify_evidence(opened, stage.verifiers).kinds == verify_evidence(closed, stage.verifiers).kinds
    assert "discount_bp" in opened.decode()
    assert "discount_bp" not in closed.decode()
    document = json.loads(json.dumps(split(opened)[0]))
    _of(document, "decision")["opening"]["content"]["discount_bp"] += 1
    with pytest.raises(GatewayError, match="not those the record committed to"):
        verify_evidence(stage.seal_again(document), stage.verifiers)


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 255))
def test_no_byte_can_be_changed(stage: Stage, given_back: bytes, chance: random.Random, flip: int) -> None:
    """Bar 4, for redemptions."""
    at = chance.randrange(len(given_back))
    changed = given_back[:at] + bytes([given_back[at] ^ flip]) + given_back[at + 1 :]
    with pytest.raises(GatewayError) as refused:
        verify_evidence(changed, stage.verifiers)
    assert len(refused.value.what) > 20
    assert refused.value.where or refused.value.value


@pytest.mark.soak
def test_no_byte_in_sixty_can_be_changed(stage: Stage, given_back: bytes) -> None:
    for at in range(0, len(given_back), 61):
        with pytest.raises(GatewayError):
            verify_evidence(
                given_back[:at] + bytes([given_back[at] ^ 1]) + given_back[at + 1 :], stage.verifiers
            )


def _of(document: Any, kind: str, number: int = 0) -> Any:
    found = [one for one in document["statements"] if json.loads(one["record"])["kind"] == kind]
    return found[number]


def _left_out(kind: str, number: int = 0) -> Any:
    def leave(document: Any) -> None:
        document["statements"].remove(_of(document, kind, number))

    return leave


def _other_good(document: Any) -> None:
    one = _of(document, "redemption_event")
    one["record"] = one["record"].replace('"event":"freeze_sent"', '"event":"town_froze"')


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_left_out("redemption_event"), "left out before this one"),
        (_left_out("redemption_event", 2), "left out before this one"),
        (_left_out("stock_moved"), "hold of the goods in the stock register is left out"),
        (_left_out("stock_moved", 1), "issue of the goods in the stock register is left out"),
        (_left_out("stock_moved", 2), "return of the goods in the stock register is left out"),
        (_left_out("good_price_set"), "price of line 1 is left out"),
        (_other_good, "not the one that was sealed"),
        (lambda document: document["about"].update(id=str(UUID(int=3))), "is not in it"),
        (lambda document: _of(document, "stock_moved")["attached"].update(x="y"), "attached"),
    ],
)
def test_even_the_holder_of_the_key_cannot_change_it(
    stage: Stage, given_back: bytes, change: Any, said: str
) -> None:
    document = json.loads(json.dumps(split(given_back)[0]))
    change(document)
    with pytest.raises(GatewayError, match=said):
        verify_evidence(stage.seal_again(document), stage.verifiers)


def test_another_redemption_s_records_do_not_fit(stage: Stage, taken: bytes, given_back: bytes) -> None:
    document, other = (json.loads(json.dumps(split(one)[0])) for one in (taken, given_back))
    other["checkpoint"], other["made_at"] = document["checkpoint"], document["made_at"]
    document["statements"].append(_of(other, "stock_moved"))
    with pytest.raises(GatewayError, match="not in the file"):
        verify_evidence(stage.seal_again(document), stage.verifiers)
    document["statements"] = [*split(taken)[0]["statements"], *split(given_back)[0]["statements"]]
    with pytest.raises(GatewayError, match=r"twice|another one is"):
        verify_evidence(stage.seal_again(document), stage.verifiers)
