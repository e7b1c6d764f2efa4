"""`gateway staff` as an operator types it."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from gateway.cli import cli
from tests.conftest import TestDatabase


def test_an_operator_keeps_the_accounts(database: TestDatabase, tmp_path: Path) -> None:
    environ = {
        "GATEWAY_STATE_DIR": str(tmp_path / "state"),
        "GATEWAY_DATABASE_URL": database.app_dsn,
        "GATEWAY_DATABASE_AUDIT_URL": database.auditor_dsn,
    }

    def run(*words: str) -> str:
        ran = CliRunner().invoke(cli, ["staff", *words] if words[0] != "certs" else list(words), env=environ)
        assert ran.exit_code == 0, (ran.output, ran.exception)
        return ran.output

    run("certs", "init")
    given = ["--name", "测试甲", "--branch", "330109001", "--role", "clerk"]
    added = run("add", *given, "--teller", "T001")
    shown = re.search(r"password +(\S+)\n", added)
    assert shown is not None
    assert "otpauth://totp/" in added
    assert "T001" in run("list")
    assert shown[1] not in run("list")
    assert "replaced" in run("replace", "T001", *given, "--role", "supervisor")
    assert "stands so already" in run("replace", "T001", *given, "--role", "supervisor")
    assert "changed" in run("disable", "T001")
    assert "DISABLED" in run("list")
    assert "was so already" in run("disable", "T001")
    assert "changed" in run("enable", "T001")
    renewed = run("reset", "T001")
    assert "password" in renewed
    assert shown[1] not in renewed
