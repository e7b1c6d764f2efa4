"""`gateway town check` and `gateway town report …`: the suite against a vendor's own platform, and the report of it."""

from __future__ import annotations

import getpass
import json
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.markup import escape

from gateway.config import load_config
from schemas.errors import InvalidError, NotFoundError
from schemas.values import TownCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.kit.running import Outcome
    from adapters.kit.subject import Town
    from adapters.kit.vendor import VendorSettings
    from adapters.registry import TownAdapter

console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
MARKS = {"passed": "[green]✓[/]", "failed": "[bold red]✗[/]", "lacking": "[dim]–[/]"}
language_option = click.option(
    "--lang",
    type=click.Choice(["zh", "en"]),
    default="zh",
    show_default=True,
    help="language of what is said",
)


@click.command()
@click.argument("name")
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="TOML: your platform, accounts, samples",
)
@click.option(
    "--report",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="write the signed report here",
)
@click.option("--only", multiple=True, help="only scenarios whose id begins so; no report is written then")
@click.option("--inbound", is_flag=True, help="watch this town's door at the running gateway instead")
@click.option("--minutes", default=10.0, show_default=True, help="how long to watch the door")
@click.option("--example", is_flag=True, help="print an example of the settings file and end")
@click.option("--by", default=getpass.getuser, help="who checks; the name of this account when absent")
@language_option
def check(
    name: str,
    settings_file: Path | None,
    folder: Path | None,
    only: tuple[str, ...],
    inbound: bool,
    minutes: float,
    example: bool,
    by: str,
    lang: str,
) -> None:
    """Run the suite for town NAME against the platform of a settings file. Exit code 1 when a scenario fails."""
    from adapters.kit.vendor import example_settings, read_vendor_settings, samples_of

    adapter, town = _adapter_of(name)
    wanted = samples_of(adapter.CAPABILITIES)
    if example:
        print(example_settings(adapter.Config, wanted), end="")
        return
    if inbound:
        _watch(name, adapter, minutes, lang)
        return
    if settings_file is None:
        raise click.UsageError("--settings FILE is needed; --example prints one")
    settings = read_vendor_settings(settings_file, adapter.Config, wanted)
    outcomes = []
    console.print(f"{adapter.PROFILE.name(lang)} · {settings.town.get('address', '')}\n")
    for outcome in _outcomes(adapter, town, settings, only):
        outcomes.append(outcome)
        _tell(outcome, lang)
    failed = [outcome for outcome in outcomes if outcome.outcome == "failed"]
    _tell_sum(outcomes, lang)
    if folder is not None and not only:
        _write_report(folder, outcomes, adapter, str(settings.town["address"]), by)
    raise SystemExit(1 if failed or not outcomes else 0)


def _watch(name: str, adapter: TownAdapter, minutes: float, lang: str) -> None:
    """Exit code 1 when something was not seen before the time was over."""
    from gateway.cli.town_inbound import ticks_of, watch
    from gateway.wiring import build_house

    ticks = ticks_of(adapter.CAPABILITIES)
    house = build_house(load_config())
    missing = watch(house, TownCode(name), ticks, minutes=minutes, lang=lang, console=console)
    if not missing:
        console.print("全部见到" if lang == "zh" else "everything was seen", style="bold green")
        return
    said = "没有见到" if lang == "zh" else "not seen"
    console.print(f"{said}: {', '.join(tick.id for tick in ticks if tick.id in missing)}", style="bold red")
    raise SystemExit(1)


def _adapter_of(name: str) -> tuple[TownAdapter, Town]:
    from adapters import registry

    adapter, town = registry.TOWNS.get(TownCode(name)), registry.find_check(name)
    if adapter is None or town is None:
        known = [code for code in registry.TOWNS if registry.find_check(code) is not None]
        raise NotFoundError(
            f"no town {name} can be checked",
            code="town-unknown",
            where="NAME",
            remedy="known are " + ", ".join(known),
        )
    return adapter, town


def _outcomes(
    adapter: TownAdapter, town: Town, settings: VendorSettings, only: tuple[str, ...]
) -> Iterator[Outcome]:
    """Every scenario a vendor can be asked for, as it comes out."""
    from adapters import registry
    from adapters.kit.running import run_all, scenarios
    from adapters.kit.subject import Calling, Reading
    from adapters.kit.tap_faults import LineFaults
    from adapters.kit.vendor import write_strange_authority
    from adapters.wire_tap import listening

    config = registry.read_settings(
        adapter.Config, adapter.PROFILE.town, settings.town, mode=load_config().mode
    )
    samples = settings.samples
    reading = Reading(
        town, adapter.create_reader(), samples["push"], samples.get("households"), samples.get("withdrawals")
    )
    chosen = [
        one
        for one in scenarios("read", "call")
        if not one.simulator_only and (not only or one.id.startswith(only))
    ]
    with tempfile.TemporaryDirectory(prefix="gateway-check-") as scratch, listening() as tap:
        strange = Path(scratch) / "strange.crt"
        write_strange_authority(strange)
        calling = Calling(
            town=town,
            capabilities=adapter.CAPABILITIES,
            create=adapter.create_client,
            config=config,
            accounts=settings.accounts,
            faults=LineFaults(tap),
            run_id=f"{datetime.now(UTC):%y%m%d%H%M%S}",
            strange_ca=str(strange),
        )
        subjects: dict[str, Any] = {"read": reading, "call": calling}
        yield from run_all(
            chosen,
            subjects.__getitem__,
            adapter.CAPABILITIES,
            tap=tap,
            personal=town.speech.words.personal,
        )


def _tell(outcome: Outcome, lang: str) -> None:
    sentence = outcome.zh if lang == "zh" else outcome.en
    reason = outcome.reason_zh if lang == "zh" else outcome.reason_en
    said = f"{MARKS[outcome.outcome]} {escape(sentence)} [dim]{outcome.id}[/]"
    console.print(f"{said} [dim]({escape(reason)})[/]" if outcome.outcome == "lacking" else said)
    if outcome.outcome != "failed":
        return
    console.print(f"    {escape(reason)}", style="red")
    for exchange in outcome.exchanges[-2:]:
        lost = f"  [{exchange.lost}]" if exchange.lost else ""
        console.print(f"    → {exchange.request}{lost}", markup=False)
        for line in exchange.sent.splitlines()[:20]:
            console.print(f"      {line}", markup=False)
        console.print(f"    ← {exchange.status}", markup=False)
        for line in exchange.received.splitlines()[:20]:
            console.print(f"      {line}", markup=False)


def _tell_sum(outcomes: list[Outcome], lang: str) -> None:
    counts = {name: sum(outcome.outcome == name for outcome in outcomes) for name in MARKS}
    if lang == "zh":
        said = f"{counts['passed']} 项通过，{counts['failed']} 项未通过，{counts['lacking']} 项按声明不适用"
    else:
        said = f"{counts['passed']} passed, {counts['failed']} failed, {counts['lacking']} declared lacking"
    console.print(f"\n{said}", style="bold red" if counts["failed"] else "bold green")


def _write_report(folder: Path, outcomes: list[Outcome], adapter: TownAdapter, address: str, by: str) -> None:
    from adapters.kit.report import LANGUAGES, TYPE, make_report, report_page, sign_report
    from gateway.wiring import receipt_signer

    parts = urlsplit(address)
    now = datetime.now(UTC)
    made = make_report(
        outcomes,
        profile=adapter.PROFILE,
        version=adapter.create_reader().version,
        capabilities=adapter.CAPABILITIES,
        address=f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else ""),
        by=by,
        now=now,
    )
    report = sign_report(made, receipt_signer(load_config().receipt_key, TYPE))
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{adapter.PROFILE.town}-{now:%Y%m%dT%H%M%SZ}"
    path = folder / f"{stem}.json"
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    console.print(str(path), markup=False)
    for language in LANGUAGES:
        page = folder / f"{stem}.{language}.html"
        page.write_text(report_page(report, language), "utf-8")
        console.print(str(page), markup=False)


@click.group()
def report() -> None:
    """Reports of town checks: verify one, compare two."""


@report.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--jwks", "keys_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="keys of whom you trust (/oauth/receipt-jwks); our own receipt key when absent",
)  # fmt: skip
def verify(file: Path, keys_file: Path | None) -> None:
    """Check the signature of a report, and that the pages beside it say what it says. Exit code 1 when not."""
    from adapters.kit.report import LANGUAGES, report_page, verify_report
    from certs.assertion import public_jwks
    from schemas.errors import TamperedError

    told = _read(file)
    keys = _read(keys_file) if keys_file else public_jwks([load_config().receipt_key])
    kid = verify_report(told, keys)
    pages = [(language, file.with_suffix(f".{language}.html")) for language in LANGUAGES]
    for language, page in pages:
        if page.exists() and page.read_text("utf-8") != report_page(told, language):
            raise TamperedError(
                "a page says something else than the report", code="report-page-altered", where=str(page)
            )
    seen = sum(page.exists() for _, page in pages)
    print(f"the signature holds (key {kid}); {seen} pages agree; outcome {told['outcome_sha256'][:16]}")
    print("ready to go live" if told["ready"] else "NOT ready to go live")


@report.command()
@click.argument("first", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def compare(first: Path, second: Path) -> None:
    """Scenarios that came out differently in two reports. Exit code 1 when there are any."""
    from adapters.kit.report import compare_reports

    reports = [_read(first), _read(second)]
    if reports[0]["suite_sha256"] != reports[1]["suite_sha256"]:
        print("the two were made with different suites")
    differing = compare_reports(reports[0], reports[1])
    for one, before, after in differing:
        print(f"{one}: {before or 'not asked'} → {after or 'not asked'}")
    if not differing:
        print("both came out alike")
    raise SystemExit(1 if differing else 0)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise InvalidError("the file is no JSON", code="report-unreadable", where=str(path)) from exc
    if not isinstance(document, dict):
        raise InvalidError("the file is no report", code="report-unreadable", where=str(path))
    return document
