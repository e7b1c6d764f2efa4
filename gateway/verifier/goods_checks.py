"""Whether the records of redemptions fit together: no event left out between two, two persons where two are asked for, the price
of the agreement, and stock that moved as the goods did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from gateway.verifier.statements import Statement, tampered

EVENT, MOVED, PRICE_SET = "redemption_event", "stock_moved", "good_price_set"
#: What a redemption is: the same in each of its events.
_STAYS = ("serial", "branch_no", "opened_by", "idempotency_key", "content_sha256", "person_id", "proxy_person_id", "proxy_proof",
          "business_on",
          "needs_approval", "opened_at", "expires_at", "lines", "legs")  # fmt: skip
#: Movement → how much of each good is on hand and held after it, by one.
_SIGNS = {"hold": (0, 1), "release": (0, -1), "issue": (-1, -1), "return": (1, 0)}


def check_redemptions(statements: Sequence[Statement]) -> dict[str, Statement]:
    """The last event of each redemption in the file. Raises TamperedError with the first thing that does not fit."""
    stories: defaultdict[str, list[Statement]] = defaultdict(list)
    moves: defaultdict[str, dict[str, Statement]] = defaultdict(dict)
    for one in statements:
        if one.kind == EVENT:
            stories[one.body["redemption_id"]].append(one)
        if one.kind == MOVED:
            cause_id, _, kind = one.row_id.partition(" ")
            moves[cause_id][kind] = one
    prices = [one for one in statements if one.kind == PRICE_SET]
    strange = set(moves) - set(stories)
    if strange:
        first = next(iter(moves[min(strange)].values()))
        raise tampered("stock moved for a redemption that is not in the file", where=first.where)
    last = {}
    for redemption_id, events in stories.items():
        events.sort(key=lambda event: event.leaf)
        _check_events(events)
        _check_approval(events)
        _check_stock(events, moves[redemption_id])
        _check_prices(events[0], prices)
        last[redemption_id] = events[-1]
    return last


def _check_events(events: Sequence[Statement]) -> None:
    state, first = "opened", events[0]
    for number, one in enumerate(events, 1):
        if one.body["event_no"] != number or one.body["from_state"] != state:
            raise tampered("an event of the redemption is left out before this one", where=one.where)
        differs = [name for name in _STAYS if one.body.get(name) != first.body.get(name)]
        if differs:
            raise tampered(f"the events of one redemption differ in its {differs[0]}", where=one.where)
        state = one.body["to_state"]


def _check_approval(events: Sequence[Statement]) -> None:
    approvals = [one for one in events if one.body["event"] == "approved"]
    opened_by = events[0].body["opened_by"].partition(" ")[2]
    for one in approvals:
        if one.body["staff_id"] == opened_by:
            raise tampered("the redemption was approved by the person who opened it", where=one.where)
    confirmed = [one for one in events if one.body["event"] == "confirm_sent"]
    if events[0].body["needs_approval"] and confirmed and not approvals:
        raise tampered("points were taken without the second person's approval", where=confirmed[0].where)


def _check_stock(events: Sequence[Statement], moves: Mapping[str, Statement]) -> None:
    counts: defaultdict[str, int] = defaultdict(int)
    for _, good_id, _, quantity_count, _, _ in events[0].body["lines"]:
        counts[good_id] += quantity_count
    happened = {one.body["event"] for one in events}
    needed = {"hold"}
    needed |= {"issue"} if "handed_over" in happened else set()
    needed |= {"return"} if "reversal_asked" in happened else set()
    for kind in sorted(needed - set(moves)):
        raise tampered(f"the {kind} of the goods in the stock register is left out", where=events[-1].where)
    for kind, one in moves.items():
        on_hand, held = _SIGNS[kind]
        wanted = sorted([good_id, on_hand * n, held * n] for good_id, n in counts.items())
        lines = one.body["lines"]
        found = sorted([line["good_id"], line["on_hand"], line["held"]] for line in lines)
        if found != wanted or {line["branch_no"] for line in lines} != {events[0].body["branch_no"]}:
            raise tampered("the stock moved otherwise than the redemption's goods", where=one.where)


def _check_prices(event: Statement, prices: Sequence[Statement]) -> None:
    for line_no, good_id, town, _, price_centi, settle_fen in event.body["lines"]:
        begun = [
            one
            for one in prices
            if (one.body["good_id"], one.body["town"]) == (good_id, town)
            and one.body["valid_from_on"] <= event.body["business_on"]
        ]
        if not begun:
            raise tampered(f"the price of line {line_no} is left out", where=event.where)
        counted = max(begun, key=lambda one: str(one.body["valid_from_on"])).body
        if (counted["price_centi"], counted["settle_fen"]) != (price_centi, settle_fen):
            raise tampered(f"line {line_no} was not priced by the agreement", where=event.where)
