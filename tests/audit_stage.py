"""A stage for the audit desk: one family seen by two towns, decided about twice, answered by a simulated bank, sealed and
witnessed, behind a served gateway with an auditor. All identities are invented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from certs import ensure_development
from gateway.config import load_config
from gateway.db.embedded import Embedded
from gateway.flows.approve_ruleset import approve_ruleset
from gateway.flows.cosign_checkpoint import cosign_checkpoint
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.flows.find_resident import find_resident
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.propose_ruleset import propose_ruleset
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.refresh_facilities import refresh_facilities
from gateway.flows.register_households import register_households
from gateway.flows.seal_log import seal_log
from gateway.house import House
from gateway.policy import packaged_text
from gateway.translog import load_verifiers
from schemas.contributions import Push
from schemas.staff import Role
from schemas.values import TownCode
from tests.bank_stage import bank_client, simulated_bank
from tests.conftest import TestDatabase
from tests.plain_town import PlainReader, invented_id_no
from tests.served import Served, scratch_database, served_gateway
from tests.staff_stage import Browser, Person, add_person
from tests.witnessing import Running, running_witness, watched

LIJIAYUAN, PINGAN = TownCode("lijiayuan"), TownCode("pingan_gongfu")
WANG, LI = invented_id_no(1), invented_id_no(2)  # the head of the family, and somebody else's
FAMILY = "GL000001"


class _Pingan(PlainReader):
    town = PINGAN


@dataclass
class AuditStage:
    """The served gateway, the same house in this process, and who works here."""

    served: Served
    house: House  # with plain towns and a bank, for arranging
    database: TestDatabase
    witness: Running
    auditor: Person
    other_auditor: Person
    clerk: Person
    inside: dict[str, Browser] = field(default_factory=dict)

    @property
    def person_id(self) -> int:
        """Our number of the head of the family."""
        return find_resident(self.house, WANG)

    def enter(self, person: Person) -> Browser:
        """Signed in once: a code of the second factor opens the door once."""
        if person.teller_no not in self.inside:
            browser = Browser(self.served.url, self.served.certificates.ca_cert)
            assert browser.sign_in(person).status_code == 303
            self.inside[person.teller_no] = browser
        return self.inside[person.teller_no]

    def decisions(self) -> list[UUID]:
        """About the family, oldest first."""
        rows = self.database.sql(
            "select decision_id from decision where applicant_id = %s order by decided_at, decision_id",
            [self.person_id],
        )
        return [UUID(str(one)) for (one,) in rows]

    def look(self, browser: Browser, words: str = WANG, **fields: str) -> str:
        """Search for a resident with a reason; the address of their pages."""
        sent = {"sought": "resident", "words": words, "reason": "audit_routine", **fields}
        answer = browser.post("/audit/find", page="/audit/", **sent)
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]


@contextmanager
def audit_stage(postgres: Embedded, folder: Path) -> Iterator[AuditStage]:
    """Everything of the stage; it takes some seconds, so share it."""
    config = load_config({"GATEWAY_STATE_DIR": str(folder / "state")})
    ensure_development(config)
    keys = [one.vkey() for one in load_verifiers(config.log_verifiers, config.log_key, config.log_origin)]
    with (
        scratch_database(postgres) as database,
        running_witness(folder / "witness", "town.example/witness", keys[:1]) as witness,
        simulated_bank() as bank,
    ):
        file = folder / "witnesses.toml"
        file.write_text(  # the web process asks no witness, it only knows whose signature counts
            f'quorum = 1\n[[witness]]\naddress = "https://127.0.0.1:1"\nvkey = "{witness.vkey}"\nsandbox = true\n'
        )
        with served_gateway(database, folder, web_processes="1", witnesses_file=str(file)) as served:
            plain = replace(
                served.house,
                readers={LIJIAYUAN: PlainReader(), PINGAN: _Pingan()},
                bank=bank_client(bank.address),
            )
            house = watched(plain, [witness], quorum=1)
            for id_no in (WANG, LI):
                bank.say_of(id_no, base_rate_bp=435, base_limit_fen=15_000_000, vetoes=[], honours=[])
            _happen(house)
            yield AuditStage(
                served,
                house,
                database,
                witness,
                add_person(served.house, "A001", Role.AUDITOR),
                add_person(served.house, "A002", Role.AUDITOR),
                add_person(served.house, "C001", Role.CLERK),
            )


def _happen(house: House) -> None:
    """Months of points in two towns, a decision the bank accepts, a correction, and the decision that follows."""
    now = datetime.now(UTC)
    register(house, LIJIAYUAN, [(FAMILY, WANG, "王测试"), ("GL000002", LI, "李测试")], now)
    register(house, PINGAN, [("YQ000001", WANG, "王测试")], now)
    ruleset, _ = propose_ruleset(house, packaged_text("shimin_yidai"), by="author", now=now)
    approve_ruleset(house, ruleset.ruleset_id, by="approver", now=now)
    items: list[dict[str, Any]] = []
    for month in range(3):
        at = (now - timedelta(days=31 * month, hours=2)).isoformat()
        for category, points in (("sorting", 78), ("hygiene", 32), ("learning", 12), ("volunteering", 24)):
            items.append(
                {"reference": f"GL-{month}-{category}", "activity": category, "points_centi": points * 100, "code": FAMILY,
                 "id_no": WANG, "at": at}
            )  # fmt: skip
    receive(house, LIJIAYUAN, [*items, {"reference": "GL-LI", "code": "GL000002", "id_no": LI}], "first", now)
    patrols = [
        {
            "reference": f"YQ-{n}",
            "activity": "patrol",
            "points_centi": 9000,
            "id_no": WANG,
            "code": "YQ000001",
        }
        for n in range(2)
    ]
    receive(house, PINGAN, patrols, "first", now)
    decide(house, now)
    wrong = {
        "reference": "GL-back",
        "kind": "reversal",
        "reverses": "GL-1-volunteering",
        "points_centi": 2400,
    }
    receive(
        house, LIJIAYUAN, [{**wrong, "code": FAMILY, "id_no": WANG, "activity": "volunteering"}], "back", now
    )
    decide(house, now)
    seal(house, now)


def register(house: House, town: TownCode, heads: list[tuple[str, str, str]], now: datetime) -> None:
    """Families of one consenting head each: (code, id number, name)."""
    families = [
        {"code": code, "members": [{"id_no": id_no, "head": True, "name": name}]}
        for code, id_no, name in heads
    ]
    answers = register_households(house, town, f"{town}-a", orjson.dumps(families), now=now)
    assert {str(one.status) for one in answers} == {"accepted"}, answers


def receive(house: House, town: TownCode, items: list[dict[str, Any]], key: str, now: datetime) -> None:
    """A push in which everything is accepted."""
    said = Push(town, f"{town}-a", key, orjson.dumps(items), now, house.new_id(), "test", False)
    answer = receive_contributions(house, said, now=now)
    assert not answer.items or {str(one.status) for one in answer.items} == {"accepted"}, answer.items


def decide(house: House, now: datetime) -> None:
    """Evaluate, ask the bank, propose, hear its answer."""
    for _ in range(2):
        propose_benefits(house, now=now)
        refresh_facilities(house, now=now)
    deliver_proposals(house, now=now)


def seal(house: House, now: datetime) -> None:
    """Every record gets its leaf, and the witness signs."""
    seal_log(house, now=now)
    cosign_checkpoint(house, now=now)


def close(stage: AuditStage) -> None:
    """End what the tests opened."""
    for browser in stage.inside.values():
        browser.close()
