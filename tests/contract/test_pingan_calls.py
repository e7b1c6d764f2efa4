"""Calls to 平安共富积分 beyond the kit's scenarios: its own services, lost answers, and what each of its return codes means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from adapters.pingan_gongfu import Config, create_client, create_reader
from adapters.pingan_gongfu.client import PinganClient
from adapters.pingan_gongfu.mapping import MEANINGS
from adapters.pingan_gongfu.simulator import invent_town
from certs import ensure_development
from gateway.config import load_config
from schemas.errors import (
    ConflictError,
    GatewayError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from schemas.values import Serial
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
        ("DJCZ", {"ZT": "02"}, OutcomeUnknownError),
        ("DJCZ", {"FHM": "3002", "ZT": "03"}, ConflictError),
        ("DJCZ", {"FHM": "3002", "ZT": "05"}, None),  # reversed before
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
    call = {"DJQR": client.confirm, "DJQX": client.release, "DJCZ": client.reverse}[act]
    if error is None:
        assert call(Serial("P1")).state == ("released" if act == "DJQX" else "reversed")
        return
    with pytest.raises(error):
        call(Serial("P1"))
