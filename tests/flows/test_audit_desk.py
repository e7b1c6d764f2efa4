"""The audit desk over a real connection: nothing is shown unrecorded, nothing can be written, every number leads to its rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest

from gateway import policy, staff
from gateway.db import Transaction
from gateway.db.embedded import Embedded
from gateway.db.queries import Query
from gateway.flows.inspect_case import inspect_case
from gateway.flows.inspect_mapping import inspect_mapping
from gateway.flows.inspect_timeline import inspect_timeline
from gateway.flows.list_log_keys import list_log_keys
from gateway.flows.look_at_resident import look_at_resident
from gateway.translog.note import parse_vkey
from gateway.verifier.evidence import verify_evidence
from schemas.audit import AuditReason
from schemas.staff import StaffCaller
from tests.audit_stage import FAMILY, LI, WANG, AuditStage, audit_stage, close, seal
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


def test_before_and_after_say_what_caused_it(stage: AuditStage, auditor: Browser) -> None:
    first, second = stage.decisions()
    where = stage.look(auditor)
    page = auditor.get(f"{where}decisions/{second}/before")
    assert page.status_code == 200, page.text
    text = re.sub(r"<[^>]+>", " ", page.text)
    text = re.sub(r"\s+", " ", text)
    assert "起因：积分变动" in text
    assert "GL-back 冲回 GL-1-volunteering" in text
    assert "志愿服务 108 72 −36" in text
    assert "得分 492 456 −36" in text
    assert "利率优惠 49 bp 45 bp −4 bp" in text
    assert "lijiayuan volunteering award 24 0" in text
    answer = auditor.get(f"{where}decisions/{first}/before")
    assert (answer.status_code, "第一次决定" in answer.text) == (404, True)


def test_the_timeline_has_everything_and_is_read_in_pages(stage: AuditStage, auditor: Browser) -> None:
    where = stage.look(auditor)
    page = auditor.get(f"{where}timeline").text
    for said in (
        "给予同意",
        "加入家庭",
        "GL-0-sorting",
        "YQ-1",
        "冲回",
        "作出决定",
        "向银行提案",
        "银行接受",
        "被查看",
        "−49 bp",
        "+78 分",
    ):
        assert said in page, said
    assert "GL-LI" not in page
    assert WANG not in page
    oldest = auditor.get(f"{where}timeline?before=2000-01-01T00:00:00%2B08:00")
    assert (oldest.status_code, "无" in oldest.text) == (200, True)
    assert auditor.get(f"{where}timeline?before=yesterday").status_code == 400


def test_a_decision_of_somebody_else_opens_by_no_look(stage: AuditStage, auditor: Browser) -> None:
    where = stage.look(auditor, LI)
    of_wang = stage.decisions()[0]
    for path in ("", "/proof", "/before"):
        assert auditor.get(f"{where}decisions/{of_wang}{path}").status_code == 403
        assert auditor.get(f"{where}decisions/{uuid4()}{path}").status_code == 404
    answer = auditor.send(
        f"{where}export", {"form_token": auditor.form_token("/audit/"), "decision_id": str(of_wang)}
    )
    assert answer.status_code == 403


def test_evidence_from_the_page_verifies(stage: AuditStage, auditor: Browser) -> None:
    newest = stage.decisions()[-1]
    where = stage.look(auditor, reason="audit_regulator")
    seal(stage.house, datetime.now(UTC))
    keys = [parse_vkey(one) for one in [*list_log_keys(stage.house), stage.witness.vkey]]
    answer = auditor.post(f"{where}export", page=where, decision_id=str(newest))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    verdict = verify_evidence(answer.content, keys, quorum=1)
    assert (verdict.about_kind, verdict.about_id) == ("decision", str(newest))
    whole = auditor.post(f"{where}export", page=where, with_identity="yes")
    assert verify_evidence(whole.content, keys, quorum=1, id_no=WANG).about_kind == "resident"
    taken = stage.database.sql(
        "select exported_by, reason, with_identity from evidence_export order by exported_at"
    )
    assert taken[-2:] == [
        ("auditor A001", "audit_regulator", False),
        ("auditor A001", "audit_regulator", True),
    ]


def test_what_a_clerk_did_and_what_was_decided(stage: AuditStage, auditor: Browser) -> None:
    stage.look(auditor)
    page = auditor.get("/audit/staff/A001")
    assert page.status_code == 200, page.text
    assert f'value="{stage.person_id}"' in page.text
    assert (
        auditor.post(
            "/audit/find", page="/audit/", sought="clerk", words="C001", reason="audit_sample"
        ).headers["Location"]
        == "/audit/staff/C001"
    )
    period = auditor.get("/audit/period").text
    for decision_id in stage.decisions():
        assert f'value="{stage.person_id}/{decision_id}"' in period
    assert "王" not in period
    assert auditor.get("/audit/period?from=2026-13-01").status_code == 400
    assert "无" in auditor.get("/audit/period?from=2020-01-01&until=2020-01-31").text
    opened = auditor.post(
        "/audit/look", page="/audit/", open=f"{stage.person_id}/{stage.decisions()[0]}", reason="audit_sample"
    )
    assert opened.status_code == 303
    for wrong in ("x", "1/2", "", "9" * 19):
        assert (
            auditor.post("/audit/look", page="/audit/", open=wrong, reason="audit_sample").status_code == 400
        )
    assert (
        auditor.post("/audit/look", page="/audit/", open="999999", reason="audit_sample").status_code == 404
    )


def test_a_residents_pages_are_few_statements_and_no_scan(
    stage: AuditStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much somebody did: a bounded number of statements, and none that reads the contributions through."""
    sent: list[tuple[Query, Any]] = []
    run = Transaction._execute

    def noted(self: Transaction, cursor: Any, query: Query, params: Any) -> None:
        sent.append((query, params))
        run(self, cursor, query, params)

    house, now = stage.house, datetime.now(UTC)
    caller = _caller(stage)
    look_id = look_at_resident(house, caller, stage.person_id, AuditReason.SAMPLE, now=now)
    monkeypatch.setattr(Transaction, "_execute", noted)
    inspect_case(house, caller, look_id, now=now)
    inspect_mapping(house, caller, look_id, stage.decisions()[-1], now=now)
    assert len(sent) <= 16, [query.name for query, _ in sent]
    sent.clear()
    inspect_timeline(house, caller, look_id, before=now + timedelta(minutes=1), now=now)
    assert len(sent) <= 14, [query.name for query, _ in sent]
    monkeypatch.undo()
    with house.audit_db.transaction(read_only=True) as tx:
        tx.run(Query("", "set local enable_seqscan = off"))
        for query, params in sent:
            plan = "\n".join(line for (line,) in tx.tuples(Query("", "explain " + query.sql), params))
            assert "Seq Scan on contribution" not in plan, plan


def _caller(stage: AuditStage) -> StaffCaller:
    with stage.house.audit_db.transaction(read_only=True) as tx:
        account = staff.find_by_teller(tx, "A001")
    assert account is not None
    return StaffCaller(
        account.staff_id, uuid4(), account.name, account.branch_no, account.teller_no, account.roles, account.source,
        datetime.now(UTC), datetime.now(UTC),
    )  # fmt: skip
