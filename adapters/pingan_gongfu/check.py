"""What the kit needs to know of 平安共富积分: how its items are written, what is wrong in them, who is who on its simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree  # type: ignore[import-untyped]

from adapters.kit.speech import Item, Words, changed
from adapters.kit.subject import Accounts, DoorPlace, DoorSender, Town

_BORN_1978 = "330199197803050024"  # invented: the county code 330199 was never given to a county
_SPACE = "urn:pingan-gongfu:gateway:1"


@dataclass(frozen=True, slots=True)
class JftsSpeech:
    """A push is `JFTS`; its items are elements `HD` with one element a word."""

    words: Words

    def items_of(self, document: bytes) -> list[Item]:
        """The items of a push."""
        root = etree.fromstring(document)
        return [
            {etree.QName(word).localname: word.text or "" for word in item}
            for item in root.iter(f"{{{_SPACE}}}HD")
        ]

    def document(self, items: Sequence[Any]) -> bytes:
        """A push of these; a word that is a list is written as often as it has entries."""
        root = etree.Element(f"{{{_SPACE}}}JFTS", nsmap={None: _SPACE})
        etree.SubElement(root, f"{{{_SPACE}}}LSH").text = "KIT-1"
        listed = etree.SubElement(root, f"{{{_SPACE}}}HDLB")
        for item in items:
            written = etree.SubElement(listed, f"{{{_SPACE}}}HD")
            for name, value in item.items():
                for text in value if isinstance(value, list) else [value]:
                    etree.SubElement(written, f"{{{_SPACE}}}{name}").text = text
        made: bytes = etree.tostring(root, encoding="UTF-8")
        return made


def _taken_back(item: Item) -> Item:
    return changed(item, LX="03", LSH=f"{item['LSH']}R", YLSH=item["LSH"])


def _sender(place: DoorPlace) -> DoorSender:
    from adapters.pingan_gongfu.simulator.door_sender import DoorSender as Sender

    return Sender(place)


TOWN: Final = Town(
    speech=JftsSpeech(
        Words(
            reference="LSH",
            activity="HDLX",
            points="JF",
            person="SFZH",
            place="/JFTS/HDLB/HD[{number}]/{field}",
            listed="HDLB",
            personal=("XM", "SJH", "SFZH"),
        )
    ),
    wrong=(
        ("LSH", ..., "field-missing"),
        ("LSH", "", "field-missing"),
        ("LSH", "P" * 65, "text-too-long"),
        ("LSH", "P 1", "text-pattern"),
        ("LSH", "../x", "text-pattern"),
        ("SFZH", "", "field-missing"),
        ("SFZH", _BORN_1978[:-1] + "5", "id-checksum"),
        ("SFZH", _BORN_1978[:6] + _BORN_1978[8:-1], "id-15-digits"),
        ("SFZH", _BORN_1978[:10] + "1331" + _BORN_1978[14:], "id-birth-date"),
        ("SFZH", "３" + _BORN_1978[1:], "id-characters"),
        ("XM", " 测试", "text-outer-space"),
        ("XM", "测试\u202e", "text-control-character"),
        ("XM", "测" * 65, "text-too-long"),
        ("HDLX", "平安巡防", "text-pattern"),
        ("HDLX", "P" * 33, "text-too-long"),
        ("LX", "1", "word-unknown"),
        ("LX", "", "field-missing"),
        ("JF", "0", "points-not-positive"),
        ("JF", "100001", "points-too-many"),
        ("JF", "１２", "points-not-a-number"),
        ("JF", "-5", "points-not-positive"),
        ("JF", "1e2", "points-exponent"),
        ("FSSJ", "2026-05-01", "time-form"),
        ("FSSJ", "２０２６０５０１０８３０００", "time-form"),
        ("FSSJ", "20260230083000", "time-unreal"),
        ("FSSJ", "20260501240000", "time-unreal"),
        ("FSSJ", "19990501083000", "time-out-of-range"),
        ("YLSH", "PA1", "original-without-reversal"),
        ("SURPRISE", "1", "field-unknown"),
    ),
    accounts=Accounts(rich=_BORN_1978, empty="330199198109110140", unknown="330199195901011011"),
    stranger={"username": "stranger"},
    correction=_taken_back,
    sender=_sender,
    connect="docs/pingan_gongfu.md",
)
