"""`gateway policy …`"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.config import load_config
from schemas.errors import InvalidError
from schemas.values import beijing_date

if TYPE_CHECKING:
    from gateway.house import House
    from gateway.policy import Ruleset
    from schemas.policy import Facts

LANG = click.option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    default="zh",
    show_default=True,
    help="language of the explanation",
)


class Day(click.ParamType[date]):
    """A day as 2026-11-01."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2026-11-01", param, ctx)


@click.group()
def group() -> None:
    """Rulesets: propose, approve, list, show, diff, evaluate, simulate, replay, cases."""


def _house() -> House:
    from gateway.wiring import build_house

    return build_house(load_config())


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidError(
            "the file cannot be read",
            where=path,
            value=type(exc).__name__,
            remedy="name a YAML file in UTF-8",
        ) from None


def _ruleset(name: str) -> Ruleset:
    """A file, or the name of a ruleset that ships with the gateway."""
    from gateway import policy

    return policy.load_ruleset(_text(name)) if Path(name).is_file() else policy.load_packaged(name)


@group.command()
@click.argument("file")
@click.option("--by", required=True, help="login of the author")
def propose(file: str, by: str) -> None:
    """Store the ruleset in FILE (or of a packaged name) as a proposal."""
    from gateway import policy
    from gateway.flows.propose_ruleset import propose_ruleset

    house = _house()
    text = _text(file) if Path(file).is_file() else policy.packaged_text(file)
    ruleset, new = propose_ruleset(house, text, by=by, now=house.clock())
    print(
        f"{'proposed' if new else 'proposed before'}: {ruleset.name} from {ruleset.valid_from_on}, ruleset {ruleset.ruleset_id}"
    )
    print(f"another person approves it: gateway policy approve {ruleset.ruleset_id[:12]} --by …")


@group.command()
@click.argument("ruleset_id")
@click.option("--by", required=True, help="login of the approver, not the author")
def approve(ruleset_id: str, by: str) -> None:
    """Approve a proposed ruleset (at least 8 characters of its id)."""
    from gateway.flows.approve_ruleset import approve_ruleset

    house = _house()
    ruleset, new = approve_ruleset(house, ruleset_id, by=by, now=house.clock())
    print(
        f"{'approved' if new else 'approved before'}: {ruleset.name}, in force from {ruleset.valid_from_on}"
    )


@group.command("list")
def list_() -> None:
    """All rulesets, proposed and approved."""
    from rich.console import Console
    from rich.table import Table

    from gateway.flows.list_rulesets import list_rulesets

    table = Table("ruleset", "name", "product", "subject", "from", "proposed by", "approved by")
    for row in list_rulesets(_house()):
        table.add_row(
            row.ruleset_id[:12],
            row.name,
            row.product,
            row.subject,
            str(row.valid_from_on),
            row.proposed_by,
            row.approved_by or "—",
        )
    Console().print(table)


@group.command()
@click.argument("ruleset_id")
def show(ruleset_id: str) -> None:
    """The document of a ruleset as its author wrote it, with who proposed and approved it."""
    from gateway.flows.show_ruleset import show_ruleset

    row, _ = show_ruleset(_house(), ruleset_id)
    print(f"# ruleset {row.ruleset_id}")
    print(f"# proposed by {row.proposed_by} at {row.proposed_at:%Y-%m-%d %H:%M} UTC")
    print(
        f"# approved by {row.approved_by} at {row.approved_at:%Y-%m-%d %H:%M} UTC"
        if row.approved_by
        else "# not approved"
    )
    print(row.yaml, end="")


@group.command()
@click.argument("before")
@click.argument("after")
def diff(before: str, after: str) -> None:
    """What two rulesets say differently: ids, files or packaged names. Exit 1 when they differ."""
    from gateway import policy

    changes = policy.compare(_any_ruleset(before), _any_ruleset(after))
    for change in changes:
        print(f"{change.where}: {change.before} → {change.after}")
    if not changes:
        print("the two rulesets say the same")
    raise SystemExit(1 if changes else 0)


def _any_ruleset(name: str) -> Ruleset:
    from gateway import policy
    from gateway.flows.show_ruleset import show_ruleset

    if Path(name).is_file() or name in policy.packaged_names():
        return _ruleset(name)
    return show_ruleset(_house(), name)[1]


@group.command()
@click.option("--ruleset", "ruleset_name", help="file or packaged name; without it, every ruleset in force")
@click.option("--resident", help="resident id number (looked up in the database)")
@click.option("--household", help="TOWN:CODE of a family (looked up in the database)")
@click.option("--points", help="no database: somebody with these points")
@click.option("--town", help="with --points: whose points; the ruleset's first town otherwise")
@click.option("--category", help="with --points: of which category")
@click.option("--age", type=int, help="with --points: age in years")
@click.option("--honour", multiple=True, help="with --points: an honour (repeat for several)")
@click.option("--veto", multiple=True, help="with --points: a veto (repeat for several)")
@click.option(
    "--base-rate-bp", type=int, help="with --points: what the bank's facility says, with --base-limit-cny"
)
@click.option("--base-limit-cny", type=int, help="with --points: the facility's limit in CNY")
@click.option("--on", type=Day(), help="the day; today in Beijing otherwise")
@LANG
def evaluate(
    ruleset_name: str | None,
    resident: str | None,
    household: str | None,
    on: date | None,
    lang: str,
    **figures: Any,
) -> None:
    """What a resident gets and why, step by step; stores nothing."""
    from gateway import policy

    if sum(x is not None for x in (resident, household, figures["points"])) != 1:
        raise click.UsageError("give exactly one of --resident, --household, --points")
    if figures["points"] is not None:
        if ruleset_name is None:
            raise click.UsageError("--points needs --ruleset")
        ruleset = _ruleset(ruleset_name)
        found = [(ruleset, policy.evaluate(ruleset, _facts(ruleset, on or _today(), figures)))]
    else:
        found = _resident(ruleset_name, resident, household, on)
    if not found:
        print(
            "没有可评估的规则或授权"
            if lang == "zh"
            else "no ruleset in force applies, or no consent to loan mapping"
        )
    print("\n\n".join(policy.explain(ruleset, decision, lang) for ruleset, decision in found))


def _resident(ruleset_name: str | None, resident: str | None, household: str | None, on: date | None) -> Any:
    from gateway.flows.evaluate_resident import evaluate_resident
    from schemas.values import TownCode

    town, colon, code = (household or "").partition(":")
    if household is not None and not (town and colon and code):
        raise click.UsageError("--household is TOWN:CODE, such as lijiayuan:F00017")
    house = _house()
    return evaluate_resident(
        house,
        now=house.clock(),
        id_no=resident,
        household=(TownCode(town), code) if household else None,
        on=on,
        ruleset=_any_ruleset(ruleset_name) if ruleset_name else None,
    )


def _facts(ruleset: Ruleset, on: date, figures: dict[str, Any]) -> Facts:
    from gateway import policy
    from gateway.policy.figures import points_of
    from schemas.policy import Facility

    rate, limit = figures["base_rate_bp"], figures["base_limit_cny"]
    if (rate is None) != (limit is None):
        raise click.UsageError("give both --base-rate-bp and --base-limit-cny, or neither")
    return policy.facts_of_points(
        ruleset,
        points_of(figures["points"]),
        on,
        town=figures["town"],
        category=figures["category"],
        age_years=figures["age"],
        vetoes=figures["veto"],
        honours=figures["honour"],
        facility=None if rate is None else Facility(ruleset.product, rate, limit * 100),
    )


def _today() -> date:
    from datetime import UTC

    return beijing_date(datetime.now(UTC))


@group.command()
@click.argument("file")
@click.option("--on", type=Day(), help="the day; today in Beijing otherwise")
@LANG
def simulate(file: str, on: date | None, lang: str) -> None:
    """What the ruleset in FILE (or of a packaged name) would do to everybody stored; stores nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from gateway import policy
    from gateway.cli.simulation import print_simulation
    from gateway.flows.simulate_ruleset import RANGE_SIZE, simulate_ruleset

    text = _text(file) if Path(file).is_file() else policy.packaged_text(file)
    policy.load_ruleset(text)  # its faults are shown before a database is asked for
    house = _house()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(f"× {RANGE_SIZE}", total=None)
        found = simulate_ruleset(
            house,
            text,
            on=on or _today(),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    print_simulation(found, lang)


@group.command()
@click.argument("decision_id", type=click.UUID)
@LANG
def replay(decision_id: Any, lang: str) -> None:
    """Evaluate a stored decision again: the same bytes, or an error that says at which path they differ."""
    from hashlib import sha256

    from gateway import policy
    from gateway.flows.replay_decision import replay_decision

    ruleset, decision, body = replay_decision(_house(), decision_id)
    print(policy.explain(ruleset, decision, lang))
    print(f"the same {len(body)} bytes, SHA-256 {sha256(body).hexdigest()}")


@group.command()
@click.argument("files", nargs=-1)
@LANG
def cases(files: Sequence[str], lang: str) -> None:
    """Run cases: of FILES, or all that ship with the gateway. Exit 1 when one does not hold."""
    from gateway import policy

    failed = total = 0
    for path in [Path(f) for f in files] or policy.list_case_files():
        _text(str(path))
        for case in policy.run_cases(path):
            total += 1
            print(f"{'ok ' if not case.differences else 'NO '} {case.file}: {case.name}")
            if case.differences:
                failed += 1
                print("\n".join(f"     {difference}" for difference in case.differences))
                print(policy.explain(case.ruleset, case.decision, lang))
    print(f"{total - failed} of {total} cases hold")
    raise SystemExit(1 if failed else 0)
