"""The gateway as a town meets it: gunicorn in a process of its own, real TLS, a scratch database, real certificates.

`served_gateway` starts it; `TownClient` is an independent client (requests and joserfc only) that gets tokens and pushes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from certs import Development, ensure_development, read_registration
from gateway.config import Config, load_config
from gateway.db import Database
from gateway.db.embedded import Embedded
from gateway.flows.register_client import register_client
from gateway.house import House
from gateway.wiring import build_house
from tests.conftest import TestDatabase

WEB = ("-c", "from gateway.cli import main; main()")  # what is `gateway` for the interpreter
ALL_SCOPES = "contributions.write contributions.read households.write consents.write"


@dataclass
class Served:
    """A running web process and what one needs to talk to it."""

    url: str
    config: Config
    certificates: Development
    house: House  # the same house, in this process, for arranging
    process: subprocess.Popen[bytes]
    log: Path
    client_id: str = "lijiayuan-test"

    def town(self, **changes: Any) -> TownClient:
        """A client of the registered town."""
        settings: dict[str, Any] = {
            "url": self.url,
            "ca": self.certificates.ca_cert,
            "certificate": self.certificates.client("lijiayuan"),
            "key_file": self.certificates.assertion("lijiayuan")[0],
            "client_id": self.client_id,
        }
        return TownClient(**{**settings, **changes})

    def log_lines(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines()


@dataclass
class TownClient:
    """An independent OAuth client."""

    url: str
    ca: Path
    certificate: tuple[Path, Path] | None
    key_file: Path
    client_id: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.verify = str(self.ca)
        self.session.trust_env = False
        if self.certificate is not None:
            self.session.cert = (str(self.certificate[0]), str(self.certificate[1]))

    def close(self) -> None:
        self.session.close()

    def assertion(
        self, *, key: ECKey | None = None, header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """A private_key_jwt assertion; claims given as None are left out."""
        now = int(time.time())
        every = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": f"{self.url}/oauth/token",
            "jti": str(uuid4()),
            "iat": now,
            "exp": now + 60,
            **claims,
        }
        key = key or ECKey.import_key(self.key_file.read_text())
        head = {"alg": "ES256", "kid": key.thumbprint(), **(header or {})}
        return jwt.encode(head, {k: v for k, v in every.items() if v is not None}, key)

    def ask_token(
        self, assertion: str | None = None, scope: str | None = ALL_SCOPES, **form: str
    ) -> requests.Response:
        fields = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self.assertion() if assertion is None else assertion,
            **({"scope": scope} if scope else {}),
            **form,
        }
        return self.session.post(f"{self.url}/oauth/token", data=fields, timeout=20)

    def token(self, scope: str | None = ALL_SCOPES) -> str:
        answer = self.ask_token(scope=scope)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def post(
        self,
        path: str,
        body: bytes,
        token: str | None,
        *,
        key: str | None = "",
        content_type: str = "application/json",
        **headers: str,
    ) -> requests.Response:
        """POST below /towns/lijiayuan/v1; `key` None sends no Idempotency-Key, '' a new one."""
        sent = {"Content-Type": content_type, **headers}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if key is not None:
            sent["Idempotency-Key"] = key or str(uuid4())
        return self.session.post(f"{self.url}/towns/lijiayuan/v1{path}", data=body, headers=sent, timeout=60)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def scratch_database(postgres: Embedded) -> Iterator[TestDatabase]:
    """A copy of the migrated template that may live longer than one test."""
    name = f"t_{uuid4().hex[:12]}"

    def admin(statement: str) -> None:
        connection = psycopg2.connect(postgres.dsn("postgres", "postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    admin(f"create database {name} template gateway_template owner gateway_migrate strategy file_copy")
    roles = ("gateway_app", "gateway_auditor", "gateway_migrate", "postgres")
    dsns = {role: postgres.dsn(role, name) for role in roles}
    database = TestDatabase(Database(dsns["gateway_app"]), Database(dsns["gateway_auditor"]), *dsns.values())
    yield database
    database.app.close()
    database.auditor.close()
    admin(f"drop database {name} with (force)")


@contextmanager
def served_gateway(
    database: TestDatabase, folder: Path, program: tuple[str, ...] = WEB, **settings: str
) -> Iterator[Served]:
    """Serve `database` from `folder` (certificates, keys, log). `settings` are GATEWAY_* without the prefix, lower case;
    `program` is what the interpreter runs."""
    port = free_port()
    environ = {
        "GATEWAY_STATE_DIR": str(folder / "state"),
        "GATEWAY_DATABASE_URL": database.app_dsn,
        "GATEWAY_DATABASE_AUDIT_URL": database.auditor_dsn,
        "GATEWAY_PUBLIC_URL": f"https://127.0.0.1:{port}",
        "GATEWAY_BIND": f"127.0.0.1:{port}",
        "GATEWAY_WEB_PROCESSES": "2",
        "GATEWAY_WEB_THREADS": "4",
        "GATEWAY_RATE_PER_MINUTE": "100000",
        **{f"GATEWAY_{name.upper()}": value for name, value in settings.items()},
    }
    config = load_config(environ)
    made = ensure_development(config)
    house = build_house(config)
    asked = read_registration(
        "lijiayuan", "lijiayuan-test", made.assertion("lijiayuan")[1], [made.client("lijiayuan")[0]]
    )
    register_client(house, asked, now=datetime.now(UTC))
    log = folder / "web.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *program, "web"],
            env={**{k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}, **environ},
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=Path(__file__).parent.parent,
        )
        served = Served(config.public_url, config, made, house, process, log)
        try:
            _wait(served)
            yield served
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
            house.db.close()
            house.audit_db.close()


def _wait(served: Served) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        if served.process.poll() is not None:
            raise AssertionError(f"the web process ended:\n{served.log.read_text()}")
        try:
            with requests.Session() as session:
                session.trust_env = False
                if session.get(
                    f"{served.url}/healthz", verify=str(served.certificates.ca_cert), timeout=5
                ).ok:
                    return
        except requests.RequestException:
            time.sleep(0.2)
    raise AssertionError(f"the web process does not answer:\n{served.log.read_text()}")
