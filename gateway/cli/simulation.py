"""Prints what a simulation found, as tables a policy officer reads."""

from __future__ import annotations

from collections import Counter

from rich.console import Console
from rich.table import Table

from gateway.flows.simulate_ruleset import Side, Simulation
from schemas.values import yuan_text

_WORDS = {
    "title": ("规则模拟", "Simulation"),
    "now": ("现行", "now"),
    "then": ("拟行", "then"),
    "none": ("无", "none"),
    "subjects": ("对象总数", "subjects"),
    "evaluated": ("可评估(有授权)", "evaluated (with consent)"),
    "gain": ("受益", "gain"),
    "lose": ("受损", "lose"),
    "mixed": ("有增有减", "mixed"),
    "same": ("不变", "same"),
    "granted": ("享受优惠", "granted"),
    "nothing": ("符合条件、未达档次", "eligible, nothing"),
    "not_eligible": ("不符合条件", "not eligible"),
    "vetoed": ("一票否决", "vetoed"),
    "cost": ("每年让利(元)", "cost a year (CNY)"),
    "increase": ("额度增加合计(元)", "limits raised by (CNY)"),
    "quota": ("占用项目额度(元)", "quota used (CNY)"),
    "average": ("平均优惠(bp)", "average discount (bp)"),
    "distribution": ("利率优惠分布(bp)", "distribution of the discount (bp)"),
    "examples": ("变化最大的对象", "largest changes"),
}
_BARS = 40


def print_simulation(found: Simulation, lang: str) -> None:
    """Tables to standard output; `lang` is zh or en."""
    column = 0 if lang == "zh" else 1
    word = {key: both[column] for key, both in _WORDS.items()}
    console = Console()
    table = Table("", word["now"], word["then"], title=f"{word['title']} {found.after.name} {found.on}")
    table.add_row(
        word["title"],
        found.before.name or word["none"],
        f"{found.after.name} {(found.after.ruleset_id or '')[:12]}",
    )
    for outcome in ("granted", "nothing", "not_eligible", "vetoed"):
        table.add_row(
            word[outcome], f"{found.before.outcomes[outcome]:,}", f"{found.after.outcomes[outcome]:,}"
        )
    table.add_row(
        word["average"], _average(found.before, found.evaluated), _average(found.after, found.evaluated)
    )
    table.add_row(word["cost"], yuan_text(found.before.cost_fen), yuan_text(found.after.cost_fen))
    table.add_row(word["increase"], yuan_text(found.before.increase_fen), yuan_text(found.after.increase_fen))
    if found.quota_fen is not None:
        use = f"{yuan_text(found.after.quota_use_fen)} / {yuan_text(found.quota_fen)}"
        table.add_row(word["quota"], yuan_text(found.before.quota_use_fen), use)
    console.print(table)
    counts = {
        name: getattr(found, name) for name in ("subjects", "evaluated", "gain", "lose", "mixed", "same")
    }
    console.print("  ".join(f"{word[name]} {count:,}" for name, count in counts.items()))
    _distribution(console, found, word)
    for subject_id, bp, fen in (*found.gainers, *found.losers):
        sign = "+" if fen >= 0 else "−"
        console.print(f"  {word['examples']}: {subject_id}  {bp:+d} bp  {sign}{yuan_text(abs(fen))} CNY")
    assumed = yuan_text(found.assumed_loan_fen)
    console.print(
        f"假设:贷款额取基础额度(银行授信或规则公布);都没有时取 {assumed} 元;全部用足一年。"
        if lang == "zh"
        else f"Assumed: the loan is the limit before any increase ({assumed} CNY where none is known), drawn in full for a year."
    )


def _average(side: Side, count: int) -> str:
    total = sum(bp * n for bp, n in side.discounts.items())
    return f"{total * 10 // max(1, count) / 10:.1f}"


def _distribution(console: Console, found: Simulation, word: dict[str, str]) -> None:
    """Bars by tens of basis points; zero for itself."""
    before, after = _tens(found.before.discounts), _tens(found.after.discounts)
    most = max([*before.values(), *after.values(), 1])
    table = Table(word["distribution"], word["now"], word["then"], "")
    for low in sorted({*before, *after}):
        label = "0" if low < 0 else f"{max(1, low)}–{low + 9}"
        table.add_row(label, f"{before[low]:,}", f"{after[low]:,}", "█" * (after[low] * _BARS // most))
    console.print(table)


def _tens(discounts: Counter[int]) -> Counter[int]:
    found: Counter[int] = Counter()
    for bp, count in discounts.items():
        found[-1 if bp == 0 else bp // 10 * 10] += count
    return found
