"""The letter to a resident: what they asked, what was found, why, and how to go on. Chinese, PDF, the same bytes each time.

The font is STSong-Light, one of the fonts every PDF reader for Chinese has or replaces (Adobe-GB1): nothing is embedded. A
character beyond Unicode's first plane is written as its number: the font's encoding (UniGB-UCS2) has no place for it.
"""

from __future__ import annotations

import io
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer

from schemas.objections import ExplainedDecision, Finding, LetterText, ObjectionKind

FONT = "STSong-Light"
_LAST_PLAIN = 0xFFFF
_KINDS = {
    ObjectionKind.QUESTION: "咨询",
    ObjectionKind.OBJECTION: "异议",
    ObjectionKind.REFUSAL: "关于不接受仅由系统自动作出决定的要求",
}
_FINDINGS = {
    Finding.EXPLAINED: "现就您的咨询说明如下。",
    Finding.UPHELD: "经人工核查，原决定依照规则作出，予以维持。",
    Finding.CORRECTED: "经人工核查，您的异议成立，本行已更正并重新作出决定。",
    Finding.ACCEPTED: "您的要求已生效：自收到之日起，涉及您的优惠决定均由工作人员审核后作出，系统不再单独决定。",
}
#: How to go on, and whose rule it is.
_FURTHER = (
    "向本行再次提出，由未参与本次处理的人员复核；",
    "对积分记录本身有异议的，向记录积分的镇街平台提出；积分更正后，本行会重新计算；",
    "拨打银行保险消费者投诉维权热线 12378；",
    "依照《中华人民共和国个人信息保护法》第五十条，向人民法院提起诉讼。",
)
_RIGHTS = (
    "依照《中华人民共和国个人信息保护法》第二十四条，您有权要求本行对自动化决策予以说明，"
    "也有权拒绝本行仅通过自动化决策的方式作出决定；第四十五条、第四十六条，您有权查阅、复制、更正您的个人信息。"
)


def write_letter(text: LetterText) -> bytes:
    """The PDF. The same text gives the same bytes."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    target = io.BytesIO()
    document = SimpleDocTemplate(
        target, pagesize=A4, leftMargin=25 * mm, rightMargin=25 * mm, topMargin=25 * mm, bottomMargin=20 * mm,
        title=f"答复书 {text.serial}", author=text.bank_name, subject="对居民咨询和异议的答复", lang="zh-CN", invariant=1,
    )  # fmt: skip
    document.build(_story(text), onFirstPage=_foot(text), onLaterPages=_foot(text))
    return target.getvalue()


def _style(name: str, size_pt: int, **more: Any) -> ParagraphStyle:
    more.setdefault("spaceAfter", 4)
    return ParagraphStyle(
        name, fontName=FONT, fontSize=size_pt, leading=size_pt * 1.65, wordWrap="CJK", **more
    )


_TITLE = _style("title", 18, alignment=1, spaceAfter=12)
_HEAD = _style("head", 13, spaceBefore=8, textColor="#12355b")
_PLAIN = _style("plain", 11)
_TOLD = _style("told", 11, firstLineIndent=22)
_LINE = _style("line", 10, leftIndent=14, spaceAfter=2)
_SOURCE = _style("source", 9, leftIndent=28, spaceAfter=4, textColor="#555555")
_RIGHT = _style("right", 11, alignment=2)


def _p(words: str, style: ParagraphStyle = _PLAIN) -> Paragraph:
    return Paragraph(escape(_spelt(words)).replace("\n", "<br/>"), style)


def _spelt(words: str) -> str:
    return "".join(c if ord(c) <= _LAST_PLAIN else f"〔U+{ord(c):X}〕" for c in words)


def _story(text: LetterText) -> list[Flowable]:
    return [
        _p("答复书", _TITLE),
        _p(f"编号：{text.serial}"),
        _p(f"{text.addressee}："),
        _p(f"您于 {_day(text.received_on)} 提出的{_KINDS[text.kind]}，本行已经办理。", _TOLD),
        _p("一、您提出的内容", _HEAD),
        _p(text.asked, _TOLD),
        _p("二、办理结果", _HEAD),
        _p(_FINDINGS[text.finding], _TOLD),
        _p(text.answer, _TOLD),
        *_explained(text.decisions),
        _p(f"{_number(text)}、如何继续提出", _HEAD),
        _p("您对本答复仍有不同意见的，可以：", _TOLD),
        *(_p(f"（{number}）{way}", _LINE) for number, way in enumerate(_FURTHER, 1)),
        _p(_RIGHTS, _TOLD),
        _p(f"联系方式：{text.bank_name}，{text.contact}。来电时请报本函编号。", _TOLD),
        Spacer(1, 10 * mm),
        _p(text.bank_name, _RIGHT),
        _p(_day(text.answered_on), _RIGHT),
    ]


def _number(text: LetterText) -> str:
    return "四" if text.decisions else "三"


def _explained(decisions: tuple[ExplainedDecision, ...]) -> list[Flowable]:
    if not decisions:
        return []
    found: list[Flowable] = [_p("三、决定是怎样得出的", _HEAD)]
    for one in decisions:
        found += [
            _p(f"{one.title}（{one.ruleset}），{_day(one.as_of_on)} 的决定：", _TOLD),
            _p(one.result, _TOLD),
            *(_p(f"· {reason}", _LINE) for reason in one.reasons),
            _p("计算步骤：", _TOLD),
        ]
        for number, (words, rule, reference) in enumerate(one.steps, 1):
            found.append(_p(f"{number}. {words}", _LINE))
            found.append(_p(f"规则条目 {rule}" + (f"，依据：{reference}" if reference else ""), _SOURCE))
        found.append(
            _p(
                f"决定编号：{one.decision_id}。该决定已写入存证日志，您可以要求本行提供可独立核验的证据文件。",
                _TOLD,
            )
        )
    return found


def _day(on: Any) -> str:
    return f"{on.year} 年 {on.month} 月 {on.day} 日"


def _foot(text: LetterText) -> Any:
    def draw(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(FONT, 9)
        canvas.drawCentredString(A4[0] / 2, 12 * mm, f"{text.serial} · 第 {document.page} 页")
        canvas.restoreState()

    return draw
