"""A served gateway with its four towns simulated over TLS, a stocked branch, and residents whom each town knows.

Residents: one in each town, one in two towns, and one family of two. Ids are invented: 330199 was never given to a county.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

from PIL import Image

from adapters import registry
from gateway import links, subjects
from gateway.flows.offer_goods import offer_goods
from gateway.flows.picture_good import picture_good
from gateway.flows.stock_goods import stock_goods
from gateway.links import Held
from schemas.contributions import ConsentGiven, HouseholdRegistration, MemberRegistration
from schemas.goods import Movement, NewGood, NewPrice
from schemas.staff import Role
from schemas.values import PersonId, Purpose, TownCode
from tests.bank_stage import resident_id
from tests.conftest import TestDatabase
from tests.contract.simulated import SimulatedNeighbour, simulated
from tests.served import Served, served_gateway
from tests.staff_stage import BRANCH, Person, add_person

LIJIAYUAN, NANYANG = TownCode("lijiayuan"), TownCode("nanyang_young")
WUHE, PINGAN = TownCode("wuhe_zhonglian"), TownCode("pingan_gongfu")
TOWNS = (LIJIAYUAN, NANYANG, WUHE, PINGAN)
POINTS_CENTI = 200_000
#: resident → where they have points, by their number
RESIDENTS: dict[int, tuple[TownCode, ...]] = {
    11: (LIJIAYUAN,), 12: (NANYANG,), 13: (WUHE,), 14: (PINGAN,), 15: (LIJIAYUAN, PINGAN), 16: (LIJIAYUAN,),
}  # fmt: skip
BOTH, FAMILY_OF_TWO = 15, 16


def drawn_picture(colour: str, side_px: int = 40) -> bytes:
    """A picture as somebody may upload it (PNG)."""
    out = BytesIO()
    Image.new("RGB", (side_px, side_px), colour).save(out, "PNG")
    return out.getvalue()


def family_code(number: int) -> str:
    return f"DK{number:06d}"


def openid(number: int) -> str:
    return f"o_dk{number:08d}x"


@dataclass
class DeskStage:
    """What stands, and who works there."""

    served: Served
    database: TestDatabase
    towns: dict[TownCode, SimulatedNeighbour]
    goods: dict[str, UUID]
    tellers: list[Person] = field(default_factory=list)
    taken: int = 0

    def teller(self, role: Role = Role.CLERK) -> Person:
        """Somebody new: a code of the second factor opens the door once."""
        self.taken += 1
        person = add_person(self.served.house, f"B{self.taken:03d}", role)
        person.last_step = (
            int(time.time()) // 30 - 1
        )  # the present code, good for a minute: typing takes a while
        return person

    def fill(self) -> None:
        """Everybody has their points again."""
        for town, simulator in self.towns.items():
            known = [number for number, at in RESIDENTS.items() if town in at]
            if town == NANYANG:
                body: object = [
                    {
                        "openid": openid(n),
                        "id_no": resident_id(n),
                        "name": f"测试{n}",
                        "balance_centi": POINTS_CENTI,
                    }
                    for n in known
                ]
            else:
                name = resident_id if town == PINGAN else family_code
                body = {name(n): POINTS_CENTI for n in known}
            simulator.open_accounts(body)


@contextmanager
def desk_stage(database: TestDatabase, folder: Path) -> Iterator[DeskStage]:
    """Four simulators, one web process."""
    with ExitStack() as stack:
        towns = {town: stack.enter_context(simulated(town, folder / town)) for town in TOWNS}
        neighbours = folder / "neighbours.toml"
        lines: list[str] = []
        for town, simulator in towns.items():
            found = registry.find_simulator(town)
            assert found is not None
            lines.append(f"[{town}]")
            table = {**found.settings_for(simulator.place), "answer_timeout_s": 5.0}
            lines += [f"{name} = {json.dumps(value)}" for name, value in table.items()]
        neighbours.write_text("\n".join(lines))
        served = stack.enter_context(
            served_gateway(database, folder, web_processes="1", neighbours_file=str(neighbours))
        )
        made = DeskStage(served, database, towns, _stock(served, database))
        _register(served)
        made.fill()
        yield made


def _register(served: Served) -> None:
    """As the towns' registrations would leave them. The family of two is resident 16 and 116."""
    house, now = served.house, datetime.now(UTC)
    consent = ConsentGiven(Purpose.REDEMPTION, datetime(2026, 1, 1, tzinfo=UTC), "1")
    with house.db.transaction() as tx:
        for number, towns in RESIDENTS.items():
            members = [MemberRegistration(resident_id(number), f"测试{number}", None, True, (consent,))]
            if number == FAMILY_OF_TWO:
                members.append(MemberRegistration(resident_id(116), "欧阳测试", None, False, (consent,)))
            for town in towns:
                if town == NANYANG:
                    person_id, _ = subjects.register_account(
                        tx, house.keys, town, members[0], openid(number), now=now, new_id=house.new_id
                    )
                    held = Held(house.new_id(), town, PersonId(int(person_id)), openid(number), "refresh")
                    links.insert_link(tx, house.keys, held, now=now)
                    continue
                code = "" if town == PINGAN else family_code(number)
                family = HouseholdRegistration(code, "试村", date(2026, 1, 1), tuple(members))
                subjects.register(tx, house.keys, town, [family], now=now, new_id=house.new_id)


def _stock(served: Served, database: TestDatabase) -> dict[str, UUID]:
    house, now, on = served.house, datetime.now(UTC), date(2026, 1, 1)
    offer_goods(
        house,
        [
            NewGood("PAN", "炒锅三件套", "Set of pans", "pan", limit_count=12),
            NewGood("RICE", "大米 5 公斤", "Rice, 5 kg", "rice"),
            NewGood("TV", "电视机", "Television", "box"),
            NewGood("UMBRELLA", "雨伞", "Umbrella", "umbrella"),
        ],
        [
            NewPrice(code, town, on, centi, fen, "协议 2026-01")
            for town in TOWNS
            for code, centi, fen in (
                ("PAN", 5_000, 5_000),
                ("RICE", 2_050, 2_000),
                ("TV", 900_000, 90_000),
                ("UMBRELLA", 1_000, 900),
            )
        ],
        by="test",
        now=now,
    )
    picture_good(house, "RICE", drawn_picture("#c9a227", 400), by="test", now=now)
    goods = {str(c): UUID(str(g)) for c, g in database.sql("select code, good_id::text from good")}
    shelf = [Movement("receive", BRANCH, goods[code], 60, 0) for code in ("PAN", "RICE", "TV")]
    stock_goods(house, shelf, by="test", cause_id=uuid4(), now=now)
    return goods
