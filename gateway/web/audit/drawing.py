"""The mapping as a picture: where each piece stands. Pure; the template `audit/picture.html` draws what is listed here.

Six columns from left to right: points by town → categories with weight and cap → score → gates → rate and limit → the bank.
Widths of the streams are proportional to points. All lengths are units of the drawing (1032 wide: a page at 1280 shows it 1:1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.flows.inspect_mapping import MappingView
from schemas.values import percent_text, points_text, yuan_text

WIDTH = 1032
TOWNS, CATEGORIES, SCORE = (0, 140), (176, 290), (502, 88)  # (left edge, width) of each column
GATES, BENEFIT, BANK = (612, 140), (772, 110), (902, 130)
TOP, ROW, TOWN_HEIGHT, GATE_HEIGHT, STREAM_MOST = 44, 64, 66, 50, 46


class Box(NamedTuple):
    """A rectangle; `look` is its class in the style sheet."""

    x: float
    y: float
    width: float
    height: float
    look: str


class Label(NamedTuple):
    """Words at a place; `path` is the line of the ruleset they follow ('' none), `anchor` start, middle or end."""

    x: float
    y: float
    text: str
    look: str = ""
    path: str = ""
    anchor: str = "start"


@dataclass(slots=True)
class Drawing:
    """Everything to draw, in the order of drawing."""

    height: float = 0
    streams: list[tuple[str, str]] = field(default_factory=list)  # (path data, class)
    boxes: list[Box] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


def draw_mapping(view: MappingView, t: Mapping[str, str], names: Mapping[str, str]) -> Drawing:
    """The picture of one decision in the page's language."""
    parts = view.breakdown
    rows = max(len(parts.categories) * ROW, len(parts.towns) * (TOWN_HEIGHT + 14), 236)
    rows = max(rows, len(parts.gates) * (GATE_HEIGHT + 8))
    drawing = Drawing(TOP + rows + 8)
    for number, ((x, _), word) in enumerate(
        zip((TOWNS, CATEGORIES, SCORE, GATES, BENEFIT, BANK), ("towns", "categories", "score", "gates", "benefit", "bank"),
            strict=True), 1
    ):  # fmt: skip
        drawing.labels.append(Label(x, 16, f"{number} {t['pic_' + word]}", "head"))
    middle = TOP + rows / 2
    score_height = max(76.0, min(rows, 3 * STREAM_MOST))
    score_top = middle - score_height / 2
    _towns(drawing, view, names, rows)
    _categories(drawing, view, t, rows, (score_top, score_height))
    _score(drawing, view, t, score_top, score_height)
    _gates(drawing, view, t, rows)
    _benefit(drawing, view, t, middle)
    _bank(drawing, view, t, middle)
    for left, right in ((SCORE, GATES), (GATES, BENEFIT), (BENEFIT, BANK)):
        _arrow(drawing, left[0] + left[1], right[0], middle)
    return drawing


def _spread(count: int, height: float, rows: float) -> list[float]:
    """Tops of `count` pieces of a height, spread evenly over the rows."""
    gap = (rows - count * height) / max(count, 1)
    return [TOP + gap / 2 + n * (height + gap) for n in range(count)]


def _towns(drawing: Drawing, view: MappingView, names: Mapping[str, str], rows: float) -> None:
    x, width = TOWNS
    towns = view.breakdown.towns
    for town, top in zip(towns, _spread(len(towns), TOWN_HEIGHT, rows), strict=True):
        path = f"factors.towns.{town.town}" if town.den else "factors.towns"
        drawing.boxes.append(Box(x, top, width, TOWN_HEIGHT, "town"))
        drawing.labels += [
            Label(x + 10, top + 19, names.get(town.town, town.town), "strong"),
            Label(x + 10, top + 41, points_text(town.points_centi), "figure"),
            Label(
                x + width - 10, top + 39, f"× {town.num}/{town.den}" if town.den else "× 0", "", path, "end"
            ),
            Label(x + width - 10, top + 57, f"= {points_text(town.counted_centi)}", "quiet", "", "end"),
        ]


def _categories(
    drawing: Drawing, view: MappingView, t: Mapping[str, str], rows: float, score: tuple[float, float]
) -> None:
    """Each category: name and what it adds; a bar whose hatched part the cap cut; weight and cap. And the streams in and out."""
    x, width = CATEGORIES
    parts = view.breakdown
    if not parts.categories:
        _straight(drawing, view, t, rows, score)
        return
    most = max(max(abs(c.weighed_centi), abs(c.after_centi), 1) for c in parts.categories)
    tops = _spread(len(parts.categories), ROW, rows)
    for category, top in zip(parts.categories, tops, strict=True):
        added, cut = abs(category.after_centi), max(0, category.weighed_centi - category.after_centi)
        full = (width - 20) * added / most
        look = "bar" if category.after_centi >= 0 else "bar minus"
        drawing.boxes += [
            Box(x, top + 4, width, ROW - 8, "category"),
            Box(x + 10, top + 30, max(full, 1), 9, look),
        ]
        if cut:
            drawing.boxes.append(Box(x + 10 + full, top + 30, (width - 20) * cut / most, 9, "cut"))
        before = points_text(category.before_centi)
        drawing.labels += [
            Label(x + 10, top + 22, t.get(f"category_{category.category}", category.category), "strong"),
            Label(
                x + width - 10, top + 23, points_text(category.after_centi), "figure", category.rule, "end"
            ),
            Label(x + 10, top + 54, f"{before} ×", "small"),
            Label(
                x + 18 + 8 * len(before) + 8,
                top + 54,
                f"{category.weight_percent}%",
                "small",
                f"{category.rule}.weight_percent",
            ),
        ]
        if category.cap_centi is not None:
            words = t["pic_capped"] if category.cut_months else t["pic_cap"]
            shown = words.format(cap=points_text(category.cap_centi), months=category.cut_months)
            drawing.labels.append(
                Label(x + width - 10, top + 54, shown, "small", f"{category.rule}.month_cap_points", "end")
            )
    _streams_in(drawing, view, tops, rows)
    _streams_out(
        drawing, [c.after_centi for c in parts.categories], [top + ROW / 2 for top in tops], x + width, score
    )


def _straight(
    drawing: Drawing, view: MappingView, t: Mapping[str, str], rows: float, score: tuple[float, float]
) -> None:
    """A basis without categories: towns go straight to the score."""
    towns = view.breakdown.towns
    middles = [top + TOWN_HEIGHT / 2 for top in _spread(len(towns), TOWN_HEIGHT, rows)]
    _streams_out(drawing, [town.counted_centi for town in towns], middles, TOWNS[0] + TOWNS[1], score)
    x, width = CATEGORIES
    drawing.labels.append(
        Label(x + width / 2, TOP + rows - 10, t["pic_no_categories"], "quiet", "basis", "middle")
    )


def _streams_in(drawing: Drawing, view: MappingView, tops: Sequence[float], rows: float) -> None:
    """From each town to each category it brought something to."""
    parts = view.breakdown
    total = max(sum(abs(points) for c in parts.categories for points in c.by_town.values()), 1)
    for town, town_top in zip(parts.towns, _spread(len(parts.towns), TOWN_HEIGHT, rows), strict=True):
        at = town_top + 8
        for category, top in zip(parts.categories, tops, strict=True):
            points = category.by_town.get(town.town, 0)
            if points:
                thick = max(1.5, STREAM_MOST * abs(points) / total)
                drawing.streams.append(
                    (
                        _stream(TOWNS[0] + TOWNS[1], at, CATEGORIES[0], top + ROW / 2 - thick / 2, thick),
                        "stream" if points > 0 else "stream minus",
                    )
                )
                at += thick


def _streams_out(
    drawing: Drawing, added: Sequence[int], middles: Sequence[float], x: float, score: tuple[float, float]
) -> None:
    """Into the score, stacked in order."""
    total = max(sum(map(abs, added)), 1)
    at = score[0] + 6
    for points, middle in zip(added, middles, strict=True):
        thick = max(1.5, (score[1] - 12) * abs(points) / total)
        if points:
            drawing.streams.append(
                (_stream(x, middle - min(thick, ROW - 8) / 2, SCORE[0], at, thick, min(thick, ROW - 8)),
                 "stream" if points > 0 else "stream minus")
            )  # fmt: skip
            at += thick


def _stream(
    x0: float, y0: float, x1: float, y1: float, thick: float, thick_first: float | None = None
) -> str:
    """A curved band, `thick_first` wide where it begins and `thick` where it ends."""
    half, first = (x0 + x1) / 2, thick if thick_first is None else thick_first
    return (
        f"M{x0:.1f},{y0:.1f} C{half:.1f},{y0:.1f} {half:.1f},{y1:.1f} {x1:.1f},{y1:.1f} "
        f"L{x1:.1f},{y1 + thick:.1f} C{half:.1f},{y1 + thick:.1f} {half:.1f},{y0 + first:.1f} {x0:.1f},{y0 + first:.1f} Z"
    )


def _score(drawing: Drawing, view: MappingView, t: Mapping[str, str], top: float, height: float) -> None:
    x, width = SCORE
    middle = top + height / 2
    drawing.boxes.append(Box(x, top, width, height, "score"))
    drawing.labels += [
        Label(
            x + width / 2,
            middle + 4,
            points_text(view.decision.score_centi),
            "big light",
            "factors.rounding",
            "middle",
        ),
        Label(x + width / 2, middle + 24, t["pic_points"], "light", "basis", "middle"),
    ]


def _gates(drawing: Drawing, view: MappingView, t: Mapping[str, str], rows: float) -> None:
    x, width = GATES
    gates = view.breakdown.gates
    for gate, top in zip(gates, _spread(len(gates), GATE_HEIGHT, rows), strict=True):
        look = "gate shut" if gate.code else "gate"
        name = gate.rule.rpartition(".")[2]
        drawing.boxes += [Box(x, top, width, GATE_HEIGHT, look), Box(x, top, 6, GATE_HEIGHT, f"{look} edge")]
        drawing.labels += [
            Label(x + 14, top + 20, f"{'✗' if gate.code else '✓'} {t.get('gate_' + name, name)}", "strong"),
            Label(x + 14, top + 39, _gate_words(name, gate.values, t), "small", gate.rule),
        ]


def _gate_words(name: str, values: Sequence[Any], t: Mapping[str, str]) -> str:
    """What was compared. Points are in hundredths in the trace."""
    if name == "vetoes":
        return ", ".join(map(str, values)) if values else t["gate_no_veto"]
    shown = [
        "—" if value is None else points_text(value) if name == "score" else str(value) for value in values
    ]
    return t[f"gate_{name}_asks"].format(*shown) if f"gate_{name}_asks" in t and shown else "—"


def _benefit(drawing: Drawing, view: MappingView, t: Mapping[str, str], middle: float) -> None:
    x, width = BENEFIT
    body, row = view.body, view.decision
    codes = set(row.reason_codes)
    rate, before = body["final_rate_bp"], body["base_rate_bp"]
    limit = body["final_limit_fen"]
    base = None if limit is None else limit - body["limit_increase_fen"]
    scale = "linear" if view.ruleset.discount and view.ruleset.discount.linear else "steps"
    raised = "linear" if view.ruleset.limit and view.ruleset.limit.linear else "steps"
    why = (
        "floor"
        if "rate_floor" in codes
        else "discount.cap_bp"
        if "discount_capped" in codes
        else f"discount.{scale}"
    )
    why_limit = "limit.cap_cny" if "limit_capped" in codes else f"limit.{raised}"
    mark = (
        t["pic_at_floor"] if "rate_floor" in codes else t["pic_at_cap"] if "discount_capped" in codes else ""
    )
    granted = "benefit" if row.discount_bp else "benefit none"
    increased = "benefit" if row.limit_increase_fen else "benefit none"
    drawing.boxes += [Box(x, middle - 104, width, 98, granted), Box(x, middle + 6, width, 98, increased)]
    drawing.labels += [
        Label(x + 10, middle - 84, t["pic_rate"], "strong"),
        Label(x + 10, middle - 56, f"−{row.discount_bp} bp", "mid", why),
        Label(x + 10, middle - 34, "—" if before is None else f"{percent_text(before)}% →", "small"),
        Label(x + 10, middle - 17, "—" if rate is None else f"{percent_text(rate)}%", "small strong"),
        Label(x + width - 8, middle - 84, mark, "tagged", why, "end"),
        Label(x + 10, middle + 26, t["pic_limit"], "strong"),
        Label(x + 10, middle + 54, f"+{_short_yuan(row.limit_increase_fen, t)}", "mid", why_limit),
        Label(x + 10, middle + 76, "—" if base is None else f"{_short_yuan(base, t)} →", "small"),
        Label(x + 10, middle + 93, "—" if limit is None else _short_yuan(limit, t), "small strong"),
        Label(x + width - 8, middle + 26, t["pic_at_cap"] if "limit_capped" in codes else "", "tagged", why_limit, "end"),
    ]  # fmt: skip


def _short_yuan(amount_fen: int, t: Mapping[str, str]) -> str:
    """Whole thousands of CNY in the short form of the language; else in full."""
    if amount_fen and amount_fen % 100_000 == 0:
        return (
            t["pic_10k"].format(f"{amount_fen / 1_000_000:g}")
            if t["pic_10k"] != "{}"
            else f"{amount_fen // 100:,}"
        )
    return yuan_text(amount_fen).removesuffix(".00")


def _bank(drawing: Drawing, view: MappingView, t: Mapping[str, str], middle: float) -> None:
    x, width = BANK
    drawing.boxes.append(Box(x, middle - 104, width, 208, "bank" if view.proposals else "bank none"))
    if not view.proposals:
        drawing.labels.append(Label(x + 10, middle - 80, t["pic_not_proposed"], "strong"))
        if (instead := view.stands_instead) is not None:
            drawing.labels += [
                Label(x + 10, middle - 50, t["pic_instead"], "small quiet"),
                Label(x + 10, middle - 26, f"−{instead.discount_bp} bp", "mid", "on_decrease"),
                Label(
                    x + 10,
                    middle - 4,
                    f"+{_short_yuan(instead.limit_increase_fen, t)}",
                    "strong",
                    "on_decrease",
                ),
                Label(x + 10, middle + 24, t["pic_until"], "small quiet"),
                Label(x + 10, middle + 42, instead.valid_until_on.isoformat(), "small", "term.months"),
            ]
        return
    newest = view.proposals[-1]
    answers = [event for event in view.events if event.proposal_id == newest.proposal_id]
    said = next((e for e in answers if e.event in ("bank_accepted", "bank_declined")), None)
    drawing.labels += [
        Label(x + 10, middle - 80, t[f"proposal_{newest.state}"], "strong"),
        Label(x + 10, middle - 50, t["pic_serial"], "small quiet"),
        Label(x + 10, middle - 32, "…" + newest.serial[-12:], "small"),
        Label(x + 10, middle - 4, t["pic_valid"], "small quiet"),
        Label(x + 10, middle + 14, newest.valid_from_on.isoformat(), "small", "term.months"),
        Label(x + 10, middle + 31, newest.valid_until_on.isoformat(), "small", "term.months"),
    ]
    if said is not None:
        drawing.labels += [
            Label(x + 10, middle + 59, t["pic_reference"], "small quiet"),
            Label(x + 10, middle + 77, (said.bank_reference or said.code or "—")[-16:], "small"),
        ]


def _arrow(drawing: Drawing, x0: float, x1: float, y: float) -> None:
    drawing.streams.append((f"M{x0 + 3:.1f},{y:.1f} H{x1 - 9:.1f}", "arrow"))
    drawing.streams.append(
        (f"M{x1 - 10:.1f},{y - 5:.1f} L{x1 - 2:.1f},{y:.1f} L{x1 - 10:.1f},{y + 5:.1f} Z", "arrow head")
    )
