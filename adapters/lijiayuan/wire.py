"""沥家园's words as they stand on the wire: camelCase, nothing renamed, nothing unknown taken."""
# ruff: noqa: N815  the wire is camelCase and nothing is renamed

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields

from adapters.wire_fields import Day, Flag, Instant, Points, ResidentId, Text, Word
from schemas.acceptor import Fault, WireField, WireSchema
from schemas.resident_id import born_on
from schemas.values import GUARDIAN_UNTIL_AGE

KINDS = ("award", "deduction", "transferIn", "transferOut", "spend", "reversal")
PURPOSES = ("loanMapping", "redemption")
MAX_ITEMS, MAX_HOUSEHOLDS, MAX_MEMBERS, MAX_CONSENTS, MAX_WITHDRAWALS = 5000, 1000, 20, 4, 1000

REFERENCE = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"
FAMILY_CODE = r"[A-Za-z0-9][A-Za-z0-9-]{0,31}"


def _reversal_names_original(kind: str, reverses: str | None) -> tuple[str, Fault] | None:
    if (kind == "reversal") == (reverses is not None):
        return None
    if reverses is None:
        return "reverses", Fault("reversal-without-original", "a reversal names the taskId it takes back")
    return "reverses", Fault("original-without-reversal", "only kind reversal names an original")


def _counterpart_of_transfer(kind: str, counterpart: str | None) -> tuple[str, Fault] | None:
    if counterpart is None or kind in ("transferIn", "transferOut"):
        return None
    return "counterpartFamilyCode", Fault(
        "counterpart-without-transfer", "only a transfer names another family"
    )


class TaskDone(WireSchema):
    """One contribution: a task done, points taken off, given away, received, spent or taken back."""

    taskId = Text(64, pattern=REFERENCE, required=True)
    taskType = Text(64, few=True, required=True)
    kind = Word(dict.fromkeys(KINDS), load_default="award")
    familyCode = Text(32, pattern=FAMILY_CODE, required=True)
    memberIdNo = ResidentId(required=True)
    points = Points(required=True)
    finishedAt = Instant(required=True)
    village = Text(64, few=True, load_default=None)
    reverses = Text(64, pattern=REFERENCE, load_default=None)
    counterpartFamilyCode = Text(32, pattern=FAMILY_CODE, load_default=None)

    rules = (
        (_reversal_names_original, ("kind", "reverses")),
        (_counterpart_of_transfer, ("kind", "counterpartFamilyCode")),
    )


class Consent(WireSchema):
    """Separate consent of one member (PIPL art. 23 and 29)."""

    purpose = Word(dict.fromkeys(PURPOSES), required=True)
    givenAt = Instant(required=True)
    textVersion = Text(32, required=True)
    evidence = Text(128, load_default=None)
    guardian = Flag(load_default=False)


class Nested(WireField):
    """An array of objects of one schema, with a smallest and a largest length."""

    def __init__(self, schema: WireSchema, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(quick=lambda value: None, **kwargs)
        self.schema, self.least, self.most = schema, least, most
        self._array = fields.List(fields.Nested(schema))

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        if not isinstance(value, list):
            raise ValidationError([Fault("not-an-array", "an array is needed")])
        if not self.least <= len(value) <= self.most:
            raise ValidationError([Fault("array-length", f"must hold {self.least} to {self.most} entries")])
        for at, entry in enumerate(value):
            if not isinstance(entry, dict):
                raise ValidationError({at: [Fault("item-not-an-object", "an entry must be a JSON object")]})
        return self._array.deserialize(value, attr, data)

    def json_schema(self) -> dict[str, Any]:
        entry = {"$ref": f"#/components/schemas/Lijiayuan{type(self.schema).__name__}"}
        return {"type": "array", "items": entry, "minItems": self.least, "maxItems": self.most}


def _guardian_for_a_child(id_no: str, consents: list[Mapping[str, Any]]) -> tuple[str, Fault] | None:
    birth = born_on(id_no)
    for consent in consents:
        given = consent["givenAt"].date()
        age = given.year - birth.year - ((given.month, given.day) < (birth.month, birth.day))
        if age < GUARDIAN_UNTIL_AGE and not consent["guardian"]:
            return "consents", Fault(
                "guardian-needed", "under 14 a guardian gives the consent: set guardian (PIPL art. 31)"
            )
    return None


class Member(WireSchema):
    """A member of a family account. Without any consent a member is not kept."""

    memberIdNo = ResidentId(required=True)
    memberName = Text(64, required=True)
    phone = Text(20, pattern=r"\+?[0-9]{5,19}", load_default=None)
    isHead = Flag(load_default=False)
    consents = Nested(Consent(), 0, MAX_CONSENTS, required=True)

    rules = ((_guardian_for_a_child, ("memberIdNo", "consents")),)


def _one_head(members: list[Mapping[str, Any]]) -> tuple[str, Fault] | None:
    if sum(member["isHead"] for member in members) == 1:
        return None
    return "members", Fault("household-head", "exactly one member has isHead true")


def _member_once(members: list[Mapping[str, Any]]) -> tuple[str, Fault] | None:
    numbers = [member["memberIdNo"] for member in members]
    if len(set(numbers)) == len(numbers):
        return None
    return "members", Fault("member-twice", "the same resident id stands twice in one family")


class Family(WireSchema):
    """A family account, its village and its members."""

    familyCode = Text(32, pattern=FAMILY_CODE, required=True)
    village = Text(64, required=True)
    memberSince = Day(required=True)
    members = Nested(Member(), 1, MAX_MEMBERS, required=True)

    rules = ((_one_head, ("members",)), (_member_once, ("members",)))


class ConsentWithdrawal(WireSchema):
    """A member withdraws one consent."""

    memberIdNo = ResidentId(required=True)
    purpose = Word(dict.fromkeys(PURPOSES), required=True)
    withdrawnAt = Instant(required=True)
