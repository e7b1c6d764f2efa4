"""`gateway evidence …`"""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from gateway.config import load_config
from schemas.errors import InvalidError

if TYPE_CHECKING:
    from gateway.flows.export_evidence import Wanted

_TARGET = click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="the file"
)
_BY = click.option("--by", required=True, help="who takes it")
_REASON = click.option("--reason", required=True, help="why; recorded")


@click.group()
def group() -> None:
    """Evidence to carry away: export (decision, resident, redemption, period), verify."""


@group.group("export")
def export() -> None:
    """Make a file that anybody can check without us. That it was taken, by whom and why, is recorded in the log."""


@export.command()
@click.argument("decision_id", type=click.UUID)
@_TARGET
@_BY
@_REASON
def decision(decision_id: UUID, output: Path, by: str, reason: str) -> None:
    """One decision: its ruleset, facts, trace, the proposal made of it and what the bank answered."""
    from gateway.flows.export_evidence import Wanted

    _export(Wanted(decision_id=decision_id), output, by, reason)


@export.command()
@click.option("--person", type=int, help="our number of the person; without it the resident id is asked for")
@click.option(
    "--with-identity", is_flag=True, help="let the holder of the resident id check that it is about them"
)
@_TARGET
@_BY
@_REASON
def resident(person: int | None, with_identity: bool, output: Path, by: str, reason: str) -> None:
    """Everything about one resident: consents, points, decisions, rulesets, proposals, the bank's answers."""
    from gateway.flows.export_evidence import Wanted

    _export(Wanted(person_id=person or _asked_person(), with_identity=with_identity), output, by, reason)


@export.command()
@click.argument("redemption_id", type=click.UUID)
@_TARGET
@_BY
@_REASON
def redemption(redemption_id: UUID, output: Path, by: str, reason: str) -> None:
    """One redemption: each step, the price by the agreement, what each town was asked, and how the stock moved."""
    from gateway.flows.export_evidence import Wanted

    _export(Wanted(redemption_id=redemption_id), output, by, reason)


@export.command()
@click.argument("from_on", type=click.DateTime(["%Y-%m-%d"]))
@click.argument("until_on", type=click.DateTime(["%Y-%m-%d"]))
@_TARGET
@_BY
@_REASON
@click.option("--opened", is_flag=True, help="show what decisions and proposals commit to (who, how much)")
def period(
    from_on: datetime, until_on: datetime, output: Path, by: str, reason: str, *, opened: bool
) -> None:
    """All records from FROM_ON to before UNTIL_ON (Asia/Shanghai days), without a gap; closed, unless --opened."""
    from gateway.flows.export_evidence import Wanted
    from schemas.values import BEIJING

    from_at, until_at = (datetime.combine(day.date(), time(), BEIJING) for day in (from_on, until_on))
    _export(Wanted(from_at=from_at, until_at=until_at, opened=opened), output, by, reason)


def _export(wanted: Wanted, output: Path, by: str, reason: str) -> None:
    from gateway.flows.export_evidence import export_evidence
    from gateway.wiring import build_house

    if output.exists():
        raise InvalidError("the file is there already: evidence is not overwritten", where=str(output))
    house = build_house(load_config())
    made = export_evidence(house, wanted, by=by, reason=reason, now=house.clock())
    output.touch(0o600)
    output.write_bytes(made.content)
    print(f"{made.record_count} records in {output}; the export is recorded as {made.export_id}")


def _asked_person() -> int:
    """The resident id is typed unseen, so that it stands in no shell history and no list of processes."""
    from gateway.flows.find_resident import find_resident
    from gateway.wiring import build_house

    id_no = click.prompt("resident id", hide_input=True).strip().upper()
    return find_resident(build_house(load_config()), id_no)


@group.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="verifier keys, one a line"
)
@click.option("--witnesses", default=0, help="so many witnesses must have signed")
def verify(file: Path, keys: Path | None, witnesses: int) -> None:
    """Check a file with public keys only; the same as `gateway-verify evidence` from the wheel for outsiders."""
    from gateway.verifier.command import describe, read_keys
    from gateway.verifier.evidence import verify_evidence

    verdict = verify_evidence(
        file.read_bytes(), read_keys(keys or load_config().log_verifiers), quorum=witnesses
    )
    for line in describe(verdict):
        print(line)
