"""Neighbours: how each of them stands for all our processes; who paused one, and whether its breaker is open.

Owns: neighbour_switch, neighbour_breaker
Reads:
Never: calls a neighbour, knows how one is called

A breaker is closed, open (nobody calls until `retry_at`) or half open (one process tries; the others wait for what it finds).
"""

from gateway.neighbours.standing import (
    Standing,
    claim_probe,
    find_standing,
    insert_switch,
    list_standings,
    mark_answered,
    mark_closed,
    mark_open,
)

__all__ = [
    "Standing",
    "claim_probe",
    "find_standing",
    "insert_switch",
    "list_standings",
    "mark_answered",
    "mark_closed",
    "mark_open",
]
