"""SOAP batch: signed lists of 五和众联 through the real door, every signature proven, against plain SQL writing as many rows.

A list is one village, one quarter, LINES lines of FAMILIES_A_LIST households. Messages are signed before the clock starts, and
lately enough to be fresh. The floor is the same as that of the REST batch, in this run, on this server.
"""

from __future__ import annotations

import random
import statistics
from datetime import UTC, datetime
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from adapters.wuhe_zhonglian.simulator import Signing
from adapters.wuhe_zhonglian.simulator.envelopes import envelope_of
from adapters.wuhe_zhonglian.simulator.posting import PostedList
from adapters.wuhe_zhonglian.simulator.pusher import NAMESPACE, scoreboard_element
from bench import floor, rows
from bench.client import Door, Shot, fire
from bench.report import Line, Report
from certs import ensure_development, read_soap_registration
from gateway.flows.register_soap_client import register_soap_client

TOWN = "wuhe_zhonglian"
FAMILIES_A_LIST, ITEMS = 500, ("G01", "G02")
LINES = FAMILIES_A_LIST * len(ITEMS)
#: quarters with a day on which their list may be posted; the first is for warming up
QUARTERS = (
    ("2025Q4", datetime(2026, 1, 8, 1, tzinfo=UTC)),
    ("2026Q1", datetime(2026, 4, 8, 1, tzinfo=UTC)),
    ("2026Q2", datetime(2026, 7, 8, 1, tzinfo=UTC)),
    ("2026Q3", datetime(2026, 10, 8, 1, tzinfo=UTC)),
)


def _messages(
    families: list[rows.Family], villages: int, quarter: str, at: datetime, signing: Signing
) -> list[bytes]:
    chance = random.Random(quarter)
    made = []
    for village in range(villages):
        households = {
            family.code: {item: chance.randrange(1, 9) * 100 for item in ITEMS}
            for family in families[village::villages]
        }
        named = rows.village_of(village, villages)
        made.append(PostedList(f"{quarter}-{village}", named, quarter, "2026", at, households))
    return [envelope_of(scoreboard_element(board), signing) for board in made]


def _rate(door: Door, messages: list[bytes], connections: int = 4) -> float:
    shots = [
        Shot(
            f"/towns/{TOWN}/soap", message, "text/xml; charset=utf-8", "", "", f"{NAMESPACE}/SubmitScoreboard"
        )
        for message in messages
    ]
    took, _, firsts = fire(door, [shots[n::connections] for n in range(connections)])
    for first in firsts:
        answer = etree.fromstring(first)
        statuses = {e.text for e in answer.iter(f"{{{NAMESPACE}}}Status")}
        added = answer.findtext(f".//{{{NAMESPACE}}}LinesAdded")
        if statuses != {"accepted"} or added != str(LINES):
            raise RuntimeError(f"a list was not plainly accepted: {statuses} {added} {first[-1500:]!r}")
    return len(messages) * LINES / took


def measure_soap(report: Report, door: Door, dsn: str, house: Any, count: int) -> None:
    """The rows of the SOAP door; floor and door in turn, so that a slow minute hits both."""
    made = ensure_development(house.config)
    certificate, key = made.signing(TOWN)
    register_soap_client(
        house, read_soap_registration(TOWN, "bench-soap", [certificate], []), now=house.clock()
    )
    signing = Signing(key, certificate, (house.config.soap_cert,))
    villages = max(2, count // FAMILIES_A_LIST)
    families = rows.load_families(house.db, house.keys, villages * FAMILIES_A_LIST, TOWN, villages)
    ratios, floors, rates = [], [], []
    for number, (quarter, at) in enumerate(QUARTERS):
        rate = _rate(door, _messages(families, villages, quarter, at, signing))
        if number == 0:
            continue
        events = villages * LINES
        floors.append(
            max(
                floor.measure(dsn, families, events, writers, f"soap{number}w{writers}", TOWN)
                for writers in (1, 2)
            )
        )
        rates.append(rate)
        ratios.append(rates[-1] / floors[-1])
    ratio = statistics.median(ratios)
    report.add(Line("floor beside it: plain SQL, as many rows", statistics.median(floors), "events/s"))
    report.add(
        Line("SOAP batch, 1 000 lines a list, signatures proven", statistics.median(rates), "lines/s", ratio,
             ">= 0.3 of the floor", ratio >= 0.3)
    )  # fmt: skip
