"""The crypto suite: a setting, not a scatter of calls (GB/T 39786; `international` or `guomi`).

`international` is AES-256-GCM, HMAC-SHA-256; `guomi` is SM4-GCM (GB/T 32907) and HMAC-SM3 (GB/T 32905).
Keys are 32 bytes and have ids; what is sealed names the key that sealed it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from schemas.errors import TamperedError

NONCE_BYTES, TAG_BYTES, KEY_BYTES = 12, 16, 32
SUITES = ("international", "guomi")


@dataclass(frozen=True, slots=True)
class Sealed:
    """Ciphertext with the id of the key that made it: nonce ‖ ciphertext ‖ tag."""

    key_id: str
    box: bytes


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Master keys by id; `current` seals, all open. From one master key each purpose gets a key of its own (HKDF, RFC 5869)."""

    suite: str
    current: str
    masters: Mapping[str, bytes] = field(repr=False)
    digest_key: bytes = field(repr=False)  # for lookups and content digests; rotated only by re-digesting

    def __post_init__(self) -> None:
        if self.suite not in SUITES:
            raise ValueError(f"crypto suite {self.suite!r} is not one of {', '.join(SUITES)}")
        if self.current not in self.masters:
            raise ValueError(f"current key id {self.current!r} is not among the keys {sorted(self.masters)}")
        for key_id, key in {**self.masters, "digest": self.digest_key}.items():
            if len(key) != KEY_BYTES:
                raise ValueError(f"key {key_id!r} has {len(key)} bytes; {KEY_BYTES} are needed")

    def seal(self, plain: bytes, purpose: str) -> Sealed:
        """Encrypt under the current key. `purpose` separates keys and is authenticated."""
        nonce = os.urandom(NONCE_BYTES)
        key = _derived(self.masters[self.current], purpose, 32 if self.suite == "international" else 16)
        if self.suite == "international":
            return Sealed(self.current, nonce + AESGCM(key).encrypt(nonce, plain, purpose.encode()))
        encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(purpose.encode())
        body = encryptor.update(plain) + encryptor.finalize()
        return Sealed(self.current, nonce + body + encryptor.tag)

    def open(self, sealed: Sealed, purpose: str) -> bytes:
        """Decrypt. Raises TamperedError when the key is unknown or the box was changed."""
        master = self.masters.get(sealed.key_id)
        if master is None:
            raise TamperedError(
                "a sealed value names a key we do not hold", where="key_id", value=sealed.key_id
            )
        key = _derived(master, purpose, 32 if self.suite == "international" else 16)
        nonce, rest = sealed.box[:NONCE_BYTES], sealed.box[NONCE_BYTES:]
        try:
            if self.suite == "international":
                return AESGCM(key).decrypt(nonce, rest, purpose.encode())
            decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, rest[-TAG_BYTES:])).decryptor()
            decryptor.authenticate_additional_data(purpose.encode())
            return decryptor.update(rest[:-TAG_BYTES]) + decryptor.finalize()
        except InvalidTag:
            raise TamperedError("a sealed value does not open: it was changed", value=sealed.key_id) from None

    def lookup_digest(self, kind: str, value: str) -> bytes:
        """Keyed digest (32 bytes) by which an identifier is found without being readable."""
        return self.digester("lookup:" + kind)(value.encode())

    def digester(self, purpose: str) -> Digester:
        """A keyed digest function bound to one purpose, for hot loops."""
        return Digester(self.suite, _derived(self.digest_key, "digest:" + purpose, 32))


@dataclass(frozen=True, slots=True)
class Digester:
    """Call with bytes, get 32 bytes."""

    suite: str
    key: bytes = field(repr=False)

    def __call__(self, value: bytes) -> bytes:
        if self.suite == "international":
            return hmac.digest(self.key, value, "sha256")
        mac = HMAC(self.key, hashes.SM3())
        mac.update(value)
        return mac.finalize()


_derived_keys: dict[tuple[bytes, str, int], bytes] = {}


def _derived(master: bytes, purpose: str, length: int) -> bytes:
    slot = (hashlib.sha256(master).digest(), purpose, length)
    key = _derived_keys.get(slot)
    if key is None:
        key = HKDF(hashes.SHA256(), length, b"gateway-v1", purpose.encode()).derive(master)
        _derived_keys[slot] = key
    return key
