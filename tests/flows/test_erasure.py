"""Bar 6: after a resident is erased every proof holds, and nothing that identifies them is left anywhere we look."""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from adapters import lijiayuan
from certs.files import key_pem, new_ed25519_key
from gateway.config import Config
from gateway.flows._receiving import RAW_PURPOSE
from gateway.flows.answer_objection import answer_objection
from gateway.flows.approve_ruleset import approve_ruleset
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.flows.end_legal_hold import end_legal_hold
from gateway.flows.erase_residents import erase_residents
from gateway.flows.export_evidence import Wanted, export_evidence
from gateway.flows.export_log import export_log
from gateway.flows.extend_objection import extend_objection
from gateway.flows.find_resident import find_resident
from gateway.flows.hold_resident import hold_resident
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.propose_ruleset import propose_ruleset
from gateway.flows.read_proof import read_proof
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.refresh_facilities import refresh_facilities
from gateway.flows.register_households import register_households
from gateway.flows.request_erasure import request_erasure
from gateway.flows.seal_log import seal_log
from gateway.flows.set_calendar import set_calendar
from gateway.flows.take_letter import take_letter
from gateway.flows.verify_log import verify_log
from gateway.house import House
from gateway.objections import open_words, packaged_years
from gateway.translog import check_proof, leaf_hash, load_verifiers
from gateway.verifier.evidence import verify_evidence
from schemas.crypto import Sealed
from schemas.errors import ConflictError, InvalidError, NotFoundError
from schemas.objections import AboutKind, Finding, ObjectionKind
from schemas.retention import TERMS, latest_duty, years_later
from tests.bank_stage import RULESET, bank_client, simulated_bank
from tests.conftest import TestDatabase
from tests.contract.simulated_town import SimulatedTown, running_town
from tests.goods_stage import a_clerk, stock_pans, take_pan
from tests.objection_stage import object_to
from tests.plain_town import NOW, TOWN, invented_id_no, plain_house, push

ANNA, BORIS = invented_id_no(1), invented_id_no(2)
NAMES = {ANNA: "测试安娜·甲", BORIS: "测试鲍里斯"}
PHONES = {ANNA: "13300000001", BORIS: "13300000002"}
SAID, ANSWERED = "门前三包记录少了一次", "答复安娜甲女士"
MUCH_LATER = NOW + timedelta(days=11 * 366)


@pytest.fixture
def house(database: TestDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[House]:
    """Two residents of one push, both decided about; every log line is kept."""
    caplog.set_level(logging.DEBUG)
    (tmp_path / "log.key").write_bytes(key_pem(new_ed25519_key()))
    (tmp_path / "log.key").chmod(0o600)
    config = replace(Config(), log_key=tmp_path / "log.key", log_verifiers=tmp_path / "log.vkeys")
    with simulated_bank() as bank, running_town(tmp_path / "town") as town:
        clients = {TOWN: lijiayuan.create_client(town.config)}
        made = plain_house(database, config=config, bank=bank_client(bank.address), clients=clients)
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
        _redeem(made, town)
        _object(made)
        seal_log(made, now=NOW)
        yield made


def _redeem(house: House, town: SimulatedTown) -> None:
    """Anna takes a pan home, and Boris fetches another for her."""
    pan, clerk = stock_pans(house, town), a_clerk()
    anna, boris = find_resident(house, ANNA), find_resident(house, BORIS)
    take_pan(house, clerk, anna, pan)
    take_pan(house, clerk, anna, pan, proxy_id=boris)


def _object(house: House) -> None:
    """Anna asks, with her name in it, and gets a letter; and refuses the machine, which waits for its answer."""
    set_calendar(house, packaged_years(), by="operator", now=NOW)
    words = f"我是{NAMES[ANNA]},身份证{ANNA},电话{PHONES[ANNA]},{SAID}"
    asked = object_to(house, ANNA, ObjectionKind.QUESTION, words=words)
    extend_objection(house, asked.objection_id, by="T001", reason=f"{NAMES[ANNA]}的记录在查", now=NOW)
    answer_objection(
        house, asked.objection_id, by="T001", finding=Finding.EXPLAINED, answer=ANSWERED, now=NOW
    )
    object_to(house, ANNA, ObjectionKind.REFUSAL, AboutKind.PERSONAL, words=words)
    take_letter(house, asked.objection_id, by="T001", reason="she lost it", now=NOW)


def _ask(house: House, id_no: str) -> date:
    """Ask for erasure; the bank ends what stands."""
    done = request_erasure(house, find_resident(house, id_no), by="operator", cause="resident_asked", now=NOW)
    propose_benefits(house, now=NOW)
    deliver_proposals(house, now=NOW)
    return done.due_on


def _everything(database: TestDatabase) -> dict[str, str]:
    """Every row of every table as text, bytes in hex."""
    tables = database.sql("select tablename from pg_tables where schemaname = 'public'")
    return {
        str(name): "\n".join(str(row[0]) for row in database.sql(f'select t::text from "{name}" t'))
        for (name,) in tables
    }


def _traces(id_no: str, house: House) -> dict[str, str]:
    """What would identify the person, in the spellings it could have."""
    plain = {"id": id_no, "name": NAMES[id_no], "phone": PHONES[id_no], "birth": "1980-05-17"}
    spelt = {f"{what} in hex": value.encode().hex() for what, value in plain.items() if what != "birth"}
    digest = house.keys.lookup_digest("id_no", id_no).hex()
    return {
        **plain,
        **spelt,
        "lookup digest": digest,
        "bare SHA-256": hashlib.sha256(id_no.encode()).hexdigest(),
    }


def _open_bytes(house: House, database: TestDatabase) -> str:
    """The sealed bytes of pushes, opened as only we can."""
    rows = database.sql("select key_id, sealed from raw_push")
    return "".join(
        zlib.decompress(house.keys.open(Sealed(str(key), bytes(box)), RAW_PURPOSE)).decode()  # type: ignore[call-overload]
        for key, box in rows
    )


def answered_letter(house: House, database: TestDatabase) -> bytes:
    """The letter as it was sent."""
    [(objection_id,)] = database.sql("select objection_id from objection_event where event = 'answered'")
    return take_letter(house, UUID(str(objection_id)), by="T", reason="to compare", now=NOW)


def _open_words(house: House, database: TestDatabase) -> str:
    """What is still in the boxes of objections."""
    rows = database.sql(
        "select key_id, sealed from objection union all select key_id, sealed from objection_event"
    )
    assert len(rows) == 4
    return "".join(str(open_words(house.keys, Sealed(str(key), bytes(box)))) for key, box in rows)  # type: ignore[call-overload]


def test_nothing_that_identifies_is_left_and_every_proof_holds(
    house: House, database: TestDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    verifiers = load_verifiers(house.config.log_verifiers, house.config.log_key, house.config.log_origin)
    person_id = find_resident(house, ANNA)
    evidence = export_evidence(
        house, Wanted(person_id=person_id), by="auditor", reason="before", now=NOW
    ).content
    [(consent_id,)] = database.sql(
        "select consent_id::text from consent where person_id = %s limit 1", [person_id]
    )
    proof = read_proof(house, kind="consent_given", row_id=str(consent_id))
    [(salt,)] = database.sql("select salt from person where person_id = %s", [person_id])
    letter = answered_letter(house, database)
    salts = [
        str(row[0])
        for row in database.sql(
            "select encode(salt, 'hex') from objection union select encode(salt, 'hex') from objection_event"
        )
    ]
    redemption_id = UUID(str(database.sql("select redemption_id from redemption limit 1")[0][0]))
    goods_taken = export_evidence(
        house, Wanted(redemption_id=redemption_id), by="auditor", reason="before", now=NOW
    ).content
    before = _everything(database)
    assert all(one in before["objection"] + before["objection_event"] for one in salts)
    assert len(salts) == 4
    assert bytes(salt).hex() in before["person"]  # type: ignore[call-overload]
    assert _traces(ANNA, house)["lookup digest"] in before["identifier"]
    assert ANNA in _open_bytes(house, database)

    assert _ask(house, ANNA) == date(2036, 11, 20)
    assert erase_residents(house, now=NOW) == {}  # its day has not come
    assert find_resident(house, ANNA) == person_id
    assert erase_residents(house, now=MUCH_LATER) == {"erased": 1}
    assert erase_residents(house, now=MUCH_LATER) == {}  # twice is once
    seal_log(house, now=MUCH_LATER)

    export_log(house, tmp_path / "exported", now=NOW)
    after = export_evidence(
        house, Wanted(person_id=person_id, with_identity=True), by="auditor", reason="after", now=NOW
    ).content
    places = {
        **_everything(database),
        "sealed bytes": _open_bytes(house, database),
        "application log": caplog.text,
        "evidence": after.decode(),
        "opened objections": _open_words(house, database),
        **{
            str(path): path.read_bytes().decode("utf-8", "replace")
            for path in (tmp_path / "exported").rglob("*")
            if path.is_file()
        },
    }
    traces = {**_traces(ANNA, house), "salt": bytes(salt).hex(), "words": SAID, "answer": ANSWERED}  # type: ignore[call-overload]
    traces |= {f"salt {n}": one for n, one in enumerate(salts)}
    traces |= {"letter": hashlib.sha256(letter).hexdigest(), "letter in hex": letter.hex()}
    del traces["birth"]  # both were born on one day; the row is looked at below
    found = [
        f"{what} in {where}"
        for where, text in places.items()
        for what, value in traces.items()
        if value in text
    ]
    assert found == []
    assert (
        database.sql("select birth_on, sealed, salt from person where person_id = %s", [person_id])[0][0]
        is None
    )
    assert BORIS in places["sealed bytes"]  # who stood beside them is still there
    assert find_resident(house, BORIS)
    with pytest.raises(NotFoundError):
        find_resident(house, ANNA)

    seal_log(house, now=MUCH_LATER)
    report = verify_log(house, now=MUCH_LATER)
    assert report.ok, report.faults
    assert verify_evidence(evidence, verifiers)
    assert verify_evidence(after, verifiers)
    assert verify_evidence(goods_taken, verifiers)
    again = export_evidence(house, Wanted(redemption_id=redemption_id), by="auditor", reason="after", now=NOW)
    assert verify_evidence(again.content, verifiers)
    with pytest.raises(NotFoundError):
        take_letter(
            house,
            UUID(str(database.sql("select objection_id from objection")[0][0])),
            by="T",
            reason="gone",
            now=NOW,
        )
    assert check_proof(proof.proof, leaf_hash(proof.body), verifiers)


def test_a_hold_keeps_everything_until_it_ends(house: House) -> None:
    person_id = find_resident(house, ANNA)
    _ask(house, ANNA)
    hold_id = hold_resident(house, person_id, by="auditor", reason="a court asks", now=NOW)
    assert erase_residents(house, now=MUCH_LATER) == {}
    assert find_resident(house, ANNA) == person_id
    with pytest.raises(InvalidError):
        end_legal_hold(house, hold_id, by="auditor", reason="", now=NOW)
    end_legal_hold(house, hold_id, by="auditor", reason="it has decided", now=NOW)
    with pytest.raises(ConflictError):
        end_legal_hold(house, hold_id, by="auditor", reason="it has decided", now=NOW)
    assert erase_residents(house, now=MUCH_LATER) == {"erased": 1}


def test_what_is_open_at_the_bank_comes_first(house: House) -> None:
    request_erasure(house, find_resident(house, ANNA), by="operator", cause="resident_asked", now=NOW)
    assert erase_residents(house, now=MUCH_LATER) == {"open_at_bank": 1}
    propose_benefits(house, now=NOW)
    deliver_proposals(house, now=NOW)
    assert erase_residents(house, now=MUCH_LATER) == {"erased": 1}


def test_restricted_means_nothing_is_taken_any_more(house: House, database: TestDatabase) -> None:
    _ask(house, ANNA)
    answer = receive_contributions(
        house, push([{"reference": "T9", "code": "F0", "id_no": ANNA}], "k9"), now=NOW
    )
    assert [item.status for item in answer.items] == ["rejected"]
    assert database.sql("select count(*) from consent where withdrawn_at is null and person_id = %s",
                        [find_resident(house, ANNA)]) == [(0,)]  # fmt: skip
    with pytest.raises(ConflictError):
        request_erasure(house, find_resident(house, ANNA), by="x", cause="resident_asked", now=NOW)
    with pytest.raises(NotFoundError):
        request_erasure(house, 999_999, by="x", cause="resident_asked", now=NOW)
    with pytest.raises(InvalidError):
        request_erasure(house, find_resident(house, BORIS), by="x", cause="tired of them", now=NOW)


@pytest.mark.parametrize("where", ["before writing", "while writing"])
def test_killed_between_reading_and_writing_nothing_is_half_erased(
    house: House, database: TestDatabase, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    _ask(house, ANNA)
    before = _everything(database)
    target = (
        "gateway.contributions.put_raw" if where == "before writing" else "gateway.translog.append_records"
    )

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(target, die)
        with pytest.raises(KeyboardInterrupt):
            erase_residents(house, now=MUCH_LATER)
    assert _everything(database) == before
    assert erase_residents(house, now=MUCH_LATER) == {"erased": 1}


def test_an_erasure_that_was_undone_is_named(house: House, database: TestDatabase) -> None:
    person_id = find_resident(house, ANNA)
    _ask(house, ANNA)
    erase_residents(house, now=MUCH_LATER)
    seal_log(house, now=MUCH_LATER)
    assert verify_log(house, now=MUCH_LATER).ok
    database.sql("update person set birth_on = '1980-05-17' where person_id = %s", [person_id])
    report = verify_log(house, now=MUCH_LATER)
    assert [str(person_id) in str(fault) for fault in report.faults] == [True]


def test_the_latest_duty_decides() -> None:
    decided, consented = date(2024, 2, 29), date(2033, 1, 1)
    assert latest_duty({"decision": decided, "consent": None}) == (
        date(2034, 3, 1),
        "decision 2024-02-29 + 10 years",
    )
    assert latest_duty({"decision": decided, "consent": consented}) == (
        date(2036, 1, 1),
        "consent 2033-01-01 + 3 years",
    )
    assert latest_duty({}) is None
    assert years_later(date(2024, 2, 29), 4) == date(2028, 2, 29)


def test_the_page_says_what_the_table_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "retention.md").read_text("utf-8")
    rows = [f"| {term.kind} | {term.years} | {term.since} | {term.source} |" for term in TERMS]
    assert [row for row in rows if row not in page] == []
