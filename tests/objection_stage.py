"""A stage for objections: two residents with points, decisions and a simulated bank, the calendar of 2026, and a log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID

import orjson
from uuid6 import uuid7

from certs.files import key_pem, new_ed25519_key
from gateway.config import Config
from gateway.flows.answer_objection import answer_objection
from gateway.flows.approve_ruleset import approve_ruleset
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.flows.extend_objection import extend_objection
from gateway.flows.find_resident import find_resident
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.propose_ruleset import propose_ruleset
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.receive_objection import receive_objection
from gateway.flows.refresh_facilities import refresh_facilities
from gateway.flows.register_households import register_households
from gateway.flows.seal_log import seal_log
from gateway.flows.set_calendar import set_calendar
from gateway.house import House
from gateway.objections import packaged_years
from schemas.objections import AboutKind, Channel, Finding, NewObjection, ObjectionKind, Recorded
from tests.bank_stage import RULESET, Bank, bank_client, simulated_bank
from tests.conftest import TestDatabase
from tests.plain_town import NOW, TOWN, invented_id_no, plain_house, push

ANNA, BORIS = invented_id_no(1), invented_id_no(2)
NAMES = {ANNA: "测试安娜·甲", BORIS: "测试鲍里斯"}
PHONES = {ANNA: "13300000001", BORIS: "13300000002"}
WORDS = "我的积分有三百分,为什么利率只下浮了这么多?请核对我在田心巷的门前三包记录。"


@contextmanager
def objection_house(database: TestDatabase, folder: Path) -> Iterator[tuple[House, Bank]]:
    """Everything decided, delivered, sealed."""
    (folder / "log.key").write_bytes(key_pem(new_ed25519_key()))
    (folder / "log.key").chmod(0o600)
    config = replace(Config(), log_key=folder / "log.key", log_verifiers=folder / "log.vkeys")
    with simulated_bank() as bank:
        made = plain_house(database, config=config, bank=bank_client(bank.address))
        families = [
            {"code": f"F{n}", "members": [{"id_no": i, "head": True, "name": NAMES[i], "phone": PHONES[i]}]}
            for n, i in enumerate((ANNA, BORIS))
        ]
        register_households(made, TOWN, "town-a", orjson.dumps(families), now=NOW)
        items = [
            {"reference": f"T{n}", "code": f"F{n}", "id_no": i, "points_centi": 30000}
            for n, i in enumerate((ANNA, BORIS))
        ]
        receive_contributions(made, push(items, "k1"), now=NOW)
        for id_no in (ANNA, BORIS):
            bank.say_of(id_no, base_rate_bp=500, base_limit_fen=10_000_000, vetoes=[], honours=[])
        ruleset, _ = propose_ruleset(made, RULESET, by="author", now=NOW)
        approve_ruleset(made, ruleset.ruleset_id, by="approver", now=NOW)
        for _ in range(2):
            propose_benefits(made, now=NOW)
            refresh_facilities(made, now=NOW)
        deliver_proposals(made, now=NOW)
        set_calendar(made, packaged_years(), by="operator", now=NOW)
        seal_log(made, now=NOW)
        yield made, bank


def decisions_of(database: TestDatabase, house: House, id_no: str) -> list[UUID]:
    """Oldest first."""
    rows = database.sql(
        "select decision_id from decision where applicant_id = %s order by decided_at, decision_id",
        [find_resident(house, id_no)],
    )
    return [UUID(str(row[0])) for row in rows]


def object_to(
    house: House,
    id_no: str,
    kind: ObjectionKind,
    about: AboutKind = AboutKind.POINTS,
    about_id: str = "",
    *,
    words: str = WORDS,
    now: datetime = NOW,
) -> Recorded:
    """Somebody says something at the branch."""
    new = NewObjection(
        uuid7(), find_resident(house, id_no), kind, about, about_id, Channel.BRANCH, words, now
    )
    return receive_objection(house, new, by="330109001 T001", now=now)


def ask_and_answer(house: House, now: datetime) -> None:
    """A resident asks, it takes longer, and is answered."""
    set_calendar(house, packaged_years(), by="operator", now=now)
    asked = object_to(house, invented_id_no(1), ObjectionKind.QUESTION, now=now)
    extend_objection(house, asked.objection_id, by="T001", reason="the town looks it up", now=now)
    answer_objection(
        house, asked.objection_id, by="T001", finding=Finding.EXPLAINED, answer="so it is", now=now
    )
