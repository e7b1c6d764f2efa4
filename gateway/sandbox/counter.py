"""A sandbox's branch: staff of each role, goods priced in the towns' points, and a stocked shelf."""

from __future__ import annotations

from datetime import date

from gateway.flows.add_staff import add_staff
from gateway.flows.list_staff import list_staff
from gateway.flows.offer_goods import offer_goods
from gateway.flows.stock_goods import stock_goods
from gateway.house import House
from schemas.goods import Movement, NewGood, NewPrice
from schemas.staff import Credentials, NewStaff, Role

BRANCH = "330109001"
STAFF = (
    ("8001", "测试柜员", Role.CLERK),
    ("8002", "测试主管", Role.SUPERVISOR),
    ("8003", "测试起草", Role.POLICY_AUTHOR),
    ("8004", "测试审批", Role.POLICY_APPROVER),
    ("8005", "测试审计", Role.AUDITOR),
    ("8006", "测试运维", Role.OPERATOR),
)
#: code, words, picture, low stock, limit a year, points (centi), value (fen), pieces on the shelf
GOODS = (
    ("PAN-SET", "炒锅三件套", "Set of pans", "pan", 3, 2, 30_000, 15_000, 20),
    ("RICE-5KG", "大米 5 公斤", "Rice, 5 kg", "rice", 10, 12, 6_000, 3_000, 120),
    ("OIL-2L", "菜籽油 2 升", "Rapeseed oil, 2 l", "oil", 10, 12, 5_000, 2_500, 80),
    ("THERMOS", "保温壶", "Thermos flask", "thermos", 5, 2, 8_000, 4_000, 30),
    ("TOWELS", "毛巾一套", "Set of towels", "towel", 10, 6, 2_000, 1_000, 60),
    ("RICE-COOKER", "电饭煲", "Rice cooker", "box", 2, 1, 60_000, 30_000, 6),
)


def open_branch(house: House) -> list[tuple[str, Role, Credentials]]:
    """Make it, when nobody works here yet; what each signs in with, to be shown once. Later: nothing."""
    if list_staff(house):
        return []
    now, found = house.clock(), []
    for teller_no, name, role in STAFF:
        credentials = add_staff(
            house, NewStaff(name, BRANCH, teller_no, frozenset({role})), by="sandbox", now=now
        )
        if credentials is not None:
            found.append((teller_no, role, credentials))
    towns = [town for town, reader in house.readers.items() if reader.capabilities.can_freeze]
    news = [
        NewGood(code, zh, en, picture, low, limit, "year")
        for code, zh, en, picture, low, limit, _, _, _ in GOODS
    ]
    prices = [
        NewPrice(code, town, date(now.year, 1, 1), centi, fen, "沙箱协议 sandbox")
        for code, _, _, _, _, _, centi, fen, _ in GOODS
        for town in towns
    ]
    ids = offer_goods(house, news, prices, by="sandbox", now=now)
    shelf = [Movement("receive", BRANCH, ids[good[0]], good[8], 0, "opening") for good in GOODS]
    stock_goods(house, shelf, by="sandbox", cause_id=house.new_id(), now=now)
    return found
