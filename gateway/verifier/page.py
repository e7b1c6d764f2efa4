"""The page a person reads, made from the evidence alone. Chinese first, English beside it. Never edited for version 1: a file of
today must give the same page in ten years, or its verification fails."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from gateway.verifier.page_goods import KINDS as _GOODS_KINDS
from gateway.verifier.page_goods import goods_tables

_STYLE = (
    "body{font:16px/1.6 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:60rem;margin:2rem auto}"
    "h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:2px solid #12355b}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #bbb}td.n{text-align:right}"
    "code{font-size:.85rem;overflow-wrap:anywhere}.q{color:#555}.note{background:#fff4d6;padding:.6rem .8rem}"
)
_NOTE = (
    '<p class="note">本页由文件内的记录生成，请用独立的验证程序核对（gateway-verify）。浏览器显示本页并不构成验证。'
    "<br>This page is made from the records inside this file. Check it with the verifier; a browser showing it is no proof.</p>"
)
_ITEM_HEADS = ("日期 Date", "活动 Activity", "类别 Kind", "积分 Points", "流水 Reference")
_KINDS = {
    "consent_given": "给出单独同意 Consent given",
    "consent_withdrawn": "撤回同意 Consent withdrawn",
    "contribution_batch": "收到积分 Points received",
    "ruleset_proposed": "规则提出 Ruleset proposed",
    "ruleset_approved": "规则批准 Ruleset approved",
    "decision": "决定 Decision",
    "proposal": "向银行建议 Proposal to the bank",
    "proposal_answer": "建议的进展 What became of a proposal",
    "proposal_revocation": "请求终止 Request to end it",
}


def render_page(document: Mapping[str, Any]) -> str:
    """HTML up to the block with the records."""
    about = document["about"]
    size, root = document["checkpoint"].split("\n")[1:3]
    statements = document["statements"]
    parts = [
        '<!doctype html>\n<html lang="zh">\n<head>\n<meta charset="utf-8">\n'
        f"<title>证据 Evidence {_text(about['id'])}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>证据文件 Evidence: {_text(about['kind'])} {_text(about['id'])}</h1>\n"
        f"{_NOTE}\n",
        "<h2>日志 Log</h2>\n<table>\n",
        _row("日志 Log", document["origin"]),
        _row("记录数 Size", size),
        _row("树根 Root", root),
        _row("制作时间 Made at", document["made_at"]),
        _row("记录条数 Records in this file", str(len(statements))),
        "</table>\n",
    ]
    goods = about["kind"] == "redemption"
    parts += [_statement(number, one, goods=goods) for number, one in enumerate(statements, 1)]
    return "".join(parts)


def _statement(number: int, statement: Mapping[str, Any], *, goods: bool) -> str:
    record = json.loads(statement["record"])
    kind = record["kind"]
    named = {**_KINDS, **_GOODS_KINDS} if goods else _KINDS
    lines = [f"<h2>{number}. {_text(named.get(kind, kind))}</h2>\n<table>\n"]
    lines.append(_row("记录 Record", f"{kind} {record['row_id']}"))
    lines.append(_row("记录时间 Recorded at", record["recorded_at"]))
    lines.append(_row("日志位置 Leaf", str(statement["leaf"])))
    opening = statement.get("opening")
    said = {
        name: value
        for name, value in record["body"].items()
        if name != "commitment"
        and not name.endswith("_sha256")
        and not (goods and kind == "redemption_event" and name in ("lines", "legs"))
    }
    for name, value in {**said, **(opening["content"] if opening else {})}.items():
        if not name.endswith("_sha256"):
            lines.append(
                _row(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
            )
    lines.append("</table>\n")
    if kind == "decision" and statement["attached"].get("body"):
        lines.append(_trace(json.loads(statement["attached"]["body"])))
    if kind == "contribution_batch" and statement["attached"].get("items"):
        lines.append(_items(statement["attached"]["items"]))
    if goods and kind == "redemption_event":
        lines.append(goods_tables(record["body"]))
    return "".join(lines)


def _trace(decision: Mapping[str, Any]) -> str:
    """Why: each step with the line of the ruleset it follows, then the reasons."""
    rows = [
        f'<tr><td class="n">{number}</td><td>{_text(step["zh"])}<br><span class="q">{_text(step["en"])}</span></td>'
        f"<td><code>{_text(step['rule'])}</code></td></tr>\n"
        for number, step in enumerate(decision["trace"], 1)
    ]
    reasons = [
        f'<li>{_text(one["zh"])} <span class="q">{_text(one["en"])} ({_text(one["code"])})</span></li>\n'
        for one in decision["reasons"]
    ]
    return (
        "<table>\n<tr><th></th><th>计算步骤 Step</th><th>规则条目 Line of the ruleset</th></tr>\n"
        + "".join(rows) + "</table>\n<ul>\n" + "".join(reasons) + "</ul>\n"
    )  # fmt: skip


def _items(items: list[list[Any]]) -> str:
    rows = [
        f'<tr><td>{_text(on)}</td><td>{_text(activity)}</td><td>{_text(kind)}</td><td class="n">{_points(points_centi)}</td>'
        f"<td><code>{_text(reference)}</code></td></tr>\n"
        for _, (_, reference, kind, activity, _, _, _, points_centi, _, on, *_) in items
    ]
    return (
        "<table>\n<tr>" + "".join(f"<th>{head}</th>" for head in _ITEM_HEADS) + "</tr>\n"
        + "".join(rows) + "</table>\n"
    )  # fmt: skip


def _points(points_centi: int) -> str:
    sign, whole = ("-" if points_centi < 0 else ""), abs(points_centi)
    return f"{sign}{whole // 100}.{whole % 100:02d}"


def _row(name: str, value: str) -> str:
    return f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>\n"


def _text(value: str) -> str:
    return escape(value, quote=True)
