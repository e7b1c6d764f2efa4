"""Fetches the clients (once a machine) and runs them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ZEEP = ("zeep==4.3.3", "xmlsec==1.3.17", "lxml==6.1.3")


@cache
def command_of(client: str) -> tuple[str, ...] | None:
    """What runs a client ('zeep', 'node', 'php'), or None where it cannot be had."""
    return {"zeep": _zeep, "node": _node, "php": _php}[client]()


def run_client(client: str, task: dict[str, Any], folder: Path) -> list[Any]:
    """The answers to the task's calls."""
    command = command_of(client)
    assert command is not None
    path = folder / f"{client}-task.json"
    path.write_text(json.dumps(task), "utf-8")
    environ = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    done = subprocess.run(
        [*command, str(path)], capture_output=True, text=True, timeout=120, check=False, env=environ
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    found: list[Any] = json.loads(done.stdout)
    return found


def _place(name: str, mark: bytes) -> Path:
    return (
        Path(tempfile.gettempdir())
        / f"gateway-soap-{name}-{os.getuid()}-{hashlib.sha256(mark).hexdigest()[:12]}"
    )


def _zeep() -> tuple[str, ...] | None:
    folder = _place("zeep", " ".join((*ZEEP, sys.version)).encode())
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *ZEEP]
        if subprocess.run(install, capture_output=True, timeout=240, check=False).returncode:
            shutil.rmtree(folder, ignore_errors=True)
            return None
        (folder / "ready").touch()
    return (str(python), str(FOLDER / "zeep_client.py"))


def _node() -> tuple[str, ...] | None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    folder = _place("node", (FOLDER / "node" / "package-lock.json").read_bytes())
    if not (folder / "node_modules" / "soap").is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(FOLDER / "node", folder)
        install = ["npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts"]
        if subprocess.run(install, cwd=folder, capture_output=True, timeout=240, check=False).returncode:
            shutil.rmtree(folder, ignore_errors=True)
            return None
    shutil.copy(FOLDER / "node" / "client.mjs", folder)
    return ("node", str(folder / "client.mjs"))


def _php() -> tuple[str, ...] | None:
    if shutil.which("php") is None:
        return None
    modules = subprocess.run(
        ["php", "-m"], capture_output=True, text=True, timeout=60, check=False
    ).stdout.split()
    return ("php", str(FOLDER / "client.php")) if {"soap", "dom", "openssl"} <= set(modules) else None
