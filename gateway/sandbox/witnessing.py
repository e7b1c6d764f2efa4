"""Two towns' witnesses in the sandbox. They show how it goes; being ours, they prove nothing to anybody else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from certs.authority import Development
from certs.files import key_pem, new_ed25519_key, write_public
from gateway.sandbox.places import Places
from gateway.translog import load_verifiers
from gateway.verifier.witness import make_witness

FIRST = "# written by `gateway run`; delete this line to keep your own changes\n"


def lay_witnesses(places: Places, made: Development) -> None:
    """Their folders, and the file that says who they are, when there is none or it is ours."""
    config = places.config
    log = load_verifiers(config.log_verifiers, config.log_key, config.log_origin)[0]
    lines = [FIRST, f"quorum = {len(places.witness_ports)}\n"]
    for name, port in places.witness_ports.items():
        folder = witness_folder(places, name)
        if not (folder / "witness.vkey").exists():
            make_witness(folder, f"{name}.witness.gateway.example", key_pem(new_ed25519_key()), [log.vkey()])
        table = {
            "address": f"https://localhost:{port}",
            "vkey": (folder / "witness.vkey").read_text("utf-8").strip(),
            "ca_file": str(made.ca_cert),
            "sandbox": True,
        }
        lines += [
            "\n[[witness]]\n",
            *(f"{setting} = {json.dumps(value)}\n" for setting, value in table.items()),
        ]
    path = config.witnesses_file
    if not path.exists() or path.read_text("utf-8").startswith(FIRST):
        write_public(path, "".join(lines).encode())


def witness_folder(places: Places, name: str) -> Path:
    """Where a witness keeps its key and what it signed."""
    return places.config.state_dir / "witnesses" / name


def serve_arguments(places: Places, made: Development, name: str) -> Sequence[str]:
    """`gateway …` for one of them; it shows the development certificate of this machine."""
    cert, key = made.simulator("witness")
    bind = f"127.0.0.1:{places.witness_ports[name]}"
    return [
        "witness",
        "serve",
        str(witness_folder(places, name)),
        "--bind",
        bind,
        "--cert",
        str(cert),
        "--key",
        str(key),
    ]
