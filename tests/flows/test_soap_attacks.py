"""The corpus of messages that must be refused (tests/data/attacks/soap): each over the served door, its valid twin after it.

Refused means: a Fault of the door's SOAP version with the code beside the message, nothing stored, nothing of our insides told.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from lxml import etree  # type: ignore[import-untyped]

from gateway.db.embedded import Embedded
from tests.served import scratch_database
from tests.soap_messages import ATTACKS, Signing
from tests.soap_stage import SoapStage, refusal, soap_stage, statuses
from tests.soap_town import SIGNED, TOKEN

LISTED: list[dict[str, Any]] = [
    attack
    for file in sorted(ATTACKS.glob("*.toml"))
    for attack in tomllib.loads(file.read_text("utf-8"))["attack"]
]
DOORS = {"signed": SIGNED, "token": TOKEN}
ENVELOPES = {
    "signed": "http://schemas.xmlsoap.org/soap/envelope/",
    "token": "http://www.w3.org/2003/05/soap-envelope",
}
#: Words that would be of our insides.
INSIDES = ("Traceback", "lxml", "python", "postgres", "/work/", "site-packages", 'File "', "gateway/")


@pytest.fixture(scope="module")
def stage(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoapStage]:
    with (
        scratch_database(postgres) as database,
        soap_stage(database, tmp_path_factory.mktemp("soap")) as running,
    ):
        yield running


def made(stage: SoapStage, attack: dict[str, Any]) -> bytes:
    """The bytes of an attack."""
    if "body" in attack:
        return str(attack["body"]).encode()
    template = (ATTACKS / attack.get("template", f"valid-{attack['door']}.xml")).read_text("utf-8")
    sign = {k: tuple(v) if isinstance(v, list) else v for k, v in attack.get("sign", {}).items()}
    places = {"NOW": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), **attack.get("places", {})}
    if "points" in attack:
        places["PAYLOAD"] = stage.maker.payload(attack["points"])
    text = stage.maker.fill(template, Signing(**sign), **places)
    if "replace" in attack:
        old, new = attack["replace"]
        assert old in text, f"{attack['name']}: there is nothing to replace"
        text = text.replace(old, new, 1)
    if "deep" in attack:
        depth = attack["deep"]
        text = text.replace("<Activity>", "<d>" * depth + "</d>" * depth + "<Activity>")
    if "long" in attack:
        text = text.replace("<Name>", "<Name>" + "a" * attack["long"])
    encoding = attack.get("encode", "utf-8" if attack["door"] == "signed" else "gb18030")
    message = text.encode(encoding)
    if "bytes" in attack:
        old, hexadecimal = attack["bytes"]
        message = message.replace(old.encode(), bytes.fromhex(hexadecimal), 1)
    return bytes.fromhex(attack.get("prefix", "")) + message


def sent(stage: SoapStage, attack: dict[str, Any], message: bytes) -> requests.Response:
    door = DOORS[attack["door"]]
    own = None if door == SIGNED else stage.client_certificate
    certificate = {"none": None, "other": stage.other_certificate, "": own}[attack.get("certificate", "")]
    headers = {name.replace("-", "_"): value for name, value in attack.get("headers", {}).items()}
    return stage.post(door, message, certificate=certificate, **headers)


def test_there_are_enough_and_each_says_why() -> None:
    assert len(LISTED) >= 60
    assert len({attack["name"] for attack in LISTED}) == len(LISTED)
    assert all(attack["why"] and attack["refusal"] for attack in LISTED)
    files = {path.name for path in ATTACKS.glob("*.xml")} - {"valid-signed.xml", "valid-token.xml"}
    assert files == {attack["template"] for attack in LISTED if "template" in attack}


@pytest.mark.parametrize("attack", LISTED, ids=lambda attack: attack["name"])
def test_an_attack_is_refused_and_its_twin_accepted(stage: SoapStage, attack: dict[str, Any]) -> None:
    message = made(stage, attack)
    if attack.get("repeat"):  # the first time it is no attack
        assert sent(stage, attack, message).status_code == 200
        if attack["repeat"] == "nonce":
            message = made(stage, attack)
    before = stage.stored()
    answer = sent(stage, attack, message)
    assert refusal(answer).get("Code") == attack["refusal"], answer.text[:3000]
    assert answer.status_code == attack.get("status", 500 if attack["door"] == "signed" else 400)
    root = etree.fromstring(answer.content)
    assert root.tag == f"{{{ENVELOPES[attack['door']]}}}Envelope"
    assert etree.QName(root[-1][0]).localname == "Fault"
    told = refusal(answer)
    assert told["What"]
    assert told["CorrelationId"] == answer.headers["X-Correlation-Id"]
    assert not [word for word in INSIDES if word in answer.text]
    assert stage.stored() == before
    assert not statuses(answer)
    twin = stage.push(DOORS[attack["door"]])
    assert twin.status_code == 200, twin.text[:2000]
