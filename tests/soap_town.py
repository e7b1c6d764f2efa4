"""Two invented towns that speak SOAP, for tests of the doors: one signs (1.1, X.509), one shows a token (1.2, GB18030, mutual
TLS).

They stand where an adapter's package stands in the registry. `python -m tests.soap_town web` is `gateway web` with both joined.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from adapters import registry
from adapters.soap_contract import SoapContract
from adapters.soap_reading import Element, canonical, parse_xml
from adapters.soap_server import Operation, SoapService, text_element
from schemas.contributions import (
    ConsentGiven,
    Contribution,
    FaultyItem,
    HouseholdRegistration,
    ItemAnswer,
    MemberRegistration,
    PushAnswer,
    ReadPush,
    Withdrawal,
)
from schemas.ports import Capabilities, Profile, TownClient
from schemas.resident_id import check_character
from schemas.soap import SigningIdentity, SoapCall, SoapSecurity
from schemas.values import Category, ContributionKind, Purpose, TownCode

SIGNED, TOKEN = TownCode("invented_signed"), TownCode("invented_token")
NS = "urn:example:points:1"
FOLDER = Path(__file__).parent / "data" / "soap"
ENCODINGS = {SIGNED: ("UTF-8",), TOKEN: ("GB18030", "UTF-8")}


def _t(name: str) -> str:
    return f"{{{NS}}}{name}"


class PointsReader:
    """Reads the invented contract's payloads (`schemas.ports.TownReader`)."""

    version = "points/1"

    def __init__(self, town: TownCode) -> None:
        self.town = town
        self.profile = Profile(town, "试验镇", "Invented", "试验镇", "Invented", None, invented=True)
        self.capabilities = Capabilities("household", False, False, False, False, True, 5000, speaks="soap")

    def read_push(self, body: bytes, codes: Mapping[str, Category]) -> ReadPush:
        read = ReadPush([], [])
        words = {**codes, "sorting": Category.SORTING}
        number = 0
        for item in parse_xml(body, "payload"):
            if item.tag != _t("Item"):
                continue
            said = {child.tag[len(NS) + 2 :]: child.text or "" for child in item}
            if len(said["IdNo"]) == 18 and said["IdNo"][17] == check_character(said["IdNo"][:17]):
                read.items.append(
                    Contribution(
                        number, said["Reference"], ContributionKind.AWARD, said["Activity"], words.get(said["Activity"]),
                        round(float(said["Points"]) * 100), datetime.fromisoformat(said["At"]), said["Household"], said["IdNo"],
                    )
                )  # fmt: skip
            else:
                where = f"/PushRequest/Item[{number + 1}]/IdNo"
                read.faults.append(
                    FaultyItem(number, said["Reference"], "id-no-invalid", where, "check the digits")
                )
            number += 1
        return read

    def read_lines(self, body: bytes, codes: Mapping[str, Category], first_no: int = 0) -> ReadPush:
        raise NotImplementedError("no stream over SOAP")

    def without_items(self, body: bytes, item_nos: Collection[int], *, as_lines: bool) -> bytes:
        root = parse_xml(body, "payload")
        for number, item in enumerate(root.findall(_t("Item"))):
            if number in item_nos:
                root.remove(item)
        return canonical(root)

    def read_households(self, body: bytes) -> tuple[list[HouseholdRegistration], list[FaultyItem]]:
        found = []
        for household in parse_xml(body, "payload"):
            members = tuple(
                MemberRegistration(
                    m.findtext(_t("IdNo")), m.findtext(_t("Name")), None, number == 0,
                    tuple(
                        ConsentGiven(purpose, datetime.fromisoformat(m.findtext(_t("ConsentAt"))), "v1", "form", False)
                        for purpose in Purpose
                    ),
                )
                for number, m in enumerate(household.findall(_t("Member")))
            )  # fmt: skip
            since = date.fromisoformat(household.findtext(_t("Since")))
            found.append(
                HouseholdRegistration(
                    household.findtext(_t("Code")), household.findtext(_t("Village")), since, members
                )
            )
        return found, []

    def read_withdrawals(self, body: bytes) -> tuple[list[Withdrawal], list[FaultyItem]]:
        root = parse_xml(body, "payload")
        at = datetime.fromisoformat(root.findtext(_t("WithdrawnAt")))
        return [Withdrawal(root.findtext(_t("IdNo")), Purpose.LOAN_MAPPING, at)], []

    def openapi_paths(self) -> Mapping[str, Any]:
        return {"paths": {}, "components": {}}


def _answered(call: SoapCall, outcome: Any) -> Element:
    element = etree.Element(_t(f"{call.operation}Response"), nsmap={None: NS})
    items: list[ItemAnswer] = outcome
    if isinstance(outcome, PushAnswer):
        text_element(element, _t("Batch"), str(outcome.batch_id))
        text_element(element, _t("Receipt"), outcome.receipt)
        items = outcome.items
    for item in items:
        one = etree.SubElement(element, _t("Item"))
        if item.reference is not None:
            text_element(one, _t("Reference"), item.reference)
        text_element(one, _t("Status"), item.status.value)
        if item.code is not None:
            text_element(one, _t("Code"), item.code)
    return element


def _serial(payload: Element) -> str:
    return str(payload.findtext(_t("Serial")))


OPERATIONS = {
    "Push": Operation("push", "contributions.write", _answered, _serial),
    "Register": Operation("households", "households.write", _answered),
    "Withdraw": Operation("withdrawals", "consents.write", _answered),
    "Receipt": Operation("receipt", "contributions.read", _answered, _serial),
}


def make_service(town: TownCode, signing: SigningIdentity) -> SoapService:
    """The SOAP service of one of the two."""
    signed = town == SIGNED
    contract = SoapContract(FOLDER, "signed.wsdl" if signed else "token.wsdl", "1.1" if signed else "1.2")
    security = SoapSecurity.X509 if signed else SoapSecurity.USERNAME_DIGEST
    return SoapService(
        town, contract, OPERATIONS, security=security, signing=signing, encodings=ENCODINGS[town]
    )


@dataclass(frozen=True)
class _Config:
    address: str = ""


class InventedTown:
    """What `adapters.registry` wants of a town's package."""

    Config: type[Any] = _Config

    def __init__(self, town: TownCode) -> None:
        self._town = town
        reader = PointsReader(town)
        self.PROFILE, self.CAPABILITIES = reader.profile, reader.capabilities

    def create_reader(self) -> PointsReader:
        return PointsReader(self._town)

    def create_client(self, config: Any) -> TownClient:
        raise NotImplementedError("the invented towns are not called")

    def create_soap(self, signing: SigningIdentity) -> SoapService:
        return make_service(self._town, signing)


def join() -> None:
    """Put both towns on the registry's list, in this process."""
    registry.TOWNS = {**registry.TOWNS, SIGNED: InventedTown(SIGNED), TOKEN: InventedTown(TOKEN)}  # type: ignore[misc]


if __name__ == "__main__":
    from gateway.cli import main

    join()
    main()
