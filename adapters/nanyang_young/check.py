"""What the kit needs to know of 南阳young: how a change is written, what is wrong in one, who is who on its simulator."""

from __future__ import annotations

from typing import Any, Final

from adapters.kit.speech import JsonSpeech, Words
from adapters.kit.subject import Accounts, Town


def _members(accounts: Accounts) -> Any:
    """Two invented residents as the simulator takes them: one with 100 points, one with none."""
    rich, empty = "330199197803050024", "330199198109110140"
    return [
        {"openid": accounts.rich, "id_no": rich, "name": "测试甲", "balance_centi": 10_000},
        {"openid": accounts.empty, "id_no": empty, "name": "测试·乙", "balance_centi": 0},
    ]


TOWN: Final = Town(
    speech=JsonSpeech(
        Words(
            reference="change_id",
            activity="task",
            points="points",
            person="openid",
            listed="changes",
            reference_like="ny_{}",
            personal=("openid", "name", "id_no"),
        )
    ),
    wrong=(
        ("seq", ..., "field-missing"),
        ("seq", 0, "sequence-invalid"),
        ("seq", "41", "sequence-invalid"),
        ("change_id", ..., "field-missing"),
        ("change_id", "41", "text-pattern"),
        ("openid", ..., "field-missing"),
        ("openid", "kit", "text-pattern"),
        ("openid", 17, "not-a-string"),
        ("task", "", "text-empty"),
        ("task", " night_patrol", "text-outer-space"),
        ("kind", "gift", "word-unknown"),
        ("points", 2.5, "not-a-string"),
        ("points", "2.25", "points-not-half"),
        ("points", "0", "points-not-positive"),
        ("points", "100001", "points-too-many"),
        ("occurred_at", 1777595400, "instant-in-seconds"),
        ("occurred_at", "2026-05-01T08:30:00+08:00", "instant-unreadable"),
        ("occurred_at", 915148800000, "instant-out-of-range"),
        ("reverses", "ny_0000001", "original-without-reversal"),
        ("surprise", 1, "field-unknown"),
    ),
    accounts=Accounts(rich="o_kitRich00001", empty="o_kitEmpty0001", unknown="o_kitNobody001"),
    accounts_body=_members,
    stranger={"client_id": "stranger"},
    connect="docs/nanyang_young.md",
)
