"""五和众联 over the real door: signed lists and corrections, receipts, and everything that may be wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import etree  # type: ignore[import-untyped]

from adapters.wuhe_zhonglian.simulator import DoorRefusedError, PostedList, Pusher, Town, invent_town
from adapters.wuhe_zhonglian.simulator.envelopes import content_of, envelope_of
from adapters.wuhe_zhonglian.simulator.posting import Correction, Posted
from adapters.wuhe_zhonglian.simulator.pusher import NAMESPACE, refusal_of, scoreboard_element
from gateway import contributions, ledger
from gateway.db.embedded import Embedded
from gateway.flows.verify_log import verify_log
from tests.served import scratch_database
from tests.wuhe_stage import WuheStage, wuhe_stage

TODAY = datetime.now(UTC).date()
SEED, FAMILIES = 7, 40


@pytest.fixture(scope="module")
def stage(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WuheStage]:
    with (
        scratch_database(postgres) as database,
        wuhe_stage(database, tmp_path_factory.mktemp("wuhe")) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def town(stage: WuheStage) -> Town:
    """The invented town, its families registered."""
    made = invent_town(SEED, FAMILIES, TODAY)
    assert stage.pusher().register(made.registrations()) == {"accepted": FAMILIES}
    return made


@pytest.fixture(autouse=True)
def _clean(stage: WuheStage, town: Town) -> Iterator[None]:
    yield
    stage.empty()


def text(answer: Any, name: str) -> str | None:
    found: str | None = answer.findtext(f".//{{{NAMESPACE}}}{name}")
    return found


def codes(answer: Any) -> list[str]:
    return [e.text for e in answer.iter(f"{{{NAMESPACE}}}Code")]


def spendable(stage: WuheStage) -> dict[str, int]:
    rows: Any = stage.database.sql(
        "select h.code, sum(a.balance_centi)::int from account a join household_code h on h.household_id = a.holder_id"
        " where a.kind in ('available', 'owed') group by 1"
    )
    return dict(rows)


def agree(stage: WuheStage, posted: Posted, families: Town) -> None:
    """The town's own reckoning, posted scores and the ledger say the same, and nothing contradicts itself."""
    found = spendable(stage)
    for family in families.families:
        wanted = sum(score for (_, household), score in posted.scores.items() if household == family.code)
        assert found.get(family.code, 0) == wanted, family.code
    with stage.house.audit_db.transaction(read_only=True) as tx:
        assert contributions.list_faults(tx) == []
        assert ledger.list_faults(tx) == []


def test_a_year_of_lists_and_corrections_each_sent_twice(stage: WuheStage, town: Town) -> None:
    pusher = stage.pusher()
    pushed = pusher.push_all(town.lists, town.corrections, repeat=True)
    assert set(pushed.counts) == {"accepted"}
    assert pushed.codes == Counter({"posted-score": len(town.corrections)})
    assert pushed.replayed == len(town.lists) + len(town.corrections)
    assert len(town.corrections) >= 2
    agree(stage, pusher.posted, town)
    report = verify_log(stage.house, now=datetime.now(UTC))
    assert report.ok, report.faults


def test_the_receipt_can_be_asked_for_again(stage: WuheStage, town: Town) -> None:
    pusher = stage.pusher()
    answer = pusher.post(town.lists[0])
    again = pusher.receipt(list_no=town.lists[0].list_no)
    assert text(again, "Receipt") == text(answer, "Receipt")
    assert text(again, "Replayed") == "true"
    assert [e.text for e in again.iter(f"{{{NAMESPACE}}}Status")] == [
        e.text for e in answer.iter(f"{{{NAMESPACE}}}Status")
    ]
    with pytest.raises(DoorRefusedError) as caught:
        pusher.receipt(correction_no="GZ-none")
    assert caught.value.code == "document-unknown"


def test_a_second_list_names_who_fell(stage: WuheStage, town: Town) -> None:
    board = town.lists[-1]
    scored = [code for code, lines in board.households.items() if lines]
    pusher = stage.pusher()
    pusher.post(board)
    rest = {code: lines for code, lines in board.households.items() if code != scored[0]}
    pusher.post(
        replace(board, list_no="SECOND", households=rest, posted_at=board.posted_at + timedelta(days=2))
    )
    assert pusher.pushed.fallen == [scored[0]]
    agree(stage, pusher.posted, town)


def board_of(town: Town, **changes: Any) -> PostedList:
    return replace(town.lists[-1], **changes)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quarter": "2026Q5"}, "contract-violated"),
        ({"quarter": "2099Q1"}, "quarter-not-over"),
        ({"list_no": "a/b"}, "contract-violated"),
        ({"posted_at": datetime(2031, 1, 1, tzinfo=UTC)}, "date-out-of-range"),
        ({"households": {"HS000001": {"G01": -100}}}, "contract-violated"),
        ({"households": {"HS000001": {"G01": 10_000_001}}}, "contract-violated"),
        ({"households": {"HS000001": {"X01": 100}}}, "contract-violated"),
        ({"households": {"HS 1": {"G01": 100}}}, "contract-violated"),
        ({"households": {}}, "contract-violated"),
        ({"rule_book": "二〇二六"}, "contract-violated"),
    ],
)  # fmt: skip
def test_a_list_outside_the_contract_is_refused_whole(
    stage: WuheStage, town: Town, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(DoorRefusedError) as caught:
        stage.pusher().post(board_of(town, **changes))
    assert caught.value.code == code
    assert stage.database.sql("select count(*) from contribution_batch") == [(0,)]


def _changed(town: Town, change: Any) -> Any:
    """A list of three households of one village, its element changed."""
    board = town.lists[-1]
    three = dict(list(board.households.items())[:3])
    element = scoreboard_element(replace(board, households={c: {"G01": 500, "D01": 100} for c in three}))
    change(element)
    return element


def _household(element: Any, number: int) -> Any:
    return element.findall(f".//{{{NAMESPACE}}}Household")[number]


def _repeat_household(element: Any) -> None:
    first = _household(element, 0)
    first.getparent().append(etree.fromstring(etree.tostring(first)))


def _repeat_line(element: Any) -> None:
    first = _household(element, 0)
    first.append(etree.fromstring(etree.tostring(first[2])))


def _unknown_item(element: Any) -> None:
    _household(element, 0)[2][0].text = "B99"


def _unknown_household(element: Any) -> None:
    _household(element, 0)[0].text = "HS999999"


def _wrong_sum(element: Any) -> None:
    _household(element, 0)[1].text = "5"


def _wrong_village(element: Any) -> None:
    element.find(f"{{{NAMESPACE}}}Village").text = "示例别村"


def _unknown_book(element: Any) -> None:
    element.find(f"{{{NAMESPACE}}}RuleBookVersion").text = "2031"


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (_repeat_household, [("rejected", "household-twice")] * 2),
        (_repeat_line, [("rejected", "line-twice")]),
        (_unknown_item, [("quarantined", "unknown-item")]),
        (_unknown_household, [("quarantined", "unknown-household")]),
        (_wrong_sum, [("rejected", "score-differs")]),
        (_wrong_village, [("quarantined", "wrong-village")] * 3),
        (_unknown_book, [("quarantined", "unknown-rule-book")] * 3),
    ],
)
def test_an_entry_that_is_wrong_spoils_no_other(
    stage: WuheStage, town: Town, change: Any, wanted: list[tuple[str, str]]
) -> None:
    answer = stage.pusher().call(_changed(town, change))
    results = answer.findall(f".//{{{NAMESPACE}}}Result")
    found = [
        (r.findtext(f"{{{NAMESPACE}}}Status"), r.findtext(f"{{{NAMESPACE}}}Code"))
        for r in results
        if r.findtext(f"{{{NAMESPACE}}}Status") != "accepted"
    ]
    assert found == wanted
    quarantined = sum(status == "quarantined" for status, _ in wanted)
    assert stage.database.sql("select count(*) from quarantined_item") == [(quarantined,)]


def test_a_line_of_zero_is_as_good_as_none(stage: WuheStage, town: Town) -> None:
    code = next(iter(town.lists[-1].households))
    answer = stage.pusher().post(board_of(town, households={code: {"G01": 0, "D03": 0}}))
    assert (text(answer, "LinesAdded"), text(answer, "Status")) == ("0", "accepted")
    assert spendable(stage).get(code, 0) == 0


def _correction_of(board: PostedList, household: str, item: str, posted: int, right: int) -> Correction:
    decided = board.posted_at + timedelta(days=3)
    return Correction(
        "GZ-1", "YY-1", board.list_no, board.village, board.quarter, household, item, posted, right, decided
    )


def test_a_correction_says_the_score_that_is_posted_now(stage: WuheStage, town: Town) -> None:
    code = next(iter(town.lists[-1].households))
    board = board_of(town, households={code: {"G01": 500, "D01": 200}})
    pusher = stage.pusher()
    pusher.post(board)
    answer = pusher.correct(_correction_of(board, code, "D01", 200, 50))
    assert (codes(answer), text(answer, "Detail")) == (["posted-score"], "4.5")
    for wrong, refused in (
        (_correction_of(board, code, "D01", 200, 0), "document-no-reused"),
        (replace(_correction_of(board, code, "D01", 200, 0), correction_no="GZ-2"), "line-differs"),
        (replace(_correction_of(board, code, "B44", 0, 5), correction_no="GZ-3"), "unknown-item"),
        (replace(_correction_of(board, "HS999999", "D01", 50, 0), correction_no="GZ-4"), "unknown-household"),
        (
            replace(_correction_of(board, code, "D01", 50, 0), correction_no="GZ-5", list_no="NONE"),
            "list-unknown",
        ),
    ):
        with pytest.raises(DoorRefusedError) as caught:
            pusher.correct(wrong)
        assert caught.value.code == refused
    agree(stage, pusher.posted, town)


def test_a_message_that_is_not_the_towns_changes_nothing(stage: WuheStage, town: Town) -> None:
    pusher = stage.pusher()
    element = etree.tostring(scoreboard_element(town.lists[-1]))
    strange = stage.served.certificates.simulator("wuhe_zhonglian")
    forged = replace(stage.signing, key=strange[1], certificate=strange[0])
    old = datetime.now(UTC) - timedelta(minutes=10)
    messages = {
        "certificate-unknown": envelope_of(etree.fromstring(element), forged),
        "message-expired": envelope_of(etree.fromstring(element), stage.signing, made_at=old),
        "digest-mismatch": envelope_of(etree.fromstring(element), stage.signing).replace(b">500<", b">501<", 1)
        .replace(b"</Points>", b"9</Points>", 1),
    }  # fmt: skip
    for code, message in messages.items():
        answer = pusher.send(message, "SubmitScoreboard")
        assert answer is not None
        assert answer.status_code == 500
        assert refusal_of(answer)[0] == code
    once = envelope_of(etree.fromstring(element), stage.signing)
    first, again = (pusher.send(once, "SubmitScoreboard") for _ in range(2))
    assert first is not None
    assert content_of(first.content, stage.signing) is not None
    assert again is not None
    assert refusal_of(again)[0] == "message-replayed"
    assert stage.database.sql("select count(*) from scoreboard") == [(1,)]


def test_withdrawn_consents_and_faulty_families_are_answered_entry_by_entry(
    stage: WuheStage, town: Town
) -> None:
    pusher = stage.pusher()
    member = next(m for f in town.families for m in f.registration["Members"] if len(m["Consents"]) == 2)
    withdrawal = {
        "IdNo": member["IdNo"],
        "Purpose": "LoanMapping",
        "WithdrawnAt": datetime.now(UTC).isoformat(),
    }
    assert pusher.withdraw([withdrawal]) == {"accepted": 1}
    assert pusher.withdraw([withdrawal]) == {"duplicate": 1}
    family = town.families[0].registration
    wrong = {
        **family,
        "HouseholdCode": "HS900001",
        "Members": [{**family["Members"][0], "IdNo": "330199197001010011"}],
    }
    headless = {**family, "HouseholdCode": "HS900002", "Members": [{**family["Members"][0], "Head": False}]}
    assert pusher.register([wrong, headless, family]) == {"rejected": 2, "accepted": 1}


def test_the_contract_is_served(stage: WuheStage) -> None:
    import requests

    address = f"{stage.served.url}/towns/wuhe_zhonglian/soap"
    ca = str(stage.served.certificates.ca_cert)
    wsdl = requests.get(f"{address}?wsdl", verify=ca, timeout=10)
    assert wsdl.status_code == 200
    assert address.encode() in wsdl.content
    assert requests.get(f"{address}?xsd=gateway.xsd", verify=ca, timeout=10).status_code == 200


def test_the_village_of_681_goes_through_the_door(stage: WuheStage, town: Town) -> None:
    """681 entries with 60 lines each, signed, in one message; those families the town never registered wait in quarantine."""
    known = list(town.lists[-1].households)
    items = (
        [f"G{n:02d}" for n in range(1, 11)]
        + [f"B{n:02d}" for n in range(1, 31)]
        + [f"D{n:02d}" for n in range(1, 21)]
    )
    households = {
        code: dict.fromkeys(items, 100) for code in [*known, *(f"HX{n:06d}" for n in range(681 - len(known)))]
    }
    pusher: Pusher = stage.pusher()
    pusher.post(board_of(town, list_no="BIG", households=households))
    assert pusher.pushed.counts == {"accepted": len(known), "quarantined": 681 - len(known)}
    assert {spendable(stage)[code] for code in known} == {2000}
