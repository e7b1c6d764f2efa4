"""平安共富积分 beyond the kit's scenarios: its encoding in real bytes, its codes, its day file, its contract."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.pingan_gongfu import create_reader, create_soap
from adapters.pingan_gongfu.day_file import take_apart
from adapters.pingan_gongfu.mapping import CATEGORIES, CONTRACT
from adapters.pingan_gongfu.simulator import invent_town
from adapters.soap_contract import SoapContract
from adapters.soap_envelope import only_child
from adapters.soap_envelope import take_apart as take_message_apart
from adapters.soap_reading import canonical, parse_message, parse_xml
from schemas.errors import (
    InvalidError,
    UnavailableError,
)
from schemas.resident_id import accepted_resident_id
from schemas.values import Category, Purpose

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

RECORDED = Path(__file__).parent / "recorded" / "pingan_gongfu"
READER = create_reader()
DAY = date(2026, 5, 3)
RICH = "330199197803050024"


def recorded(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


class TestEncoding:
    """Real bytes, characters of one, two and four bytes."""

    def test_the_message_in_gb18030_says_what_the_recorded_payload_says(self) -> None:
        root = parse_message(
            recorded("jfts.gb18030.xml"), "application/soap+xml; charset=GB18030", ("GB18030",)
        )
        payload = canonical(only_child(take_message_apart(root, "1.2").body))
        assert READER.read_push(payload, {}).items == READER.read_push(recorded("push.xml"), {}).items
        assert "𠮷".encode("gb18030") == b"\x954\xb25"
        assert b"\x954\xb25" in recorded("jfts.gb18030.xml")

    def test_names_arrive_character_by_character(self) -> None:
        persons, _ = READER.read_households(recorded("households.xml"))
        assert [p.members[0].name for p in persons] == [
            "测试𠮷田", "买買提·艾力", "测试䶮", "测试𬭎小", "测试㐂",
        ]  # fmt: skip

    @pytest.mark.parametrize("name", ["𠮷", "䶮", "㐂", "𬭎"])
    def test_gbk_cannot_carry_what_we_test_with(self, name: str) -> None:
        with pytest.raises(UnicodeEncodeError):
            name.encode("gbk")

    def test_a_message_that_says_gbk_is_refused_and_not_misread(self) -> None:
        body = recorded("jfts.gb18030.xml").replace(b'"GB18030"', b'"GBK"')
        for charset in ("GBK", "GB18030"):
            with pytest.raises(InvalidError) as refused:
                parse_message(body, f"application/soap+xml; charset={charset}", ("GB18030",))
            assert refused.value.code in ("encoding-unsupported", "encoding-mixed")

    def test_half_a_character_is_refused_with_its_place(self) -> None:
        body = recorded("jfts.gb18030.xml")
        at = body.index(b"\x954\xb25")
        with pytest.raises(InvalidError) as refused:
            parse_message(
                body[: at + 2] + body[at + 4 :], "application/soap+xml; charset=GB18030", ("GB18030",)
            )
        assert refused.value.code == "character-outside-encoding"

    def test_a_line_whose_name_has_the_byte_of_the_separator_is_read(self) -> None:
        """The second byte of 倈 is that of '|'."""
        assert "倈".encode("gb18030")[1:] == b"|"
        line = recorded("lines.txt").split(b"\r\n")[0]
        odd = line.decode("gb18030").replace("测试𠮷田", "测试倈").encode("gb18030")
        (item,) = READER.read_lines(odd, {}).items
        assert item == READER.read_lines(line, {}).items[0]

    def test_a_broken_line_spoils_no_other(self) -> None:
        lines = recorded("lines.txt").split(b"\r\n")[:3]
        read = READER.read_lines(
            b"\n".join([lines[0], lines[1].replace(b"|01|", b"|\xff\xff|"), lines[2]]), {}
        )
        assert [item.item_no for item in read.items] == [0, 2]
        assert [(fault.item_no, fault.code) for fault in read.faults] == [(1, "character-outside-encoding")]

    def test_lines_read_like_the_message(self) -> None:
        assert (
            READER.read_lines(recorded("lines.txt"), {}).items
            == READER.read_push(recorded("push.xml"), {}).items
        )

    def test_lines_cut_out_leave_the_others_their_numbers(self) -> None:
        kept = READER.without_items(recorded("lines.txt"), {1, 2}, as_lines=True)
        assert [item.item_no for item in READER.read_lines(kept, {}).items] == [0, 3, 4, 5, 6]
        assert "买買提".encode("gb18030") not in b"".join(kept.split(b"\n")[:3])


class TestWords:
    def test_every_category_of_the_table_is_one_of_ours(self) -> None:
        assert {Category(c) for c in CATEGORIES.values()} <= set(Category)

    def test_a_person_is_registered_for_themselves(self) -> None:
        persons, faults = READER.read_households(recorded("households.xml"))
        assert faults == []
        assert {p.household_code for p in persons} == {""}
        assert [len(p.members) for p in persons] == [1] * 5
        assert [c.purpose for c in persons[0].members[0].consents] == [
            Purpose.LOAN_MAPPING,
            Purpose.REDEMPTION,
        ]
        assert persons[3].members[0].consents[0].guardian

    @pytest.mark.parametrize(
        ("old", "new", "code", "where"),
        [
            ("<JHR>1</JHR>", "<JHR>0</JHR>", "guardian-needed", "/RYDJ/RYLB/RY[4]/TYLB"),
            ("01</YT><TYSJ>20260401091000", "9</YT><TYSJ>20260401091000", "word-unknown", "/RYDJ/RYLB/RY[2]/TYLB/TY[1]/YT"),
            ("<SJH>00100000001</SJH>", "<SJH>12</SJH>", "text-pattern", "/RYDJ/RYLB/RY[1]/SJH"),
            ("<XM>测试䶮</XM>", "<XM></XM>", "field-missing", "/RYDJ/RYLB/RY[3]/XM"),
        ],
    )  # fmt: skip
    def test_a_faulty_person_is_refused_and_the_others_read(
        self, old: str, new: str, code: str, where: str
    ) -> None:
        persons, faults = READER.read_households(
            recorded("households.xml").decode().replace(old, new).encode()
        )
        assert len(persons) == 4
        assert [(fault.code, fault.where) for fault in faults] == [(code, where)]

    def test_nobody_is_registered_without_a_consent(self) -> None:
        text = recorded("households.xml").decode()
        begin, end = text.index("<TYLB>"), text.index("</TYLB>") + len("</TYLB>")
        _, faults = READER.read_households((text[:begin] + "<TYLB></TYLB>" + text[end:]).encode())
        assert [fault.code for fault in faults] == ["field-missing"]

    def test_an_element_twice_is_refused(self) -> None:
        body = recorded("push.xml").replace(b"<JF>5</JF>", b"<JF>5</JF><JF>500</JF>")
        read = READER.read_push(body, {})
        assert [fault.code for fault in read.faults] == ["element-twice"]
        assert len(read.items) == 6

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b"", "not-well-formed"),
            (b"<JFTS/>", "element-unexpected"),
            (b'<JFTS xmlns="urn:pingan-gongfu:gateway:1"><LSH>1</LSH><HDLB/></JFTS>', "items-empty"),
            (b'<RYDJ xmlns="urn:pingan-gongfu:gateway:1"/>', "element-unexpected"),
            (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "dtd-refused"),
        ],
    )
    def test_what_is_no_push_is_refused(self, body: bytes, code: str) -> None:
        with pytest.raises(InvalidError) as refused:
            READER.read_push(body, {})
        assert refused.value.code == code


class TestContract:
    def test_what_was_recorded_follows_the_schema(self) -> None:
        contract = SoapContract(CONTRACT, "gateway.wsdl", "1.2")
        for name in ("push.xml", "households.xml", "withdrawals.xml"):
            contract.validate(parse_xml(recorded(name), "recorded"))

    def test_the_service_has_an_operation_for_each_of_the_wsdl(self) -> None:
        service = create_soap(None)  # no signing: this town's answers are not signed
        assert service.contract_file("wsdl", "https://gateway.example/soap") is not None
        assert service.contract_file("gateway.xsd", "https://gateway.example/soap") is not None


class TestDayFile:
    def take(self, content: bytes, count: int = 3, on: date = DAY) -> Any:
        return take_apart(content, on, sha256=hashlib.sha256(content).hexdigest(), item_count=count)

    def test_a_whole_file_is_taken(self) -> None:
        file = self.take(recorded("day.20260503.txt"))
        assert (file.on, len(file.lines), file.points_centi) == (DAY, 3, 3300)
        assert file.caps_centi == {"AQSP": 600, "PAXF": 2000}
        read = READER.read_lines(b"\n".join(file.lines), {})
        assert [i.reference for i in read.items] == [f"PA20260503000000{n}" for n in (1, 2, 3)]

    def test_an_empty_day_is_a_file(self) -> None:
        assert self.take(b"RZWJ|1|20260503|0|0.00\r\nJS|0\r\n", 0).lines == ()

    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            (b"|20260503|3|", b"|20260502|3|", "day-file-other-day"),
            (b"JS|3\r\n", b"", "day-file-cut"),
            (b"JS|3\r\n", b"JS|3", "day-file-cut"),
            (b"JS|3", b"JS|2", "day-file-count"),
            (b"|3|33.00", b"|4|33.00", "day-file-count"),
            (b"|3|33.00", b"|3|33.01", "day-file-sum"),
            (b"RZWJ|1|", b"RZWJ|2|", "day-file-form"),
            (b"XE|AQSP", b"??|AQSP", "day-file-form"),
            (b"XE|AQSP|6.00", b"XE|AQSP|viel", "day-file-form"),
            (b"RZWJ|1|20260503|3|33.00\r\n", b"", "day-file-form"),
        ],
    )
    def test_what_is_not_whole_is_not_taken(self, old: bytes, new: bytes, code: str) -> None:
        content = recorded("day.20260503.txt")
        assert old in content
        with pytest.raises(UnavailableError) as refused:
            self.take(content.replace(old, new))
        assert refused.value.code == code

    def test_other_bytes_than_announced_are_not_taken(self) -> None:
        with pytest.raises(UnavailableError) as refused:
            take_apart(recorded("day.20260503.txt"), DAY, sha256="0" * 64, item_count=3)
        assert refused.value.code == "day-file-digest"


class TestInventedTown:
    def test_the_same_seed_is_the_same_town(self) -> None:
        first, again = (invent_town(3, 40, date(2026, 5, 4), days=30) for _ in range(2))
        assert (first.items, first.registrations()) == (again.items, again.registrations())

    def test_its_people_have_valid_numbers_and_its_caps_hold(self) -> None:
        town = invent_town(
            3, 200, date(2026, 5, 4), days=60, residents=[{"id_no": RICH, "name": "测试", "phone": "1"}]
        )
        assert town.persons[0].id_no == RICH
        assert all(accepted_resident_id(p.id_no) for p in town.persons)
        reached: dict[tuple[str, str, str], float] = {}
        for item in town.items:
            if item["LX"] == "01":
                key = (item["SFZH"], item["HDLX"], item["FSSJ"][:8])
                reached[key] = reached.get(key, 0) + float(item["JF"]) * 100
        caps = town.caps()
        assert all(centi <= caps.get(activity, 10**9) for (_, activity, _), centi in reached.items())
        assert any("𠮷" in p.name for p in town.persons)
