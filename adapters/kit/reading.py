"""Scenarios of part 'read': the town's bytes read into our words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any, Final

from adapters.kit.scenario import expect, expect_equal, expect_error, scenario
from adapters.kit.speech import changed
from adapters.kit.subject import Reading
from schemas.contributions import Contribution, ReadPush
from schemas.errors import InvalidError
from schemas.values import Category, ContributionKind, instant_text

NO_CODES: Final[Mapping[str, Category]] = {}
UNKNOWN_WORD = "neverSeenBefore"
RARE_NAMES = ("𠮷田测试", "阿依古丽·测试", "㼆测试", "测试䶮")
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def as_words(item: Contribution) -> dict[str, Any]:
    """A contribution as recorded in a golden file: instants in UTC, absent fields left out."""
    said: dict[str, Any] = {}
    for name, value in item._asdict().items():
        if value is not None:
            said[name] = (
                instant_text(value)
                if isinstance(value, datetime)
                else str(value)
                if isinstance(value, str)
                else value
            )
    return said


def read(it: Reading, items: list[Any], codes: Mapping[str, Category] = NO_CODES) -> ReadPush:
    """Read a push of these items."""
    return it.reader.read_push(it.document(items), codes)


@scenario("read-golden", "录制的推送按原样读懂", "the recorded push reads as it did when it was recorded")
def golden(it: Reading) -> None:
    seen = it.reader.read_push(it.push, NO_CODES)
    expect_equal(seen.faults, [], "录制的报文被认为有误", "the recorded push is found faulty")
    expect(len(seen.items) > 0, "录制的报文没有条目", "the recorded push holds no item")
    if it.golden is not None:
        said = [as_words(item) for item in seen.items]
        expect_equal(
            said, list(it.golden), "读出的内容与录制时不同", "it reads differently than it was recorded"
        )


@scenario("read-twice", "同样的字节读两次结果相同", "the same bytes read twice say the same")
def twice(it: Reading) -> None:
    first, again = (it.reader.read_push(it.push, NO_CODES) for _ in range(2))
    expect_equal(again, first, "第二次读取结果不同", "the second reading differs")


@scenario(
    "read-complete",
    "每个条目都有编号、引用号、正数积分和带时区的时间",
    "every item has its number, a reference, points and an instant",
)
def complete(it: Reading) -> None:
    seen = it.reader.read_push(it.push, NO_CODES).items
    expect_equal(
        [item.item_no for item in seen], list(range(len(seen))), "条目编号不连续", "item numbers have gaps"
    )
    for item in seen:
        expect(bool(item.reference), "缺少引用号", "an item has no reference", seen=item.item_no)
        whole = type(item.points_centi) is int and (
            item.points_centi > 0 or item.kind is ContributionKind.POSTED_SCORE
        )
        expect(
            whole,
            "积分不是正整数（百分之一分）",
            "points are no positive integer of 1/100",
            seen=item.points_centi,
        )
        offset = item.occurred_at.utcoffset()
        expect(offset is not None, "时间没有时区", "an instant has no offset", seen=item.item_no)
        named = item.id_no or item.openid or item.household_code
        expect(bool(named), "条目没有归属", "an item belongs to nobody", seen=item.item_no)


@scenario(
    "read-unknown-word",
    "没见过的活动代码只保留，不猜测",
    "a word never seen is kept without a meaning, never guessed",
    needs=("items",),
)
def unknown_word(it: Reading) -> None:
    item = changed(it.first(), **{it.town.speech.words.activity: UNKNOWN_WORD})
    (seen,) = read(it, [item]).items
    expect_equal(
        (seen.category, seen.activity), (None, UNKNOWN_WORD), "被赋予了含义", "it was given a meaning"
    )
    (seen,) = read(it, [item], {UNKNOWN_WORD: Category.OTHER}).items
    expect_equal(
        seen.category, Category.OTHER, "操作员给出的含义没有生效", "the operator's meaning is not used"
    )


@scenario(
    "read-wrong-field",
    "每个写错的字段都被拒绝，并指出位置",
    "each wrong field is refused with its place, and spoils no other item",
    needs=("items",),
)
def wrong_field(it: Reading) -> None:
    words = it.town.speech.words
    expect(len(it.town.wrong) > 0, "没有列出写错的字段", "no wrong value is listed")
    for field, value, code in it.town.wrong:
        seen = read(it, [it.first(), changed(it.first(), **{field: value})])
        place = words.place.format(listed=words.listed, item_no=1, number=2, field=field)
        found = [(fault.item_no, fault.code, fault.where) for fault in seen.faults]
        expect_equal(found, [(1, code, place)], f"字段 {field} 写错时", f"with a wrong {field}")
        expect_equal(len(seen.items), 1, "其余条目受到影响", "the other item was spoilt")
        told = str(value) not in seen.faults[0].detail or len(str(value)) < 6
        expect(told, "拒绝原因里重复了该值", "the refusal repeats the value", seen=field)


@scenario(
    "read-no-person-repeated",
    "拒绝原因里从不出现个人信息",
    "a refusal never repeats a person",
    needs=("items",),
)
def no_person_repeated(it: Reading) -> None:
    words = it.town.speech.words
    number = str(it.first()[words.person])
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
    marks = wrong[6:14] if len(wrong) >= 15 else wrong
    for field in dict.fromkeys((words.person, words.reference, words.points, words.activity)):
        for value in (wrong, f" {wrong}"):
            for fault in read(it, [changed(it.first(), **{field: value})]).faults:
                clean = marks not in f"{fault.where}{fault.detail}{fault.code}"
                expect(
                    clean,
                    f"字段 {field} 的拒绝原因含有个人信息",
                    f"the refusal of {field} repeats a person",
                    seen=field,
                )
                expect(
                    bool(_CODE.fullmatch(fault.code)),
                    "拒绝代码不规范",
                    "a code is not kebab-case",
                    seen=fault.code,
                )


@scenario(
    "read-same-twice",
    "一批里同一引用号出现两次是两个条目",
    "the same reference twice in one push is two items",
    needs=("items",),
)
def same_twice(it: Reading) -> None:
    seen = read(it, [it.first(), it.first()])
    expect_equal(len(seen.items), 2, "条目数不对", "not two items")
    same = seen.items[0]._replace(item_no=1) == seen.items[1]
    expect(same, "两个条目不同", "the two differ")


@scenario(
    "read-largest-page",
    "最大的一页能读，再多一条就拒绝",
    "the largest page is read, and one more is refused",
    needs=("items",),
)
def largest_page(it: Reading) -> None:
    most = it.reader.capabilities.max_items
    expect_equal(len(read(it, [it.first()] * most).items), most, "最大页没有读全", "the largest page was cut")
    with expect_error(InvalidError, "超出最大页未被拒绝", "one more is not refused", code="items-too-many"):
        read(it, [it.first()] * (most + 1))


@scenario(
    "read-points", "积分按百分之一分精确读取", "points are read to the hundredth, exactly", needs=("items",)
)
def points(it: Reading) -> None:
    word = it.town.speech.words.points
    for said, centi in (("1", 100), ("583", 58300), ("99999", 9_999_900)):
        (seen,) = read(it, [changed(it.first(), **{word: said})]).items
        expect_equal(seen.points_centi, centi, f"{said} 分读错", f"{said} points are read wrong")


@scenario(
    "read-half-points", "小数积分精确读取", "half points are read exactly", needs=("items", "half-points")
)
def half_points(it: Reading) -> None:
    word = it.town.speech.words.points
    for said, centi in (("2.5", 250), ("0.5", 50), ("99.5", 9_950)):
        (seen,) = read(it, [changed(it.first(), **{word: said})]).items
        expect_equal(seen.points_centi, centi, f"{said} 分读错", f"{said} points are read wrong")


@scenario(
    "read-odd-points",
    "无意义的积分被拒绝",
    "points that are no number, zero, negative or endless are refused",
    needs=("items",),
)
def odd_points(it: Reading) -> None:
    word = it.town.speech.words.points
    for said in (
        "-1",
        "",
        "１２",
        "abc",
        "NaN",
        "Infinity",
        "1e3",
        "0x10",
        "1,000",
        "2.345",
        "99999999999999",
    ):
        seen = read(it, [changed(it.first(), **{word: said})])
        expect_equal(
            (len(seen.items), len(seen.faults)),
            (0, 1),
            f"{said!r} 被当作积分",
            f"{said!r} is taken for points",
        )


@scenario(
    "read-cut-out",
    "剔除个别条目后，其余条目编号不变，剔除者不留痕迹",
    "items cut out leave the others' numbers, and no trace",
    needs=("items",),
)
def cut_out(it: Reading) -> None:
    word = it.town.speech.words.reference
    items = [
        changed(it.first(), **{word: it.town.speech.words.reference_like.format(f"KITCUT{n}")})
        for n in range(4)
    ]
    kept = it.reader.without_items(it.document(items), {1, 2}, as_lines=False)
    seen = it.reader.read_push(kept, NO_CODES)
    expect_equal(
        [item.item_no for item in seen.items], [0, 3], "其余条目编号变了", "the others' numbers changed"
    )
    clean = b"KITCUT1" not in kept and b"KITCUT2" not in kept
    expect(clean, "被剔除的条目仍在", "what was cut out is still there")


@scenario(
    "read-households",
    "登记与撤回的报文读懂",
    "registrations and withdrawals read into our words",
    needs=("pushes",),
)
def households(it: Reading) -> None:
    if it.households is not None:
        families, faults = it.reader.read_households(it.households)
        expect_equal(faults, [], "登记报文被认为有误", "the registration is found faulty")
        expect(
            bool(families) and all(f.members for f in families), "没有成员", "no members", seen=len(families)
        )
        consents = [c for f in families for m in f.members for c in m.consents]
        expect(bool(consents), "没有任何同意", "nobody consents")
    if it.withdrawals is not None:
        given, faults = it.reader.read_withdrawals(it.withdrawals)
        expect_equal((faults, bool(given)), ([], True), "撤回报文未读懂", "the withdrawals are not read")
    both = it.households is not None and it.withdrawals is not None
    expect(both, "没有录制登记与撤回报文", "no registration and withdrawal were recorded")


@scenario(
    "read-rare-names",
    "生僻字和间隔号的姓名不变形",
    "rare characters and the middle dot in names survive",
    needs=("pushes",),
)
def rare_names(it: Reading) -> None:
    expect(it.households is not None, "没有录制登记报文", "no registration was recorded")
    families, _ = it.reader.read_households(it.households or b"")
    names = {m.name for f in families for m in f.members}
    rare = [n for n in names if any(ord(c) > 0xFFFF for c in n)]
    expect(
        bool(rare), "录制的登记里没有生僻字姓名", "no recorded name has a character outside the basic plane"
    )
    dotted = [n for n in names if "·" in n]
    expect(bool(dotted), "录制的登记里没有间隔号姓名", "no recorded name has a middle dot")


@scenario(
    "read-published",
    "接口文档公布了这个镇的入口",
    "the town's door is published in the interface document",
    needs=("rest",),
)
def published(it: Reading) -> None:
    document = it.reader.openapi_paths()
    own = all(path.startswith(f"/towns/{it.reader.town}/v1/") for path in document["paths"])
    expect(own and bool(document["paths"]), "公布的路径不属于本镇", "a published path is not the town's own")
    expect(bool(document["components"]["schemas"]), "没有公布数据结构", "no schemas are published")


@scenario(
    "read-version", "读法带有版本号，镇街资料齐全", "the reading has a version, and the town says who it is"
)
def version(it: Reading) -> None:
    reader = it.reader
    right = bool(re.fullmatch(rf"{reader.town}/[0-9]+", reader.version))
    expect(right, "版本号不规范", "the version is not town/number", seen=reader.version)
    profile = reader.profile
    expect(is_dataclass(profile), "没有镇街资料", "there is no profile")
    may_be_silent = ("division_code", "carries", "invented")
    told = all(getattr(profile, f.name) for f in fields(profile) if f.name not in may_be_silent)
    expect(told and profile.town == reader.town, "镇街资料不全", "the profile is not complete", seen=profile)


@scenario(
    "read-dates",
    "不存在或离谱的日期被拒绝",
    "a date that does not exist is refused, not moved",
    needs=("items",),
)
def dates(it: Reading) -> None:
    families, _ = it.reader.read_households(it.households) if it.households else ([], [])
    for family in families:
        expect(type(family.member_since_on) is date, "入户日期不是日期", "member_since is no date")
    listed = [
        wrong for wrong in it.town.wrong if "instant" in wrong[2] or "day" in wrong[2] or "time" in wrong[2]
    ]
    expect(bool(listed), "写错的字段里没有日期", "no wrong date is among the wrong values")
