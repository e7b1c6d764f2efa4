"""What the kit needs to know of 沥家园: how its items are written, what is wrong in them, and who is who on its simulator."""

from __future__ import annotations

from typing import Final

from adapters.kit.oauth_sender import OAuthSender
from adapters.kit.speech import Item, JsonSpeech, Words, changed
from adapters.kit.subject import Accounts, Town

_BORN_1978 = "330199197803050024"  # invented: the county code 330199 was never given to a county


def _taken_back(item: Item) -> Item:
    return changed(item, kind="reversal", taskId=f"{item['taskId']}R", reverses=item["taskId"])


TOWN: Final = Town(
    speech=JsonSpeech(
        Words(
            reference="taskId",
            activity="taskType",
            points="points",
            person="memberIdNo",
            personal=("memberName", "phone", "memberIdNo"),
        )
    ),
    wrong=(
        ("taskId", ..., "field-missing"),
        ("taskId", None, "field-null"),
        ("taskId", "", "text-empty"),
        ("taskId", "T" * 65, "text-too-long"),
        ("taskId", "T\n1", "text-control-character"),
        ("taskId", "T 1", "text-pattern"),
        ("taskId", "../x", "text-pattern"),
        ("taskId", 17, "not-a-string"),
        ("taskType", "a\x00b", "text-control-character"),
        ("taskType", " garbageSorting", "text-outer-space"),
        ("taskType", "t" * 65, "text-too-long"),
        ("kind", "Award", "word-unknown"),
        ("kind", ["award"], "word-unknown"),
        ("familyCode", "GL 1", "text-pattern"),
        ("familyCode", "ＧＬ１", "text-pattern"),
        ("memberIdNo", ..., "field-missing"),
        ("memberIdNo", _BORN_1978[:-1] + "5", "id-checksum"),
        ("memberIdNo", _BORN_1978[:6] + _BORN_1978[8:-1], "id-15-digits"),
        ("memberIdNo", _BORN_1978[:10] + "1331" + _BORN_1978[14:], "id-birth-date"),
        ("memberIdNo", 330199197803050024, "not-a-string"),
        ("points", 0, "points-not-positive"),
        ("points", 100_001, "points-too-many"),
        ("points", "１２", "points-not-a-number"),
        ("points", None, "field-null"),
        ("finishedAt", "2026-05-01T08:30:00", "instant-no-offset"),
        ("finishedAt", "1999-05-01T08:30:00+08:00", "instant-out-of-range"),
        ("finishedAt", 1777595400, "not-a-string"),
        ("village", "村\u202e", "text-control-character"),
        ("village", "", "text-empty"),
        ("reverses", "LJY-1", "original-without-reversal"),
        ("counterpartFamilyCode", "GL000002", "counterpart-without-transfer"),
        ("surprise", 1, "field-unknown"),
    ),
    accounts=Accounts(rich="GL000001", empty="GL000002", unknown="GL999999"),
    stranger={"client_id": "stranger"},
    correction=_taken_back,
    sender=OAuthSender,
    connect="docs/lijiayuan.md",
)
