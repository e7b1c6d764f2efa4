"""The old place of `_gather_facts`, until everybody imports it from there."""

from gateway.flows._gather_facts import gather_facts

__all__ = ["gather_facts"]
