"""`gateway demo`: the whole path on a small town, explained; exit code 0 only when everything agrees."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from gateway.cli.run import answers_tables, console, progress_bar, running
from gateway.sandbox.places import WITNESSES, count_simulators, find_places, free_ports, town_name
from schemas.values import beijing_date, points_text, yuan_text

if TYPE_CHECKING:
    from gateway.policy import Ruleset
    from gateway.sandbox.rehearsal import Story
    from schemas.policy import Decision


@click.command()
@click.option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    default="zh",
    show_default=True,
    help="language of the explanations",
)
@click.option("--keep", is_flag=True, help="keep the state directory afterwards")
def group(lang: str, keep: bool) -> None:
    """Twelve families, their year, what it is worth, what the bank says, and the proof. Nothing is left behind."""
    from gateway.sandbox import ground
    from gateway.sandbox.rehearsal import rehearse

    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="gateway-demo-"))
    folder.chmod(0o755)  # PostgreSQL, another system user, walks through it
    web, *others = free_ports(1 + count_simulators() + len(WITNESSES))
    own = {
        "GATEWAY_STATE_DIR": str(folder / "state"),
        "GATEWAY_DATABASE_URL": "",
        "GATEWAY_WEB_PROCESSES": "1",
    }
    places = find_places(web, own, others[: -len(WITNESSES)], others[-len(WITNESSES) :])
    story: Story | None = None
    try:
        with running(places) as (supervisor, made):
            house = ground.open_house(places)
            with progress_bar() as bar:
                today = beijing_date(datetime.now(UTC))
                story = rehearse(places, made, house, supervisor, today, bar)
            house.db.close()
            house.audit_db.close()
    finally:
        if keep:
            console.print(f"保留于 kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if story is None:
        raise SystemExit(1)
    _show(story, lang)
    verdict = "一切相符 everything agrees" if story.agrees else "不相符 SOMETHING DOES NOT AGREE"
    console.print(
        f"{verdict} ({time.monotonic() - began:.0f} s)", style="bold" if story.agrees else "bold red"
    )
    raise SystemExit(0 if story.agrees else 1)


def _show(story: Story, lang: str) -> None:
    from gateway.policy import explain

    console.print()
    for table in answers_tables(story.sent):
        console.print(table)
    for code, ruleset, decision in story.told:
        console.print(f"\n家庭 family {code}", style="bold")
        console.print(explain(ruleset, decision, lang), markup=False, highlight=False)
    if story.together is not None:
        console.print()
        console.print(_towns_table(*story.together))
    console.print()
    console.print(_bank_table(story))
    if story.report is not None:
        checked = ", ".join(f"{count} {what}" for what, count in sorted(story.report.checked.items()))
        console.print(f"日志 log: {story.report.size} leaves; {checked}")
        for fault in story.report.faults[:10]:
            console.print(f"  {fault}", markup=False)
    table = Table("核对 check", "", "所见 seen", title="核对 does everything agree", title_justify="left")
    for what, agrees, seen in story.checks:
        table.add_row(what, "✓" if agrees else "✗", seen if not agrees or len(seen) < 60 else "")
    console.print(table)


def _towns_table(code: str, ruleset: Ruleset, decision: Decision) -> Table:
    """One family: each town's points, what each is worth in this ruleset, and what comes of the sum."""
    table = Table(
        "镇 town", "积分 points", "系数 factor", "折合 worth",
        title=f"家庭 family {code} · {ruleset.title_zh} {ruleset.title_en}", title_justify="left",
    )  # fmt: skip
    total = Fraction(0)
    for step in decision.trace:
        if step.rule.startswith("factors.towns."):
            points_centi, num, den = step.value
            worth = Fraction(points_centi * num, den)
            total += worth
            table.add_row(
                town_name(step.rule.removeprefix("factors.towns.")),
                points_text(points_centi),
                f"× {num}/{den}",
                points_text(int(worth)),
            )
    table.add_section()
    table.add_row("合计 sum", "", "", points_text(int(total)))
    table.add_row("加权封顶后 after weights and caps", "", "", points_text(decision.score_centi))
    table.add_row(
        "结果 outcome",
        str(decision.outcome),
        f"− {decision.discount_bp} bp",
        f"+ {yuan_text(decision.limit_increase_fen)} CNY",
    )
    return table


def _bank_table(story: Story) -> Table:
    """What we proposed for each family and what the bank's own books say."""
    held = {benefit["serial"]: benefit for benefit in story.bank["benefits"]}
    answered = {answer["serial"]: answer for answer in story.bank["answered"]}
    table = Table(
        "家庭", "可用积分 points", "产品 product", "优惠 bp", "额度 CNY", "我方 ours", "银行 bank", "回码 code", "来过 times",
        title="建议与银行答复 proposals and the bank's books", title_justify="left",
    )  # fmt: skip
    for code, view in story.families.items():
        shown = [row for row in view.proposals if row.state != "superseded"]
        older = Counter(row.state for row in view.proposals)["superseded"]
        for place, row in enumerate(shown):
            family = f"{code} (+{older})" if place == 0 and older else code if place == 0 else ""
            benefit, answer = held.get(row.serial), answered.get(row.serial)
            table.add_row(
                family, points_text(view.spendable_centi) if place == 0 else "", row.product, str(row.discount_bp),
                yuan_text(row.limit_increase_fen), row.state, benefit["state"] if benefit else "—",
                answer["code"] if answer else "—", str(story.bank["received"].get(row.serial, 0)),
            )  # fmt: skip
        if not shown:
            table.add_row(code, points_text(view.spendable_centi), "—", "", "", "", "", "", "")
    return table
