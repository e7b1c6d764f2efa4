"""A record as a file of evidence brings it, and how a fault is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from schemas.errors import TamperedError


class Statement(NamedTuple):
    """One record whose place in the log is proved. `opening` is what its commitment hides, `attached` what its digests name."""

    number: int  # in the file, from 1
    leaf: int  # its leaf
    kind: str
    row_id: str
    body: Mapping[str, Any]
    opening: Mapping[str, Any] | None
    attached: Mapping[str, Any]

    @property
    def where(self) -> str:
        """Which record, in words."""
        return f"record {self.number} of the file ({self.kind} {self.row_id})"

    @property
    def content(self) -> Mapping[str, Any]:
        """What the commitment hides. Raises TamperedError when the file does not show it."""
        if self.opening is None:
            raise tampered("the values under a record's commitment are not shown", where=self.where)
        found: Mapping[str, Any] = self.opening["content"]
        return found


def tampered(what: str, *, where: str) -> TamperedError:
    """A refusal in one sentence."""
    return TamperedError(
        what,
        code="evidence-wrong",
        where=where,
        remedy="do not rely on this file; ask for a fresh one, and keep this one as it is",
    )
