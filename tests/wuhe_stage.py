"""A served gateway with 五和众联 on its list, and the simulated town's sender before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.wuhe_zhonglian.simulator import DoorAccess, Pusher, Signing
from gateway.flows.register_soap_client import register_soap_client
from gateway.house import House
from schemas.soap import SoapRegistration
from schemas.values import TownCode
from tests.conftest import TestDatabase
from tests.served import ALL_SCOPES, Served, served_gateway

TOWN = TownCode("wuhe_zhonglian")


@dataclass
class WuheStage:
    """The door, its house, and what the town signs with."""

    served: Served
    database: TestDatabase
    signing: Signing

    @property
    def house(self) -> House:
        return self.served.house

    def pusher(self, **changes: Any) -> Pusher:
        settings: dict[str, Any] = {
            "address": self.served.url, "signing": self.signing, "ca_file": self.served.certificates.ca_cert,
        }  # fmt: skip
        return Pusher(DoorAccess(**{**settings, **changes}))

    def empty(self) -> None:
        """Nothing was ever sent: for tests that share the door."""
        tables = "scoreboard, contribution, contribution_batch, raw_push, month_sum, quarantined_item, transfer, account"
        self.database.sql(f"set session_replication_role = replica; truncate {tables}")
        self.database.sql(
            "select open_accounts(array_agg(household_id), town) from household_code group by town"
        )


def der_of(path: Path) -> bytes:
    """The first certificate of a PEM file."""
    return x509.load_pem_x509_certificates(path.read_bytes())[0].public_bytes(Encoding.DER)


@contextmanager
def wuhe_stage(database: TestDatabase, folder: Path, **settings: str) -> Iterator[WuheStage]:
    """Serve, put the town's signing certificate on the list, and hand over."""
    with served_gateway(database, folder, **settings) as served:
        cert, key = served.certificates.signing("wuhe_zhonglian")
        asked = SoapRegistration("wuhe-platform", TOWN, tuple(ALL_SCOPES.split()), (der_of(cert),))
        register_soap_client(served.house, asked, now=datetime.now(UTC))
        yield WuheStage(served, database, Signing(key, cert, (served.config.soap_cert,)))
