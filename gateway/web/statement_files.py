"""A town's month as papers to send: a workbook to calculate with, a PDF to sign. Both carry the digest that stands in the log."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.styles import Alignment, Font  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from gateway.flows.inspect_month import MonthStatement
from gateway.web.closing_words import WORDS
from gateway.web.staff_pages import words_for
from gateway.web.tables import plain_cell
from schemas.values import BEIJING, points_text, yuan_text

#: One of the standard Chinese fonts of every PDF reader (Adobe-GB1): nothing of this machine goes into the file.
FONT = "STSong-Light"
COLUMNS = (
    "branch", "code", "goods", "price", "settle_price", "point_price", "given", "returned", "corrected", "net", "points",
    "amount",
)  # fmt: skip


def point_price_text(line: Any) -> str:
    """What the town pays for one point, in CNY, to four decimals at most."""
    return format((Decimal(line.settle_fen) / line.price_centi).quantize(Decimal("0.0001")).normalize(), "f")


def _title(statement: MonthStatement, t: Mapping[str, str], town: str) -> list[tuple[str, str]]:
    month = f"{statement.month // 100}-{statement.month % 100:02d}"
    settled = statement.settled
    found = [(t["town"], town), (t["month_of"], month)]
    if settled is None:
        found.append((t["state"], t["draft"]))
    else:
        at = settled.settled_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
        found += [(t["settled_by"], settled.settled_by), (t["settled_at"], at)]
        found.append((t["compared"], t[f"compared_{settled.compared}"]))
        if settled.their_points_centi is not None:
            found.append((t["their_points"], points_text(settled.their_points_centi)))
    return [*found, (t["sha256"], statement.sha256)]


def xlsx_of(statement: MonthStatement, town: str, lang: str) -> bytes:
    """The statement as a workbook: numbers are numbers, money in CNY with two decimals, texts never formulas."""
    t = words_for(WORDS, lang)
    book = Workbook()
    sheet = book.active
    sheet.title = t["statement"]
    sheet.append([t["statement_title"]])
    sheet["A1"].font = Font(bold=True, size=16)
    for name, value in _title(statement, t, town):
        sheet.append([name, plain_cell(value)])
    sheet.append([])
    sheet.append([t[name] for name in COLUMNS])
    head = sheet.max_row
    for cell in sheet[head]:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for line in statement.lines:
        net = statement.net_count(line)
        sheet.append([
            plain_cell(line.branch_no), plain_cell(line.code), plain_cell(line.name_zh if lang == "zh" else line.name_en),
            Decimal(line.price_centi) / 100, Decimal(line.settle_fen) / 100, Decimal(point_price_text(line)), line.given_count,
            line.returned_count, line.corrected_count, net, Decimal(net * line.price_centi) / 100,
            Decimal(net * line.settle_fen) / 100,
        ])  # fmt: skip
    counts = [statement.count(name) for name in ("given_count", "returned_count", "corrected_count")]
    sheet.append([
        t["sum"], "", "", "", "", "", *counts, counts[0] - counts[1] - counts[2], Decimal(statement.points_centi) / 100,
        Decimal(statement.amount_fen) / 100,
    ])  # fmt: skip
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    for row in sheet.iter_rows(min_row=head + 1):
        for cell, shape in ((row[4], "#,##0.00"), (row[5], "0.00##"), (row[11], "#,##0.00")):
            cell.number_format = shape
    for number, width in enumerate((14, 14, 22, 10, 12, 12, 8, 10, 10, 8, 12, 14), 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = f"A{head + 1}"
    _difference_sheet(book, statement, t)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _difference_sheet(book: Any, statement: MonthStatement, t: Mapping[str, str]) -> None:
    sheet = book.create_sheet(t["differences"])
    sheet.append([t[n] for n in ("serial", "ours", "theirs", "owner", "since", "why", "said_by")])
    for cells in difference_cells(statement, t):
        sheet.append([plain_cell(cell) for cell in cells])
    for number, width in enumerate((30, 18, 18, 10, 20, 40, 14), 1):
        sheet.column_dimensions[get_column_letter(number)].width = width


def difference_cells(statement: MonthStatement, t: Mapping[str, str]) -> list[list[str]]:
    """What the town says otherwise, a row each: serial, ours, theirs, owner, since when, why, who said so."""
    return [
        [
            str(getattr(row, "serial", "") or getattr(row, "reference", "")), row.ours or "—", row.theirs or "—",
            t.get(f"owner_{row.owner}", row.owner), row.found_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M"), row.why,
            row.said_by,
        ]
        for row in statement.differences
    ]  # fmt: skip


def pdf_of(statement: MonthStatement, town: str, lang: str) -> bytes:
    """The statement as a PDF on A4 across, with places to sign."""
    t = words_for(WORDS, lang)
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    text = ParagraphStyle("text", fontName=FONT, fontSize=9, leading=12, wordWrap="CJK")
    title = ParagraphStyle("title", parent=text, fontSize=16, leading=22)
    story: list[Any] = [Paragraph(t["statement_title"], title), Spacer(1, 3 * mm)]
    story.append(
        _grid([[n, Paragraph(_escaped(v), text)] for n, v in _title(statement, t, town)], (34 * mm, 220 * mm))
    )
    story.append(Spacer(1, 5 * mm))
    rows: list[list[Any]] = [[Paragraph(t[name], text) for name in COLUMNS]]
    for line in statement.lines:
        net = statement.net_count(line)
        name = Paragraph(_escaped(line.name_zh if lang == "zh" else line.name_en), text)
        rows.append([
            line.branch_no, line.code, name, points_text(line.price_centi), yuan_text(line.settle_fen), point_price_text(line),
            line.given_count, line.returned_count, line.corrected_count, net, points_text(net * line.price_centi),
            yuan_text(net * line.settle_fen),
        ])  # fmt: skip
    counts = [statement.count(name) for name in ("given_count", "returned_count", "corrected_count")]
    rows.append([
        t["sum"], "", "", "", "", "", *counts, counts[0] - counts[1] - counts[2], points_text(statement.points_centi),
        yuan_text(statement.amount_fen),
    ])  # fmt: skip
    widths = [n * mm for n in (26, 28, 44, 18, 20, 18, 14, 18, 14, 14, 22, 28)]
    story.append(_grid(rows, widths, head=True))
    told = difference_cells(statement, t)
    if told:
        story += [
            Spacer(1, 5 * mm),
            Paragraph(t["differences"], ParagraphStyle("h", parent=text, fontSize=12, leading=18)),
        ]
        names = [t[n] for n in ("serial", "ours", "theirs", "owner", "since", "why", "said_by")]
        cells = [[Paragraph(_escaped(c), text) for c in row] for row in told]
        story.append(_grid([names, *cells], [n * mm for n in (56, 36, 36, 20, 32, 56, 24)]))
    story += [Spacer(1, 12 * mm), Paragraph(t["signatures"], text)]
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out, pagesize=landscape(A4), leftMargin=15 * mm, rightMargin=15 * mm, topMargin=14 * mm, bottomMargin=14 * mm,
        title=f"{t['statement_title']} {town} {statement.month}", author=t["product"], invariant=True,
    )  # fmt: skip
    document.build(story, onFirstPage=_page_number, onLaterPages=_page_number)
    return out.getvalue()


def _grid(rows: Sequence[Sequence[Any]], widths: Sequence[float], *, head: bool = False) -> Table:
    style = [
        ("FONT", (0, 0), (-1, -1), FONT, 9),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#b1b4b6")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    if head:
        style += [
            ("ALIGN", (3, 1), (-1, -1), "RIGHT"),
            ("LINEBELOW", (0, 0), (-1, 0), 1, colors.black),
            ("LINEABOVE", (0, -1), (-1, -1), 1, colors.black),
        ]
    return Table(
        rows, colWidths=list(widths), repeatRows=1 if head else 0, style=TableStyle(style), hAlign="LEFT"
    )


def _page_number(canvas: Any, document: Any) -> None:
    canvas.setFont(FONT, 8)
    canvas.drawRightString(landscape(A4)[0] - 15 * mm, 8 * mm, str(document.page))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
