"""The town's sending side as the kit's scenarios use it: each message once, and forgeries of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from lxml import etree  # type: ignore[import-untyped]

from adapters.kit.subject import DoorAnswer, DoorPlace
from adapters.wuhe_zhonglian.simulator.envelopes import SOAP, Signing, content_of, envelope_of
from adapters.wuhe_zhonglian.simulator.pusher import NAMESPACE, DoorAccess, Pusher, refusal_of

STALE: Final = timedelta(minutes=20)


class DoorSender:
    """`adapters.kit.subject.DoorSender` over SOAP 1.1 with X.509 signatures."""

    forgeries = ("unsigned", "altered-body", "stale", "other-key", "sent-twice")

    def __init__(self, place: DoorPlace) -> None:
        certs = Path(place.certs)
        gateway = (certs / "soap.crt",)
        self._signing = Signing(
            certs / f"signing-{place.town}.key", certs / f"signing-{place.town}.crt", gateway
        )
        self._strange = Signing(Path(place.other_cert[1]), Path(place.other_cert[0]), gateway)
        self._pusher = Pusher(DoorAccess(place.address, self._signing, Path(place.ca_file), place.town))

    def register(self, document: bytes) -> DoorAnswer:
        """RegisterHouseholds."""
        return self._exchange(envelope_of(etree.fromstring(document), self._signing), "RegisterHouseholds")

    def withdraw(self, document: bytes) -> DoorAnswer:
        """WithdrawConsent."""
        return self._exchange(envelope_of(etree.fromstring(document), self._signing), "WithdrawConsent")

    def push(self, document: bytes, key: str) -> DoorAnswer:
        """SubmitScoreboard under a number."""
        return self._exchange(envelope_of(_numbered(document, key), self._signing), "SubmitScoreboard")

    def push_forged(self, document: bytes, key: str, how: str) -> DoorAnswer:
        """SubmitScoreboard with something wrong about who is sending."""
        content = _numbered(document, key)
        if how == "other-key":
            message = envelope_of(content, self._strange)
        elif how == "stale":
            message = envelope_of(content, self._signing, made_at=datetime.now(UTC) - STALE)
        else:
            message = envelope_of(content, self._signing)
        if how == "altered-body":
            message = message.replace(b"KIT-FORGED", b"KIT-ALTERED")
        elif how == "unsigned":
            root = etree.fromstring(message)
            root.remove(root.find(f"{{{SOAP}}}Header"))
            message = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
        elif how == "sent-twice":  # a question, so that its first sending changes nothing
            asked = etree.fromstring(f'<GetReceipt xmlns="{NAMESPACE}"><ListNo>{key}</ListNo></GetReceipt>')
            message = envelope_of(asked, self._signing)
            self._pusher.send(message, "GetReceipt")
            return self._exchange(message, "GetReceipt")
        return self._exchange(message, "SubmitScoreboard")

    def close(self) -> None:
        """Give the connections back."""
        self._pusher.close()

    def _exchange(self, message: bytes, operation: str) -> DoorAnswer:
        answer = self._pusher.send(message, operation)
        if answer is None:
            return DoorAnswer(0, "no-answer", (), (), "", b"")
        if answer.status_code != 200:
            return DoorAnswer(answer.status_code, refusal_of(answer)[0], (), (), "", answer.content)
        found = content_of(answer.content, self._signing)
        statuses, codes = (_texts(found, name) for name in ("Status", "Code"))
        receipt = found.findtext(f"{{{NAMESPACE}}}Receipt") or ""
        said = repr(
            (statuses, codes, receipt)
        ).encode()  # the envelope differs each time, what it says must not
        return DoorAnswer(200, "", statuses, codes, receipt, said)


def _numbered(document: bytes, key: str) -> Any:
    """The list under a number of its own."""
    root = etree.fromstring(document)
    root.find(f"{{{NAMESPACE}}}ListNo").text = f"KIT-FORGED-{key}"
    return root


def _texts(found: Any, name: str) -> tuple[str, ...]:
    return tuple(str(one.text) for one in found.iter(f"{{{NAMESPACE}}}{name}"))
