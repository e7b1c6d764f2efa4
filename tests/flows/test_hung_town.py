"""A town that never answers: look-ups and redemptions of a whole branch stand before it, and pushes go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
import requests

from adapters.lijiayuan.simulator import Books
from gateway.db.embedded import Embedded
from gateway.flows.register_households import register_households
from schemas.staff import Role
from schemas.values import TownCode
from tests.bank_stage import resident_id
from tests.contract.simulated_town import running_town
from tests.served import Served, scratch_database, served_gateway
from tests.staff_stage import Browser, add_person

TOWN = TownCode("lijiayuan")
THREADS, LOOK_UPS, PUSHES = 8, 24, 30
FAMILY, ID_NO = "GL000001", resident_id(7)


class Hanging:
    """Balances that are not said until `told`."""

    def __init__(self) -> None:
        self.told, self.asked = threading.Event(), threading.Semaphore(0)

    def balance(self) -> int:
        self.asked.release()
        assert self.told.wait(60)
        return 100_000


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    made = Hanging()
    monkeypatch.setattr(Books, "balance", lambda books, family: made.balance())
    yield made
    made.told.set()


@pytest.fixture
def served(postgres: Embedded, tmp_path: Path, hanging: Hanging) -> Iterator[Served]:
    with running_town(tmp_path / "town") as town, scratch_database(postgres) as database:
        config, neighbours = town.config, tmp_path / "neighbours.toml"
        neighbours.write_text(
            f'[lijiayuan]\naddress = "{config.address}"\nclient_id = "gateway"\nkey_file = "{config.key_file}"\n'
            f'key_id = "{config.key_id}"\nca_file = "{config.ca_file}"\nanswer_timeout_s = 50.0\nsandbox = true\n'
        )
        settings = {"web_processes": "1", "web_threads": str(THREADS), "neighbours_file": str(neighbours)}
        with served_gateway(database, tmp_path, **settings) as running:
            consent = {"givenAt": "2026-01-01T08:00:00+08:00", "textVersion": "v1", "evidence": "form"}
            member = {
                "memberIdNo": ID_NO, "memberName": "测试甲", "isHead": True,
                "consents": [{**consent, "purpose": p} for p in ("loanMapping", "redemption")],
            }  # fmt: skip
            family = {
                "familyCode": FAMILY,
                "village": "试村",
                "memberSince": "2025-01-01",
                "members": [member],
            }
            body = orjson.dumps({"households": [family]})
            answer = register_households(running.house, TOWN, "t", body, now=datetime.now(UTC))
            assert [str(item.status) for item in answer] == ["accepted"], answer
            yield running
            hanging.told.set()


def _look_up(served: Served, clerk: Browser, form_token: str) -> int:
    """What one more page of this clerk is told about a resident; a session of its own, as another window has."""
    with requests.Session() as window:
        window.verify, window.trust_env = str(served.certificates.ca_cert), False
        window.cookies.update(clerk.session.cookies)
        fields = {"form_token": form_token, "words": ID_NO, "reason": "redemption"}
        return window.post(f"{served.url}/desk/find", data=fields, timeout=60).status_code


def test_pushes_are_answered_while_every_look_up_hangs(served: Served, hanging: Hanging) -> None:
    clerk = Browser(served.url, served.certificates.ca_cert)
    assert clerk.sign_in(add_person(served.house, "C001", Role.CLERK)).status_code == 303
    form_token, town = clerk.form_token("/desk/"), served.town()
    token = town.token()
    with ThreadPoolExecutor(LOOK_UPS) as pool:
        pages = [pool.submit(_look_up, served, clerk, form_token) for _ in range(LOOK_UPS)]
        standing = 0
        while hanging.asked.acquire(timeout=2 if standing else 30):  # until nobody else comes to stand there
            standing += 1
        answers = []
        for number in range(PUSHES):
            item = {
                "taskId": f"T{number}", "taskType": "garbageSorting", "kind": "award", "familyCode": FAMILY,
                "memberIdNo": ID_NO, "points": 1, "finishedAt": datetime.now(UTC).isoformat(),
            }  # fmt: skip
            answers.append(town.post("/contributions", orjson.dumps({"items": [item]}), token).status_code)
        hanging_still = sum(not page.done() for page in pages)
        assert not hanging.told.is_set()
        hanging.told.set()
        seen = [page.result(timeout=60) for page in pages]
    town.close()
    clerk.close()
    assert standing == THREADS // 4
    assert answers == [200] * PUSHES
    assert hanging_still >= THREADS // 4  # they hung all the while
    assert seen == [200] * LOOK_UPS  # each page came, and says of the town what could be known
