"""The one call: add-checkpoint (c2sp.org/tlog-witness).

Errors: UnavailableError (no answer, or an answer that is none: ask again later, the call changes nothing twice),
ConflictError with code `witness-size` (it stands at another size; `value` is that size), RefusedError with code
`witness-inconsistent` (our proof does not convince it), InvalidError (it does not know our log or our key).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter

from schemas.boundary import before_neighbour_call
from schemas.errors import ConflictError, InvalidError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from adapters.witness import Config

MAX_ANSWER_BYTES = 16 * 1024
SIZE_TYPE = "text/x.tlog.size"


class Client:
    """One session with a witness."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.vkey = config.vkey
        self.name = config.vkey.partition("+")[0]
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("https://", HTTPAdapter(pool_connections=1, pool_maxsize=2, max_retries=0))
        if config.client_cert and config.client_key:
            self._session.cert = (str(config.client_cert), str(config.client_key))
        self._session.verify = str(config.ca_file) if config.ca_file else True

    def add_checkpoint(self, old_size: int, proof: Sequence[bytes], note: str) -> str:
        """The witness's signature lines over the checkpoint in `note`; `proof` leads from `old_size` to it."""
        before_neighbour_call(self.name)
        lines = "".join(base64.b64encode(one).decode() + "\n" for one in proof)
        body = f"old {old_size}\n{lines}\n{note}".encode()
        try:
            with self._session.post(
                f"{self._config.address}/add-checkpoint",
                data=body,
                headers={"Content-Type": "text/plain; charset=utf-8"},
                timeout=(self._config.connect_timeout_s, self._config.answer_timeout_s),
                allow_redirects=False,
                stream=True,
            ) as answer:
                raw = answer.raw.read(MAX_ANSWER_BYTES + 1, decode_content=True)
                return self._read(answer.status_code, answer.headers.get("Content-Type", ""), raw)
        except (requests.RequestException, OSError) as exc:
            raise UnavailableError(
                "the witness does not answer", code="witness-away", where=self.name, value=type(exc).__name__
            ) from exc

    def _read(self, status: int, content_type: str, raw: bytes) -> str:
        try:
            text = raw.decode() if len(raw) <= MAX_ANSWER_BYTES else ""
        except UnicodeDecodeError:
            text = ""
        if status == 200 and text:
            return text
        if status == 409 and content_type.partition(";")[0].strip() == SIZE_TYPE:
            size = text.removesuffix("\n")
            if size.isascii() and size.isdigit() and len(size) < 19:
                raise ConflictError(
                    "the witness stands at another size",
                    code="witness-size",
                    where=self.name,
                    value=int(size),
                )
        if status == 422:
            raise RefusedError(
                "the witness is not convinced that the log only grew",
                code="witness-inconsistent",
                where=self.name,
            )
        if status in (400, 403, 404):
            raise InvalidError(
                "the witness does not take our checkpoints",
                code=f"witness-http-{status}",
                where=self.name,
                remedy="give it our verifier key (`gateway log keys`) and see that the address is its own",
            )
        raise UnavailableError(
            "the witness gave no answer we know", code=f"witness-http-{status}", where=self.name, value=status
        )
