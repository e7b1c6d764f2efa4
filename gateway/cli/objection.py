"""`gateway objection …`: what residents ask and object to (docs/objections.md). Words and ids of residents are typed unseen."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO
from uuid import UUID

import click

from gateway.config import load_config
from schemas.objections import AboutKind, Channel, Finding, ObjectionKind

if TYPE_CHECKING:
    from gateway.house import House
    from schemas.objections import Recorded

_BY = click.option("--by", required=True, help="who records it: branch and teller number")
_ID = click.argument("objection_id", type=click.UUID)
_FILE = click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="the letter (PDF)"
)
_WORDS = click.option(
    "--words", type=click.File(encoding="utf-8"), help="a file; without it they are asked for"
)


@click.group()
def group() -> None:
    """Objections: receive, list, show, extend, decide-again, answer, letter, withdraw, calendar."""


def _house() -> House:
    from gateway.wiring import build_house

    return build_house(load_config())


def _text(words: TextIO | None, prompt: str) -> str:
    return words.read().strip() if words is not None else str(click.prompt(prompt)).strip()


def _said(done: Recorded) -> None:
    print(f"{done.objection_id}  {done.serial}  {done.state}, to be answered by {done.due_on}")


@group.command()
@click.option("--person", type=int, help="our number of the person; without it the resident id is asked for")
@click.option("--kind", required=True, type=click.Choice([k.value for k in ObjectionKind]))
@click.option("--about", required=True, type=click.Choice([k.value for k in AboutKind]))
@click.option("--about-id", default="", help="of the decision or the redemption")
@click.option("--channel", default=Channel.BRANCH.value, type=click.Choice([c.value for c in Channel]))
@click.option("--received-on", type=click.DateTime(["%Y-%m-%d"]), help="when it reached the bank; else now")
@click.option("--id", "given", type=click.UUID, help="an id of your own: the same one twice is recorded once")
@_WORDS
@_BY
def receive(
    person: int | None,
    kind: str,
    about: str,
    about_id: str,
    channel: str,
    received_on: datetime | None,
    given: UUID | None,
    words: TextIO | None,
    by: str,
) -> None:
    """Take down a question, an objection, or a refusal of decisions made only by a machine (PIPL art. 24)."""
    from gateway.flows.find_resident import find_resident
    from gateway.flows.receive_objection import receive_objection
    from schemas.objections import NewObjection
    from schemas.values import BEIJING

    house = _house()
    now = house.clock()
    person_id = person or find_resident(house, click.prompt("resident id", hide_input=True).strip().upper())
    at = datetime.combine(received_on.date(), time(), BEIJING) if received_on else now
    new = NewObjection(given or house.new_id(), person_id, ObjectionKind(kind), AboutKind(about), about_id,
                       Channel(channel), _text(words, "what the resident says"), at)  # fmt: skip
    _said(receive_objection(house, new, by=by, now=now))


@group.command("list")
@click.option("--all", "every", is_flag=True, help="also those that were answered")
def list_command(every: bool) -> None:
    """Objections by the day they are due, overdue ones marked, with their age."""
    from gateway.flows.list_objections import list_objections

    house = _house()
    found = list_objections(house, waiting_only=not every, now=house.clock())
    for one in found.lines:
        late = f"  OVERDUE by {one.overdue_days} days" if one.overdue_days else ""
        print(f"{one.objection_id}  {one.serial}  {one.kind} about {one.about_kind}  person {one.person_id}  {one.state}  "
              f"received {one.received_on} ({one.age_days} days ago), due {one.due_on}{late}")  # fmt: skip
    print(f"{len(found.lines)} objections; {found.waiting_reviews} decisions wait for a person; "
          f"working days are known until {found.calendar_until or 'no day: gateway objection calendar'}")  # fmt: skip


@group.command()
@_ID
@_BY
@click.option("--reason", required=True, help="why; recorded")
def show(objection_id: UUID, by: str, reason: str) -> None:
    """What was asked and what happened. That you read it is recorded."""
    from gateway.flows.show_objection import show_objection

    house = _house()
    view = show_objection(house, objection_id, by=by, reason=reason, now=house.clock())
    found = view.objection
    print(
        f"{found.serial}  {found.kind} about {found.about_kind} {found.about_id}  {found.state}, due {found.due_on}"
    )
    print(f"  asked: {view.asked or '(erased)'}")
    for one in view.events:
        print(
            f"  {one.happened_at:%Y-%m-%d %H:%M} UTC  {one.event} {one.finding}  by {one.recorded_by}: {one.words or '(erased)'}"
        )
        for decision_id in one.decision_ids:
            print(f"    decision {decision_id}")


@group.command()
@_ID
@_BY
@click.option("--reason", required=True, help="why it takes longer; the resident is told")
def extend(objection_id: UUID, by: str, reason: str) -> None:
    """Take the longer term, once."""
    from gateway.flows.extend_objection import extend_objection

    house = _house()
    _said(extend_objection(house, objection_id, by=by, reason=reason, now=house.clock()))


@group.command("decide-again")
@_ID
@_BY
@_WORDS
def decide_again_command(objection_id: UUID, by: str, words: TextIO | None) -> None:
    """Let the resident's benefits be decided again by the rules in force; say what you looked at."""
    from gateway.flows.decide_again import decide_again

    house = _house()
    for decision_id in decide_again(
        house, objection_id, by=by, words=_text(words, "what you looked at"), now=house.clock()
    ):
        print(f"decision {decision_id}")


@group.command()
@_ID
@click.option("--finding", required=True, type=click.Choice([f.value for f in Finding]))
@_WORDS
@_FILE
@_BY
def answer(objection_id: UUID, finding: str, words: TextIO | None, output: Path, by: str) -> None:
    """Answer it; the letter is written to a file and kept."""
    from gateway.flows.answer_objection import answer_objection

    house = _house()
    text = _text(words, "the answer")
    letter = answer_objection(
        house, objection_id, by=by, finding=Finding(finding), answer=text, now=house.clock()
    )
    _keep(output, letter)


@group.command()
@_ID
@_FILE
@_BY
@click.option("--reason", required=True, help="why; recorded")
def letter(objection_id: UUID, output: Path, by: str, reason: str) -> None:
    """The letter that was sent, once more."""
    from gateway.flows.take_letter import take_letter

    house = _house()
    _keep(output, take_letter(house, objection_id, by=by, reason=reason, now=house.clock()))


def _keep(output: Path, letter: bytes) -> None:
    output.touch(0o600)
    output.write_bytes(letter)
    print(f"the letter is in {output}")


@group.command()
@_ID
@_BY
@click.option("--reason", required=True)
def withdraw(objection_id: UUID, by: str, reason: str) -> None:
    """The resident takes it back; or, after the answer to a refusal, lets the machine decide again."""
    from gateway.flows.withdraw_objection import withdraw_objection

    house = _house()
    _said(withdraw_objection(house, objection_id, by=by, reason=reason, now=house.clock()))


@group.command()
@click.argument("file", required=False, type=click.File(encoding="utf-8"))
@_BY
def calendar(file: TextIO | None, by: str) -> None:
    """Enter a year's holidays and make-up working days from FILE; without it, the years that come with the gateway."""
    from gateway.flows.set_calendar import set_calendar
    from gateway.objections import packaged_years, read_calendar_year

    years = packaged_years() if file is None else [read_calendar_year(file.read())]
    house = _house()
    entered = set_calendar(house, years, by=by, now=house.clock())
    print(f"entered: {', '.join(map(str, entered)) or 'nothing, it stands so already'}")
