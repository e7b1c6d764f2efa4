"""What a run found: printed as a table, written as bench/report.json."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Line:
    """One row. `ratio` is against the row's own floor; `bar` is in words; `holds` is None where there is no bar."""

    name: str
    value: float
    unit: str
    ratio: float | None = None
    bar: str = ""
    holds: bool | None = None
    memory_mb: float | None = None


@dataclass
class Report:
    lines: list[Line] = field(default_factory=list)

    def add(self, line: Line) -> None:
        self.lines.append(line)
        Console().print(
            f"  {line.name}: {line.value:,.0f} {line.unit}"
            + (f", ratio {line.ratio:.2f}" if line.ratio is not None else "")
        )

    def show(self) -> None:
        table = Table(title="make bench")
        for heading in ("what", "value", "unit", "ratio", "bar", "holds", "memory MB"):
            table.add_column(
                heading, justify="right" if heading in ("value", "ratio", "memory MB") else "left"
            )
        for line in self.lines:
            table.add_row(
                line.name,
                f"{line.value:,.1f}" if line.value < 100 else f"{line.value:,.0f}",
                line.unit,
                "" if line.ratio is None else f"{line.ratio:.2f}",
                line.bar,
                {None: "", True: "yes", False: "NO"}[line.holds],
                "" if line.memory_mb is None else f"{line.memory_mb:,.0f}",
            )
        Console(width=130).print(table)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps([asdict(line) for line in self.lines], indent=1) + "\n")
