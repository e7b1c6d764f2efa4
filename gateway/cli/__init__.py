"""The command line: `gateway GROUP COMMAND`. Each group is a module of this package, imported only when asked for."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from gateway.config import ConfigError
from schemas.errors import GatewayError

#: group → module (attribute `group`) and what it is for; one line a group
GROUPS = {
    "db": ("gateway.cli.db", "the database: migrate, check, snapshot"),
    "certs": ("gateway.cli.certs", "development certificates and keys"),
    "client": ("gateway.cli.client", "towns' OAuth clients"),
    "soap-client": ("gateway.cli.soap_client", "who may speak for a town over SOAP"),
    "staff": ("gateway.cli.staff", "staff accounts: add, replace, disable, reset"),
    "neighbour": ("gateway.cli.neighbour", "the towns and the bank: pause, resume"),
    "town": ("gateway.cli.town", "a town's day: reconciliation, differences, quarantine, activity codes"),
    "good": ("gateway.cli.good", "what can be had for points: its picture"),
    "settlement": ("gateway.cli.settlement", "what a town owes for a month: show, settle, write the papers"),
    "policy": ("gateway.cli.policy", "rulesets: propose, approve, simulate, evaluate, replay"),
    "log": ("gateway.cli.log", "the transparency log: seal, verify"),
    "resident": ("gateway.cli.resident", "erase a resident, hold one's data for a court"),
    "objection": (
        "gateway.cli.objection",
        "what residents object to: receive, answer, letters, working days",
    ),
    "evidence": ("gateway.cli.evidence", "evidence to carry away: export, verify"),
    "witness": ("gateway.cli.witness", "co-sign somebody's log: for towns and other third parties"),
    "job": ("gateway.cli.job", "run one job by hand"),
    "jobs": ("gateway.cli.jobs", "the scheduler process"),
    "web": ("gateway.cli.web", "the web process"),
    "simulator": ("gateway.cli.simulator", "simulated neighbours"),
    "run": ("gateway.cli.run", "everything on one machine: database, web, jobs, simulators, a seeded day"),
    "demo": ("gateway.cli.demo", "the whole path on a small town, explained"),
}


class _Groups(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in GROUPS:
            return None
        module: Any = importlib.import_module(GROUPS[cmd_name][0])
        command: click.Command = module.group
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in GROUPS.items()])


@click.group(cls=_Groups, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Government-bank integration gateway."""


def main() -> None:
    """Entry point. Our own errors end in one clear line and exit code 1; bad settings in exit code 2."""
    try:
        cli()
    except GatewayError as exc:
        print(f"{exc.code}: {exc}", file=sys.stderr)
        sys.exit(1)
    except ConfigError as exc:
        print(exc, file=sys.stderr)
        sys.exit(2)
