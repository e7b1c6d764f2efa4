"""How personal data (C2, JR/T 0171) stands on a screen until there is a reason to show more."""

from __future__ import annotations


def masked_name(name: str) -> str:
    """The family name and as many stars as the rest has: 欧阳小明 → 欧***."""
    return name[:1] + "*" * max(len(name) - 1, 1)


def masked_id_no(id_no: str) -> str:
    """Region and the last two: 330109********34."""
    return f"{id_no[:6]}{'*' * (len(id_no) - 8)}{id_no[-2:]}"
