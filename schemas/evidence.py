"""What a room hands out so that outsiders can check its records: what a commitment hides, and what a digest names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Opening:
    """Of one record. `salt` and `content` open its commitment (salt empty: it has none); `attached` goes beside it."""

    salt: bytes = b""
    content: Mapping[str, Any] = field(default_factory=dict)
    attached: Mapping[str, Any] = field(default_factory=dict)
