"""Scenarios of part 'read' for towns that push JSON: what RFC 8259 leaves open, and how far one bad item reaches."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import orjson

from adapters.kit.reading import NO_CODES, read
from adapters.kit.scenario import expect, expect_equal, expect_error, scenario
from adapters.kit.speech import changed
from adapters.kit.subject import Reading
from schemas.errors import InvalidError

#: bytes that are no document, and the code of the refusal
NO_DOCUMENT = (
    (b"", "json-syntax"),
    (b"{", "json-syntax"),
    (b"\xef\xbb\xbf{}", "json-syntax"),
    (b'{"items": [NaN]}', "json-syntax"),
    (b'{"items": [01]}', "json-syntax"),
    (b'{"items": [1,]}', "json-syntax"),
    ('{"village": "瓜沥"}'.encode("gb18030"), "json-encoding"),
    (b'{"a":\n  "\xff"}', "json-encoding"),
    (b"[" * 10_000 + b"]" * 10_000, "json-depth"),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "json-depth"),
    (b"[]", "document-not-an-object"),
    (b"null", "document-not-an-object"),
    (b'"text"', "document-not-an-object"),
    (gzip.compress(b"{}", mtime=0), "json-encoding"),
)


@scenario(
    "read-encoding",
    "不是 UTF-8 的报文被拒绝并说明原因",
    "bytes in another encoding are refused in words",
    needs=("rest",),
)
def encoding(it: Reading) -> None:
    item = changed(it.first(), **{it.town.speech.words.activity: "生僻字𠮷"})
    text = it.document([item]).decode()
    (seen,) = it.reader.read_push(text.encode(), NO_CODES).items
    expect_equal(seen.activity, "生僻字𠮷", "汉字变形", "characters did not survive")
    with expect_error(
        InvalidError, "GB18030 被当作 UTF-8", "GB18030 is taken for UTF-8", code="json-encoding"
    ):
        it.reader.read_push(text.encode("gb18030"), NO_CODES)


@scenario(
    "read-no-document",
    "不成文档的字节逐一说明原因",
    "bytes that are no document are told why",
    needs=("rest",),
)
def no_document(it: Reading) -> None:
    for body, code in NO_DOCUMENT:
        with expect_error(
            InvalidError, f"{body[:20]!r} 未被拒绝", f"{body[:20]!r} is not refused", code=code
        ) as raised:
            it.reader.read_push(body, NO_CODES)
        expect(
            raised.error is not None and bool(raised.error.where),
            "没有指出位置",
            "no place is told",
            seen=code,
        )


@scenario(
    "read-batch-shape",
    "一批就是一个数组，旁边不许有别的",
    "a batch is an array and nothing beside",
    needs=("rest", "pushes"),
)
def batch_shape(it: Reading) -> None:
    listed = it.town.speech.words.listed
    for document, code in (
        ({listed: {}}, "items-not-an-array"),
        ({listed: []}, "items-empty"),
        ({listed: [it.first()], "more": 1}, "field-unknown"),
    ):
        with expect_error(InvalidError, "形状不对却被接受", "a wrong shape is taken", code=code):
            it.reader.read_push(orjson.dumps(document), NO_CODES)


@scenario("read-single", "单条等于一条的批", "a single item is a batch of one", needs=("rest", "pushes"))
def single(it: Reading) -> None:
    alone = it.reader.read_push(orjson.dumps(it.first()), NO_CODES)
    expect_equal(alone, read(it, [it.first()]), "单条与一条的批读法不同", "a single item reads differently")


@scenario(
    "read-lines",
    "逐行流与批读法相同，编号接续",
    "lines read like a batch, with numbers that go on",
    needs=("rest",),
)
def lines(it: Reading) -> None:
    body = b"\n\n".join(map(orjson.dumps, it.items())) + b"\n"
    batch = it.reader.read_push(it.push, NO_CODES).items
    expect_equal(it.reader.read_lines(body, NO_CODES).items, batch, "逐行读法不同", "lines read differently")
    later = [item.item_no for item in it.reader.read_lines(body, NO_CODES, 700).items]
    expect_equal(later, [700 + item.item_no for item in batch], "编号没有接续", "numbers do not go on")


@scenario(
    "read-broken-line", "坏的一行不影响其他行", "a broken line does not spoil the others", needs=("rest",)
)
def broken_line(it: Reading) -> None:
    good = orjson.dumps(it.first())
    seen = it.reader.read_lines(good + b'\n{"broken\n\n' + good + b"," + good + b"\nnull\n" + good, NO_CODES)
    expect_equal([item.item_no for item in seen.items], [0, 4], "好行丢失", "good lines were lost")
    wanted = [(1, "json-syntax"), (2, "json-syntax"), (3, "item-not-an-object")]
    expect_equal(
        [(f.item_no, f.code) for f in seen.faults], wanted, "坏行说明不对", "the broken lines are told wrong"
    )


@scenario(
    "read-no-object",
    "不是对象的条目不影响其他条目",
    "items that are no objects do not spoil the others",
    needs=("rest",),
)
def no_object(it: Reading) -> None:
    deep: Any = 1
    for _ in range(50):
        deep = [deep]
    seen = read(it, [None, 1, "x", [], deep, {}, it.first()])
    expect_equal([item.item_no for item in seen.items], [6], "好条目丢失", "the good item was lost")
    expect_equal(
        [fault.item_no for fault in seen.faults],
        list(range(6)),
        "坏条目没有逐一说明",
        "not every bad item is told",
    )


@scenario(
    "read-nesting",
    "嵌套过深的整体拒绝，单条里的嵌套不影响其他",
    "what is nested too deep is refused whole; in one item it spoils no other",
    needs=("rest",),
)
def nesting(it: Reading) -> None:
    listed = it.town.speech.words.listed.encode()
    for depth in (150, 1000):
        deep = b'{"a":' * depth + b"1" + b"}" * depth
        for body in (deep, b'{"' + listed + b'":[' + deep + b"]}"):
            with expect_error(
                InvalidError, "嵌套过深未被拒绝", "deep nesting is not refused", code="json-depth"
            ):
                it.reader.read_push(body, NO_CODES)
    good = orjson.dumps(it.first())
    for deep in (b"[" * 90 + b"]" * 90, b'{"a":' * 90 + b"1" + b"}" * 90):
        for wrong in (deep, good[:-1] + b',"x":' + deep + b"}"):
            body = b'{"' + listed + b'":[' + wrong + b"," + good + b"]}"
            seen = it.reader.read_push(body, NO_CODES)
            expect_equal(
                [item.item_no for item in seen.items], [1], "其余条目受到影响", "the other item was spoilt"
            )
            kept = it.reader.without_items(body, {0}, as_lines=False)
            again = it.reader.read_push(kept, NO_CODES).items
            expect_equal(again, seen.items, "剔除后读法不同", "it reads differently after cutting")


@scenario(
    "read-key-twice",
    "同一个键写两次的条目被拒绝",
    "an item with a key given twice is refused",
    needs=("rest",),
)
def key_twice(it: Reading) -> None:
    words = it.town.speech.words
    for spelling in ('"{0}":{1},"{0}":{1}', '"{0}":{1}, "{0}" : {1}', '"{0}":{1},"\\u{2:04x}{3}":{1}'):
        item = it.first()
        value = orjson.dumps(item.pop(words.points)).decode()
        pair = spelling.format(words.points, value, ord(words.points[0]), words.points[1:])
        text = orjson.dumps(item).decode()[:-1] + "," + pair + "}"
        body = f'{{"{words.listed}":[{text},{orjson.dumps(it.first()).decode()}]}}'.encode()
        seen = it.reader.read_push(body, NO_CODES)
        found = [(fault.code, fault.where) for fault in seen.faults]
        expect_equal(
            found,
            [("key-twice", f"/{words.listed}/0/{words.points}")],
            "重复的键被接受",
            "a key given twice is taken",
        )
        expect_equal(
            [item.item_no for item in seen.items], [1], "其余条目受到影响", "the other item was spoilt"
        )


@scenario(
    "read-odd-numbers", "人不会这样写的数字被拒绝", "numbers people do not write are refused", needs=("rest",)
)
def odd_numbers(it: Reading) -> None:
    word = it.town.speech.words.points
    for text in _with_number(it, word):
        try:
            seen = it.reader.read_push(text.encode(), NO_CODES)
        except InvalidError:
            continue  # beyond what a double can carry: the document as a whole
        expect_equal(seen.items, [], "奇怪的数字被接受", "an odd number is taken")


def _with_number(it: Reading, word: str) -> Iterator[str]:
    for number in ("1e2", "1E+2", "5.0e0", "1e400", "-1e2", "18446744073709551616", "2.345"):
        text = orjson.dumps(changed(it.first(), **{word: "@"})).decode().replace('"@"', number)
        yield from (text, f'{{"{it.town.speech.words.listed}":[{text}]}}', text.replace(":", " : "))
