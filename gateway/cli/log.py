"""`gateway log …`"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from gateway.config import load_config
from schemas.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.flows.verify_log import VerifyReport
    from gateway.house import House


@click.group()
def group() -> None:
    """The transparency log: verify, seal, checkpoint, proof, check, export, keys."""


def _house() -> House:
    from gateway.wiring import build_house

    return build_house(load_config())


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A progress bar on stderr, one line a stage; None when nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        stages: dict[str, int] = {}

        def show(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = int(progress.add_task(stage, total=total or None))
            progress.update(stages[stage], completed=done, total=total or None)  # type: ignore[arg-type]

        yield show


@group.command()
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="a signed checkpoint kept outside the database; the log must continue it (may be given several times)",
)
@click.option("--quiet", is_flag=True, help="no progress bar")
def verify(checkpoints: tuple[Path, ...], quiet: bool) -> None:
    """Prove rows, records, leaves, tree and signatures; exit 1 and say what is wrong when anything is."""
    from gateway.flows.verify_log import verify_log

    house = _house()
    outside = [_read_text(path) for path in checkpoints]
    with _bar(quiet) as progress:
        report = verify_log(house, now=house.clock(), outside=outside, progress=progress)
    for line in describe_report(report):
        print(line)
    raise SystemExit(0 if report.ok else 1)


def describe_report(report: VerifyReport) -> list[str]:
    """The report as lines for people: the verdict first, then what was checked, then what is wrong."""
    checked = ", ".join(f"{number} {what}" for what, number in sorted(report.checked.items()))
    if report.ok:
        verdict = f"the log verifies: {report.size} leaves, nothing changed ({report.took_s:.1f} s)"
    else:
        things = "one thing is" if report.fault_count == 1 else f"{report.fault_count} things are"
        verdict = f"THE LOG DOES NOT VERIFY: {things} wrong. First: {report.faults[0]}"
    lines = [verdict, f"checked: {checked or 'nothing: the log is empty'}"]
    lines += [f"  {number}. [{fault.code}] {fault}" for number, fault in enumerate(report.faults, 1)]
    if report.fault_count > len(report.faults):
        lines.append(f"  … and {report.fault_count - len(report.faults)} more")
    lines += [f"not here yet: {one}" for one in report.missing]
    return lines


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidError("the file cannot be read", where=str(path), value=type(exc).__name__) from None


@group.command()
def seal() -> None:
    """Give waiting records their leaves and sign a checkpoint."""
    from gateway.flows.seal_log import seal_log

    house = _house()
    outcome = seal_log(house, now=house.clock())
    if outcome.busy:
        print(f"another sealer is at work; {outcome.sealed} records sealed here, lag {outcome.lag_s:.0f} s")
        return
    print(f"{outcome.sealed} records sealed; the log has {outcome.size} leaves; lag {outcome.lag_s:.0f} s")
    if outcome.clock_back_s:
        print(f"ALARM: the clock stands {outcome.clock_back_s} s before the last checkpoint; set it right")


@group.command()
def checkpoint() -> None:
    """Print the newest signed checkpoint. Keep it somewhere else: it is what a rewritten log cannot fit."""
    from gateway.flows.read_checkpoint import read_checkpoint

    print(read_checkpoint(_house()).decode(), end="")


@group.command()
@click.argument("record", metavar="RECORD_ID")
@click.option("--row", is_flag=True, help="RECORD_ID is KIND/ROW_ID, the row that the record speaks of")
@click.option(
    "--entry", type=click.Path(path_type=Path), help="write the record's bytes to this file, to check offline"
)
def proof(record: str, row: bool, entry: Path | None) -> None:
    """Print a record's inclusion proof (c2sp.org/tlog-proof)."""
    from gateway.flows.read_proof import read_proof

    if row:
        kind, _, row_id = record.partition("/")
        found = read_proof(_house(), kind=kind, row_id=row_id)
    else:
        try:
            record_id = UUID(record)
        except ValueError:
            raise InvalidError(
                "not a record id", where="RECORD_ID", value=record, remedy="give a UUID, or --row KIND/ROW_ID"
            ) from None
        found = read_proof(_house(), record_id=record_id)
    if entry is not None:
        entry.write_bytes(found.body)
    print(found.proof.text(), end="")


@group.command()
@click.argument("proof_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("entry_file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(proof_file: Path, entry_file: Path) -> None:
    """Check a proof offline: ENTRY_FILE holds the record's bytes. No database is asked."""
    from gateway.translog import check_proof, leaf_hash, load_verifiers, parse_proof

    config = load_config()
    verifiers = load_verifiers(config.log_verifiers, config.log_key, config.log_origin)
    found = parse_proof(_read_text(proof_file))
    signed = check_proof(found, leaf_hash(entry_file.read_bytes()), verifiers)
    when = "" if signed.signed_at is None else f", signed {signed.signed_at:%Y-%m-%d %H:%M:%S} UTC"
    print(f"the record is leaf {found.position} of {signed.checkpoint.size}{when}")


@group.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--quiet", is_flag=True, help="no progress bar")
def export(folder: Path, quiet: bool) -> None:
    """Write checkpoint, tiles and entries below FOLDER (c2sp.org/tlog-tiles), for other people's tools."""
    from gateway.flows.export_log import export_log

    house = _house()
    with _bar(quiet) as progress:
        size = export_log(house, folder, now=house.clock(), progress=progress)
    print(f"{size} leaves exported to {folder}")


@group.command()
def keys() -> None:
    """Print the public keys others verify with: plain signatures, then timed ones (c2sp.org/signed-note)."""
    from gateway.translog import load_verifiers

    config = load_config()
    for verifier in load_verifiers(config.log_verifiers, config.log_key, config.log_origin):
        print(verifier.vkey())


@group.command("sm2-key")
def sm2_key() -> None:
    """Make an SM2 key beside the log's key: from now on checkpoints carry a second signature (needs the extra guomi)."""
    from gateway.translog import add_sm2_key

    config = load_config()
    print(add_sm2_key(config.log_key, config.log_verifiers, config.log_origin))


@group.command()
def cosign() -> None:
    """Ask the witnesses to sign the newest checkpoint."""
    from gateway.flows.cosign_checkpoint import cosign_checkpoint

    house = _house()
    done = cosign_checkpoint(house, now=house.clock())
    print(f"{done.signed} signed, {done.refused} refused, {done.away} gave no answer")
    if done.open_refusals:
        print(f"ALARM: {done.open_refusals} refusals wait for an answer; see `gateway log witnesses`")
    raise SystemExit(1 if done.open_refusals else 0)


@group.command()
def witnesses() -> None:
    """Who co-signs, where each stands, and which refusals wait for a person; exit 1 when some do."""
    from gateway.flows.inspect_witnesses import inspect_witnesses

    view = inspect_witnesses(_house())
    print(
        f"published: size {view.published_size} of {view.sealed_size} sealed; {view.quorum} witnesses are needed"
    )
    for one in view.witnesses:
        print(f"  {one.name}: signed up to size {one.size}")
    for refusal in view.refusals:
        when = f"{refusal.refused_at:%Y-%m-%d %H:%M:%S} UTC"
        print(
            f"REFUSED {refusal.refusal_id}: {refusal.witness} did not sign size {refusal.size} at {when} ({refusal.code};"
            f" it stands at {refusal.seen_size}). Compare with what it signed (its /cosigned/), run"
            " `gateway log verify --checkpoint` with that, then `gateway log answer-refusal`"
        )
    raise SystemExit(1 if view.refusals else 0)


@group.command("answer-refusal")
@click.argument("refusal", type=click.UUID)
@click.option("--by", required=True, help="who answers")
@click.option("--reason", required=True, help="what was found out; recorded in the log")
def answer_refusal_command(refusal: UUID, by: str, reason: str) -> None:
    """Say why a witness refused; publication goes on. Only after its reason is understood."""
    from gateway.flows.answer_refusal import answer_refusal

    house = _house()
    answer_refusal(house, refusal, by=by, reason=reason, now=house.clock())
    print("answered")
