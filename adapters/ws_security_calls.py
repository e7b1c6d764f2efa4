"""WS-Security on our own calls to a town's service: the envelope signed, the answer proven (a plugin in zeep's shape).

zeep's own checks an answer with the caller's certificate (zeep #822, #996), signs with SHA-1 unless told otherwise, and looks
neither at which parts were signed nor at how old they are. Here the answer must be signed with one of the town's certificates,
over its Body and Timestamp, lately.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.soap_reading import ENVELOPES, Element
from adapters.ws_security import Signer, prove, refused
from schemas.soap import SigningIdentity


class SignedExchange:
    """One for all threads: it holds keys and no state.

    `answers_from` are the town's certificates (DER), two during rollover; `clock` is for tests."""

    def __init__(
        self,
        signing: SigningIdentity,
        answers_from: Sequence[bytes],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._signer = Signer.of(signing)
        self._answers_from = tuple(answers_from)
        self._clock = clock

    def apply(self, envelope: Element, headers: dict[str, str]) -> tuple[Element, dict[str, str]]:
        """Sign what is about to be sent."""
        self._signer.sign(envelope, self._clock())
        return envelope, headers

    def verify(self, envelope: Any) -> Any:
        """Raises UnauthenticatedError when the answer is not the town's: the caller takes that as an unknown outcome."""
        root = getattr(envelope, "getroot", lambda: envelope)()
        if root.xpath("boolean(//comment() | //processing-instruction())"):
            raise refused("the answer has comments, which no signature covers", "comment-refused", "Envelope")
        space = root.tag.partition("}")[0][1:]
        if space not in ENVELOPES.values() or [c.tag for c in root] != [
            f"{{{space}}}Header",
            f"{{{space}}}Body",
        ]:
            raise refused("the answer has no Security header", "security-missing", "Header")
        prove(root, self._answers_from, self._clock())
        return envelope
