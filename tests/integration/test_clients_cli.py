"""`gateway certs` and `gateway client` as an operator types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli
from tests.conftest import TestDatabase


@pytest.fixture
def operator(database: TestDatabase, tmp_path: Path) -> dict[str, str]:
    return {
        "GATEWAY_STATE_DIR": str(tmp_path / "state"),
        "GATEWAY_DATABASE_URL": database.app_dsn,
        "GATEWAY_DATABASE_AUDIT_URL": database.auditor_dsn,
    }


def _run(environ: dict[str, str], *words: str) -> Result:
    return CliRunner().invoke(cli, list(words), env=environ)


def test_an_operator_makes_certificates_and_registers_a_client(operator: dict[str, str]) -> None:
    assert _run(operator, "certs", "init").exit_code == 0
    listed = _run(operator, "certs", "list")
    assert listed.exit_code == 0
    assert "client-lijiayuan.crt" in listed.output
    assert _run(operator, "certs", "issue", "client-lijiayuan").exit_code == 0
    assert _run(operator, "certs", "rotate-token-key").exit_code == 0
    certs = Path(operator["GATEWAY_STATE_DIR"]) / "certs"
    words = ["client", "register", "--town", "lijiayuan", "--client-id", "c1"]
    words += ["--jwks", str(certs / "assertion-lijiayuan.jwks.json")]
    words += [
        "--cert",
        str(certs / "client-lijiayuan.crt"),
        "--cert",
        str(certs / "client-lijiayuan.previous.crt"),
    ]
    assert "registered" in _run(operator, *words).output
    assert "stands so already" in _run(operator, *words).output
    found = json.loads(_run(operator, "client", "list", "--json").output)
    assert (found["town"], found["enabled"], len(found["certificates"]), len(found["scopes"])) == (
        "lijiayuan",
        True,
        2,
        4,
    )
    assert "changed" in _run(operator, "client", "disable", "c1").output
    assert "DISABLED" in _run(operator, "client", "list").output
    assert "changed" in _run(operator, "client", "enable", "c1").output


def test_a_private_key_is_not_registered(operator: dict[str, str], tmp_path: Path) -> None:
    from joserfc.jwk import ECKey

    _run(operator, "certs", "init")
    certs = Path(operator["GATEWAY_STATE_DIR"]) / "certs"
    private = tmp_path / "private.json"
    private.write_text(json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}))
    words = ["client", "register", "--town", "lijiayuan", "--client-id", "c1", "--jwks", str(private)]
    ran = _run(operator, *words, "--cert", str(certs / "client-lijiayuan.crt"))
    assert ran.exit_code != 0
    assert "private" in str(ran.exception)
    assert _run(operator, "client", "list").output == ""
