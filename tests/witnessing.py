"""Real witnesses on loopback, in threads of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from adapters.witness import Config, create_client
from certs.files import key_pem, new_ed25519_key
from gateway.flows.list_log_keys import list_log_keys
from gateway.house import House
from gateway.translog.checkpoint import Checkpoint, sign_checkpoint
from gateway.translog.keys import load_signer
from gateway.verifier.witness import Witness, make_witness
from gateway.verifier.witness_server import WitnessServer
from schemas.ports import Witnesses

CLOCK_S = 1_795_000_000


@dataclass
class Running:
    """A witness that answers."""

    folder: Path
    vkey: str
    address: str
    witness: Witness

    @property
    def evidence(self) -> list[Path]:
        folder = self.folder / "evidence"
        return sorted(folder.glob("*.why")) if folder.is_dir() else []

    def see(self, house: House, *, size: int, root: bytes = bytes(32)) -> int:
        """Show it a tree of its own, signed with the house's stolen key, as the first it ever saw; the HTTP status."""
        signer = load_signer(house.config.log_key, house.config.log_origin)
        forged = sign_checkpoint(Checkpoint(signer.name, size, root), signer, datetime.now(UTC))
        return self.witness.add_checkpoint(f"old 0\n\n{forged}".encode()).status


@contextmanager
def running_witness(folder: Path, name: str, logs: list[str]) -> Iterator[Running]:
    """Made when the folder is new; continued when it is there."""
    if not folder.exists():
        make_witness(folder, name, key_pem(new_ed25519_key()), logs)
    witness = Witness(folder, lambda: CLOCK_S)
    server = WitnessServer(("127.0.0.1", 0), witness)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        vkey = (folder / "witness.vkey").read_text("utf-8").strip()
        yield Running(folder, vkey, f"http://127.0.0.1:{server.server_port}", witness)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        witness.close()


def watched(house: House, running: list[Running], *, quorum: int) -> House:
    """The house with these witnesses."""
    clients = tuple(create_client(Config(address=one.address, vkey=one.vkey)) for one in running)
    return replace(house, witnesses=Witnesses(quorum, clients))


def log_keys(house: House) -> list[str]:
    """What a witness is told about our log."""
    return list_log_keys(house)[:1]
