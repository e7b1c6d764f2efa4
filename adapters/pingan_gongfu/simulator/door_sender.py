"""The town's sending side as the kit's scenarios use it: each message once, and forgeries of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from lxml import etree  # type: ignore[import-untyped]

from adapters.kit.subject import DoorAnswer, DoorPlace
from adapters.pingan_gongfu.simulator.pusher import NAMESPACE, DoorAccess, Pusher, results_of

#: FHM of an item → what became of it
STATUSES: Final = {
    "0000": "accepted", "1001": "duplicate", "1002": "conflict", "4001": "quarantined", "4002": "rejected",
}  # fmt: skip


class DoorSender:
    """`adapters.kit.subject.DoorSender` over SOAP 1.2 with a UsernameToken and mutual TLS."""

    forgeries = ("wrong-password", "stranger", "stale-token", "token-twice", "other-certificate")

    def __init__(self, place: DoorPlace) -> None:
        self._place = place
        self._pusher = self._pusher_with(place.client_cert)

    def register(self, document: bytes) -> DoorAnswer:
        """RYDJ."""
        return self._exchange(self._pusher, document, "RYDJ", f"RY{uuid4().hex}")

    def withdraw(self, document: bytes) -> DoorAnswer:
        """TYCH."""
        return self._exchange(self._pusher, document, "TYCH", f"CH{uuid4().hex}")

    def push(self, document: bytes, key: str) -> DoorAnswer:
        """JFTS under a serial."""
        return self._exchange(self._pusher, document, "JFTS", key)

    def push_forged(self, document: bytes, key: str, how: str) -> DoorAnswer:
        """JFTS with something wrong about who is sending."""
        token: dict[str, Any] = {}
        pusher = self._pusher
        if how == "wrong-password":
            pusher = self._pusher_with(self._place.client_cert, password="guessed")  # noqa: S106  a wrong one
        elif how == "stranger":
            pusher = self._pusher_with(self._place.client_cert, username="stranger")
        elif how == "other-certificate":
            pusher = self._pusher_with(self._place.other_cert)
        elif how == "stale-token":
            token = {"created": f"{datetime.now(UTC) - timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}"}
        elif how == "token-twice":
            token = {"created": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "nonce": b"0123456789abcdef"}
            self._pusher.exchange("JFCX", self._written(b"", "JFCX", key), **token)
        return self._exchange(pusher, document, "JFTS", key, **token)

    def close(self) -> None:
        """Give the connections back."""
        self._pusher.close()

    def _pusher_with(self, cert: tuple[str, str], *, username: str = "", password: str = "") -> Pusher:
        place = self._place
        access = DoorAccess(
            f"{place.address}/towns/{place.town}/soap", username or place.username, password or place.password,
            Path(cert[0]), Path(cert[1]), Path(place.ca_file),
        )  # fmt: skip
        return Pusher(access)

    def _exchange(self, pusher: Pusher, document: bytes, name: str, serial: str, **token: Any) -> DoorAnswer:
        status, found = pusher.exchange(name, self._written(document, name, serial), **token)
        if found is None:
            return DoorAnswer(status, "fault", (), (), "", b"")
        if found["FHM"] not in ("0000", "1001"):
            return DoorAnswer(422, found["FHM"], (), (), "", b"")
        results = results_of(found)
        statuses = tuple(str(STATUSES.get(item["FHM"], item["FHM"])) for item in results)
        codes = tuple(item["YYM"] for item in results if item["YYM"])
        receipt = str(found.get("HZ", ""))
        said = repr(
            (statuses, codes, receipt)
        ).encode()  # the envelope differs each time, what it says must not
        return DoorAnswer(status, "", statuses, codes, receipt, said)

    def _written(self, document: bytes, name: str, serial: str) -> str:
        """The message under a serial of its own."""
        root = etree.fromstring(document) if document else etree.Element(f"{{{NAMESPACE}}}{name}")
        found = root.find(f"{{{NAMESPACE}}}LSH")
        if found is None:
            found = etree.SubElement(root, f"{{{NAMESPACE}}}LSH")
        found.text = serial
        written: str = etree.tostring(root, encoding="unicode")
        return written
