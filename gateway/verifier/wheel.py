"""Puts the verifier's wheel together: `python -m gateway.verifier.wheel FOLDER`.

The same files as in the house, under one package name of their own, so that nothing is computed by two codes. What they may
import is listed here; anything else ends the build, so the wheel cannot grow a dependency by accident.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

PACKAGE = "gateway_verifier"
ROOT = Path(__file__).resolve().parents[2]
#: module of the house → module of the wheel
MODULES = {
    **{f"gateway.verifier.{name}": name for name in (
        "checks", "command", "document", "evidence", "goods_checks", "page",
        "page_goods", "statements", "witness", "witness_server")},
    **{f"gateway.translog.{name}": name for name in ("checkpoint", "ed25519", "keys", "merkle", "note", "sm2")},
    "gateway.contributions.digests": "digests",
    "schemas.errors": "errors",
}  # fmt: skip
_IMPORT = re.compile(r"^(\s*)(from|import) ((?:gateway|schemas|adapters|jobs|certs)[\w.]*)", re.MULTILINE)
_PROJECT = """[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "gateway-verifier"
version = "{version}"
description = "Checks evidence, receipts and checkpoints of a government-bank gateway, and witnesses its log. Python alone."
requires-python = ">=3.11"
dependencies = []

[project.optional-dependencies]
witness = ["cryptography>=42"]
guomi = ["gmssl-pyx>=2.1"]

[project.scripts]
gateway-verify = "{package}.command:main"

[tool.setuptools]
packages = ["{package}"]
"""


def stage(folder: Path) -> Path:
    """Write the package's sources below `folder`. Raises ValueError for an import that is not in MODULES."""
    package = folder / PACKAGE
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Checks what a gateway says, without trusting it."""\n', "utf-8")
    for module, name in MODULES.items():
        text = (ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")
        (package / f"{name}.py").write_text(_IMPORT.sub(partial(_renamed, module), text), "utf-8")
    setup = (ROOT / "setup.cfg").read_text("utf-8")
    version = re.search(r"^version = (\S+)$", setup, re.MULTILINE)
    assert version is not None
    (folder / "pyproject.toml").write_text(_PROJECT.format(version=version[1], package=PACKAGE), "utf-8")
    return folder


def _renamed(where: str, found: re.Match[str]) -> str:
    indent, verb, module = found.groups()
    if module not in MODULES or verb != "from":
        raise ValueError(f"{where} imports {module}, which the verifier's wheel does not carry")
    return f"{indent}from {PACKAGE}.{MODULES[module]}"


def build(target: Path) -> Path:
    """The wheel's path in `target`. Nothing is fetched: pip and setuptools of this environment do it."""
    with tempfile.TemporaryDirectory(prefix="gateway-verifier-") as name:
        staged = stage(Path(name) / "source")
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet", "wheel",
                   "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(target), str(staged)]  # fmt: skip
        subprocess.run(command, check=True)
    return max(target.glob(f"{PACKAGE}-*.whl"), key=lambda path: path.stat().st_mtime)


if __name__ == "__main__":
    print(build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist")))
