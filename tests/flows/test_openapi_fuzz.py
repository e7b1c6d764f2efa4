"""Bar 6: whatever a vendor sends, the door answers as its published contract says, and never with a failure of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from tests.conftest import TestDatabase
from tests.served import Served, served_gateway

#: What is judged: no 5xx, and status, headers, type and body of each answer are those of the contract.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)
ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "artefacts"


@pytest.fixture
def served(database: TestDatabase, tmp_path: Path) -> Iterator[Served]:
    with served_gateway(database, tmp_path) as running:
        yield running


def _contract(served: Served) -> dict[str, object]:
    town = served.town()
    answer = town.session.get(f"{served.url}/openapi.json", timeout=20)
    town.close()
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


def _fuzz(served: Served, tmp_path: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    """Run schemathesis in a process of its own, as a vendor would, with a valid certificate and token."""
    town = served.town()
    token = town.token()
    certificate, key = served.certificates.client("lijiayuan")
    town.close()
    # A document of addresses and shapes only: fuzzing the served text, not a file of ours that may differ.
    schema = tmp_path / "openapi.json"
    schema.write_text(json.dumps(_contract(served)))
    ARTEFACTS.mkdir(exist_ok=True)
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--no-color", "run", str(schema),
        "--url", served.url,
        "--max-time", str(seconds),
        "--checks", ",".join(CHECKS),
        "--continue-on-failure",
        "--header", f"Authorization: Bearer {token}",
        "--tls-verify", str(served.certificates.ca_cert),
        "--request-cert", str(certificate),
        "--request-cert-key", str(key),
        "--request-timeout", "30",
        "--suppress-health-check", "all",
        "--output-truncate", "true",
        "--report", "junit",
        "--report-junit-path", str(ARTEFACTS / "schemathesis.xml"),
    ]  # fmt: skip
    environ = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    environ |= {"SCHEMATHESIS_HOOKS": "tests.openapi_hooks", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environ, timeout=seconds + 240, check=False
    )


def _assert_clean(served: Served, ran: subprocess.CompletedProcess[str]) -> None:
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said[-8000:]
    assert " passed" in said
    broken = [
        line for line in served.log_lines() if "Traceback" in line or '"status":5' in line.replace(" ", "")
    ]
    assert broken == [], broken[:3]


def test_the_contract_is_valid_openapi(served: Served) -> None:
    contract = _contract(served)
    assert str(contract["openapi"]).startswith("3.1")
    validate(contract)


def test_half_a_minute_of_nonsense_is_answered_by_the_contract(served: Served, tmp_path: Path) -> None:
    _assert_clean(served, _fuzz(served, tmp_path, 30))


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_five_minutes_of_nonsense_are_answered_by_the_contract(served: Served, tmp_path: Path) -> None:
    _assert_clean(served, _fuzz(served, tmp_path, 300))
