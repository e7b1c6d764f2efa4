"""Evidence to carry away: everything that was decided is in it, nothing of anybody else, and no byte can be changed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from certs.files import key_pem, new_ed25519_key
from gateway.config import Config
from gateway.db.embedded import Embedded
from gateway.flows.approve_ruleset import approve_ruleset
from gateway.flows.cosign_checkpoint import cosign_checkpoint
from gateway.flows.deliver_proposals import deliver_proposals
from gateway.flows.export_evidence import EvidenceFile, Wanted, export_evidence
from gateway.flows.find_resident import find_resident
from gateway.flows.propose_benefits import propose_benefits
from gateway.flows.propose_ruleset import propose_ruleset
from gateway.flows.receive_contributions import receive_contributions
from gateway.flows.refresh_facilities import refresh_facilities
from gateway.flows.register_households import register_households
from gateway.flows.seal_log import seal_log
from gateway.flows.verify_log import verify_log
from gateway.flows.withdraw_consents import withdraw_consents
from gateway.house import House
from gateway.translog import load_signer, load_verifiers
from gateway.translog.note import Verifier, parse_vkey
from gateway.verifier.document import join, seal_text, split, write_unsealed
from gateway.verifier.evidence import verify_evidence
from gateway.verifier.wheel import build
from schemas.errors import GatewayError, InvalidError, NotFoundError, TamperedError, UnavailableError
from tests.bank_stage import RULESET, bank_client, simulated_bank
from tests.conftest import TestDatabase
from tests.plain_town import NOW, TOWN, invented_id_no, plain_house, push
from tests.served import scratch_database
from tests.witnessing import log_keys, running_witness, watched

ANNA, BORIS = invented_id_no(1), invented_id_no(2)


@dataclass
class Stage:
    """Two families that were decided about, sealed and witnessed."""

    house: House
    database: TestDatabase
    verifiers: list[Verifier]
    keys: str

    def export(self, wanted: Wanted) -> EvidenceFile:
        return export_evidence(self.house, wanted, by="auditor", reason="the resident asks", now=NOW)

    def person(self, id_no: str) -> int:
        return find_resident(self.house, id_no)

    def seal_again(self, document: Any) -> bytes:
        """As whoever holds the bank's key would: a file with another document and a right seal."""
        signer = load_signer(self.house.config.log_key, self.house.config.log_origin)
        text = seal_text(signer.name, write_unsealed(document))
        return join(write_unsealed(document), f"{text}\n{signer.sign(text)}").encode()


@pytest.fixture(scope="module")
def stage(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "log.key").write_bytes(key_pem(new_ed25519_key()))
    (folder / "log.key").chmod(0o600)
    config = replace(Config(), log_key=folder / "log.key", log_verifiers=folder / "log.vkeys")
    with scratch_database(postgres) as database, simulated_bank() as bank:
        house = plain_house(database, config=config, bank=bank_client(bank.address))
        families = [
            {"code": f"F{n}", "members": [{"id_no": id_no, "head": True, "name": f"测试{n}"}]}
            for n, id_no in enumerate((ANNA, BORIS))
        ]
        register_households(house, TOWN, "town-a", orjson.dumps(families), now=NOW)
        for number in range(2):
            items = [
                {"reference": f"T{number}-{n}", "code": f"F{n}", "id_no": id_no, "points_centi": 30000 + n}
                for n, id_no in enumerate((ANNA, BORIS))
            ]
            receive_contributions(house, push([*items, {"code": "F1"}], f"k{number}"), now=NOW)
        for id_no in (ANNA, BORIS):
            bank.say_of(id_no, base_rate_bp=500, base_limit_fen=10_000_000, vetoes=[], honours=[])
        ruleset, _ = propose_ruleset(house, RULESET, by="author", now=NOW)
        approve_ruleset(house, ruleset.ruleset_id, by="approver", now=NOW)
        for _ in range(2):
            propose_benefits(house, now=NOW)
            refresh_facilities(house, now=NOW)
        deliver_proposals(house, now=NOW)
        gone = [{"id_no": BORIS, "purpose": "redemption"}]
        withdraw_consents(house, TOWN, "town-a", orjson.dumps(gone), now=NOW)
        seal_log(house, now=NOW)
        with running_witness(folder / "witness", "town.example", log_keys(house)) as witness:
            house = watched(house, [witness], quorum=1)
            cosign_checkpoint(house, now=NOW)
        ours = load_verifiers(config.log_verifiers, config.log_key, config.log_origin)
        keys = "".join(f"{one.vkey()}\n" for one in ours) + f"{witness.vkey}\n"
        yield Stage(house, database, [*ours, parse_vkey(witness.vkey)], keys)


@pytest.fixture(scope="module")
def decision(stage: Stage) -> bytes:
    [(decision_id,)] = stage.database.sql(
        "select decision_id from decision d join proposal p using (decision_id) where d.applicant_id = %s limit 1",
        [stage.person(ANNA)],
    )
    return stage.export(Wanted(decision_id=decision_id)).content


@pytest.fixture(scope="module")
def resident(stage: Stage) -> bytes:
    return stage.export(Wanted(person_id=stage.person(BORIS), with_identity=True)).content


def test_a_decision_comes_with_all_it_rests_on(stage: Stage, decision: bytes) -> None:
    verdict = verify_evidence(decision, stage.verifiers, quorum=1)
    assert verdict.witnesses == ("town.example",)
    assert {"decision", "ruleset_proposed", "ruleset_approved", "proposal", "proposal_answer"} == set(
        verdict.kinds
    )
    page = decision.decode()
    assert "利率" in page
    assert "<script type" in page
    assert ANNA not in page


def test_a_resident_finds_themselves_and_nobody_else(stage: Stage, resident: bytes) -> None:
    verdict = verify_evidence(resident, stage.verifiers, id_no=BORIS)
    assert {"consent_given", "consent_withdrawn", "contribution_batch", "decision"} <= set(verdict.kinds)
    with pytest.raises(TamperedError, match="another person"):
        verify_evidence(resident, stage.verifiers, id_no=ANNA)
    text = resident.decode()
    assert "T0-1" in text
    assert "T0-0" not in text  # the same push, somebody else's points
    for personal in (ANNA, BORIS, "测试0", "测试1"):
        assert personal not in text
    without = stage.export(Wanted(person_id=stage.person(BORIS))).content
    with pytest.raises(TamperedError, match="whose it is"):
        verify_evidence(without, stage.verifiers, id_no=BORIS)


def test_a_period_has_no_gap(stage: Stage) -> None:
    day = Wanted(from_at=NOW - timedelta(hours=1), until_at=NOW + timedelta(hours=1))
    content = stage.export(day).content
    assert verify_evidence(content, stage.verifiers).kinds.total() > 10
    document, _, _ = split(content)
    fewer = {**document, "statements": [*document["statements"][:3], *document["statements"][4:]]}
    with pytest.raises(TamperedError, match="left out of the period"):
        verify_evidence(stage.seal_again(fewer), stage.verifiers)
    with pytest.raises(NotFoundError):
        stage.export(Wanted(from_at=NOW - timedelta(days=9), until_at=NOW - timedelta(days=8)))


def test_that_it_was_taken_out_is_recorded(stage: Stage) -> None:
    made = stage.export(Wanted(person_id=stage.person(ANNA)))
    row = stage.database.sql(
        "select about_kind, about_id, exported_by, file_sha256 from evidence_export where export_id = %s",
        [str(made.export_id)],
    )
    assert [(*row[0][:3], bytes(row[0][3]))] == [  # type: ignore[call-overload]
        ("resident", str(stage.person(ANNA)), "auditor", hashlib.sha256(made.content).digest())
    ]
    assert stage.database.sql("select count(*) from record where row_id = %s", [str(made.export_id)]) == [
        (1,)
    ]
    with pytest.raises(InvalidError):
        export_evidence(stage.house, Wanted(person_id=1), by="auditor", reason="", now=NOW)
    with pytest.raises(NotFoundError):
        find_resident(stage.house, invented_id_no(9))
    with pytest.raises(NotFoundError):
        stage.export(Wanted(person_id=999_999))


def test_what_has_no_place_yet_is_said(stage: Stage) -> None:
    families = [{"code": "F9", "members": [{"id_no": invented_id_no(5), "head": True}]}]
    register_households(stage.house, TOWN, "town-a", orjson.dumps(families), now=NOW)
    with pytest.raises(UnavailableError, match="no place"):
        stage.export(Wanted(person_id=stage.person(invented_id_no(5))))
    seal_log(stage.house, now=NOW)
    assert verify_log(replace(stage.house, witnesses=replace(stage.house.witnesses)), now=NOW).ok


@settings(max_examples=150, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 255))
def test_no_byte_can_be_changed(stage: Stage, decision: bytes, chance: random.Random, flip: int) -> None:
    """Bar 4: whichever byte is changed to whatever, verification fails and says what in a sentence."""
    at = chance.randrange(len(decision))
    changed = decision[:at] + bytes([decision[at] ^ flip]) + decision[at + 1 :]
    with pytest.raises(GatewayError) as refused:
        verify_evidence(changed, stage.verifiers)
    assert len(refused.value.what) > 20
    assert refused.value.where or refused.value.value


@pytest.mark.soak
def test_no_byte_at_all_can_be_changed(stage: Stage, decision: bytes) -> None:
    for at in range(len(decision)):
        with pytest.raises(GatewayError):
            verify_evidence(decision[:at] + bytes([decision[at] ^ 1]) + decision[at + 1 :], stage.verifiers)


@pytest.mark.parametrize("cut", [0, 1, 100, -1, -30])
def test_a_cut_or_longer_file_is_refused(stage: Stage, decision: bytes, cut: int) -> None:
    with pytest.raises(GatewayError):
        verify_evidence(decision[:cut], stage.verifiers)
    with pytest.raises(GatewayError):
        verify_evidence(decision + b"\n", stage.verifiers)


def _statement(document: Any, kind: str) -> Any:
    return next(one for one in document["statements"] if json.loads(one["record"])["kind"] == kind)


def _other_discount(document: Any) -> None:
    _statement(document, "decision")["opening"]["content"]["discount_bp"] += 10


def _other_facts(document: Any) -> None:
    attached = _statement(document, "decision")["attached"]
    attached["facts"] = attached["facts"].replace('"age_years":', '"age_years": ')


def _other_rule(document: Any) -> None:
    attached = _statement(document, "ruleset_proposed")["attached"]
    attached["document"] = attached["document"].replace("1", "2", 1)


def _other_record(document: Any) -> None:
    one = _statement(document, "proposal_answer")
    one["record"] = one["record"].replace("bank_accepted", "bank_declined")


def _left_out(kind: str) -> Any:
    def leave(document: Any) -> None:
        document["statements"].remove(_statement(document, kind))

    return leave


def _other_checkpoint(document: Any) -> None:
    lines = document["checkpoint"].split("\n")
    lines[2] = base64.b64encode(bytes(32)).decode()
    document["checkpoint"] = "\n".join(lines)


def _unwitnessed(document: Any) -> None:
    document["checkpoint"] = "".join(
        line for line in document["checkpoint"].splitlines(keepends=True) if "town.example" not in line
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_other_discount, "not those the record committed to"),
        (_other_facts, "facts of the decision shown are not"),
        (_other_rule, "ruleset shown is not the one"),
        (_other_record, "not the one that was sealed"),
        (_left_out("ruleset_approved"), "left out of the file"),
        (_left_out("decision"), "left out of the file"),
        (_other_checkpoint, "checkpoint cannot be believed"),
        (_unwitnessed, "0 of the 1 witnesses"),
        (lambda document: document["statements"].append(document["statements"][0]), "twice"),
        (lambda document: document.update(more=1), "missing or too many"),
        (lambda document: document["about"].update(kind="nothing"), "what it is about"),
        (lambda document: _statement(document, "proposal")["attached"].update(x="y"), "attached"),
    ],
)
def test_even_the_holder_of_the_key_cannot_change_it(
    stage: Stage, decision: bytes, change: Any, said: str
) -> None:
    """A right seal over changed content: the proofs, not the seal, are what binds the bank."""
    document = json.loads(json.dumps(split(decision)[0]))
    change(document)
    with pytest.raises(GatewayError, match=said):
        verify_evidence(stage.seal_again(document), stage.verifiers, quorum=1)


def test_points_of_a_push_cannot_be_changed(stage: Stage, resident: bytes) -> None:
    document = json.loads(json.dumps(split(resident)[0]))
    _statement(document, "contribution_batch")["attached"]["items"][0][1][7] += 1
    with pytest.raises(TamperedError, match="item 1 of a push is not what was recorded"):
        verify_evidence(stage.seal_again(document), stage.verifiers)


def test_a_page_that_says_otherwise_is_refused(stage: Stage, decision: bytes) -> None:
    signer = load_signer(stage.house.config.log_key, stage.house.config.log_origin)
    _, unsealed, _ = split(decision)
    lying = unsealed.replace("</h1>", " 已核实</h1>", 1)
    text = seal_text(signer.name, lying)
    with pytest.raises(TamperedError, match="page a person reads"):
        verify_evidence(join(lying, f"{text}\n{signer.sign(text)}").encode(), stage.verifiers)


def test_another_log_s_key_does_not_verify_it(stage: Stage, decision: bytes) -> None:
    signer = load_signer(stage.house.config.log_key, stage.house.config.log_origin)
    stranger = replace(signer, private=Ed25519PrivateKey.generate()).verifier()
    with pytest.raises(TamperedError):
        verify_evidence(decision, [stranger, stranger.cosigner()])


def test_the_wheel_verifies_alone(stage: Stage, decision: bytes, tmp_path: Path) -> None:
    """Bar 4: in a clean environment, without network, without anything but Python."""
    wheel = build(tmp_path / "dist")
    venv.create(tmp_path / "clean", with_pip=False)
    python = tmp_path / "clean" / "bin" / "python"
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python), "install", "--no-index", "--quiet",
         str(wheel)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert installed.returncode == 0, installed.stderr
    (tmp_path / "keys").write_text(stage.keys, "utf-8")
    (tmp_path / "file.html").write_bytes(decision)
    command = [
        str(tmp_path / "clean" / "bin" / "gateway-verify"),
        "evidence",
        "file.html",
        "--keys",
        "keys",
        "--witnesses",
        "1",
    ]
    environ = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("verifies: evidence about decision")
    assert "town.example" in done.stdout
    listed = subprocess.run(
        [str(python), "-c", "import cryptography"], env=environ, capture_output=True, text=True, check=False
    )
    assert listed.returncode == 1  # it was the plain form that verified
    at = len(decision) // 2
    (tmp_path / "file.html").write_bytes(decision[:at] + bytes([decision[at] ^ 1]) + decision[at + 1 :])
    refused = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.startswith("DOES NOT VERIFY: ")
    assert len(refused.stderr.splitlines()) == 1
