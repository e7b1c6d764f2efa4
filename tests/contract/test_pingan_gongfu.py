"""平安共富积分 beyond the kit's scenarios: its encoding in real bytes, its codes, its day file, its contract."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.pingan_gongfu import Config, create_client, create_reader, create_soap
from adapters.pingan_gongfu.client import PinganClient
from adapters.pingan_gongfu.day_file import take_apart
from adapters.pingan_gongfu.mapping import CATEGORIES, CONTRACT, MEANINGS
from adapters.pingan_gongfu.simulator import invent_town
from adapters.soap_contract import SoapContract
from adapters.soap_envelope import only_child
from adapters.soap_envelope import take_apart as take_message_apart
from adapters.soap_reading import canonical, parse_message, parse_xml
from certs import ensure_development
from gateway.config import load_config
from schemas.errors import (
    ConflictError,
    GatewayError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from schemas.resident_id import accepted_resident_id
from schemas.values import Category, Purpose, Serial
from tests.contract.scripted_service import ScriptedService, answering, running
from tests.contract.simulated import SimulatedNeighbour, simulated

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


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedNeighbour]:
    with simulated("pingan_gongfu", tmp_path_factory.mktemp("pingan")) as it:
        it.open_accounts({RICH: 10_000})
        yield it


@pytest.fixture
def client(town: SimulatedNeighbour) -> Iterator[PinganClient]:
    yield create_client(town.settings())
    town.calm()


def _item(serial: str, **changes: str) -> dict[str, str]:
    item = {"LSH": serial, "SFZH": RICH, "XM": "", "HDLX": "PAXF", "LX": "01", "JF": "1"}
    return {**item, "FSSJ": "20260602080000", "YLSH": "", **changes}


def _enter(town: SimulatedNeighbour, day: str, items: list[dict[str, str]]) -> None:
    town.calls.post(f"{town.place.address}/_items/{day}", json=items, timeout=5).raise_for_status()


class TestClient:
    def test_9999_after_acting_is_unknown_and_asking_tells(
        self, client: PinganClient, town: SimulatedNeighbour
    ) -> None:
        town.arm("unknown", "freeze")
        with pytest.raises(OutcomeUnknownError) as unknown:
            client.freeze(Serial("P9999"), RICH, 100, "茶叶")
        assert unknown.value.code == "pingan-9999"
        found = client.find(Serial("P9999"))
        assert found is not None
        assert found.state == "frozen"

    def test_9001_is_nothing_happened(self, client: PinganClient, town: SimulatedNeighbour) -> None:
        acted = town.state()["acted"]
        town.arm("busy", "freeze")
        with pytest.raises(UnavailableError) as busy:
            client.freeze(Serial("P9001"), RICH, 100, "茶叶")
        assert busy.value.code == "pingan-9001"
        assert town.state()["acted"] == acted
        assert client.find(Serial("P9001")) is None

    def test_an_expired_or_used_token_and_a_wrong_password_turn_us_away(
        self, town: SimulatedNeighbour, tmp_path: Path
    ) -> None:
        wrong = tmp_path / "password"
        wrong.write_text("guess\n")
        with pytest.raises(UnavailableError) as refused:
            create_client(town.settings(password_file=wrong)).balance(RICH)
        assert refused.value.code == "neighbour-credentials"

    def test_the_statement_lists_what_happened_and_what_was_frozen(
        self, client: PinganClient, town: SimulatedNeighbour
    ) -> None:
        invented = invent_town(7, 120, date(2026, 5, 4), days=3)
        for day, items in invented.days().items():
            _enter(town, day, items)
        on = date(2026, 5, 2)
        wanted = [item for item in invented.items if item["FSSJ"].startswith("20260502")]
        assert len(wanted) > 0
        lines = list(client.day_statement(on))
        assert [line.reference for line in lines] == [item["LSH"] for item in wanted]
        assert {line.state for line in lines} == {"posted"}
        assert list(client.day_statement(date(2020, 1, 1))) == []

    @pytest.mark.parametrize("fault", ["cut", "another_day"])
    def test_a_statement_that_is_not_whole_is_not_taken(
        self, fault: str, client: PinganClient, town: SimulatedNeighbour
    ) -> None:
        _enter(town, "20260601", [_item(f"S{n}", FSSJ="20260601080000") for n in range(4)])
        town.arm(fault, "statement")
        with pytest.raises(UnavailableError):
            list(client.day_statement(date(2026, 6, 1)))
        assert len(list(client.day_statement(date(2026, 6, 1)))) == 4

    def test_the_day_file_comes_whole_with_rare_names(
        self, client: PinganClient, town: SimulatedNeighbour
    ) -> None:
        items = [_item(f"F{n}", JF="2.50", XM="测试𠮷") for n in range(3)]
        _enter(town, "20260602", items)
        file = client.fetch_day_file(date(2026, 6, 2))
        assert (len(file.lines), file.points_centi) == (3, 750)
        assert "测试𠮷".encode("gb18030") in file.lines[0]
        assert client.fetch_day_file(date(2026, 6, 3)).lines == ()

    @pytest.mark.parametrize(
        ("fault", "code"),
        [
            ("missing", "day-file-missing"),
            ("cut", "day-file-digest"),
            ("another_day", "day-file-other-day"),
        ],
    )
    def test_a_file_that_is_not_right_is_asked_for_again(
        self, fault: str, code: str, client: PinganClient, town: SimulatedNeighbour
    ) -> None:
        town.arm(fault, "file")
        with pytest.raises(UnavailableError) as refused:
            client.fetch_day_file(date(2026, 6, 4))
        assert refused.value.code == code
        assert client.fetch_day_file(date(2026, 6, 4)).lines == ()


def _said(operation: str, **words: str) -> bytes:
    shape = {
        "FHM": "0000",
        "FHXX": "测试𠮷 330199197803050024",
        "LSH": "P1",
        "ZT": "01",
        "JF": "1.00",
        "PTLSH": "PT1",
    }
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in {**shape, **words}.items())
    return (
        '<?xml version="1.0" encoding="GB18030"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>'
        f'<{operation}FH xmlns="urn:pingan-gongfu:platform:1">{inside}</{operation}FH></e:Body></e:Envelope>'
    ).encode("gb18030")


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[tuple[ScriptedService, PinganClient]]:
    made = ensure_development(load_config({"GATEWAY_STATE_DIR": str(tmp_path)}))
    password = tmp_path / "password"
    password.write_text("secret\n")
    cert, key = made.client("gateway")
    with running(made, client_ca=made.ca_cert) as service:
        address = service.address.removesuffix("/service")
        config = Config(address, "gateway", password, cert, key, made.ca_cert, path="/service", sandbox=True)
        yield service, create_client(config)


#: what each return code means, for what acts and for what asks
OUTCOMES: dict[str, tuple[type[GatewayError] | None, type[GatewayError] | None]] = {
    "0000": (None, None),
    "1001": (None, None),
    "1002": (ConflictError, ConflictError),
    "2001": (NotFoundError, NotFoundError),
    "2002": (RefusedError, RefusedError),
    "2003": (ConflictError, ConflictError),
    "3001": (NotFoundError, None),
    "3002": (ConflictError, ConflictError),
    "9001": (UnavailableError, UnavailableError),
    "9999": (OutcomeUnknownError, UnavailableError),
    "0001": (OutcomeUnknownError, UnavailableError),  # a code that is not in the contract
    "": (OutcomeUnknownError, UnavailableError),
}


def test_every_code_of_the_contract_has_a_meaning() -> None:
    assert set(MEANINGS) == set(OUTCOMES) - {"0001", ""}


@pytest.mark.parametrize("code", OUTCOMES)
def test_each_return_code_means_one_thing(code: str, scripted: tuple[ScriptedService, PinganClient]) -> None:
    """HTTP 200 each time: only the code says whether it worked. Their message may name a person and is never repeated."""
    service, client = scripted
    acts, asks = OUTCOMES[code]
    calls: tuple[tuple[str, Callable[[], object], type[GatewayError] | None], ...] = (
        ("JFDJ", lambda: client.freeze(Serial("P1"), RICH, 100, ""), acts),
        ("DJCX", lambda: client.find(Serial("P1")), asks),
    )
    for operation, call, wanted in calls:
        service.scripts.clear()
        service.scripts.append(answering(_said(operation, FHM=code)))
        if wanted is None:
            call()
            continue
        with pytest.raises(wanted) as told:
            call()
        assert type(told.value) is wanted
        assert RICH not in str(told.value)
        assert "测试" not in str(told.value)


@pytest.mark.parametrize(
    ("act", "words", "error"),
    [
        ("DJQR", {"ZT": "01"}, OutcomeUnknownError),  # 'done', and still frozen
        ("DJQR", {"ZT": "02", "LSH": "P2"}, OutcomeUnknownError),  # about another serial
        ("DJQR", {"ZT": "02", "JF": "viel"}, OutcomeUnknownError),
        ("DJQX", {"ZT": "02"}, OutcomeUnknownError),
        ("DJQX", {"FHM": "3002", "ZT": "02"}, ConflictError),
        ("DJQX", {"FHM": "3002", "ZT": "03"}, None),  # released before: the same answer again
    ],
)
def test_an_answer_that_contradicts_itself_is_not_believed(
    act: str,
    words: dict[str, str],
    error: type[GatewayError] | None,
    scripted: tuple[ScriptedService, PinganClient],
) -> None:
    service, client = scripted
    service.scripts.append(answering(_said(act, **words)))
    call = client.confirm if act == "DJQR" else client.release
    if error is None:
        assert call(Serial("P1")).state == "released"
        return
    with pytest.raises(error):
        call(Serial("P1"))


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
