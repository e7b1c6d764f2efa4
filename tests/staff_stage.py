"""Members of staff for tests: accounts with known credentials, and an independent browser-like client."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import requests

from gateway.flows.add_staff import add_staff
from gateway.house import House
from schemas.staff import Credentials, NewStaff, Role, SignIn

BRANCH = "330109001"


@dataclass
class Person:
    """Who somebody is and what they sign in with."""

    teller_no: str
    credentials: Credentials
    last_step: int = 0

    def sign_in(self, at: datetime, *, step: int = 0) -> SignIn:
        """What they would type at that instant; `step` 1 is the code half a minute later."""
        code = pyotp.TOTP(self.credentials.totp_secret).at(at + timedelta(seconds=30 * step))
        return SignIn(self.teller_no, self.credentials.password, code)

    def fresh_code(self) -> str:
        """A code by the real clock that was not used before; waits for the next one only when all in reach are used."""
        totp = pyotp.TOTP(self.credentials.totp_secret)
        while True:
            now = int(time.time()) // 30
            step = max(now - 1, self.last_step + 1)
            if step <= now + 1:
                self.last_step = step
                return totp.generate_otp(step)
            time.sleep(1)


def add_person(
    house: House, teller_no: str, *roles: Role, branch_no: str = BRANCH, now: datetime | None = None
) -> Person:
    """An account in the local directory."""
    new = NewStaff(f"测试{teller_no}", branch_no, teller_no, frozenset(roles or (Role.CLERK,)))
    credentials = add_staff(house, new, by="test", now=now or house.clock())
    assert credentials is not None
    return Person(teller_no, credentials)


@dataclass
class Browser:
    """Follows no redirect by itself, keeps cookies, reads forms: what a browser does, without the drawing."""

    url: str
    ca: Path
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.verify = str(self.ca)
        self.session.trust_env = False

    def close(self) -> None:
        self.session.close()

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=30, allow_redirects=False)

    def post(self, path: str, *, page: str | None = None, **fields: str) -> requests.Response:
        """Post as the form of `page` (default: the page at `path`) would, with its token."""
        sent = {"form_token": self.form_token(page or path), **fields}
        return self.send(path, sent)

    def send(
        self, path: str, fields: dict[str, str] | list[tuple[str, str]], **headers: str
    ) -> requests.Response:
        return self.session.post(
            self.url + path, data=fields, headers=headers, timeout=30, allow_redirects=False
        )

    def form_token(self, path: str) -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.get(path).text)
        assert found is not None, f"{path} has no form"
        return found[1]

    def sign_in(self, person: Person) -> requests.Response:
        return self.post(
            "/staff/sign-in",
            teller_no=person.teller_no,
            password=person.credentials.password,
            code=person.fresh_code(),
        )
