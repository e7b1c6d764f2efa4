"""Rulesets in the database: proposed by one person, approved by another, never changed."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache

from gateway.db import Row, Transaction, load_queries
from gateway.policy.document import load_ruleset, ruleset_from_bytes
from gateway.policy.language import Ruleset
from schemas.errors import ConflictError, InvalidError, NotFoundError, RefusedError, TamperedError

queries = load_queries(__file__)

LIST_LIMIT = 1000
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


def staff_login(name: str, where: str) -> str:
    """A staff login or number in the one spelling by which two people are told apart. Raises InvalidError."""
    login = name.strip().lower()
    if not _LOGIN.fullmatch(login):
        raise InvalidError(
            "not a staff login",
            where=where,
            value=name[:64],
            remedy="use the login or staff number: letters a–z, digits, and . _ @ -; at most 64 characters",
        )
    return login


def insert_ruleset(tx: Transaction, text: str, *, by: str, now: datetime) -> tuple[Ruleset, bool]:
    """Validate and store a YAML document. The ruleset, and False when this very document was proposed before.

    Raises InvalidError (RulesetInvalidError lists every fault); ConflictError when it was proposed by somebody else.
    """
    ruleset = load_ruleset(text)
    proposed_by = staff_login(by, "by")
    params = {
        "ruleset_id": ruleset.ruleset_id,
        "name": ruleset.name,
        "product": ruleset.product,
        "subject": str(ruleset.subject),
        "valid_from_on": ruleset.valid_from_on,
        "document": ruleset.canonical,
        "yaml": text,
        "proposed_by": proposed_by,
        "proposed_at": now,
    }
    if tx.run(queries.insert_ruleset, params):
        return ruleset, True
    stored = get_row(tx, ruleset.ruleset_id)
    if stored.proposed_by != proposed_by:
        raise ConflictError(
            "this ruleset was already proposed by somebody else",
            code="ruleset-already-proposed",
            where=ruleset.ruleset_id,
            remedy="approve it, or change the document",
        )
    return ruleset, False


def insert_approval(tx: Transaction, ruleset_id: str, *, by: str, now: datetime) -> bool:
    """Approve a proposed ruleset. False when the same person approved it before.

    Raises NotFoundError; RefusedError for the proposer themselves; ConflictError when somebody else approved it, or when
    another ruleset of the same name begins on the same day.
    """
    approved_by = staff_login(by, "by")
    tx.find(queries.lock_ruleset, {"ruleset_id": ruleset_id})
    row = get_row(tx, ruleset_id)
    if row.proposed_by == approved_by:
        raise RefusedError(
            "nobody approves their own ruleset",
            code="own-ruleset",
            where=ruleset_id,
            value=approved_by,
            remedy="another person must approve it",
        )
    if row.approved_by is not None:
        if row.approved_by == approved_by:
            return False
        raise ConflictError(
            "the ruleset is approved already",
            code="already-approved",
            where=ruleset_id,
            value=row.approved_by,
        )
    tx.run(
        queries.insert_approval, {"ruleset_id": ruleset_id, "approved_by": approved_by, "approved_at": now}
    )
    return True


def get_row(tx: Transaction, ruleset_id: str) -> Row:
    """The stored row with its approval (approved_by and approved_at are None before). Raises NotFoundError."""
    row = tx.find(queries.find_ruleset, {"ruleset_id": ruleset_id})
    if row is None:
        raise NotFoundError(
            "no such ruleset", where="ruleset_id", value=ruleset_id[:64], remedy="see `gateway policy list`"
        )
    return row


def find_ruleset_id(tx: Transaction, prefix: str) -> str:
    """The full id from its beginning (8 characters at least). Raises InvalidError when too short or ambiguous, NotFoundError."""
    if not re.fullmatch(r"[0-9a-f]{8,64}", prefix):
        raise InvalidError(
            "not a ruleset id", value=prefix[:64], remedy="give at least its first 8 characters (0–9, a–f)"
        )
    found = [r for (r,) in tx.tuples(queries.list_by_prefix, {"prefix": prefix})]
    if not found:
        raise NotFoundError(
            "no such ruleset", where="ruleset_id", value=prefix, remedy="see `gateway policy list`"
        )
    if len(found) > 1:
        raise InvalidError("two rulesets begin so", value=prefix, remedy="give more characters")
    return str(found[0])


def get_ruleset(tx: Transaction, ruleset_id: str) -> Ruleset:
    """The ruleset of an id, approved or not. Raises NotFoundError; TamperedError when its document is not the one named."""
    return read_row(get_row(tx, ruleset_id))


def read_row(row: Row) -> Ruleset:
    """The ruleset of a stored row. Raises TamperedError when its document is not the one its id names."""
    return _read(row.ruleset_id, bytes(row.document))


def list_rulesets(tx: Transaction) -> list[Row]:
    """All rulesets without their documents, by name and first day; at most LIST_LIMIT."""
    return tx.all(queries.list_rulesets, {"limit": LIST_LIMIT})


def list_in_force(tx: Transaction, on: date) -> list[Ruleset]:
    """Approved rulesets in force on a day: of each name the one that began last, unless it has ended. Ordered by name."""
    rows = tx.tuples(queries.list_in_force, {"on": on})
    found = (_read(ruleset_id, bytes(document)) for ruleset_id, document in rows)
    return [ruleset for ruleset in found if ruleset.in_force(on)]


@lru_cache(maxsize=128)
def _read(ruleset_id: str, document: bytes) -> Ruleset:
    ruleset = ruleset_from_bytes(document)
    if ruleset.ruleset_id != ruleset_id:
        raise TamperedError(
            "a ruleset's document is not the one its id names", where="ruleset.document", value=ruleset_id
        )
    return ruleset
