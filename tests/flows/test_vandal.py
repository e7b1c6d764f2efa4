"""Bar 7: a changed, removed or added row in any table a record speaks of is named by verification.

The tables are not listed here: they are what the restaters read, so a new kind of record is vandalised the day it is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey
from uuid6 import uuid7

from adapters import lijiayuan
from gateway import goods, settlements, subjects
from gateway.config import Config
from gateway.flows._restaters import list_restaters
from gateway.flows.add_code import add_code
from gateway.flows.answer_refusal import answer_refusal
from gateway.flows.approve_ruleset import approve_ruleset
from gateway.flows.close_branch_day import close_branch_day
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.cosign_checkpoint import cosign_checkpoint
from gateway.flows.count_stock import count_stock
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.flows.end_legal_hold import end_legal_hold
from gateway.flows.erase_residents import erase_residents
from gateway.flows.explain_difference import explain_difference
from gateway.flows.export_evidence import Wanted, export_evidence
from gateway.flows.find_resident import find_resident
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.hold_resident import hold_resident
from gateway.flows.identify_proxy import identify_proxy
from gateway.flows.inspect_resident import inspect_resident
from gateway.flows.inspect_witnesses import inspect_witnesses
from gateway.flows.note_keys import note_keys
from gateway.flows.offer_goods import offer_goods
from gateway.flows.picture_good import picture_good
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.propose_ruleset import propose_ruleset
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.receive_day_file import receive_day_file
from gateway.flows.reconcile_day import reconcile_day
from gateway.flows.record_run import record_run
from gateway.flows.redeem_points import redeem_points
from gateway.flows.refresh_facilities import refresh_facilities
from gateway.flows.register_client import register_client
from gateway.flows.register_households import register_households
from gateway.flows.register_soap_client import register_soap_client
from gateway.flows.request_erasure import request_erasure
from gateway.flows.seal_log import seal_log
from gateway.flows.settle_month import settle_month
from gateway.flows.sign_in import sign_in
from gateway.flows.stock_goods import stock_goods
from gateway.flows.switch_neighbour import switch_neighbour
from gateway.flows.verify_log import VerifyReport, verify_log
from gateway.flows.withdraw_consents import withdraw_consents
from gateway.house import House
from schemas import goods as good_words
from schemas.day_files import DayFile
from schemas.errors import RefusedError
from schemas.goods import CountedGood, Movement, NewGood, NewPrice
from schemas.oauth import ClientRegistration
from schemas.ports import NO_WITNESSES, StatementLine
from schemas.record_kinds import body_fault
from schemas.redemptions import Basket, LookReason, ProxyProof
from schemas.soap import SoapRegistration
from schemas.staff import Role, StaffCaller
from schemas.values import BEIJING, beijing_date, month_of
from tests.bank_stage import RULESET, Bank, bank_client, simulated_bank
from tests.conftest import TestDatabase
from tests.contract.simulated_town import SimulatedTown, running_town
from tests.desk_stage import drawn_picture
from tests.house.tree import tables
from tests.nanyang_stage import populate_links
from tests.objection_stage import ask_and_answer
from tests.plain_scores import board, correct, correction, post, posting_house
from tests.plain_town import NOW, TOWN, PlainReader, invented_id_no, plain_house, push
from tests.soap_keys import der_of, signing_identity
from tests.soap_town import SIGNED, TOKEN, make_service
from tests.staff_stage import add_person
from tests.storm.tables import DERIVED, LOG, WORKING
from tests.storm.vandal import ReadingNotes, Vandal
from tests.witnessing import Running, log_keys, running_witness, watched

#: Columns whose change is no falsification, and why.
NOT_EVIDENCE: dict[str, str] = {
    "redemption.next_attempt_at": "when somebody looks again: nothing is decided by it",
    "redemption.attempts": "how often it was looked at",
    "redemption_leg.asked_at": "since when a town has been asked; the events have the times that count",
    "staff.name": "a label on the screen: evidence names the teller number",
    "person.registered_at": "when we first heard of somebody: nothing is decided by it",
    "person.restricted_at": "a restriction is set and lifted by law, and says nothing about what was decided",
}
#: Tables where one more row contradicts nothing that was recorded, and why.
NOT_ADDED: dict[str, str] = {
    "person": "a person without a consent or a contribution is nobody the log speaks of"
}


def _redeem(house: House, town: SimulatedTown) -> None:
    """A good is priced, stocked, and goes over the counter."""
    town.calls.post(f"{town.address}/_accounts", json={"F0": 90_000}, timeout=5).raise_for_status()
    offer_goods(
        house,
        [NewGood("PAN", "炒锅", "Pan")],
        [NewPrice("PAN", TOWN, NOW.date(), 5_000, 5_000, "agreement")],
        by="t",
        now=NOW,
    )
    with house.db.transaction() as tx:
        good = goods.list_goods(tx)[0].good_id
        person_id = subjects.find_person(tx, house.keys, invented_id_no(1))
    assert person_id is not None
    clerk = StaffCaller(
        uuid7(), uuid7(), "", "330109001", "T009", frozenset({Role.CLERK}), "directory", NOW, NOW
    )
    stock_goods(house, [Movement("receive", clerk.branch_no, good, 9, 0)], by="t", cause_id=uuid7(), now=NOW)
    inspect_resident(house, clerk, person_id, LookReason.REDEMPTION, now=NOW)
    picture_good(house, "PAN", drawn_picture("red"), by="t", now=NOW)
    proxy = identify_proxy(house, clerk, invented_id_no(2), resident_id=person_id, now=NOW)
    wanted, shown = (good_words.Wanted(good, TOWN, 1),), {TOWN: 5_000}
    basket = Basket("k" * 16, person_id, proxy.person_id, wanted, shown, ProxyProof.KINSHIP)
    redemption_id = redeem_points(house, clerk, basket, now=NOW).redemption_id
    confirm_redemption(house, clerk, redemption_id, now=NOW)
    assert hand_over_goods(house, clerk, redemption_id, now=NOW).state == "handed_over"


def _close_day(house: House) -> None:
    """The branch counts what it has, finds one pan less, and closes the day."""
    with house.db.transaction() as tx:
        [stock] = goods.list_stock(tx, "330109001")
    counter, signer = (
        StaffCaller(
            uuid7(), uuid7(), "", stock.branch_no, teller_no, frozenset({role}), "directory", NOW, NOW
        )
        for teller_no, role in (("T009", Role.CLERK), ("T010", Role.SUPERVISOR))
    )
    found = CountedGood(stock.good_id, stock.on_hand_count, stock.on_hand_count - 1, "破损")
    count_stock(house, counter, [found], count_id=uuid7(), now=NOW)
    close_branch_day(house, signer, beijing_date(NOW), now=NOW)


def _settle_month(house: House) -> None:
    """The town's month, of which it says otherwise; somebody explained it."""
    on = beijing_date(NOW)
    later = datetime(2026, 12, 1, tzinfo=BEIJING)
    with pytest.raises(RefusedError, match="nobody explained"):
        settle_month(house, TOWN, month_of(on), by="t", now=later)
    with house.db.transaction(read_only=True) as tx:
        standing = [row.reference for row in settlements.list_differences(tx, TOWN, None)]
    explain_difference(house, TOWN, standing, why="known", by="t", state="explained", now=later)
    settle_month(house, TOWN, month_of(on), by="t", now=later)


def _populate(house: House, bank: Bank, town: SimulatedTown) -> None:
    """At least one row in every table a record speaks of."""
    ids = [invented_id_no(n) for n in range(1, 4)]
    families = [{"code": f"F{n}", "members": [{"id_no": id_no, "head": True}]} for n, id_no in enumerate(ids)]
    register_households(house, TOWN, "town-a", orjson.dumps(families), now=NOW)
    for number in range(3):
        items = [
            {"reference": f"T{number}-{n}", "code": f"F{n}", "id_no": ids[n], "points_centi": 30000 + n}
            for n in range(3)
        ]
        receive_contributions(house, push([*items, {"code": "F1"}], f"k{number}"), now=NOW)
    for id_no in ids:
        bank.say_of(id_no, base_rate_bp=500, base_limit_fen=10_000_000, vetoes=[], honours=[])
    ruleset, _ = propose_ruleset(house, RULESET, by="author", now=NOW)
    approve_ruleset(house, ruleset.ruleset_id, by="approver", now=NOW)
    propose_benefits(house, now=NOW)
    refresh_facilities(house, now=NOW)
    propose_benefits(house, now=NOW)
    deliver_proposals(house, now=NOW)
    withdraw_consents(
        house, TOWN, "town-a", orjson.dumps([{"id_no": ids[0], "purpose": "loan_mapping"}]), now=NOW
    )
    propose_benefits(house, now=NOW)
    deliver_proposals(house, now=NOW)
    keys = {"keys": [{**ECKey.generate_key("P-256").as_dict(private=False), "kid": "k1"}]}
    registration = ClientRegistration("town-a", TOWN, ("contributions.write",), keys, ("A" * 43,))
    register_client(house, registration, now=NOW)
    _populate_soap(house)
    clerk = add_person(house, "T001")
    sign_in(house, clerk.sign_in(NOW), now=NOW)
    switch_neighbour(house, TOWN, paused=True, why="maintenance", by="operator", now=NOW)
    switch_neighbour(house, TOWN, paused=False, why="", by="operator", now=NOW + timedelta(hours=1))
    add_code(house, TOWN, "droneFlight", "patrol", by="operator", now=NOW)
    _redeem(house, town)
    _close_day(house)
    ask_and_answer(house, NOW)
    statement: Any = {TOWN: _Statement()}
    reconcile_day(replace(house, clients=statement), TOWN, beijing_date(NOW), now=NOW + timedelta(days=1))
    forgetful: Any = {TOWN: _Forgetful()}
    _settle_month(replace(house, clients=forgetful))
    days: Any = {TOWN: _DayFiles()}
    day_house = replace(house, day_files=days, readers={TOWN: _DayReader()})
    receive_day_file(day_house, TOWN, beijing_date(NOW) - timedelta(days=1), now=NOW)
    post(posting_house(house), board("L1", {"F1": {"G01": 100}, "F2": {}}))
    correct(posting_house(house), correction("C1", "F1", "G01", 100, 50))
    populate_links(house, [1, 2])
    record_run(
        house,
        house.new_id(),
        "verify_log",
        now=NOW,
        outcome="failed",
        counts={"leaves": 3},
        error_code="x",
        run_by="t",
    )
    note_keys(house, now=NOW)
    seal_log(house, now=NOW)


class _Forgetful:
    """A town that lists nothing and knows no freeze."""

    def day_statement(self, on: date) -> Iterator[StatementLine]:
        return iter(())

    def find(self, serial: str) -> None:
        return None


def _populate_soap(house: House) -> None:
    """A client that signs and one with a password."""
    ours = signing_identity("gateway")
    house = replace(house, soap_towns={town: make_service(town, ours) for town in (SIGNED, TOKEN)})
    scopes = ("contributions.write",)
    signing = SoapRegistration(
        "signed-town", SIGNED, scopes, (der_of(signing_identity("town")),), ("B" * 43,)
    )
    register_soap_client(house, signing, now=NOW)
    token = SoapRegistration(
        "token-town", TOKEN, scopes, (), ("C" * 43,), "points", "an invented secret of some length"
    )
    register_soap_client(house, token, now=NOW)


class _DayReader(PlainReader):
    capabilities = replace(PlainReader.capabilities, day_file=True)


class _DayFiles:
    """A town whose day holds one item we have and one we have not."""

    def fetch_day_file(self, on: date) -> DayFile:
        lines = [
            orjson.dumps({"reference": f"DAY-{n}", "code": "F0", "id_no": invented_id_no(1)})
            for n in range(2)
        ]
        return DayFile(on, b"\x01" * 32, tuple(lines), 200, {"sorting": 100})


class _Statement:
    """A town that lists one item we have otherwise and one we have not."""

    def day_statement(self, on: date) -> Iterator[StatementLine]:
        yield StatementLine("T0-0", "award", "F0", 1, "posted")
        yield StatementLine("NOT-OURS", "award", "F0", 100, "posted")


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path) -> House:
    """Everything happened once; afterwards no neighbour is there any more."""
    key = tmp_path / "log.key"
    key.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    key.chmod(0o600)
    with simulated_bank() as bank, running_town(tmp_path / "town") as town:
        config = replace(Config(), log_key=key, log_verifiers=tmp_path / "log.vkeys")
        clients = {TOWN: lijiayuan.create_client(town.config)}
        made = plain_house(database, config=config, bank=bank_client(bank.address), clients=clients)
        _populate(made, bank, town)
        _erase_one(made)
    with running_witness(tmp_path / "witness", "town.example", log_keys(made)) as witness:
        _be_refused(watched(made, [witness], quorum=1), witness)
    return made


def _erase_one(house: House) -> None:
    """A hold that ended, and a resident whom no duty keeps any longer."""
    person_id = find_resident(house, invented_id_no(3))
    hold_id = hold_resident(house, person_id, by="auditor", reason="a court asks", now=NOW)
    end_legal_hold(house, hold_id, by="auditor", reason="it has decided", now=NOW)
    request_erasure(house, person_id, by="operator", cause="resident_asked", now=NOW)
    propose_benefits(house, now=NOW)
    deliver_proposals(house, now=NOW)
    assert erase_residents(house, now=NOW + timedelta(days=11 * 366)) == {"erased": 1}


def _be_refused(house: House, witness: Running) -> None:
    """A witness saw another history first, and a person says why."""
    witness.see(house, size=10_000)
    cosign_checkpoint(house, now=NOW)
    [refusal] = inspect_witnesses(house).refusals
    answer_refusal(house, refusal.refusal_id, by="auditor", reason="the key was stolen", now=NOW)
    day = Wanted(from_at=NOW - timedelta(days=1), until_at=NOW + timedelta(days=1))
    export_evidence(replace(house, witnesses=NO_WITNESSES), day, by="auditor", reason="a court asks", now=NOW)
    seal_log(house, now=NOW)


def _verify(house: House) -> VerifyReport:
    return verify_log(house, now=NOW)


def _spoken_of(house: House) -> tuple[set[str], set[str]]:
    """Tables the restaters read, and the kinds of record that no row here has."""
    with house.audit_db.transaction(read_only=True) as tx:
        notes = ReadingNotes(tx)
        empty = set()
        for kind, restater in list_restaters().items():
            row_ids = restater.list_row_ids(notes, "", 1000)
            bodies = restater.restate(notes, row_ids)
            for row_id, body in bodies.items():
                restater.explain(notes, row_id, {**body, "nonsense": 1})
            if not row_ids:
                empty.add(kind)
    return notes.tables & tables(), empty


def test_every_kind_of_record_is_on_the_stage(house: House) -> None:
    """A kind that the arrangement does not reach is a kind whose rows nobody tried to falsify."""
    assert _spoken_of(house)[1] == set()


def test_every_record_is_as_its_schema_says(house: House, database: TestDatabase) -> None:
    bodies = database.sql("select kind, convert_from(body, 'utf8') from record")
    assert [f for kind, body in bodies if (f := body_fault(str(kind), orjson.loads(str(body))["body"]))] == []


def test_every_table_is_evidence_or_says_why_not(house: House) -> None:
    """A new table is covered by verification, or somebody says in tests/storm/tables.py why it need not be."""
    evidence, named = _spoken_of(house)[0], {*LOG, *DERIVED, *WORKING}
    assert sorted(tables() - evidence - named) == [], "neither restated nor listed"
    assert sorted(evidence & named) == [], "listed although it is restated"
    assert sorted(named - tables() - {"schema_migration"}) == [], "listed and not there"


def _unnoticed(house: House, vandal: Vandal, chosen: set[str]) -> list[str]:
    """Changed columns, removed and added rows of these tables that verification did not name."""
    assert _verify(house).ok, _verify(house).faults
    unnoticed = []
    for table in sorted(chosen):
        assert vandal.pick(table) is not None, f"the arrangement puts no row into {table}"
        for column in vandal.columns_of(table):
            with vandal.changed(table, column) as names:
                if not _named(_verify(house), names) and f"{table}.{column}" not in NOT_EVIDENCE:
                    unnoticed.append(f"{table}.{column} changed")
        with vandal.removed(table) as names:
            if not _named(_verify(house), names):
                unnoticed.append(f"{table}: a row removed")
        with vandal.added(table) as names:
            if not _named(_verify(house), names) and table not in NOT_ADDED:
                unnoticed.append(f"{table}: a row added")
        assert _verify(house).ok, f"the vandal did not put {table} back: {_verify(house).faults}"
    return unnoticed


@pytest.mark.timeout(900)
def test_every_falsified_row_is_named(house: House, database: TestDatabase) -> None:
    unnoticed = _unnoticed(house, Vandal(database.admin_dsn), _spoken_of(house)[0])
    assert unnoticed == [], "\n".join(unnoticed)


@pytest.mark.soak
def test_every_falsified_row_of_what_is_derived_is_named(house: House, database: TestDatabase) -> None:
    """In each run some of these are falsified at random (test_random_vandal); here all."""
    unnoticed = _unnoticed(house, Vandal(database.admin_dsn), set(DERIVED) - {"quota"})
    assert unnoticed == [], "\n".join(unnoticed)


def test_exceptions_are_still_columns(database: TestDatabase) -> None:
    vandal = Vandal(database.admin_dsn)
    stale = [name for name in NOT_EVIDENCE if name.split(".")[1] not in vandal.columns_of(name.split(".")[0])]
    assert stale == []


def _named(report: VerifyReport, names: set[str]) -> bool:
    """Found, and one of the faults says which row: by an id of the row itself or of the record that speaks of it."""
    assert names
    return not report.ok and any(name in str(fault) for fault in report.faults for name in names)
