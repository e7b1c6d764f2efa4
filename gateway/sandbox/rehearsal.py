"""The demo's path on a small town: what is sent, what must come of it, and the checks that everything agrees."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import requests

from adapters.lijiayuan.simulator import Pusher, Town
from adapters.lijiayuan.simulator.seeding import invented, pusher_of
from adapters.registry import TOWNS
from adapters.simulating import SeedGround
from certs.authority import Development
from gateway.flows.evaluate_resident import evaluate_resident
from gateway.flows.inspect_family import FamilyView, inspect_family
from gateway.flows.inspect_health import inspect_health
from gateway.flows.inspect_witnesses import inspect_witnesses
from gateway.flows.list_differences import list_differences
from gateway.flows.list_parked import list_parked
from gateway.flows.reconcile_day import reconcile_day
from gateway.flows.replay_decision import replay_decision
from gateway.flows.verify_log import VerifyReport, verify_log
from gateway.house import House
from gateway.policy import Ruleset
from gateway.sandbox.places import Places
from gateway.sandbox.seed import Progress, Seeded, entry_maker, seed_ground, send_towns
from gateway.sandbox.supervisor import Supervisor
from schemas.errors import GatewayError, UnavailableError
from schemas.policy import Decision, Outcome
from schemas.resident_id import check_character
from schemas.values import TownCode, beijing_date

FAMILIES, ZEAL, SEED = 12, 2.5, 12
TOWN = TownCode("lijiayuan")
DAYS_RECONCILED = 3  # the last days that are over; all 62 would take half a minute
QUIET_FOR_S, QUIET_WITHIN_S = 7.0, 180.0
TOWN_STEP = "factors.towns."
#: answers that say that something was not taken
REFUSED = frozenset({"rejected", "conflict", "quarantined"})
#: the state of a proposal with us → the state of the benefit at the bank; None: the bank holds nothing
AT_BANK = {
    "accepted": "in_force",
    "in_force": "in_force",
    "superseded": "superseded",
    "revoked": "revoked",
    "declined": None,
}


@dataclass(slots=True)
class Story:
    """What happened, and whether it is as it must be."""

    town: Town  # 沥家园, whose families live in the other towns too
    sent: Seeded
    families: dict[str, FamilyView] = field(default_factory=dict)
    told: list[tuple[str, Ruleset, Decision]] = field(
        default_factory=list
    )  # family code and what it was worth
    together: tuple[str, Ruleset, Decision] | None = None  # a family that has points in every town
    bank: dict[str, Any] = field(default_factory=dict)
    report: VerifyReport | None = None
    checks: list[tuple[str, bool, str]] = field(default_factory=list)  # what, agrees?, seen

    def check(self, what: str, seen: object, wanted: object) -> None:
        agrees = seen == wanted
        self.checks.append((what, agrees, str(seen) if agrees else f"{seen!r} ≠ {wanted!r}"))

    @property
    def agrees(self) -> bool:
        return bool(self.checks) and all(right for _, right, _ in self.checks)


def rehearse(
    places: Places, made: Development, house: House, supervisor: Supervisor, today: date, progress: Progress
) -> Story:
    """The whole path. Raises UnavailableError when it does not come to rest."""
    bank, entry = _bank_session(places, made), entry_maker(house)
    for fault in ("drop", "busy"):  # one answer is lost after the bank acted, one message is turned away
        bank.post(
            places.bank + "/_faults", json={"fault": fault, "service": "ProposeBenefit"}, timeout=5
        ).raise_for_status()
    ground = seed_ground(
        places, TOWN, today, size=FAMILIES, seed=SEED, progress=progress, entry=entry, zeal=ZEAL
    )
    sent = send_towns(
        places, today, families=FAMILIES, seed=SEED, progress=progress, entry=entry, zeal=ZEAL, strangers=False,
    )  # fmt: skip
    story = Story(invented(ground), sent)
    for name, said in sent.towns.items():
        refused = sum(
            count for _, _, counts in said.rows for status, count in counts.items() if status in REFUSED
        )
        story.check(f"{TOWNS[TownCode(name)].PROFILE.name_zh} 全部收下 all of it taken", refused, 0)
    _send_oddities(story, ground)
    wait_for_rest(house, supervisor)
    _compare_books(story, house, bank.get(places.bank + "/_state", timeout=10).json())
    _tell_three(story, house)
    _tell_together(story, house)
    story.report = verify_log(house, now=house.clock())
    story.check("日志可验证 the log verifies", story.report.ok, True)
    view = inspect_witnesses(house)
    story.check(
        "两方会签全部记录 two witnesses co-signed all of it", len(view.cosigned), len(places.witness_ports)
    )
    _reconcile(story, house)
    return story


def _bank_session(places: Places, made: Development) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(made.ca_cert)
    session.cert = tuple(map(str, made.client("gateway")))  # type: ignore[assignment]
    return session


def _send_oddities(story: Story, ground: SeedGround) -> None:
    """Sent again, changed, unknown, misspelt, without consent: each must be answered as what it is."""
    pusher = pusher_of(ground)
    first = story.town.items[0]
    nobody = "33019919700101001"
    odd = [
        *story.town.items[:5],
        {**first, "points": 99},
        {**first, "taskId": "ODD-1", "taskType": "droneFlightReport"},
        {
            **first,
            "taskId": "ODD-2",
            "memberIdNo": first["memberIdNo"][:-1] + ("0" if first["memberIdNo"][-1] != "0" else "1"),
        },
        {**first, "taskId": "ODD-3", "memberIdNo": nobody + check_character(nobody)},
    ]
    answer = pusher.push(odd, key="demo-oddities")
    statuses = Counter(item["status"] for item in answer["items"])
    wanted = {"duplicate": 5, "conflict": 1, "quarantined": 1, "rejected": 2}
    story.check("异常逐条回答 each oddity answered as what it is", dict(statuses), wanted)
    again = Pusher(pusher.access, seed=SEED).push(odd, key="demo-oddities")
    story.check("同一批再送,答复相同 the same push again, the same answer", again == answer, True)


def wait_for_rest(house: House, supervisor: Supervisor) -> None:
    """Until nothing waited for a while: no changed family, no message, no unsealed record."""
    deadline = time.monotonic() + QUIET_WITHIN_S
    quiet_since: float | None = None
    while quiet_since is None or time.monotonic() - quiet_since < QUIET_FOR_S:
        supervisor.look()
        gauges = inspect_health(house, now=house.clock()).gauges
        busy = {name: value for name, value in gauges.items() if value and name in _MUST_REST}
        if "changes_waiting" not in gauges or busy:
            quiet_since = None
        elif quiet_since is None:
            quiet_since = time.monotonic()
        if time.monotonic() > deadline:
            raise UnavailableError("the path does not come to rest", code="demo-not-at-rest", value=busy)
        time.sleep(0.3)


_MUST_REST = frozenset(
    {"seal_lag_seconds", "changes_waiting", "outbox_queued", "outbox_sending", "outbox_unknown", "proposals_proposed",
     "proposals_unknown", "leaves_unpublished"}
)  # fmt: skip


def _compare_books(story: Story, house: House, bank: Mapping[str, Any]) -> None:
    """Ours against the town's and the bank's."""
    story.bank = dict(bank)
    for family in story.town.families:
        members = [member["memberIdNo"] for member in family.registration["members"]]
        story.families[family.code] = inspect_family(house, TOWN, family.code, members, now=house.clock())
    ours = {code: view.spendable_centi for code, view in story.families.items()}
    story.check("积分账一致 points as the town's own books", ours, story.town.balances())
    proposals = [row for view in story.families.values() for row in view.proposals]
    overtaken = {  # a newer proposal, or the end of what it stood on, came before the bank acted on it (not sent, or busy)
        row.serial
        for row in proposals
        if row.state in ("superseded", "revoked") and not bank["acted"].get(row.serial)
    }
    wanted = {
        row.serial: (row.product, row.discount_bp, row.limit_increase_fen, AT_BANK.get(row.state, row.state))
        for row in proposals
        if AT_BANK.get(row.state, row.state) is not None and row.serial not in overtaken
    }
    held = {
        benefit["serial"]: (
            benefit["product"],
            benefit["discount_bp"],
            benefit["limit_increase_fen"],
            benefit["state"],
        )
        for benefit in bank["benefits"]
    }
    differing = sorted(
        f"{'ours' if pair in wanted.items() else 'bank'} {pair}"
        for pair in {*held.items()} ^ {*wanted.items()}
    )
    story.check("与银行账一致 proposals as in the bank's books", differing, [])
    story.check(
        "至少一笔 at least one proposal accepted",
        any(state == "in_force" for *_, state in held.values()),
        True,
    )
    story.check("银行没有做两次 nothing done twice", max(bank["acted"].values(), default=1), 1)
    story.check("丢失的答复已查证 the lost answer was asked for", len(bank["faults"]), 0)
    story.check("无待人工处理 nothing waits for a person", len(list_parked(house)), 0)


def _reconcile(story: Story, house: House) -> None:
    """Every town's statements of the last days against what stands here: something agrees, and nothing differs."""
    yesterday_on = beijing_date(house.clock()) - timedelta(days=1)
    matched, differing = 0, []
    for town in sorted(t for t in house.clients if house.readers[t].capabilities.day_statement):
        for back in range(DAYS_RECONCILED):
            matched += reconcile_day(
                house, town, yesterday_on - timedelta(days=back), now=house.clock()
            ).matched
        differing += [f"{town} {row.reference} {row.outcome}" for row in list_differences(house, town)]
    story.check("各镇日对账无差错 every town's day statements agree", (matched > 0, differing), (True, []))


def _tell_three(story: Story, house: House) -> None:
    """Every stored decision is evaluated again to the same bytes; three families are told why."""
    replayed, differing = 0, 0
    for code, view in _most_told_first(story.families):
        for number, row in enumerate(view.decisions):
            try:
                ruleset, decision, _ = replay_decision(house, row.decision_id)
            except GatewayError:
                differing += 1
                continue
            replayed += 1
            told = {known for known, _, _ in story.told}
            if number == 0 and code not in told and len(told) < 3:
                story.told.append((code, ruleset, decision))
    story.check("决定可重算 decisions replay to the same bytes", (replayed > 0, differing), (True, 0))


def _tell_together(story: Story, house: House) -> None:
    """One family with points in every town, evaluated on what stands now: what each town's points are worth together."""
    for family in story.town.families:
        for ruleset, decision in evaluate_resident(house, household=(TOWN, family.code), now=house.clock()):
            counted = {
                step.rule.removeprefix(TOWN_STEP)
                for step in decision.trace
                if step.rule.startswith(TOWN_STEP)
            }
            if counted == set(story.sent.towns):
                story.together = (family.code, ruleset, decision)
    seen = "" if story.together is None else story.together[0]
    story.check("四镇积分同计 one family's points of every town count together", bool(seen), True)


def _most_told_first(families: Mapping[str, FamilyView]) -> Sequence[tuple[str, FamilyView]]:
    """One that was granted most, one that was granted nothing, then the others."""

    def worth(view: FamilyView) -> int:
        return max((row.discount_bp for row in view.decisions[:1]), default=-1)

    decided = sorted(
        ((code, view) for code, view in families.items() if view.decisions), key=lambda pair: -worth(pair[1])
    )
    refused = [pair for pair in decided if pair[1].decisions[0].outcome != Outcome.GRANTED]
    chosen = decided[:1] + refused[:1]
    return chosen + [pair for pair in decided if pair not in chosen]
