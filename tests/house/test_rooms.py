"""A room's card says what is its own and its SQL keeps to that; otherwise two rooms grow into one and nobody decided it."""

from __future__ import annotations

import ast
import configparser
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.db.queries import load_queries
from tests.house.sql_reader import tables_used
from tests.house.tree import ROOT, made_tables, room_folders, tables

#: Tables that no room owns, and why.
NOBODYS = {"schema_migration": "the migrator's own: gateway.db makes it, readiness reads it"}


@dataclass(frozen=True)
class Card:
    owns: frozenset[str]
    reads: frozenset[str]


def read_card(docstring: str, known: frozenset[str]) -> tuple[Card, list[str]]:
    """The card of a room, and what is wrong with it."""
    faults = []
    parts: dict[str, str] = {}
    for word in ("Owns", "Reads", "Never"):
        match = re.search(rf"^{word}:(.*?)(?=^\w+:|^\s*$|\Z)", docstring, re.MULTILINE | re.DOTALL)
        if match is None:
            faults.append(f"the docstring has no line that begins with {word}:")
        parts[word] = match[1] if match else ""
    if not parts["Never"].strip():
        faults.append("Never: says nothing; every room has something it must not do")
    named = {}
    for word in ("Owns", "Reads"):
        plain = re.sub(r"\([^)]*\)", "", parts[word]).strip().rstrip(".")
        named[word] = frozenset(
            n for part in plain.split(",") if (n := part.strip()) and n not in ("nothing", "—", "-")
        )
        faults += [
            f"{word}: names {n!r}, and no migration makes that table"
            for n in sorted(named[word] - known - NOBODYS.keys())
        ]
    if not named["Owns"]:
        faults.append("Owns: names no table; then it is no room")
    return Card(named["Owns"], named["Reads"]), faults


def overreach(sql: str, card: Card, known: frozenset[str]) -> list[str]:
    """What a statement does that its room's card does not allow."""
    use = tables_used(sql)
    faults = [f"writes {t}, which it does not own" for t in sorted((use.writes & known) - card.owns)]
    known |= NOBODYS.keys()
    faults += [
        f"reads {t}, which its card does not name"
        for t in sorted((use.reads & known) - card.owns - card.reads)
    ]
    faults += [f"speaks of {t}, which no migration makes" for t in sorted((use.reads | use.writes) - known)]
    return faults


def owners(cards: Mapping[str, Card], known: frozenset[str]) -> list[str]:
    """Tables with no owner or with two."""
    faults = []
    for table in sorted(known - NOBODYS.keys()):
        rooms = sorted(room for room, card in cards.items() if table in card.owns)
        if len(rooms) != 1:
            faults.append(f"{table} is owned by {' and '.join(rooms) or 'nobody'}")
    return faults


def _docstring(folder: Path) -> str:
    return ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""


ROOMS = {folder.name: folder for folder in room_folders()}


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_card(room: str) -> None:
    """The card is what a new colleague reads first; without it the next two tests have nothing to hold the room to."""
    assert read_card(_docstring(ROOMS[room]), tables())[1] == []


@pytest.mark.parametrize("room", ROOMS)
def test_sql_keeps_to_the_card(room: str) -> None:
    """A room that reads another's table on the quiet can't be changed or moved to another server later."""
    card, _ = read_card(_docstring(ROOMS[room]), tables())
    if not (ROOMS[room] / "queries.sql").exists():
        return
    queries = load_queries(str(ROOMS[room] / "__init__.py"))
    faults = {q.name: f for q in queries if (f := overreach(q.sql, card, tables()))}
    assert faults == {}


def test_every_table_has_one_owner() -> None:
    """A table with two owners has none: each believes the other keeps its rules."""
    assert owners({room: read_card(_docstring(f), tables())[0] for room, f in ROOMS.items()}, tables()) == []


def test_the_import_contracts_know_every_room() -> None:
    """A room missing from a contract in setup.cfg is a room that may import anything."""
    assert uncontracted((ROOT / "setup.cfg").read_text("utf-8"), {f"gateway.{room}" for room in ROOMS}) == []


def uncontracted(setup_cfg: str, rooms: set[str]) -> list[str]:
    """Contracts that speak of rooms and leave one out or name one that is not there."""
    parser = configparser.ConfigParser()
    parser.read_string(setup_cfg)
    faults = []
    for section, key in (
        ("rooms-apart", "modules"),
        ("rooms-know-no-path", "source_modules"),
        ("doors-call-flows", "forbidden_modules"),
        ("psycopg2-in-db", "source_modules"),
        ("flask-in-web", "source_modules"),
    ):
        listed = set(parser[f"importlinter:contract:{section}"][key].split())
        faults += [f"{section} leaves out {room}" for room in sorted(rooms - listed)]
    stale = set(parser["importlinter:contract:rooms-apart"]["modules"].split()) - rooms
    return faults + [f"rooms-apart names {room}, which is no room" for room in sorted(stale)]


KNOWN = frozenset({"transfer", "account", "person", "consent"})
LEDGER = Card(frozenset({"transfer", "account"}), frozenset({"consent"}))


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("select 1 from person", "reads person"),
        ("select 1 from account a, person p", "reads person"),
        ("select 1 from account a join person p using (id)", "reads person"),
        ("select (select max(id) from person) from account", "reads person"),
        ("with x as (select 1 from person) select * from x", "reads person"),
        ("with x as (insert into consent values (1) returning 1) select * from x", "writes consent"),
        ("insert into consent select * from account", "writes consent"),
        ("update consent c set x = 1 from account where true", "writes consent"),
        ("delete from only consent using account", "writes consent"),
        ("delete from account using person", "reads person"),
        ("copy public.consent (a, b) from stdin", "writes consent"),
        ("copy person to stdout", "reads person"),
        ("truncate consent", "writes consent"),
        ("merge into consent c using account a on true when matched then do nothing", "writes consent"),
        ("select 1 from acount", "speaks of acount"),
        ("select 'x' /* from account */ from person -- from account", "reads person"),
    ],
)  # fmt: skip
def test_a_statement_beyond_its_card_is_seen(sql: str, fault: str) -> None:
    assert any(found.startswith(fault) for found in overreach(sql, LEDGER, KNOWN)), overreach(
        sql, LEDGER, KNOWN
    )


@pytest.mark.parametrize(
    "sql",
    [
        "select a.balance, count(*) from account a, consent c where a.person = c.person order by person, consent for update",
        "insert into account as a (person, consent) values (1, 2) on conflict (person) do update set person = excluded.person",
        "with person as materialized (select 1 from account), c (x, y) as (select 1, 2) select * from person, c",
        "select extract(year from person) from account where a is distinct from person",
        "select * from unnest(%(x)s::bigint[], %(y)s) as person(id), lateral (select 1 from consent) z",
        "create temp table person on commit drop as select 1; insert into person select 1; select * from person",
        "copy transfer (person, consent) from stdin",
        "update account set person = s.p from unnest(%(a)s) s where s.x = 'from person'",
        "select pg_advisory_xact_lock(1)",
        "select * from pg_locks",
    ],
)  # fmt: skip
def test_a_statement_within_its_card_passes(sql: str) -> None:
    assert overreach(sql, LEDGER, KNOWN) == []


@pytest.mark.parametrize(
    ("docstring", "fault"),
    [
        ("The ledger.\n\nReads:\nNever: guesses\n", "no line that begins with Owns"),
        ("The ledger.\n\nOwns: transfer\nNever: guesses\n", "no line that begins with Reads"),
        ("The ledger.\n\nOwns: transfer\nReads:\n", "no line that begins with Never"),
        ("The ledger.\n\nOwns: transfer\nReads:\nNever:\n", "Never: says nothing"),
        ("The ledger.\n\nOwns: transfers\nReads:\nNever: guesses", "names 'transfers'"),
        ("The ledger.\n\nOwns:\nReads: transfer\nNever: guesses", "names no table"),
    ],
)
def test_a_poor_card_is_seen(docstring: str, fault: str) -> None:
    assert any(fault in found for found in read_card(docstring, KNOWN)[1])


def test_a_card_may_run_over_lines_and_explain_itself() -> None:
    text = (
        "The ledger.\n\nOwns: transfer (one row\n  is one transfer), account\nReads: consent.\n"
        "Never: guesses, x\n\nMore: prose\n"
    )
    assert read_card(text, KNOWN) == (LEDGER, [])


def test_two_owners_and_no_owner_are_seen() -> None:
    cards = {"ledger": LEDGER, "other": Card(frozenset({"account", "person"}), frozenset())}
    assert owners(cards, KNOWN) == ["account is owned by ledger and other", "consent is owned by nobody"]


def test_tables_are_found_in_migrations() -> None:
    text = "create table a (x int);\ncreate unlogged table if not exists public.b (x int);\n-- create table c\ndrop table a;"
    assert made_tables(text) == {"b"}


def test_a_room_left_out_of_a_contract_is_seen() -> None:
    text = (ROOT / "setup.cfg").read_text("utf-8")
    assert "rooms-apart leaves out gateway.cellar" in uncontracted(
        text, {f"gateway.{r}" for r in ROOMS} | {"gateway.cellar"}
    )
    assert any("which is no room" in f for f in uncontracted(text, set()))
