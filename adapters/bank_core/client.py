"""Calls to the bank. Never retries; says which kind of failure it was.

Errors of every call: UnavailableError (nothing happened: the same may be sent later), OutcomeUnknownError (ask first),
RefusedError (the bank says no), ConflictError (same serial, other content), NotFoundError (customer or original unknown),
InvalidError (the bank says our message does not follow the contract).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from adapters.bank_core import mapping, wire
from adapters.bank_core.mapping import Meaning
from schemas.boundary import before_neighbour_call
from schemas.errors import (
    ConflictError,
    GatewayError,
    InvalidError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    UnavailableError,
)
from schemas.policy import Facility
from schemas.proposals import BankAnswer, BenefitProposal, BenefitRevocation
from schemas.values import Serial, beijing_date

if TYPE_CHECKING:
    from adapters.bank_core import Config

_CHUNK = 16 * 1024
SIMULATOR_HEADER = "X-Simulator"  # a simulator says that it is one; production refuses to talk to it

_Answer = tuple[
    Meaning, str, str, str | None, dict[str, Any]
]  # meaning, code, message, name in BODY, its words


class Client:
    """One session with the bank, shared by threads."""

    def __init__(self, config: Config, clock: Callable[[], datetime]) -> None:
        self._config = config
        self._clock = clock
        self._session = requests.Session()
        self._session.trust_env = (
            False  # no proxy, no .netrc: the bank is reached as configured or not at all
        )
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=config.connections, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        if config.client_cert and config.client_key:
            self._session.cert = (str(config.client_cert), str(config.client_key))
        self._session.verify = str(config.ca_file) if config.ca_file else True

    def query_facility(self, serial: Serial, customer_id_no: str, product: str) -> Facility:
        """Base limit, base rate, vetoes and age band of a customer for a product. NotFoundError: no such customer."""
        body = {"CUSTOMER_ID_NO": customer_id_no, "PRODUCT": product}
        meaning, code, _, name, words = self._call(
            "QueryFacility", serial, self._today(), "QUERY_FACILITY", body
        )
        if meaning not in (Meaning.DONE, Meaning.DUPLICATE):
            _fail(meaning, code, serial)
        if name != "FACILITY":
            _unreadable(serial, "no FACILITY in the answer")
        try:
            return mapping.to_facility(wire.read_facility(words), product)
        except wire.UnreadableError as exc:
            _unreadable(serial, str(exc))

    def propose_benefit(self, proposal: BenefitProposal) -> BankAnswer:
        """Propose; the answer is DONE or DUPLICATE (the first answer again). RefusedError when the bank declines."""
        body = mapping.from_proposal(proposal)
        return self._definite(
            "ProposeBenefit", proposal.serial, proposal.business_on, "PROPOSE_BENEFIT", body
        )

    def revoke_benefit(self, revocation: BenefitRevocation) -> BankAnswer:
        """End a benefit; DONE, DUPLICATE or ALREADY_REVERSED. NotFoundError: the bank does not hold the original."""
        body = mapping.from_revocation(revocation)
        return self._definite(
            "RevokeBenefit", revocation.serial, revocation.business_on, "REVOKE_BENEFIT", body
        )

    def query_proposal(self, serial: Serial, original_serial: Serial) -> BankAnswer:
        """Inquiry (查证): what was answered to `original_serial`, a proposal's or a revocation's; REFUSED is an answer too.

        NotFoundError: the bank never had it.
        """
        body = {"ORIG_CONSUMER_SEQ_NO": original_serial}
        meaning, code, message, name, words = self._call(
            "QueryProposal", serial, self._today(), "QUERY_PROPOSAL", body
        )
        if meaning not in (Meaning.DONE, Meaning.DUPLICATE):
            _fail(meaning, code, serial)
        if name != "RESULT":
            _unreadable(serial, "no RESULT in the answer")
        answer = mapping.to_original(message, _result(serial, words))
        if answer is None:
            raise OutcomeUnknownError(
                "the bank does not say what became of the original", code="bank-9999", value=original_serial
            )
        return answer

    def _definite(self, service: str, serial: Serial, on: date, name: str, body: wire.Words) -> BankAnswer:
        meaning, code, message, inside, words = self._call(service, serial, on, name, body)
        if meaning not in (Meaning.DONE, Meaning.DUPLICATE, Meaning.ALREADY_REVERSED):
            _fail(meaning, code, serial)
        if inside != "RESULT":
            _unreadable(serial, "no RESULT in the answer")
        return mapping.to_answer(meaning, code, message, _result(serial, words))

    def _today(self) -> date:
        return beijing_date(self._clock())

    def _call(self, service: str, serial: Serial, on: date, name: str, body: wire.Words) -> _Answer:
        before_neighbour_call("bank_core")
        head = {
            "SERVICE_CODE": service,
            "SERVICE_VERSION": "1",
            "CONSUMER_ID": self._config.consumer_id,
            "CONSUMER_SEQ_NO": serial,
            "TRAN_DATE": mapping.day_text(on),
        }
        app = {"BRANCH_NO": self._config.branch_no, "TELLER_NO": self._config.teller_no}
        raw = self._post(wire.write_message(head, app, name, body), serial)
        try:
            answered, inside, words = wire.read_message(raw)
        except wire.UnreadableError as exc:
            _unreadable(serial, str(exc))
        if (answered["SERVICE_CODE"], answered["CONSUMER_SEQ_NO"]) != (service, serial):
            _unreadable(serial, "the answer is to another message")
        meaning = mapping.meaning_of(answered["RET_STATUS"], answered["RET_CODE"])
        return meaning, answered["RET_CODE"], answered["RET_MSG"], inside, words

    def _post(self, message: bytes, serial: Serial) -> bytes:
        """One POST. Before the connection stands nothing happened; afterwards only a readable answer is an answer."""
        deadline = time.monotonic() + self._config.total_timeout_s
        try:
            with self._session.post(
                self._config.address + self._config.path,
                data=message,
                headers={"Content-Type": "application/xml; charset=utf-8", "Accept": "application/xml"},
                timeout=(self._config.connect_timeout_s, self._config.answer_timeout_s),
                allow_redirects=False,
                stream=True,
            ) as response:
                self._check_status(response, serial)
                return _read(response, deadline, serial)
        except requests.RequestException as exc:
            raise _failure(exc, serial) from exc
        except HTTPError as exc:  # urllib3's own, while the body is read
            raise OutcomeUnknownError(
                "the connection to the bank broke", code="bank-cut", value=serial
            ) from exc

    def _check_status(self, response: requests.Response, serial: Serial) -> None:
        if not self._config.sandbox and SIMULATOR_HEADER in response.headers:
            raise InvalidError(
                "a simulator answered in production",
                code="simulator-in-production",
                where="bank_core.address",
            )
        status = response.status_code
        if 400 <= status < 500:  # the message was not taken in: a certificate, a path, a proxy, a rate limit
            raise UnavailableError(
                "the bank's door did not take the message", code=f"bank-http-{status}", value=serial
            )
        if status != 200:
            raise OutcomeUnknownError("the bank's server failed", code=f"bank-http-{status}", value=serial)


def _read(response: requests.Response, deadline: float, serial: Serial) -> bytes:
    found = bytearray()
    for chunk in response.iter_content(_CHUNK):
        found += chunk
        if len(found) > wire.MAX_BYTES:
            _unreadable(serial, f"more than {wire.MAX_BYTES} bytes")
        if time.monotonic() > deadline:
            raise OutcomeUnknownError("the bank's answer drips too slowly", code="bank-timeout", value=serial)
    return bytes(found)


def _result(serial: Serial, words: dict[str, Any]) -> dict[str, Any]:
    try:
        return wire.read_result(words)
    except wire.UnreadableError as exc:
        _unreadable(serial, str(exc))


def _failure(exc: requests.RequestException, serial: Serial) -> GatewayError:
    """Which kind of failure: only when no connection came to stand is it certain that nothing happened."""
    if isinstance(exc, requests.ConnectTimeout):
        return UnavailableError("the bank does not answer", code="bank-unreachable", value=serial)
    if isinstance(exc, requests.ConnectionError):
        inner = exc.args[0] if exc.args else None
        reason = inner.reason if isinstance(inner, MaxRetryError) else inner
        if isinstance(reason, NewConnectionError):  # refused, no route, no such name
            return UnavailableError("the bank cannot be reached", code="bank-unreachable", value=serial)
        if isinstance(exc, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(exc):
            return UnavailableError(
                "the bank's certificate is not trusted", code="bank-certificate", value=serial
            )
        return OutcomeUnknownError("the connection to the bank broke", code="bank-cut", value=serial)
    if isinstance(exc, requests.Timeout):
        return OutcomeUnknownError("the bank did not answer in time", code="bank-timeout", value=serial)
    if isinstance(exc, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema)):
        return UnavailableError("the bank's address is not one", code="bank-unreachable", value=serial)
    return OutcomeUnknownError("the exchange with the bank broke off", code="bank-cut", value=serial)


def _fail(meaning: Meaning, code: str, serial: Serial) -> NoReturn:
    kinds: dict[Meaning, tuple[type[GatewayError], str]] = {
        Meaning.REFUSED: (RefusedError, "the bank's credit system says no"),
        Meaning.CONFLICT: (ConflictError, "the bank holds this serial with other content"),
        Meaning.NOT_FOUND: (NotFoundError, "the bank does not hold the original"),
        Meaning.INVALID: (InvalidError, "the bank says the message does not follow the contract"),
        Meaning.BUSY: (UnavailableError, "the bank is busy and did nothing"),
    }
    kind, what = kinds.get(meaning, (OutcomeUnknownError, "the bank does not know what happened"))
    if code == mapping.CUSTOMER_UNKNOWN:
        kind, what = NotFoundError, "the bank has no such customer"
    raise kind(what, code=f"bank-{code}", value=serial)


def _unreadable(serial: Serial, what: str) -> NoReturn:
    raise OutcomeUnknownError("the bank's answer cannot be read: " + what, code="bank-garbage", value=serial)
