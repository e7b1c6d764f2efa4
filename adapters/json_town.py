"""The reader of a town that pushes JSON at the REST door: batches, lines, registrations, withdrawals. A town says only its words.

A town names its schemas, the keys its batches stand under and the functions that turn a loaded item into ours; how documents are
read, refused and cut is the same for all and stands in `json_reading`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.json_reading import (
    POINTS,
    Form,
    form_of,
    judge,
    list_items,
    parse_json,
    parse_line,
    split_lines,
    without_items,
)
from schemas.acceptor import WireSchema, compile_acceptor
from schemas.contributions import Contribution, FaultyItem, HouseholdRegistration, ReadPush, Withdrawal
from schemas.errors import InvalidError
from schemas.ports import Capabilities, Profile
from schemas.values import Category

Loaded = tuple[Any, ...]
ToContribution = Callable[[int, Loaded, Mapping[str, Category]], Contribution]


@dataclass(frozen=True, slots=True)
class Batch:
    """One kind of message: an item's schema, the key a batch stands under, how many at most, the field that is the reference."""

    schema: WireSchema
    listed: str
    most: int
    reference: str | None = None
    points: str = POINTS  # what they call the points of an item


class JsonTownReader:
    """`schemas.ports.TownReader`. Without state: one for all threads."""

    def __init__(
        self,
        *,
        profile: Profile,
        version: str,
        capabilities: Capabilities,
        categories: Mapping[str, Category],
        push: Batch,
        to_contribution: ToContribution,
        households: Batch,
        to_household: Callable[[Mapping[str, Any]], HouseholdRegistration],
        withdrawals: Batch,
        to_withdrawal: Callable[[Mapping[str, Any]], Withdrawal],
        contract: Callable[[], Mapping[str, Any]],
    ) -> None:
        self.town, self.profile, self.version, self.capabilities = (
            profile.town,
            profile,
            version,
            capabilities,
        )
        self._categories, self._contract = categories, contract
        self._push, self._form = push, form_of(push.schema, push.reference)
        self._accept, self._to_contribution = compile_acceptor(push.schema), to_contribution
        self._households, self._to_household = households, to_household
        self._withdrawals, self._to_withdrawal = withdrawals, to_withdrawal

    def read_push(self, body: bytes, codes: Mapping[str, Category]) -> ReadPush:
        """A single item or a batch. Faults stand at '/items/3/memberIdNo'."""
        items, under = list_items(parse_json(body, self._push.points), self._push.listed, self._push.most)
        categories = {**codes, **self._categories}
        accept, convert = self._accept, self._to_contribution
        read = ReadPush([], [])
        good = read.items
        for item_no, item in enumerate(items):
            loaded = accept(item)
            if loaded is not None:
                good.append(convert(item_no, loaded, categories))
            else:
                self._judge(item, item_no, f"{under}/{item_no}" if under else "", categories, read)
        return read

    def read_lines(self, body: bytes, codes: Mapping[str, Category], first_no: int = 0) -> ReadPush:
        """One item a line; blank lines carry no number. A line is a document: its faults stand at '/memberIdNo'."""
        categories = {**codes, **self._categories}
        accept, convert = self._accept, self._to_contribution
        read = ReadPush([], [])
        good = read.items
        for item_no, line in enumerate(split_lines(body), first_no):
            try:
                item = parse_line(line, self._push.points)
            except InvalidError as exc:
                detail = f"{exc.what} ({exc.where}); {exc.remedy}"
                read.faults.append(FaultyItem(item_no, None, exc.code, "/", detail))
                continue
            loaded = accept(item)
            if loaded is not None:
                good.append(convert(item_no, loaded, categories))
            else:
                self._judge(item, item_no, "", categories, read)
        return read

    def without_items(self, body: bytes, item_nos: Collection[int], *, as_lines: bool) -> bytes:
        """The push with these items replaced by null, so that the others keep their numbers."""
        return without_items(body, frozenset(item_nos), self._push.listed, as_lines=as_lines)

    def read_households(self, body: bytes) -> tuple[list[HouseholdRegistration], list[FaultyItem]]:
        """One registration or a batch. A registration with one fault is refused whole."""
        loaded, faults = _load_all(body, self._households)
        return [self._to_household(family) for family in loaded], faults

    def read_withdrawals(self, body: bytes) -> tuple[list[Withdrawal], list[FaultyItem]]:
        """One withdrawal or a batch."""
        loaded, faults = _load_all(body, self._withdrawals)
        return [self._to_withdrawal(given) for given in loaded], faults

    def openapi_paths(self) -> Mapping[str, Any]:
        """The paths and component schemas of this town's door."""
        contract = self._contract()
        return {"paths": contract["paths"], "components": contract["components"]}

    def _judge(
        self, item: Any, item_no: int, pointer: str, categories: Mapping[str, Category], read: ReadPush
    ) -> None:
        verdict = judge(self._form, item, item_no, pointer)
        if isinstance(verdict, FaultyItem):
            read.faults.append(verdict)
        else:
            loaded = tuple(verdict[name] for name in self._form.fields)
            read.items.append(self._to_contribution(item_no, loaded, categories))


def _load_all(body: bytes, batch: Batch) -> tuple[list[Mapping[str, Any]], list[FaultyItem]]:
    items, under = list_items(parse_json(body), batch.listed, batch.most)
    form: Form = form_of(batch.schema, batch.reference)
    good: list[Mapping[str, Any]] = []
    faults: list[FaultyItem] = []
    for item_no, item in enumerate(items):
        verdict = judge(form, item, item_no, f"{under}/{item_no}" if under else "")
        if isinstance(verdict, FaultyItem):
            faults.append(verdict)
        else:
            good.append(verdict)
    return good, faults
