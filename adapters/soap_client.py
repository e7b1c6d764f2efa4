"""Calls to a neighbour's SOAP service by zeep: 1.1 or 1.2, any declared encoding, mutual TLS, a place for WS-Security.

The WSDL is read once, from the contract's folder and never from the network. Each thread has one session whose connections are
kept. Every wait has an end (connect, answer, the whole exchange), answers have a largest size, each is read by a hardened parser
of its own (lxml's shared one would make threads wait for one another) and held to the contract's schema. Never retries: it says
which kind of failure it was.

What zeep leaves open is closed here: it writes UTF-8 only, reads an answer of any length, has no time-out for a whole exchange,
takes a DTD, reads an answer to another operation as one without values, and puts the neighbour's answer (personal data) into its
error messages.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol

import requests
import zeep
from lxml import etree  # type: ignore[import-untyped]
from requests.models import Response
from urllib3.exceptions import HTTPError, MaxRetryError, NameResolutionError, NewConnectionError
from zeep import exceptions as zeep_errors
from zeep.helpers import serialize_object
from zeep.wsdl import Document

from adapters.deadlines import DeadlineAdapter, ending_in
from schemas.boundary import before_neighbour_call
from schemas.errors import GatewayError, InvalidError, OutcomeUnknownError, UnavailableError

LONGEST_ANSWER_BYTES: Final = 8 * 1024 * 1024
SIMULATOR_HEADER: Final = "X-Simulator"  # a simulator says that it is one; production does not believe it

#: Declared encodings an answer is read in. Older software says GB2312 or GBK and writes the characters of a later edition;
#: GB18030 contains both (GB 18030-2005, annex), so it is read as that.
_READ_AS: Final[Mapping[str, str]] = {
    "utf-8": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}
_DECLARATION: Final = re.compile(
    rb"""^<\?xml\s+version\s*=\s*["']1\.0["'](?:\s+encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["'])?"""
)
#: Faults that say our message was turned away before anything was done: codes of SOAP 1.1 and 1.2, local part.
_TURNED_AWAY: Final = frozenset(
    {"Client", "Sender", "MustUnderstand", "VersionMismatch", "DataEncodingUnknown"}
)
#: WS-Security 1.1 §12 and SOAP fault subcodes that say our credentials were not taken.
_NOT_TRUSTED: Final = frozenset(
    {"InvalidSecurity", "InvalidSecurityToken", "FailedAuthentication", "FailedCheck", "SecurityTokenUnavailable",
     "MessageExpired", "UnsupportedAlgorithm", "UnsupportedSecurityToken"}
)  # fmt: skip


class Security(Protocol):
    """What signs our envelope and checks theirs: zeep's own shape, so that its plugins fit. One per thread.

    `verify` raises when the answer may not be believed."""

    def apply(self, envelope: Any, headers: dict[str, str]) -> tuple[Any, dict[str, str]]: ...
    def verify(self, envelope: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Reach:
    """How a neighbour's SOAP service is reached. Times in seconds."""

    neighbour: str
    wsdl: Path
    schema: Path  # XSD of the elements in the bodies
    binding: str  # '{namespace}BindingName' in that WSDL
    address: str  # the whole URL that is posted to
    ca_file: Path | None
    client: tuple[Path, Path] | None = field(repr=False, default=None)
    encoding: str = "UTF-8"
    connect_timeout_s: float = 3.0
    answer_timeout_s: float = 10.0
    total_timeout_s: float = 20.0
    longest_answer_bytes: int = LONGEST_ANSWER_BYTES
    sandbox: bool = False


class UnreadableAnswerError(Exception):
    """The answer is no answer: too long, another encoding, no XML, not of the contract. Names no value of it."""


class SoapAccess:
    """One neighbour's SOAP service. Threads share it. Errors: see `ask` and `act`."""

    def __init__(self, reach: Reach, create_security: Callable[[], Security] | None = None) -> None:
        self._reach = reach
        self._create_security = create_security
        self._settings = zeep.Settings(
            strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True, xml_huge_tree=False
        )
        reading = zeep.Transport(session=requests.Session())
        self._document = Document(str(reach.wsdl), reading, settings=self._settings)  # type: ignore[arg-type]  # wrong there
        reading.session.close()
        self._schema = etree.XMLSchema(etree.parse(str(reach.schema)))
        self._mine = threading.local()

    def ask(self, operation: str, **words: Any) -> dict[str, Any]:
        """An operation that changes nothing: any failure to answer is UnavailableError. The answer's words."""
        return self._call(operation, words, acts=False)

    def act(self, operation: str, **words: Any) -> dict[str, Any]:
        """An operation that does something. The answer's words.

        Raises UnavailableError (nothing happened: not connected, not trusted, turned away as busy), OutcomeUnknownError (it may
        have acted: a time-out or a break after sending, an unreadable answer), InvalidError (our own words do not follow the
        contract, or the neighbour says so: a Fault that blames the sender).
        """
        return self._call(operation, words, acts=True)

    def _call(self, operation: str, words: Mapping[str, Any], *, acts: bool) -> dict[str, Any]:
        before_neighbour_call(self._reach.neighbour)
        service, transport = self._service()
        transport.sending = False
        try:
            with ending_in(self._reach.total_timeout_s):
                found = service[operation](**words)
        except GatewayError as exc:
            self._tell(exc, acts=acts)
        except zeep_errors.Fault as exc:
            self._judge_fault(exc, operation, acts=acts)
        except (requests.RequestException, HTTPError, OSError) as exc:
            self._lost(exc, acts=acts)
        except (
            zeep_errors.Error,
            UnreadableAnswerError,
            etree.LxmlError,
            LookupError,
            ValueError,
            TypeError,
            AttributeError,
        ) as exc:
            if not transport.sending:
                raise InvalidError(
                    f"a message to {self._reach.neighbour} does not follow its contract", code="message-invalid",
                    where=operation, remedy="compare the values with the contract beside the adapter",
                ) from exc  # fmt: skip
            self._unreadable(exc, acts=acts)
        answer = serialize_object(found, dict)
        if not isinstance(answer, dict):
            self._unreadable(UnreadableAnswerError("the answer is empty"), acts=acts)
        return answer

    def _service(self) -> tuple[Any, _BoundedTransport]:
        """This thread's service: its own session, connections and security."""
        mine = getattr(self._mine, "service", None)
        if mine is None:
            transport = _BoundedTransport(self._reach)
            client = zeep.Client(
                self._document,
                wsse=self._create_security() if self._create_security else None,
                transport=transport,
                plugins=[_AnswerCheck(self._schema)],
                settings=self._settings,
            )
            mine = client.create_service(self._reach.binding, self._reach.address), transport
            self._mine.service = mine
        return mine

    def _lost(self, exc: Exception, *, acts: bool) -> NoReturn:
        name = self._reach.neighbour
        if _certificate_refused(exc):
            raise UnavailableError(
                f"{name} and we do not trust each other's certificate; nothing happened", code="neighbour-certificate",
                value=type(exc).__name__, retry_after_s=60, remedy="check ca_file, client_cert and their dates",
            ) from exc  # fmt: skip
        if not acts or _never_sent(exc):
            raise UnavailableError(
                f"{name} could not be reached",
                code="neighbour-unreachable",
                value=type(exc).__name__,
                retry_after_s=5,
            ) from exc
        raise OutcomeUnknownError(
            f"{name} did not answer; it may have acted", code="neighbour-answer-lost", value=type(exc).__name__,
            remedy="ask by the serial before sending again",
        ) from exc  # fmt: skip

    def _unreadable(self, exc: Exception, *, acts: bool) -> NoReturn:
        """zeep's own errors carry the whole answer, so they are not chained: no personal data in a traceback."""
        why = str(exc) if isinstance(exc, UnreadableAnswerError) else type(exc).__name__
        if not acts:
            raise UnavailableError(
                f"{self._reach.neighbour} answered something unreadable: {why}", code="neighbour-unreadable"
            ) from None
        raise OutcomeUnknownError(
            f"{self._reach.neighbour} answered something unreadable and may have acted: {why}", code="neighbour-unreadable",
            remedy="ask by the serial before sending again",
        ) from None  # fmt: skip

    def _judge_fault(self, fault: zeep_errors.Fault, operation: str, *, acts: bool) -> NoReturn:
        code = str(fault.code or "").rpartition(":")[2]
        named = {code, *(str(getattr(sub, "localname", "")) for sub in fault.subcodes or ())}
        name = self._reach.neighbour
        if named & _NOT_TRUSTED:
            raise UnavailableError(
                f"{name} did not take our credentials; nothing happened", code="neighbour-credentials", where=operation,
                value=sorted(named & _NOT_TRUSTED)[0], retry_after_s=60,
            ) from None  # fmt: skip
        if code in _TURNED_AWAY:
            raise InvalidError(
                f"{name} says our message does not follow its contract; nothing happened", code="neighbour-fault",
                where=operation, value=code,
            ) from None  # fmt: skip
        if not acts:
            raise UnavailableError(f"{name} failed", code="neighbour-fault", where=operation) from None
        raise OutcomeUnknownError(
            f"{name} failed and may have acted", code="neighbour-fault", where=operation,
            remedy="ask by the serial before sending again",
        ) from None  # fmt: skip

    def _tell(self, exc: GatewayError, *, acts: bool) -> NoReturn:
        """An answer whose security did not hold is no answer; what the transport decided stays."""
        if isinstance(exc, (UnavailableError, OutcomeUnknownError, InvalidError)):
            if isinstance(exc, OutcomeUnknownError) and not acts:
                raise UnavailableError(exc.what, code=exc.code, value=exc.value) from exc
            raise exc
        kind: type[GatewayError] = OutcomeUnknownError if acts else UnavailableError
        raise kind(
            f"the answer of {self._reach.neighbour} may not be believed: {exc.what}", code=exc.code, where=exc.where,
            remedy="ask by the serial before sending again" if acts else None,
        ) from exc  # fmt: skip


class _BoundedTransport(zeep.Transport):
    """One thread's session: writes the declared encoding, reads at most so many bytes, logs nothing of either."""

    def __init__(self, reach: Reach) -> None:
        session = requests.Session()
        session.trust_env = False  # no proxy or netrc from the surroundings
        session.verify = str(reach.ca_file) if reach.ca_file else True
        session.mount("https://", DeadlineAdapter(ca_file=reach.ca_file, client=reach.client, connections=2))
        super().__init__(session=session)  # type: ignore[no-untyped-call]
        self._close_session = True
        self._reach = reach
        self.sending = False  # whether a message was written and handed to the connection

    def load(self, url: Any) -> bytes:
        """Nothing is loaded while calling: an answer that refers elsewhere stays unread."""
        raise UnreadableAnswerError("the answer refers to another document")

    def post_xml(self, address: str, envelope: Any, headers: dict[str, str]) -> Response:
        """Write the envelope in the neighbour's encoding, and say so in both places a reader may look."""
        encoding = self._reach.encoding
        text: str = etree.tostring(envelope, encoding="unicode")
        message = f"<?xml version='1.0' encoding='{encoding}'?>\n{text}".encode(encoding)
        headers["Content-Type"] = headers["Content-Type"].replace("charset=utf-8", f"charset={encoding}")
        return self.post(address, message, headers)

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> Response:
        """One POST; the whole answer in bounds and checked, or an error."""
        reach = self._reach
        self.sending = True
        with self.session.post(
            address,
            data=message,
            headers={**headers, "Accept-Encoding": "identity"},
            timeout=(reach.connect_timeout_s, reach.answer_timeout_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            _check_status(response, reach)
            response._content = _in_known_encoding(_read_bounded(response, reach.longest_answer_bytes))
            return response


class _AnswerCheck(zeep.Plugin):
    """One element in the Body: a Fault, or the operation's own answer as the schema has it."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def ingress(self, envelope: Any, http_headers: Any, operation: Any) -> tuple[Any, Any]:
        """Called by zeep with every answer, after `Security.verify`."""
        soap = operation.nsmap["soap-env"]
        bodies = envelope.findall(f"{{{soap}}}Body")
        if envelope.tag != f"{{{soap}}}Envelope" or len(bodies) != 1 or len(bodies[0]) != 1:
            raise UnreadableAnswerError("it is no SOAP envelope with one answer")
        found = bodies[0][0]
        if found.tag == f"{{{soap}}}Fault":
            return envelope, http_headers
        if found.tag != operation.output.body.qname:
            raise UnreadableAnswerError("it answers another operation")
        if not self._schema.validate(etree.ElementTree(found)):
            raise UnreadableAnswerError("it does not follow the contract's schema")
        return envelope, http_headers


def _check_status(response: Response, reach: Reach) -> None:
    """200 and 500 carry SOAP; 4xx, 3xx, 429 and 503 took nothing in; anything else is a failure in the middle."""
    if not reach.sandbox and SIMULATOR_HEADER in response.headers:
        raise InvalidError(
            "a simulator answered in production", code="simulator-in-production", where=reach.neighbour
        )
    status = response.status_code
    if status in (200, 500) or (status == 400 and "xml" in response.headers.get("Content-Type", "")):
        return
    if status in (429, 503):
        raise UnavailableError(
            f"{reach.neighbour} is busy; nothing happened", code="neighbour-busy", value=status,
            retry_after_s=_seconds(response.headers.get("Retry-After")),
        )  # fmt: skip
    if 300 <= status < 500:
        raise UnavailableError(
            f"{reach.neighbour}'s door did not take the message; nothing happened",
            code=f"neighbour-http-{status}",
        )
    raise OutcomeUnknownError(
        f"{reach.neighbour}'s server failed and may have acted", code=f"neighbour-http-{status}",
        remedy="ask by the serial before sending again",
    )  # fmt: skip


def _read_bounded(response: Response, longest_bytes: int) -> bytes:
    found = bytearray()
    media_type = response.headers.get("Content-Type", "text/xml").partition(";")[0].strip().lower()
    if media_type not in ("text/xml", "application/xml", "application/soap+xml"):
        raise UnreadableAnswerError("it is no XML by its content type")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UnreadableAnswerError("it is compressed, which was not asked for")
    while part := response.raw.read1(65536):
        found += part
        if len(found) > longest_bytes:
            raise UnreadableAnswerError(f"it is longer than {longest_bytes} bytes")
    expected = response.headers.get("Content-Length")
    if expected is not None and expected != str(len(found)):
        raise UnreadableAnswerError("it was cut short")
    return bytes(found)


def _in_known_encoding(content: bytes) -> bytes:
    """The same document in UTF-8: decoded here, because what libxml2 makes of GB18030 depends on the machine's iconv."""
    declared = _DECLARATION.match(content)
    if declared is None:
        if content.startswith(b"<") and not content.startswith(b"<?xml"):
            return content  # UTF-8 by XML 1.0 §4.3.3
        raise UnreadableAnswerError("it is no XML document")
    name = declared.group(1)
    codec = "utf-8" if name is None else _READ_AS.get(name.decode().lower())
    if codec is None:
        raise UnreadableAnswerError("its declared encoding is none of UTF-8, GB18030, GBK, GB2312")
    if codec == "utf-8":
        return content  # to the byte: it may be signed
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:
        raise UnreadableAnswerError("its bytes are not in the encoding it declares") from None
    return b"<?xml version='1.0' encoding='UTF-8'" + text[declared.end() :].encode()


def _never_sent(exc: Exception) -> bool:
    """True when no byte of the request can have reached the neighbour: no address, no connection, no handshake."""
    if isinstance(exc, (requests.exceptions.ConnectTimeout, requests.exceptions.InvalidURL)):
        return True
    cause: Any = exc.args[0] if exc.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, (NewConnectionError, NameResolutionError))


def _certificate_refused(exc: Exception) -> bool:
    """True when TLS itself says no: we do not trust them, or their alert says that they do not trust us (RFC 8446 §6.2)."""
    text = str(exc).lower()
    return isinstance(exc, requests.exceptions.SSLError | OSError) and any(
        sign in text
        for sign in (
            "certificate_verify_failed", "alert certificate required", "alert unknown ca", "alert bad certificate",
            "alert certificate expired", "alert certificate revoked", "alert certificate unknown", "alert handshake failure",
            "certificate required",
        )
    )  # fmt: skip


def _seconds(text: str | None) -> int:
    return min(int(text), 3600) if text and text.isascii() and text.isdigit() else 5
