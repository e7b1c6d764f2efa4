"""What must stand before the processes start: certificates, database, addresses of neighbours, the town's client, rulesets."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import requests

from adapters import registry
from certs import ensure_development, read_registration, read_soap_registration
from certs.assertion import public_jwks
from certs.authority import Development
from certs.files import key_pem, new_ec_key, write_private, write_public
from gateway.flows.approve_ruleset import approve_ruleset
from gateway.flows.propose_ruleset import propose_ruleset
from gateway.flows.register_client import register_client
from gateway.flows.register_soap_client import register_soap_client
from gateway.house import House
from gateway.sandbox.places import Places
from gateway.translog import publish_verifiers
from gateway.wiring import build_house, open_databases
from schemas.errors import UnavailableError
from schemas.soap import SoapSecurity
from schemas.values import TownCode

RULESETS = ("shimin_yidai", "gongfu_dai")
AUTHOR, APPROVER = "sandbox-author", "sandbox-approver"  # two people, as everywhere


@contextmanager
def alone(state_dir: Path) -> Iterator[None]:
    """One sandbox a state directory. Raises UnavailableError when another runs there."""
    state_dir.mkdir(
        parents=True, exist_ok=True, mode=0o755
    )  # PostgreSQL, another system user, walks through it
    with (state_dir / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UnavailableError(
                "another sandbox runs in this state directory", code="sandbox-running", where=str(state_dir),
                remedy="stop it, or set GATEWAY_STATE_DIR and --port",
            ) from None  # fmt: skip
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def lay_certificates(places: Places) -> Development:
    """Development authority, leaves and keys; and our own key at the simulated town."""
    made = ensure_development(places.config)
    config = places.config
    publish_verifiers(config.log_verifiers, config.log_key, config.log_origin)
    key_file = town_key(made)
    if not key_file.exists():
        write_private(key_file, key_pem(new_ec_key()))
    write_public(_town_jwks(made), json.dumps(public_jwks([key_file])).encode())
    return made


def town_key(made: Development) -> Path:
    """Our private_key_jwt key at the town."""
    return made.folder / "assertion-gateway.key"


def _town_jwks(made: Development) -> Path:
    return made.folder / "assertion-gateway.jwks.json"


def write_neighbours(places: Places) -> None:
    """The neighbours file, when there is none or it is ours: one that somebody edited stays."""
    path = places.config.neighbours_file
    first = "# written by `gateway run`; delete this line to keep your own changes\n"
    if path.exists() and not path.read_text("utf-8").startswith(first):
        return
    lines = [first]
    for name in (*places.town_ports, "bank_core"):
        simulator = registry.find_simulator(name)
        assert simulator is not None, name
        lines.append(f"\n[{name}]\n")
        table = simulator.settings_for(places.simulator(name))
        lines += [f"{setting} = {json.dumps(value)}\n" for setting, value in table.items()]
    write_public(path, "".join(lines).encode())


def lay_database(places: Places) -> list[str]:
    """Start the embedded server when none is configured, and apply migrations; those applied now."""
    return list(open_databases(places.config, migrate=True).applied)


def register_towns(house: House, made: Development, places: Places) -> None:
    """Who speaks for each simulated town: an OAuth client, or what its SOAP messages are proven with. Twice is once."""
    for town in places.town_ports:
        seeding = registry.find_seeding(town)
        if seeding is None or not seeding.CLIENT_ID:  # such a town is not let in: it is asked
            continue
        if TownCode(town) not in house.soap_towns:
            asked = read_registration(
                town, seeding.CLIENT_ID, made.assertion(town)[1], [made.client(town)[0]]
            )
            register_client(house, asked, now=house.clock())
            continue
        if house.soap_towns[TownCode(town)].security is SoapSecurity.X509:
            spoken = read_soap_registration(town, seeding.CLIENT_ID, [made.signing(town)[0]], ())
        else:
            spoken = read_soap_registration(
                town,
                seeding.CLIENT_ID,
                (),
                [made.client(town)[0]],
                seeding.CLIENT_ID,
                town_password(made, town),
            )
        register_soap_client(house, spoken, now=house.clock())


def town_password(made: Development, town: str) -> str:
    """What the simulated town's UsernameToken proves to know; made once."""
    path = made.folder / f"password-{town}"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24).encode())
    return path.read_text().strip()


def adopt_rulesets(house: House) -> list[str]:
    """Propose and approve the two products' rulesets; their names."""
    folder = files("gateway.policy") / "rulesets"
    names = []
    for stem in RULESETS:
        ruleset, _ = propose_ruleset(
            house, (folder / f"{stem}.yaml").read_text("utf-8"), by=AUTHOR, now=house.clock()
        )
        approve_ruleset(house, ruleset.ruleset_id, by=APPROVER, now=house.clock())
        names.append(ruleset.name)
    return names


def open_house(places: Places) -> House:
    """A house for this process."""
    return build_house(places.config)


def readiness(places: Places, made: Development) -> Callable[[], bool]:
    """Asks /readyz and every simulator."""
    calls = requests.Session()
    calls.trust_env = False
    calls.verify = str(made.ca_cert)
    calls.cert = tuple(map(str, made.client("gateway")))  # type: ignore[assignment]

    def ready() -> bool:
        simulators = [
            places.simulator(name).address + "/healthz" for name in (*places.town_ports, "bank_core")
        ]
        witnesses = [f"https://localhost:{port}/healthz" for port in places.witness_ports.values()]
        for url in (*simulators, *witnesses, places.web + "/readyz"):
            try:
                answer = calls.get(url, timeout=3)
            except requests.RequestException:
                return False
            if answer.status_code != 200:
                return False
        return True

    return ready
