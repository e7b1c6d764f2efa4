"""The served OpenAPI document is true: whatever schemathesis makes of it, no 5xx and no answer it does not describe."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.served import Served

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "response_headers_conformance"
)


def _fuzz(served: Served, examples: int, timeout_s: int, *more: str) -> None:
    town = served.town()
    certificate, key = served.certificates.client("lijiayuan")
    ran = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"),
            "run",
            f"{served.url}/openapi.json",
            "--header",
            f"Authorization: Bearer {town.token()}",
            "--tls-verify",
            str(served.certificates.ca_cert),
            "--request-cert",
            str(certificate),
            "--request-cert-key",
            str(key),
            "--checks",
            CHECKS,
            "--max-examples",
            str(examples),
            "--no-color",
            *more,
        ],
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.openapi_hooks",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        },
        cwd=served.log.parent,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    town.close()
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert " passed" in ran.stdout
    assert not [line for line in served.log_lines() if '"status":5' in line]


def test_the_document_holds_for_a_while(served: Served) -> None:
    _fuzz(served, 8, 200)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_the_document_holds_for_minutes(served: Served) -> None:
    """Five minutes."""
    _fuzz(served, 100_000, 1100, "--max-time", "300")
