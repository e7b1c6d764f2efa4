"""A town that already speaks our words: JSON arrays of contributions. For tests of corridors that no adapter should blur."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
from uuid6 import uuid7

from gateway.config import Config
from gateway.house import House
from schemas.contributions import (
    ConsentGiven,
    Contribution,
    FaultyItem,
    HouseholdRegistration,
    MemberRegistration,
    Push,
    ReadPush,
    Withdrawal,
)
from schemas.crypto import KeyRing
from schemas.errors import InvalidError
from schemas.ports import Capabilities, Profile
from schemas.values import Category, ContributionKind, Purpose, TownCode
from tests.conftest import TestDatabase

TOWN = TownCode("lijiayuan")
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
KEYS = KeyRing("international", "k1", {"k1": bytes(range(32))}, bytes(range(32, 64)))
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def invented_id_no(number: int, born: date = date(1980, 5, 17)) -> str:
    """An invented resident id: a region that does not exist, a valid checksum (GB 11643)."""
    body = f"990000{born:%Y%m%d}{number:03d}"
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 11]


class PlainReader:
    """Satisfies TownReader. An item is a dict of Contribution's fields; a missing `reference` is a fault."""

    town = TOWN
    profile = Profile(TOWN, "平镇", "Plain", "平镇", "Plain", None)
    version = "plain/1"
    capabilities = Capabilities("household", True, True, True, True, True, 5000, can_reverse=True)

    def read_push(self, body: bytes, codes: Mapping[str, Category]) -> ReadPush:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError as exc:
            raise InvalidError(f"not JSON: {exc}", code="broken-json") from None
        return self._read(document, codes, 0)

    def read_lines(self, body: bytes, codes: Mapping[str, Category], first_no: int = 0) -> ReadPush:
        return self._read([orjson.loads(line) for line in body.splitlines()], codes, first_no)

    def _read(self, document: list[dict[str, Any]], codes: Mapping[str, Category], first_no: int) -> ReadPush:
        items, faults = [], []
        for no, item in enumerate(document, first_no):
            if "reference" not in item:
                faults.append(FaultyItem(no, None, "missing-field", f"/{no}/reference", "give a reference"))
                continue
            activity = item.get("activity", "sorting")
            category = codes.get(activity) or (Category(activity) if activity in list(Category) else None)
            at = datetime.fromisoformat(item["at"]) if "at" in item else NOW - timedelta(hours=1)
            items.append(
                Contribution(no, item["reference"], ContributionKind(item.get("kind", "award")), activity, category,
                             item.get("points_centi", 100), at, item.get("code"), item.get("id_no"),
                             reverses=item.get("reverses"))
            )  # fmt: skip
        return ReadPush(items, faults)

    def without_items(self, body: bytes, item_nos: Collection[int], *, as_lines: bool) -> bytes:
        document = [orjson.loads(line) for line in body.splitlines()] if as_lines else orjson.loads(body)
        return orjson.dumps([item for no, item in enumerate(document) if no not in item_nos])

    def read_households(self, body: bytes) -> tuple[list[HouseholdRegistration], list[FaultyItem]]:
        families = []
        for family in orjson.loads(body):
            members = tuple(
                MemberRegistration(m["id_no"], m.get("name", "测试甲"), m.get("phone"), m.get("head", False), tuple(
                    ConsentGiven(Purpose(p), NOW - timedelta(days=300), "v1", "form-1", m.get("guardian", False))
                    for p in m.get("purposes", ("loan_mapping", "redemption"))))
                for m in family["members"]
            )  # fmt: skip
            since = date.fromisoformat(family.get("since", "2025-01-01"))
            families.append(
                HouseholdRegistration(family["code"], family.get("village", "试村"), since, members)
            )
        return families, []

    def read_withdrawals(self, body: bytes) -> tuple[list[Withdrawal], list[FaultyItem]]:
        return [Withdrawal(w["id_no"], Purpose(w["purpose"]), NOW) for w in orjson.loads(body)], []

    def openapi_paths(self) -> Mapping[str, Any]:
        return {"paths": {}, "components": {}}


def plain_house(database: TestDatabase, **changes: Any) -> House:
    """A house on a test database whose one town is the plain one."""
    house = House(
        config=Config(),
        db=database.app,
        audit_db=database.auditor,
        keys=KEYS,
        readers={TOWN: PlainReader()},
        clients={},
        bank=None,
        sign_receipt=lambda claims: "receipt of " + str(claims["batch_id"]),
        clock=lambda: NOW,
        new_id=uuid7,
    )
    return replace(house, **changes) if changes else house


def push(
    items: list[dict[str, Any]] | bytes, key: str, *, client_id: str = "town-a", as_lines: bool = False
) -> Push:
    body = items if isinstance(items, bytes) else orjson.dumps(items)
    return Push(TOWN, client_id, key, body, NOW, uuid7(), "test", as_lines)
