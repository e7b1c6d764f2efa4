"""What the kit needs to know of the town: how its items are written, what is wrong in them, who is who on its simulator."""

from __future__ import annotations

from typing import Final

from adapters.kit.oauth_sender import OAuthSender
from adapters.kit.speech import Item, JsonSpeech, Words, changed
from adapters.kit.subject import Accounts, Town

_WORDS: Final = Words(
    reference="ROW_NO",
    activity="ACT",
    points="SCORE",
    person="ID_CARD",
    listed="ROWS",
    personal=("NAME", "PHONE", "ID_CARD"),
)


def _undone(item: Item) -> Item:
    return changed(item, HOW="undo", ROW_NO=f"{item['ROW_NO']}U", UNDOES=item["ROW_NO"])


TOWN: Final = Town(
    speech=JsonSpeech(_WORDS),
    wrong=(
        ("ROW_NO", ..., "field-missing"),
        ("ROW_NO", "A B", "text-pattern"),
        ("ACT", "", "text-empty"),
        ("HOW", "*", "word-unknown"),
        ("ID_CARD", "330199197803050025", "id-checksum"),
        ("SCORE", 0, "points-not-positive"),
        ("SCORE", "2.5", "points-decimals"),
        ("SCORE", 100_001, "points-too-many"),
        ("AT", "2026-05-01T08:30:00+08:00", "time-unreadable"),
        ("AT", "2026-02-30 08:30:00", "time-unreadable"),
        ("UNDOES", "R1", "undo-without-row"),
        ("SURPRISE", 1, "field-unknown"),
    ),
    accounts=Accounts(rich="330199197803050024", empty="330199198109110140", unknown="33019919850101003X"),
    stranger={"client_id": "stranger"},
    correction=_undone,
    sender=OAuthSender,
    connect="docs/adding-a-town.md",
)
