"""The simulated 南阳young on loopback over TLS, and a house that knows it."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from joserfc.jwk import ECKey
from werkzeug.serving import WSGIRequestHandler, make_server

from adapters import nanyang_young
from adapters.nanyang_young.simulator import Authority, Books, create_simulator_app
from certs import ensure_development
from gateway import links, translog
from gateway.config import load_config
from gateway.flows.issue_entry import issue_entry
from gateway.house import House
from gateway.links import Held
from gateway.links.restate import LINKED, UNLINKED, link_record
from schemas.contributions import ConsentGiven, MemberRegistration
from schemas.feeds import EntryIdentity
from schemas.resident_id import check_character
from schemas.values import PersonId, Purpose, TownCode
from tests.conftest import TestDatabase
from tests.plain_town import NOW, plain_house
from tests.served import Served, served_gateway

TOWN = TownCode("nanyang_young")
OTHER_SECRET = "whsec_" + base64.b64encode(b"another town's secret, 32 bytes.").decode()


def openid(number: int) -> str:
    return f"o_ny{number:08d}x"


def id_no_of(number: int, born: date = date(1980, 5, 17)) -> str:
    """An invented resident id: the county code 330199 was never given to a county; a valid check character (GB 11643)."""
    first = f"330199{born:%Y%m%d}{number:03d}"
    return first + check_character(first)


def member(number: int) -> dict[str, str]:
    return {"openid": openid(number), "id_no": id_no_of(number), "name": f"测试{number:03d}"}


def change(number: int, who: int = 1, **changes: Any) -> dict[str, Any]:
    """One change as the town shows it, less its number."""
    at = NOW - timedelta(hours=2) + timedelta(seconds=number % 3000)
    made = {
        "change_id": f"ny_{number:010d}",
        "openid": openid(who),
        "task": "volunteer_shift",
        "kind": "award",
        "points": "2.5",
        "occurred_at": int(at.timestamp() * 1000),
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


@dataclass
class SimulatedNanyang:
    """Where it is and how to turn it."""

    address: str
    config: nanyang_young.Config
    books: Books
    authority: Authority
    calls: requests.Session

    def post(self, path: str, content: Any) -> Any:
        answer = self.calls.post(f"{self.address}{path}", json=content, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def arm(self, fault: str, on: str, **more: Any) -> None:
        self.post("/_faults", {"fault": fault, "on": on, **more})

    def calm(self) -> None:
        self.calls.delete(f"{self.address}/_faults", timeout=5)

    def state(self) -> dict[str, Any]:
        return self.calls.get(f"{self.address}/_state", timeout=5).json()  # type: ignore[no-any-return]


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: Any) -> None:
        pass

    log = log_request  # type: ignore[assignment]


def hook_secret() -> str:
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


@contextmanager
def running_nanyang(folder: Path, **settings: Any) -> Iterator[SimulatedNanyang]:
    """A server with three residents."""
    made = ensure_development(load_config({"GATEWAY_STATE_DIR": str(folder)}))
    key_file = made.folder / "assertion-nanyang_young.key"  # any P-256 key: the town is told its public half
    key = ECKey.import_key(key_file.read_text())
    books = Books()
    books.add_members([member(n) for n in (1, 2, 3)])
    cert, private = made.simulator("nanyang_young")
    jwks = {"keys": [{**key.as_dict(private=False), "kid": key.thumbprint(), "alg": "ES256"}]}
    authority = Authority("", "gateway", jwks, (), books, **settings)
    server = make_server(
        "127.0.0.1", 0, create_simulator_app(authority), threaded=True, request_handler=_Quiet,
        ssl_context=(str(cert), str(private)),
    )  # fmt: skip
    authority.issuer = f"https://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    calls = requests.Session()
    calls.verify = str(made.ca_cert)
    calls.trust_env = False
    config = nanyang_young.Config(
        address=authority.issuer,
        client_id="gateway",
        key_file=key_file,
        key_id=key.thumbprint(),
        ca_file=made.ca_cert,
        connect_timeout_s=2.0,
        answer_timeout_s=2.0,
        hook_secrets=(hook_secret(),),
        sandbox=True,
    )
    try:
        yield SimulatedNanyang(authority.issuer, config, books, authority, calls)
    finally:
        calls.close()
        server.shutdown()
        thread.join(5)
        server.server_close()


def nanyang_house(database: TestDatabase, town: SimulatedNanyang, **changes: Any) -> House:
    """A house on a test database that asks this town."""
    house = plain_house(database)
    return replace(
        house,
        readers={**house.readers, TOWN: nanyang_young.create_reader()},
        clients={TOWN: nanyang_young.create_client(town.config)},
        feeds={TOWN: nanyang_young.create_feed(town.config)},
        linkings={TOWN: nanyang_young.create_linking(town.config)},
        hook_secrets={TOWN: town.config.hook_secrets},
        **changes,
    )


def registration(number: int, purposes: tuple[Purpose, ...] = tuple(Purpose)) -> MemberRegistration:
    person = member(number)
    consents = tuple(ConsentGiven(p, NOW - timedelta(days=100), "t1") for p in purposes)
    return MemberRegistration(person["id_no"], person["name"], None, False, consents)


def settings_text(town: SimulatedNanyang) -> str:
    """The town's table of a neighbours file."""
    config = town.config
    table = {
        "address": config.address, "client_id": config.client_id, "key_file": str(config.key_file),
        "key_id": config.key_id, "ca_file": str(config.ca_file), "hook_secrets": list(config.hook_secrets),
        "sandbox": True,
    }  # fmt: skip
    other = {**table, "address": "https://127.0.0.1:1", "hook_secrets": [OTHER_SECRET]}
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        for name, settings in ((str(TOWN), table), ("lijiayuan", other))
    )


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Stage:
    """The served gateway and the simulated town it knows."""

    served: Served
    town: SimulatedNanyang


@contextmanager
def served_with_nanyang(database: TestDatabase, folder: Path) -> Iterator[Stage]:
    """gunicorn over TLS, with a town of 39 residents beside it."""
    (folder / "state").mkdir()
    with running_nanyang(folder / "state") as town:
        town.books.add_members([member(n) for n in range(4, 40)])
        (folder / "state" / "neighbours.toml").write_text(settings_text(town))
        with served_gateway(database, folder) as served:
            yield Stage(served, town)


def identity(number: int) -> EntryIdentity:
    person = member(number)
    return EntryIdentity(person["id_no"], person["name"])


def entry(house: House, number: int) -> str:
    """An entry link for one of the residents."""
    return issue_entry(house, TOWN, identity(number), now=house.clock())


def populate_links(house: House, person_ids: list[int]) -> None:
    """Links with their records: all of these persons', the first one ended."""
    with house.db.transaction() as tx:
        for person_id in person_ids:
            held = Held(house.new_id(), TOWN, PersonId(person_id), openid(person_id), "refresh")
            link_id, _ = links.insert_link(tx, house.keys, held, now=NOW)
            records = [link_record(tx, LINKED, link_id)]
            if person_id == person_ids[0]:
                links.end_link(tx, TOWN, person_id, "resident", now=NOW)
                records.append(link_record(tx, UNLINKED, link_id))
            translog.append_records(tx, records, now=NOW, new_id=house.new_id)
