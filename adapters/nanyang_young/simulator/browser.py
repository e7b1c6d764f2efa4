"""A resident with a browser, played: opens the bank's link, agrees, signs in at the town, comes back. One session a resident.

Used by the sandbox to link its residents through the real pages, and by tests to do what an attacker would do in between.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import requests

PURPOSES = ("loan_mapping", "redemption")


class PageError(Exception):
    """A page was not what the resident hoped for. Carries the answer."""

    def __init__(self, answer: requests.Response) -> None:
        super().__init__(f"{answer.status_code}: {re.sub('<[^>]*>', ' ', answer.text)[:300]}")
        self.answer = answer


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden fields of the first form."""
    form = page.partition("<form")[2].partition("</form>")[0]
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    return {name: html.unescape(value) for name, value in found}


@dataclass
class Browser:
    """One browser with its cookies."""

    ca_file: Path
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.verify = str(self.ca_file)
        self.session.trust_env = False

    def close(self) -> None:
        self.session.close()

    def get(self, url: str) -> requests.Response:
        return self.session.get(url, timeout=20, allow_redirects=False)

    def post(self, url: str, fields: Sequence[tuple[str, str]]) -> requests.Response:
        return self.session.post(url, data=list(fields), timeout=20, allow_redirects=False)

    def agree(self, entry_url: str, purposes: Sequence[str] = PURPOSES, language: str = "zh") -> str:
        """Open the link and agree; the town's address we are sent to."""
        page = self.get(entry_url)
        if page.status_code != 200:
            raise PageError(page)
        fields = [*hidden_fields(page.text).items(), *(("purpose", p) for p in purposes)]
        fields = [(k, language if k == "lang" else v) for k, v in fields]
        sent = self.post(_address(entry_url) + "/consents", fields)
        if sent.status_code != 303:
            raise PageError(sent)
        return sent.headers["Location"]

    def sign_in(self, authorize_url: str, openid: str, decision: str = "allow") -> str:
        """At the town: be somebody, and decide; the address we are sent back to."""
        page = self.get(authorize_url)
        if page.status_code != 200:
            raise PageError(page)
        fields = [*hidden_fields(page.text).items(), ("openid", openid), ("decision", decision)]
        sent = self.post(_address(authorize_url), fields)
        if sent.status_code != 302:
            raise PageError(sent)
        return sent.headers["Location"]

    def link(
        self, entry_url: str, openid: str, purposes: Sequence[str] = PURPOSES, language: str = "zh"
    ) -> requests.Response:
        """The whole way; the last page. Raises PageError."""
        back = self.sign_in(self.agree(entry_url, purposes, language), openid)
        page = self.get(back)
        if page.status_code != 200:
            raise PageError(page)
        return page

    def withdraw(self, entry_url: str, purposes: Sequence[str] = ()) -> requests.Response:
        """Open the link again and take back; all when none is named."""
        page = self.get(entry_url).text
        fields = hidden_fields("<form" + page.rpartition("<form")[2])
        sent = [*fields.items(), *(("purpose", p) for p in purposes)]
        return self.post(_address(entry_url) + "/withdrawals", sent)


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
