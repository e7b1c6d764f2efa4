"""What every town's reader must do. A town inherits `TownContract` and feeds it recorded bytes; nothing here is a town's own."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest

from schemas.contributions import Contribution
from schemas.errors import InvalidError
from schemas.ports import TownReader
from schemas.values import Category

NO_CODES: Mapping[str, Category] = {}


class JsonTownContract:
    """The scenarios of a town that pushes JSON. A subclass names its reader, its recorded bytes and its words."""

    reader: ClassVar[TownReader]
    recorded: ClassVar[Path]  # folder with push.json, lines.ndjson, households.json, withdrawals.json
    listed: ClassVar[str]  # the key the items of a batch stand under
    reference: ClassVar[str]  # their word for what we call reference
    activity: ClassVar[str]
    points: ClassVar[str]
    person: ClassVar[str]
    golden: ClassVar[list[Contribution]]  # what push.json says, in our words
    #: (their field, a wrong value, the code of the refusal)
    wrong: ClassVar[list[tuple[str, Any, str]]]

    @classmethod
    def bytes_of(cls, name: str) -> bytes:
        return (cls.recorded / name).read_bytes()

    @classmethod
    def one_item(cls, **changes: Any) -> dict[str, Any]:
        """The first recorded item, changed; a value of None drops the field."""
        item = orjson.loads(cls.bytes_of("push.json"))[cls.listed][0]
        item.update(changes)
        return {name: value for name, value in item.items() if value is not None}

    @classmethod
    def batch(cls, items: list[Any]) -> bytes:
        return orjson.dumps({cls.listed: items})

    def test_the_recorded_push_reads_as_it_did(self) -> None:
        read = self.reader.read_push(self.bytes_of("push.json"), NO_CODES)
        assert read.faults == []
        assert read.items == self.golden

    def test_lines_read_like_a_batch(self) -> None:
        assert self.reader.read_lines(self.bytes_of("lines.ndjson"), NO_CODES).items == self.golden
        again = self.reader.read_lines(self.bytes_of("lines.ndjson"), NO_CODES, 700)
        assert [item.item_no for item in again.items] == [700 + item.item_no for item in self.golden]

    def test_a_single_item_is_a_batch_of_one(self) -> None:
        single = self.reader.read_push(orjson.dumps(self.one_item()), NO_CODES)
        assert single == self.reader.read_push(self.batch([self.one_item()]), NO_CODES)

    def test_an_unknown_word_is_read_without_category(self) -> None:
        body = self.batch([self.one_item(**{self.activity: "neverSeenBefore"})])
        (item,) = self.reader.read_push(body, NO_CODES).items
        assert item.category is None
        assert item.activity == "neverSeenBefore"
        (item,) = self.reader.read_push(body, {"neverSeenBefore": Category.OTHER}).items
        assert item.category is Category.OTHER

    def test_each_wrong_field_is_refused_with_its_place(self) -> None:
        for field, value, code in self.wrong:
            item = self.one_item()
            item.pop(field, None)
            if value is not ...:
                item[field] = value
            read = self.reader.read_push(self.batch([self.one_item(), item]), NO_CODES)
            assert len(read.items) == 1, field
            (fault,) = read.faults
            assert (fault.item_no, fault.code, fault.where) == (1, code, f"/{self.listed}/1/{field}"), fault
            assert len(str(value)) < 6 or str(value) not in fault.detail

    def test_a_refusal_never_repeats_a_person(self) -> None:
        number = self.one_item()[self.person]
        wrong = number[:-1] + ("0" if number[-1] != "0" else "1")
        for field in (self.person, self.reference, self.points, self.activity):
            for value in (wrong, wrong + "\n", f" {wrong}", [wrong]):
                read = self.reader.read_push(self.batch([self.one_item(**{field: value})]), NO_CODES)
                assert not any(wrong[6:14] in f"{fault.where}{fault.detail}" for fault in read.faults)
        read = self.reader.read_push(self.batch([{**self.one_item(), wrong: 1}]), NO_CODES)
        assert read.faults[0].where == f"/{self.listed}/0/?"

    def test_the_same_reference_twice_in_one_batch_is_two_items(self) -> None:
        read = self.reader.read_push(self.batch([self.one_item(), self.one_item()]), NO_CODES)
        assert len(read.items) == 2
        assert read.items[0]._replace(item_no=1) == read.items[1]

    def test_the_largest_batch_is_read_and_one_more_is_not(self) -> None:
        most = self.reader.capabilities.max_items
        assert len(self.reader.read_push(self.batch([self.one_item()] * most), NO_CODES).items) == most
        with pytest.raises(InvalidError) as caught:
            self.reader.read_push(self.batch([self.one_item()] * (most + 1)), NO_CODES)
        assert caught.value.code == "items-too-many"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
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
            (gzip.compress(b"{}"), "json-encoding"),
        ],
    )
    def test_a_document_that_is_none_is_told_why(self, body: bytes, code: str) -> None:
        with pytest.raises(InvalidError) as caught:
            self.reader.read_push(body, NO_CODES)
        assert caught.value.code == code
        assert caught.value.where

    def test_a_batch_is_an_array_and_nothing_beside(self) -> None:
        for document, code in (
            ({self.listed: {}}, "items-not-an-array"),
            ({self.listed: []}, "items-empty"),
            ({self.listed: [self.one_item()], "more": 1}, "field-unknown"),
        ):
            with pytest.raises(InvalidError) as caught:
                self.reader.read_push(orjson.dumps(document), NO_CODES)
            assert caught.value.code == code

    def test_items_that_are_no_objects_do_not_spoil_the_others(self) -> None:
        deep: Any = 1
        for _ in range(50):
            deep = [deep]
        read = self.reader.read_push(self.batch([None, 1, "x", [], deep, {}, self.one_item()]), NO_CODES)
        assert [item.item_no for item in read.items] == [6]
        assert [fault.item_no for fault in read.faults] == [0, 1, 2, 3, 4, 5]

    @pytest.mark.parametrize("depth", [150, 1000])
    def test_what_is_nested_deeper_is_refused_whole(self, depth: int) -> None:
        deep = b'{"a":' * depth + b"1" + b"}" * depth
        for body in (deep, b'{"' + self.listed.encode() + b'":[' + deep + b"]}"):
            with pytest.raises(InvalidError) as caught:
                self.reader.read_push(body, NO_CODES)
            assert caught.value.code == "json-depth"
        read = self.reader.read_lines(deep + b"\n" + orjson.dumps(self.one_item()), NO_CODES)
        assert ([i.item_no for i in read.items], [f.code for f in read.faults]) == ([1], ["json-depth"])

    @pytest.mark.parametrize("depth", [20, 90])
    def test_nesting_in_one_item_does_not_spoil_the_others(self, depth: int) -> None:
        good = orjson.dumps(self.one_item())
        for deep in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
            field = good[:-1] + b',"x":' + deep + b"}"
            for wrong in (deep, field):
                body = b'{"' + self.listed.encode() + b'":[' + wrong + b"," + good + b"]}"
                read = self.reader.read_push(body, NO_CODES)
                assert [item.item_no for item in read.items] == [1]
                assert [
                    item.item_no for item in self.reader.read_lines(wrong + b"\n" + good, NO_CODES).items
                ] == [1]
                kept = self.reader.without_items(body, {0}, as_lines=False)
                assert self.reader.read_push(kept, NO_CODES).items == read.items
                with pytest.raises(InvalidError) if wrong is deep and deep[:1] == b"[" else nullcontext():
                    families, faults = self.reader.read_households(wrong)
                    assert (families, len(faults)) == ([], 1)

    def test_a_broken_line_does_not_spoil_the_others(self) -> None:
        good = orjson.dumps(self.one_item())
        read = self.reader.read_lines(
            good + b'\n{"broken\n\n' + good + b"," + good + b"\nnull\n" + good, NO_CODES
        )
        assert [item.item_no for item in read.items] == [0, 4]
        assert [(f.item_no, f.code) for f in read.faults] == [
            (1, "json-syntax"),
            (2, "json-syntax"),
            (3, "item-not-an-object"),
        ]

    @pytest.mark.parametrize(
        "spelling", ['"{0}":{1},"{0}":{1}', '"{0}":{1}, "{0}" : {1}', '"{0}":{1},"\\u{2:04x}{3}":{1}']
    )
    def test_a_key_given_twice_is_refused(self, spelling: str) -> None:
        item = self.one_item()
        value = orjson.dumps(item.pop(self.points)).decode()
        twice = spelling.format(self.points, value, ord(self.points[0]), self.points[1:])
        text = orjson.dumps(item).decode()[:-1] + "," + twice + "}"
        body = f'{{"{self.listed}":[{text},{orjson.dumps(self.one_item()).decode()}]}}'.encode()
        read = self.reader.read_push(body, NO_CODES)
        assert [item.item_no for item in read.items] == [1]
        assert [(f.code, f.where) for f in read.faults] == [("key-twice", f"/{self.listed}/0/{self.points}")]
        assert [f.code for f in self.reader.read_lines(text.encode(), NO_CODES).faults] == ["key-twice"]

    @pytest.mark.parametrize(
        "number", ["1e2", "1E+2", "5.0e0", "1e400", "-1e2", "18446744073709551616", "2.345"]
    )
    def test_numbers_people_do_not_write_are_refused(self, number: str) -> None:
        item = self.one_item(**{self.points: "@"})
        text = orjson.dumps(item).decode().replace('"@"', number)
        for body in (text, f'{{"{self.listed}":[{text}]}}', text.replace(":", " : ")):
            if number == "1e400":  # beyond what a double can carry
                with pytest.raises(InvalidError, match="JSON"):
                    self.reader.read_push(body.encode(), NO_CODES)
                continue
            read = self.reader.read_push(body.encode(), NO_CODES)
            assert read.items == []
            assert read.faults[0].code.startswith("points-")

    def test_cutting_items_out_leaves_the_numbers(self) -> None:
        items = [self.one_item(**{self.reference: f"T-{n}"}) for n in range(4)]
        for as_lines in (False, True):
            whole = b"\n".join(map(orjson.dumps, items)) if as_lines else self.batch(items)
            read = self.reader.read_lines if as_lines else self.reader.read_push
            kept = self.reader.without_items(whole, {1, 2}, as_lines=as_lines)
            assert [item.item_no for item in read(kept, NO_CODES).items] == [0, 3]
            assert b"T-1" not in kept
            assert b"T-2" not in kept
        assert self.reader.without_items(orjson.dumps(items[0]), {0}, as_lines=False) == b"null"

    def test_households_and_withdrawals_read(self) -> None:
        families, faults = self.reader.read_households(self.bytes_of("households.json"))
        assert faults == []
        assert len(families) >= 2
        assert all(family.members for family in families)
        withdrawals, faults = self.reader.read_withdrawals(self.bytes_of("withdrawals.json"))
        assert faults == []
        assert withdrawals

    def test_the_interface_is_published(self) -> None:
        published = self.reader.openapi_paths()
        assert all(path.startswith(f"/towns/{self.reader.town}/v1/") for path in published["paths"])
        assert published["components"]["schemas"]
