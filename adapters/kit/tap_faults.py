"""Faults on the way to a platform that does not fail on demand: the line loses the next answer after the platform acted."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.wire_tap import LOSSES, Tap


@dataclass(frozen=True, slots=True)
class LineFaults:
    """`Faults` made by the tap. What only a simulator can do is not asked of it (`Scenario.simulator_only`)."""

    tap: Tap

    def arm(self, fault: str, on: str) -> None:
        """The next answer on the line is lost, whichever call it belongs to: scenarios arm right before the call they mean."""
        if fault not in LOSSES:
            raise ValueError(f"a line cannot be made to {fault} (on {on})")
        self.tap.lose_next(fault)

    def calm(self) -> None:
        self.tap.calm()
