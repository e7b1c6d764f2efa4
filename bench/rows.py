"""The people and the events every bench row writes: the same for the floor and for the doors."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from gateway.db import Database, Transaction, copy_text
from gateway.db.queries import Query
from schemas.crypto import KeyRing

TOWN = "lijiayuan"
START = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
TASKS = ("garbageSorting", "doorFrontHygiene", "volunteerService", "onlineLearning")
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def invented_id_no(number: int) -> str:
    """An invented resident id with a valid checksum (GB 11643): a county code that is not assigned, a plausible birth date."""
    born = datetime(1950, 1, 1, tzinfo=UTC) + timedelta(days=number % 18000)
    body = f"330199{born:%Y%m%d}{number // 18000 % 1000:03d}"
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 11]


@dataclass(frozen=True, slots=True)
class Family:
    code: str
    id_no: str
    household_id: int
    person_id: int


def load_families(
    db: Database, keys: KeyRing, count: int, town: str = TOWN, villages: int = 1
) -> list[Family]:
    """Households of one member with both consents, spread over villages, written by COPY: arranging, not measured."""
    ids = Query("bench.ids", "select nextval('subject_seq') from generate_series(1, %(n)s)")
    now = START - timedelta(days=400)
    with db.transaction() as tx:
        taken = [n for (n,) in tx.tuples(ids, {"n": count * 2})]
        families = [
            Family(f"F{n:07d}", invented_id_no(n), taken[2 * n], taken[2 * n + 1]) for n in range(count)
        ]
        unique = {f.id_no for f in families}
        if len(unique) != count:
            raise ValueError("invented ids collide; take fewer families")
        _copy_families(tx, keys, families, now, town, villages)
    return families


def village_of(number: int, villages: int) -> str:
    """The village of the family with this number."""
    return f"试村{number % villages}" if villages > 1 else "试村"


def _copy_families(
    tx: Transaction, keys: KeyRing, families: list[Family], now: datetime, town: str, villages: int
) -> None:
    digest = keys.digester("lookup:id_no")
    on = now.date()
    copies: list[tuple[str, list[tuple[Any, ...]]]] = [
        ("household (household_id, village, registered_at)",
         [(f.household_id, village_of(n, villages), now) for n, f in enumerate(families)]),
        ("household_code (town, code, household_id, valid_from_on, village)",
         [(town, f.code, f.household_id, on, village_of(n, villages)) for n, f in enumerate(families)]),
        ("person (person_id, key_id, sealed, salt, commitment, birth_on, registered_at)",
         [(f.person_id, "k", b"", b"", b"", on, now) for f in families]),
        ("identifier (kind, town, digest, person_id, registered_at)",
         [("id_no", "", digest(f.id_no.encode()), f.person_id, now) for f in families]),
        ("membership (household_id, person_id, town, is_head, valid_from_on)",
         [(f.household_id, f.person_id, town, True, on) for f in families]),
        ("consent (consent_id, person_id, town, purpose, recipient, text_version, given_at, recorded_at)",
         [(f"00000000-0000-4000-8000-{f.person_id:011d}{no}", f.person_id, town, purpose, "bank", "1", now, now)
          for f in families for no, purpose in enumerate(("loan_mapping", "redemption"))]),
    ]  # fmt: skip
    for columns, rows in copies:
        tx.copy_in(Query("bench.copy", f"copy {columns} from stdin"), copy_text(rows))
    tx.run(
        Query("bench.standing", "insert into standing select 'id_no', %(town)s, digest, person_id, 'loan_mapping redemption',"
              " household_id::text from identifier join membership using (person_id)"), {"town": town},
    )  # fmt: skip
    tx.run(
        Query("bench.version", "insert into standing_version values (%(town)s, gen_random_uuid())"),
        {"town": town},
    )
    tx.run(
        Query("bench.accounts", "select open_accounts(array(select household_id from household), %(town)s)"),
        {"town": town},
    )


def events(families: list[Family], count: int, prefix: str, seed: int = 1) -> list[dict[str, Any]]:
    """`count` awards in the town's words, spread over families and a year."""
    chance = random.Random(seed)
    made = []
    for n in range(count):
        family = chance.choice(families)
        at = START + timedelta(minutes=chance.randrange(300 * 24 * 60))
        made.append(
            {
                "taskId": f"{prefix}-{n:09d}",
                "taskType": chance.choice(TASKS),
                "familyCode": family.code,
                "memberIdNo": family.id_no,
                "points": chance.randrange(1, 9),
                "finishedAt": (at + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S+08:00"),
                "village": "试村",
            }
        )
    return made


def bodies(made: list[dict[str, Any]], size: int) -> list[bytes]:
    """JSON documents of `size` events each."""
    return [orjson.dumps({"items": made[i : i + size]}) for i in range(0, len(made), size)]
