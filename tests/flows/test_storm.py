"""Bar 4: processes are killed (kill -9) in the middle of a storm of pushes; nothing acknowledged is lost or doubled."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest

from certs import Development, ensure_development
from tests.served import TownClient
from tests.storm.evidence import contradictions, rows
from tests.storm.pushers import Book, Pusher, register_families
from tests.storm.stage import VICTIMS, Stage, stage

CLIENT = "lijiayuan-storm"


@pytest.fixture
def alight() -> Iterator[Stage]:
    """The real processes, serving, with one town's client registered."""
    with stage(GATEWAY_WEB_THREADS="8") as it:
        made = ensure_development(it.config)
        it.command("client", "register", "--town", "lijiayuan", "--client-id", CLIENT,
                   "--jwks", str(made.assertion("lijiayuan")[1]), "--cert", str(made.client("lijiayuan")[0]))  # fmt: skip
        it.start_all()
        yield it


def _town(it: Stage, made: Development) -> TownClient:
    return TownClient(it.url, made.ca_cert, made.client("lijiayuan"), made.assertion("lijiayuan")[0], CLIENT)


def _storm(it: Stage, rounds: int, pause_s: float, seed: int) -> tuple[Book, list[str]]:
    """Push, kill, mend, `rounds` times; the book of what was sent and told, and what was killed."""
    made = ensure_development(it.config)
    dice = random.Random(seed)
    town = _town(it, made)
    families = register_families(town, 60)
    town.close()
    book = Book()
    pushers = [Pusher(lambda: _town(it, made), book, families, n) for n in range(4)]
    for pusher in pushers:
        pusher.start()
    killed: list[str] = []
    _wait_for_answers(book, 50, it)
    for number in range(rounds):
        time.sleep(pause_s * (0.5 + dice.random()))
        victim = VICTIMS[number % len(VICTIMS)] if number < len(VICTIMS) else dice.choice(VICTIMS)
        before = len(book.acknowledged)
        killed.append(it.kill_one(victim, dice))
        time.sleep(dice.random() * 0.5)
        it.mend()
        it.wait_ready()
        _wait_for_answers(book, before, it)
    for pusher in pushers:
        pusher.stopping.set()
    for pusher in pushers:
        pusher.join(90)
        assert not pusher.is_alive(), f"{pusher.name} was never answered"
    return book, killed


def _wait_for_answers(book: Book, before: int, it: Stage) -> None:
    """The path continues after each death: answers come again within half a minute."""
    deadline = time.monotonic() + 30
    while len(book.acknowledged) <= before:
        assert time.monotonic() < deadline, f"nothing was acknowledged any more:\n{it.tail('web')}"
        time.sleep(0.1)


def _assert_whole(it: Stage, book: Book) -> None:
    """Everything acknowledged is stored once with its points, and rows, sums and log agree."""
    dsn = it.dsn()
    stored = rows(dsn, "select reference, points_centi from contribution")
    points = dict(stored)
    assert len(points) == len(stored)
    assert book.surprises == []
    lost = [reference for reference in book.acknowledged if reference not in points]
    assert lost == [], f"{len(lost)} acknowledged items are not stored"
    assert {r: p for r, p in points.items() if book.sent.get(r) != p} == {}, "stored, and never sent so"
    assert contradictions(dsn) == {}
    assert rows(dsn, "select count(*) from leaf") != [(0,)], (
        f"nobody sealed while it stormed:\n{it.tail('jobs')}"
    )
    it.command("log", "seal")
    assert it.command("log", "verify", check=False).returncode == 0, it.command(
        "log", "verify", check=False
    ).stdout


def _assert_answers_stand(it: Stage, book: Book) -> None:
    """The same push again gets the first answer again, to the byte, and stores nothing."""
    before = rows(it.dsn(), "select count(*) from contribution_batch")
    town = _town(it, ensure_development(it.config))
    token = town.token()
    for key, (body, told) in random.Random(1).sample(sorted(book.answers.items()), 20):
        again = town.post("/contributions", body, token, key=key)
        assert (again.status_code, again.content) == (200, told), key
    town.close()
    assert rows(it.dsn(), "select count(*) from contribution_batch") == before


def test_twenty_deaths_lose_and_double_nothing(alight: Stage) -> None:
    rounds, seed = int(os.environ.get("STORM_ROUNDS", "20")), int(os.environ.get("STORM_SEED", "4"))
    book, killed = _storm(alight, rounds, pause_s=1.2, seed=seed)
    print(
        f"{len(book.acknowledged)} items acknowledged, {book.retries} retries, {book.given_up} given up; killed: {killed}"
    )
    assert len(book.acknowledged) > 500, "hardly a storm"
    _assert_whole(alight, book)
    _assert_answers_stand(alight, book)


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_deaths_lose_and_double_nothing(alight: Stage, seed: int) -> None:
    book, _ = _storm(alight, rounds=100, pause_s=1.5, seed=seed)
    _assert_whole(alight, book)
    _assert_answers_stand(alight, book)


def test_the_evidence_sees_a_doubled_and_a_lost_item(alight: Stage) -> None:
    """The questions asked after a storm do find what a storm could do."""
    _storm(alight, rounds=0, pause_s=0, seed=0)
    dsn = alight.dsn()
    assert contradictions(dsn) == {}
    for damage, fact in (
        ("update month_sum set points_centi = points_centi + 1 where ctid = (select min(ctid) from month_sum)", "month sums"),
        ("update account set balance_centi = balance_centi + 1 where ctid = (select min(ctid) from account)", "every balance"),
        ("insert into transfer select gen_random_uuid(), cause_no, leg, cause_kind, town, debit_holder, debit_kind,"
         " credit_holder, credit_kind, points_centi, recorded_at from transfer limit 1", "every transfer has"),
        ("delete from contribution where ctid = (select min(ctid) from contribution)", "every contribution has its batch"),
        ("delete from record where kind = 'contribution_batch'", "every batch has one record"),
    ):  # fmt: skip
        rows(dsn, f"set session_replication_role = replica; {damage} returning 1")
        assert any(found.startswith(fact) for found in contradictions(dsn)), fact
