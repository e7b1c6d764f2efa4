"""The audit desk over a real connection: nothing is shown unrecorded, nothing can be written, every number leads to its rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import orjson
import pytest

from gateway import policy
from gateway.db.embedded import Embedded
from tests.audit_stage import FAMILY, LI, WANG, AuditStage, audit_stage, close
from tests.staff_stage import Browser


@pytest.fixture(scope="module")
def stage(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditStage]:
    with audit_stage(postgres, tmp_path_factory.mktemp("audit")) as made:
        yield made
        close(made)


@pytest.fixture
def auditor(stage: AuditStage) -> Browser:
    return stage.enter(stage.auditor)


def _looks(stage: AuditStage) -> int:
    return int(str(stage.database.sql("select count(*) from staff_look where teller_no = 'A001'")[0][0]))


@pytest.mark.parametrize(
    ("sought", "words"), [("resident", WANG), ("household", FAMILY), ("reference", "GL-0-sorting")]
)
def test_a_resident_is_found_and_the_look_is_a_record(
    stage: AuditStage, auditor: Browser, sought: str, words: str
) -> None:
    before = _looks(stage)
    where = stage.look(auditor, words, sought=sought)
    assert _looks(stage) == before + 1
    look_id = where.split("/")[3]
    assert stage.database.sql(
        "select count(*) from record where kind = 'staff_look' and row_id = %s", [look_id]
    ) == [(1,)]
    page = auditor.get(where)
    assert page.status_code == 200, page.text
    assert "王**" in page.text
    for personal in (WANG, "王测试", FAMILY):
        assert personal not in where
    assert "例行审计" in page.text


def test_a_decision_is_found_by_its_number(stage: AuditStage, auditor: Browser) -> None:
    newest = stage.decisions()[-1]
    where = stage.look(auditor, str(newest), sought="decision")
    assert where.endswith(f"/decisions/{newest}")


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"words": WANG, "sought": "resident"}, 400, "请选择查询原因"),
        ({"words": WANG, "sought": "resident", "reason": "redemption"}, 400, "请选择查询原因"),
        ({"words": "???", "sought": "resident", "reason": "audit_sample"}, 400, "请输入 18 位身份证号"),
        ({"words": WANG, "sought": "gossip", "reason": "audit_sample"}, 400, "查询内容与查询方式不符"),
        ({"words": "nothing", "sought": "decision", "reason": "audit_sample"}, 400, "查询内容与查询方式不符"),
        ({"words": str(uuid4()), "sought": "decision", "reason": "audit_sample"}, 404, "没有这个决定"),
        ({"words": "XX-1", "sought": "reference", "reason": "audit_sample"}, 404, "没有报送过"),
        ({"words": "Z999", "sought": "clerk", "reason": "audit_sample"}, 404, "没有这个柜员号"),
    ],
)
def test_a_search_that_cannot_be_says_why(
    stage: AuditStage, auditor: Browser, fields: dict[str, str], status: int, said: str
) -> None:
    before = _looks(stage)
    answer = auditor.post("/audit/find", page="/audit/", **fields)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert _looks(stage) == before


def test_every_number_of_the_picture_leads_to_its_line(stage: AuditStage, auditor: Browser) -> None:
    """And that line has a reference: nothing in the picture rests on nothing."""
    page = auditor.get(stage.look(auditor)).text
    picture = page.partition("<svg")[2].partition("</svg>")[0]
    assert ">456<" in picture
    assert "45 bp" in picture
    links = re.findall(r'<a href="(/audit/rulesets/[0-9a-f]{64})#L(\d+)"><title>(.*?)</title>', picture)
    assert len(links) > 20
    assert len(re.findall(r"<a ", picture)) == len(links)
    ruleset = auditor.get(links[0][0]).text
    for _, line, title in links:
        path, said, reference = title.split(" · ", 2)
        row = ruleset.partition(f'<tr id="L{line}">')[2].partition("</tr>")[0]
        assert f"第 {line} 行" == said
        assert path.rpartition(".")[2] in row
        assert reference in row, title
        assert reference.startswith(("[S]", "[P]", "Commercial"))


def test_the_picture_adds_up(stage: AuditStage) -> None:
    """What is drawn is what was decided: the categories make the score, the towns make the categories."""
    for decision_id in stage.decisions():
        body, facts, ruleset_id = stage.database.sql(
            "select body, facts, ruleset_id from decision where decision_id = %s", [str(decision_id)]
        )[0]
        with stage.house.audit_db.transaction(read_only=True) as tx:
            ruleset = policy.get_ruleset(tx, str(ruleset_id))
        said = orjson.loads(bytes(body))  # type: ignore[call-overload]
        found = policy.break_down(ruleset, policy.facts_from_bytes(bytes(facts)), said)  # type: ignore[call-overload]
        assert sum(one.after_centi for one in found.categories) == said["score_centi"]
        assert sum(one.counted_centi for one in found.towns) == sum(
            one.before_centi for one in found.categories
        )
        for one in found.categories:
            assert sum(one.by_town.values()) == one.before_centi
        assert [gate.code for gate in found.gates] == [""] * 5


def test_a_changed_decision_is_shown_as_one(stage: AuditStage, auditor: Browser) -> None:
    """Whoever gets at the tables can change what stands there, and the page says that it does not follow any more."""
    newest = stage.decisions()[-1]
    where = stage.look(auditor, str(newest), sought="decision")
    assert "逐字节一致" in auditor.get(where).text
    [(body,)] = stage.database.sql("select body from decision where decision_id = %s", [str(newest)])
    stage.database.sql("alter table decision disable trigger all")
    changed = bytes(body).replace(b'"score_centi":45600', b'"score_centi":95600')  # type: ignore[call-overload]
    stage.database.sql("update decision set body = %s where decision_id = %s", [changed, str(newest)])
    page = auditor.get(where).text
    stage.database.sql("update decision set body = %s where decision_id = %s", [body, str(newest)])
    stage.database.sql("alter table decision enable trigger all")
    assert 'role="alert">警告' in page
    assert "$.score_centi" in page


def test_nobody_elses_look_opens_anything(stage: AuditStage, auditor: Browser) -> None:
    where = stage.look(auditor)
    other = stage.enter(stage.other_auditor)
    answer = other.get(where)
    assert answer.status_code == 403
    assert "王" not in answer.text
    assert stage.database.sql(
        "select count(*) from staff_event where teller_no = 'A002' and code = 'look-of-another'"
    ) == [(1,)]
    assert other.get(f"/audit/looks/{uuid4()}/").status_code == 404


def test_a_look_ends_with_the_longest_session(stage: AuditStage, auditor: Browser) -> None:
    where = stage.look(auditor, LI)
    age = stage.house.config.staff_session_s
    stage.database.sql("alter table staff_look disable trigger all")
    stage.database.sql(
        "update staff_look set looked_at = looked_at - make_interval(secs => %s) where look_id = %s",
        [age, where.split("/")[3]],
    )
    answer = auditor.get(where)
    assert answer.status_code == 422
    assert "本次查看已到时限" in answer.text


def test_others_do_not_pass(stage: AuditStage) -> None:
    clerk = stage.enter(stage.clerk)
    assert clerk.get("/audit/").status_code == 403
