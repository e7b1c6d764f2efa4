"""Who may import whom, which settings exist, what errors mean: the agreements the rest of the house relies on."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

import pytest
from importlinter.application.use_cases import lint_imports
from importlinter.configuration import configure

import schemas.errors
from certs.authority import neighbours
from gateway.config import Config
from schemas.errors import GatewayError
from tests.house.tree import PRODUCT, ROOT, name_of, tracked


def test_the_import_contracts_hold(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tree of imports is the architecture; a picture of it that nothing checks is a wish."""
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT))
    configure()  # not through its command line: that one switches off every logger there is
    kept = lint_imports(config_filename=str(ROOT / "setup.cfg"), cache_dir=None, no_logo=True)
    assert kept, capsys.readouterr().out


#: One import in the wrong place for each contract: (contract, file, line).
BREACHES = [
    ("schemas imports nothing of ours", "schemas/values.py", "import gateway.config"),
    ("adapters import schemas only", "adapters/bank_core/__init__.py", "import gateway.config"),
    (
        "towns and the bank do not know each other",
        "adapters/lijiayuan/__init__.py",
        "import adapters.bank_core",
    ),
    ("rooms never import each other", "gateway/subjects/__init__.py", "import gateway.ledger"),
    ("rooms import schemas and gateway.db", "gateway/ledger/__init__.py", "import gateway.wiring"),
    ("doors and jobs call flows", "gateway/web/__init__.py", "import gateway.subjects"),
    ("only wiring knows adapters", "gateway/cli/__init__.py", "import adapters.bank_core"),
    ("corridors know neighbours as ports only", "gateway/flows/__init__.py", "import adapters.bank_core"),
    ("psycopg2 stays in gateway.db", "gateway/flows/__init__.py", "import psycopg2"),
    ("flask stays in web and app", "gateway/ledger/__init__.py", "import flask"),
    ("apscheduler stays in jobs", "gateway/ledger/__init__.py", "import apscheduler"),
]


def test_each_contract_sees_its_breach(tmp_path: Path) -> None:
    """A contract that names a module nobody imports passes for ever: so each is broken once, in a copy."""
    for path in tracked():
        if path.suffix == ".py" and name_of(path).split("/")[0] in PRODUCT:
            copy = tmp_path / name_of(path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    for _, name, line in BREACHES:
        with (tmp_path / name).open("a") as file:
            file.write(f"\n{line}\n")
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    kept = set(re.findall(r"^(.+) KEPT", ran.stdout, re.MULTILINE))
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert [name for name in kept if any(name.startswith(contract) for contract, _, _ in BREACHES)] == []
    names = _contract_names((ROOT / "setup.cfg").read_text("utf-8"))
    assert [n for n in names if not any(n.startswith(contract) for contract, _, _ in BREACHES)] == [], (
        "add a breach"
    )
    assert len(re.findall(r" BROKEN", ran.stdout)) >= len(names), ran.stdout


def _contract_names(setup_cfg: str) -> list[str]:
    parser = configparser.ConfigParser()
    parser.read_string(setup_cfg)
    return [parser[s]["name"] for s in parser.sections() if s.startswith("importlinter:contract:")]


def test_every_neighbour_is_kept_apart() -> None:
    """A town that the contract does not name could read another town's code, and nobody would see it."""
    parser = configparser.ConfigParser()
    parser.read_string((ROOT / "setup.cfg").read_text("utf-8"))
    named = set(parser["importlinter:contract:neighbours-apart"]["modules"].split())
    assert named == {f"adapters.{name}" for name in neighbours()} | {
        "adapters.bank_identity",  # speaks a standard (OpenID Connect), so no contract of ours lies beside it
        "adapters.witness",  # the same: c2sp.org/tlog-witness
    }


def undocumented(settings: Iterable[str], page: str) -> list[str]:
    """Settings the page does not name, and names on the page that are no settings."""
    wanted = set(settings)
    written = set(re.findall(r"\bGATEWAY_[A-Z0-9_]*[A-Z0-9]\b", page))
    faults = [f"{name} is not described" for name in sorted(wanted - written)]
    return faults + [f"{name} is described and is no setting" for name in sorted(written - wanted)]


def test_every_setting_is_described() -> None:
    """A setting nobody can read about is found by whoever has the incident."""
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert undocumented((f"GATEWAY_{f.name.upper()}" for f in fields(Config)), page) == []


def test_no_page_names_a_setting_that_is_none() -> None:
    """Whoever copies a name out of README must not be told that it is unknown."""
    settings = {f"GATEWAY_{f.name.upper()}" for f in fields(Config)}
    pages = [
        p
        for p in tracked()
        if p.suffix == ".md" and (name_of(p) == "README.md" or name_of(p).startswith("docs/"))
    ]
    faults = {
        name_of(p): strange
        for p in pages
        if (
            strange := sorted(
                set(re.findall(r"\bGATEWAY_[A-Z0-9_]*[A-Z0-9]\b", p.read_text("utf-8"))) - settings
            )
        )
    }
    assert faults == {}


def confusable(classes: Iterable[type[GatewayError]]) -> list[str]:
    """Errors a caller could not tell apart, or whose codes are not stable words."""
    faults: list[str] = []
    kinds: dict[str, str] = {}
    for cls in classes:
        if not cls.__name__.endswith("Error"):
            faults.append(f"{cls.__name__} does not end in Error")
        if not cls.__doc__:
            faults.append(f"{cls.__name__} does not say when it is raised")
        for word in {cls.kind, cls.default_code}:
            if not re.fullmatch(r"[a-z]+(-[a-z]+)*", word):
                faults.append(f"{cls.__name__}: {word!r} is not kebab-case")
        if cls.kind in kinds:
            faults.append(f"{cls.__name__} and {kinds[cls.kind]} are both of kind {cls.kind!r}")
        kinds[cls.kind] = cls.__name__
        if not 400 <= cls.http_status <= 599:
            faults.append(f"{cls.__name__}: {cls.http_status} is no HTTP status of a failure")
    return faults


def _all_errors() -> list[type[GatewayError]]:
    found, left = [], list(GatewayError.__subclasses__())
    while left:
        cls = left.pop()
        found.append(cls)
        left += cls.__subclasses__()
    return [cls for cls in found if cls.__module__ == schemas.errors.__name__]


def test_every_error_is_of_its_own_kind() -> None:
    """Callers act on the kind: two of the same kind cannot be acted on differently, so one of them is too many."""
    assert confusable(_all_errors()) == []


def test_a_setting_left_out_is_seen() -> None:
    assert undocumented(["GATEWAY_A", "GATEWAY_B"], "GATEWAY_A and GATEWAY_OLD.") == [
        "GATEWAY_B is not described",
        "GATEWAY_OLD is described and is no setting",
    ]
    assert undocumented(["GATEWAY_A_B"], "| `GATEWAY_A_B` | x |") == []


def _error(name: str = "XError", **attributes: object) -> type[GatewayError]:
    made = {"__doc__": "x", "kind": "x", "default_code": "x", "http_status": 400} | attributes
    return type(name, (GatewayError,), made)


@pytest.mark.parametrize(
    ("classes", "fault"),
    [
        ([_error(), _error("YError")], "both of kind"),
        ([_error("Bad")], "does not end in Error"),
        ([_error(__doc__=None)], "does not say when"),
        ([_error(kind="not_found")], "kebab-case"),
        ([_error(default_code="NotFound")], "kebab-case"),
        ([_error(http_status=200)], "no HTTP status"),
    ],
)
def test_errors_that_can_be_confused_are_seen(classes: list[type[GatewayError]], fault: str) -> None:
    assert any(fault in f for f in confusable(classes))
