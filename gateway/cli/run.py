"""`gateway run`: everything on one machine with one command."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gateway.sandbox.places import Places, find_places, refuse_taken_ports, town_name
from schemas.staff import Credentials, Role
from schemas.values import beijing_date

if TYPE_CHECKING:
    from certs.authority import Development
    from gateway.sandbox.seed import Seeded
    from gateway.sandbox.supervisor import Supervisor

READY_WITHIN_S = 120.0
console = Console(width=None if sys.stdout.isatty() else 120)


@click.command()
@click.option(
    "--port", type=int, default=None, help="the web's port; the simulators take those after it [8443]"
)
@click.option("--no-seed", is_flag=True, help="start with an empty town")
@click.option("--families", default=3000, show_default=True, help="how many families the seeded town has")
@click.option("--once-ready-exit", is_flag=True, help="stop everything again once it is ready (for tests)")
def group(port: int | None, no_seed: bool, families: int, once_ready_exit: bool) -> None:
    """Database, web, jobs, simulated town and bank, and a seeded year; until Ctrl-C."""
    began = time.monotonic()
    places = find_places(port)
    with running(places) as (supervisor, _made):
        console.print(f"准备就绪 ready after {time.monotonic() - began:.0f} s")
        if not no_seed:
            _seed(places, supervisor, families)
        console.print(_what_is_where(places))
        if once_ready_exit:
            return
        console.print("按 Ctrl-C 停止 press Ctrl-C to stop")
        supervisor.keep_until_told()
    console.print("已停止 stopped")


@contextmanager
def running(places: Places) -> Iterator[tuple[Supervisor, Development]]:
    """The ground laid, every process up and ready; everything stopped again at the end: web, jobs, simulators, database."""
    from gateway.db.embedded import stop_embedded
    from gateway.sandbox import ground
    from gateway.sandbox.counter import open_branch
    from gateway.sandbox.supervisor import Supervisor
    from gateway.sandbox.witnessing import lay_witnesses, serve_arguments

    with ground.alone(places.config.state_dir):
        supervisor = Supervisor(places.environment, places.logs, console.print)
        supervisor.end_leftovers()
        refuse_taken_ports(places)
        console.print("证书与密钥 certificates and keys")
        made = ground.lay_certificates(places)
        ground.write_neighbours(places)
        lay_witnesses(places, made)
        with _told_by_signals(supervisor):
            try:
                console.print("数据库 database")
                applied = ground.lay_database(places)
                if applied:
                    console.print(f"  {len(applied)} 个迁移 migrations applied")
                house = ground.open_house(places)
                ground.register_towns(house, made, places)
                console.print("规则 rulesets: " + ", ".join(ground.adopt_rulesets(house)))
                _show_staff(open_branch(house))
                house.db.close()
                supervisor.start("web", ["web"])
                supervisor.start("jobs", ["jobs"])
                for town, port in places.town_ports.items():
                    supervisor.start(town, ["simulator", town, "--port", str(port)])
                for witness in places.witness_ports:
                    supervisor.start(f"witness_{witness}", serve_arguments(places, made, witness))
                supervisor.start("bank_core", ["simulator", "bank_core", "--port", str(places.bank_port)])
                console.print("服务 web, jobs, simulators …")
                supervisor.wait_until(
                    ground.readiness(places, made), within_s=READY_WITHIN_S, what="the gateway"
                )
                yield supervisor, made
            finally:
                supervisor.stop()
                if not places.config.database_url:
                    stop_embedded(places.config.state_dir / "postgres")


def _show_staff(made: list[tuple[str, Role, Credentials]]) -> None:
    """Once, when the accounts are made: nothing keeps these in the clear. `gateway staff reset` makes new ones."""
    if not made:
        return
    table = Table(
        "柜员号 teller",
        "角色 role",
        "密码 password",
        "动态码密钥 second factor",
        title="员工 staff, shown once",
    )
    for teller_no, role, credentials in made:
        table.add_row(teller_no, role.value, credentials.password, credentials.totp_secret)
    console.print(table)


@contextmanager
def _told_by_signals(supervisor: Supervisor) -> Iterator[None]:
    """The first SIGINT or SIGTERM ends whatever is under way; while we are stopping, more of them change nothing."""

    def told(*_: object) -> None:
        first = not supervisor.is_stopping()
        supervisor.tell_to_stop()
        if first:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except KeyboardInterrupt:
        console.print("\n正在停止 stopping …")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _seed(places: Places, supervisor: Supervisor, families: int) -> None:
    from gateway.sandbox import ground
    from gateway.sandbox.counter_day import walk_counter_day
    from gateway.sandbox.seed import entry_maker, is_seeded, seed_year

    if is_seeded(places):
        console.print("示例数据已在 the seeded year is there already")
        return
    began = time.monotonic()
    house = ground.open_house(places)
    with progress_bar() as bar:
        found = seed_year(
            places, today=beijing_date(datetime.now(UTC)), families=families, progress=bar,
            entry=entry_maker(house),
        )  # fmt: skip
    redemptions = walk_counter_day(house, places.simulator(next(iter(places.town_ports))), found.families)
    house.db.close()
    console.print(f"柜台 {redemptions} 笔兑换 redemptions at the desk, in every state")
    supervisor.look()
    seconds = time.monotonic() - began
    console.print(f"{found.items} 条 items in {seconds:.0f} s, {found.items / seconds:,.0f}/s")
    for table in answers_tables(found):
        console.print(table)


def progress_bar() -> Progress:
    """A bar for each step."""
    return Progress(
        TextColumn("{task.description:<24}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def answers_tables(found: Seeded) -> list[Table]:
    """How everything that was sent was answered, a table for each town."""
    tables = []
    for town, sent in found.towns.items():
        table = Table(
            "送来 sent",
            "条 items",
            "回答 answers",
            title=f"{town_name(town)} → 网关 gateway",
            title_justify="left",
        )
        for name, count, answers in sent.rows:
            table.add_row(name, str(count), ", ".join(f"{status} {n}" for status, n in answers.most_common()))
        if sent.reasons:
            table.add_row(
                "原因 reasons", "", ", ".join(f"{code} {n}" for code, n in sent.reasons.most_common())
            )
        tables.append(table)
    return tables


def _what_is_where(places: Places) -> Table:
    table = Table("什么 what", "在哪里 where", title="网关 gateway", title_justify="left")
    state = places.config.state_dir
    for what, where in (
        ("首页 start page", places.web + "/"),
        ("员工登录 staff sign-in", places.web + "/staff/sign-in"),
        ("接口文档 interface", places.web + "/docs"),
        ("就绪 readiness", places.web + "/readyz"),
        ("指标 metrics", places.web + "/metrics"),
        *((f"镇街入口 door of {town}", places.door(town)) for town in places.town_ports),
        *(
            (f"模拟镇街 simulated {town}", f"https://localhost:{port}/_state")
            for town, port in places.town_ports.items()
        ),
        ("公开检查点 published checkpoint", places.web + "/log/checkpoint"),
        *(
            (f"见证方 witness {name}", f"https://localhost:{port}/cosigned/")
            for name, port in places.witness_ports.items()
        ),
        ("模拟银行 simulated bank", places.bank + "/_state"),
        ("证书 certificates", str(places.config.tls_client_ca.parent)),
        ("日志 logs", str(places.logs)),
        ("数据 data", str(state)),
    ):
        table.add_row(what, where)
    return table
