"""`gateway town check NAME --inbound`: watch a town's door while its platform pushes, and tick off what was seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from rich.console import Console

from schemas.errors import InvalidError
from schemas.ports import Capabilities
from schemas.values import BEIJING, ItemStatus, TownCode

if TYPE_CHECKING:
    from gateway.flows.list_pushes import PushSeen
    from gateway.house import House

LOOK_EVERY_S = 1.0
SHOWN = 5  # items of a push that are explained


class Tick(NamedTuple):
    """Something a vendor's pushes must show, and what to send for it."""

    id: str
    zh: str
    en: str
    seen_in: Callable[[PushSeen], bool]


def _with(status: ItemStatus) -> Callable[[PushSeen], bool]:
    return lambda push: any(item.status == status for item in push.exceptions)


ACCEPTED = Tick(
    "accepted",
    "登记居民后推送一批正常条目",
    "register residents, then push good items",
    lambda push: push.accepted_count > 0,
)
OF_ITEMS = (
    Tick(
        "duplicate",
        "把其中一条放进新的一批再送",
        "send one of them again in a new push",
        _with(ItemStatus.DUPLICATE),
    ),
    Tick(
        "conflict",
        "同一引用号改变积分再送",
        "send the same reference with other points",
        _with(ItemStatus.CONFLICT),
    ),
    Tick(
        "correction",
        "送一条冲回，指明原条目",
        "send a reversal that names an item",
        lambda push: push.corrects,
    ),
    Tick(
        "quarantined",
        "送一个没见过的活动代码",
        "send an activity nobody knows",
        _with(ItemStatus.QUARANTINED),
    ),
    Tick(
        "rejected",
        "送一条写错的，或未同意者的",
        "send a wrong item, or a stranger's",
        _with(ItemStatus.REJECTED),
    ),
)


def ticks_of(capabilities: Capabilities) -> tuple[Tick, ...]:
    """What can be asked of this town. Raises InvalidError for one that pushes nothing."""
    if not capabilities.pushes:
        raise InvalidError(
            "this town pushes nothing: its changes are fetched",
            where="--inbound",
            remedy="gateway job pull_changes",
        )
    return (ACCEPTED,) if capabilities.posts_scores else (ACCEPTED, *OF_ITEMS)


def first_id_at(at: datetime) -> UUID:
    """The smallest UUIDv7 (RFC 9562) of a moment: everything that came before it sorts below."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (0x7 << 76) | (0b10 << 62))


def watch(
    house: House,
    town: TownCode,
    ticks: tuple[Tick, ...],
    *,
    minutes: float,
    lang: str,
    console: Console,
    sleep: Callable[[float], None] = time.sleep,
) -> set[str]:
    """Show pushes as they arrive until everything was seen or the time is over; the ids that were not seen."""
    missing = {tick.id for tick in ticks}
    console.print("等待推送，请依次：" if lang == "zh" else "waiting for pushes; please, in turn:")
    for tick in ticks:
        console.print(f"  ☐ {tick.zh if lang == 'zh' else tick.en} [dim]{tick.id}[/]")
    for push in _arriving(house, town, minutes, sleep):
        _tell(push, console)
        for tick in ticks:
            if tick.id in missing and tick.seen_in(push):
                missing.discard(tick.id)
                console.print(f"  [green]☑[/] {tick.zh if lang == 'zh' else tick.en} [dim]{tick.id}[/]")
        if not missing:
            break
    return missing


def _arriving(
    house: House, town: TownCode, minutes: float, sleep: Callable[[float], None]
) -> Iterator[PushSeen]:
    from gateway.flows.list_pushes import list_pushes

    last = first_id_at(house.clock())
    for _ in range(max(1, round(minutes * 60 / LOOK_EVERY_S))):
        for push in list_pushes(house, town, last):
            last = push.batch_id
            yield push
        sleep(LOOK_EVERY_S)


def _tell(push: PushSeen, console: Console) -> None:
    at = push.received_at.astimezone(BEIJING)
    console.print(
        f"{at:%H:%M:%S} {push.client_id}: {push.item_count} items, {push.accepted_count} accepted",
        markup=False,
    )
    for item in push.exceptions[:SHOWN]:
        told = f"{item.code}; {item.detail}" if item.code else ""
        where = f" {item.where}" if item.where else ""
        console.print(f"    {item.status} {item.reference or ''}{where} {told}", markup=False)
    if len(push.exceptions) > SHOWN:
        console.print(f"    … {len(push.exceptions) - SHOWN} more", markup=False)
