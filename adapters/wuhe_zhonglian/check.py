"""What the kit needs to know of 五和众联: how a line of a list is written, and who is who on its simulator.

This town sends lists, no items: what the suite asks of single items it is declared to lack; tests of its own do the rest.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree  # type: ignore[import-untyped]

from adapters.kit.speech import Item, Words
from adapters.kit.subject import Accounts, DoorPlace, DoorSender, Town

_SPACE = "urn:wuhe-zhonglian:gateway:1"


@dataclass(frozen=True, slots=True)
class ListSpeech:
    """An item is one line of a list; the lines of a household stand together in its entry."""

    words: Words

    def items_of(self, document: bytes) -> list[Item]:
        """Every line, with its household."""
        root = etree.fromstring(document)
        return [
            {"HouseholdCode": line.getparent().findtext(f"{{{_SPACE}}}HouseholdCode"),
             **{etree.QName(word).localname: word.text or "" for word in line}}
            for line in root.iter(f"{{{_SPACE}}}Line")
        ]  # fmt: skip

    def document(self, items: Sequence[Any]) -> bytes:
        """A list of these lines; the scores are their sums."""
        root = etree.Element(f"{{{_SPACE}}}SubmitScoreboard", nsmap={None: _SPACE})
        head = {"ListNo": "KIT-1", "Village": "示例紫霞村", "Quarter": "2026Q3", "RuleBookVersion": "2026",
                "PostedAt": "2026-10-08T09:00:00+08:00"}  # fmt: skip
        for name, text in head.items():
            etree.SubElement(root, f"{{{_SPACE}}}{name}").text = text
        households = etree.SubElement(root, f"{{{_SPACE}}}Households")
        entries: dict[str, Any] = {}
        for item in items:
            entry = entries.get(item["HouseholdCode"])
            if entry is None:
                entry = entries[item["HouseholdCode"]] = etree.SubElement(
                    households, f"{{{_SPACE}}}Household"
                )
                etree.SubElement(entry, f"{{{_SPACE}}}HouseholdCode").text = item["HouseholdCode"]
                etree.SubElement(entry, f"{{{_SPACE}}}PostedScore").text = "0"
            line = etree.SubElement(entry, f"{{{_SPACE}}}Line")
            for name in ("ItemCode", "Points"):
                etree.SubElement(line, f"{{{_SPACE}}}{name}").text = item[name]
            score = entry[1]
            score.text = str(
                int(score.text) + int(item["Points"]) * (-1 if item["ItemCode"][0] == "D" else 1)
            )
        made: bytes = etree.tostring(root, encoding="UTF-8")
        return made


def _strange_signer(config: Any) -> Mapping[str, Any]:
    """Settings with a key and a certificate that are on nobody's list."""
    folder = Path(tempfile.mkdtemp(prefix="stranger-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "stranger.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (folder / "stranger.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    return {"signing_cert": folder / "stranger.crt", "signing_key": folder / "stranger.key"}


def _sender(place: DoorPlace) -> DoorSender:
    from adapters.wuhe_zhonglian.simulator.door_sender import DoorSender as Sender

    return Sender(place)


TOWN: Final = Town(
    speech=ListSpeech(
        Words(
            reference="HouseholdCode",
            activity="ItemCode",
            points="Points",
            person="HouseholdCode",
            place="/SubmitScoreboard/Households/Household[{number}]",
            listed="Households",
            personal=("IdNo", "Name", "Phone"),
        )
    ),
    wrong=(),
    accounts=Accounts(rich="HS000001", empty="HS000002", unknown="HS999999"),
    stranger=_strange_signer,
    sender=_sender,
    connect="docs/wuhe_zhonglian.md",
)
