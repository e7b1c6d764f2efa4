"""How many examples a property is tried with: all of them in `make test`, a fifth in `make check`, which is to take seconds."""

from __future__ import annotations

import os


def examples(count: int) -> int:
    """`count`, or a fifth of it when GATEWAY_TEST_QUICK is set."""
    return max(10, count // 5) if os.environ.get("GATEWAY_TEST_QUICK") else count
