"""What the outsiders' wheel computes in Python alone gives what the gateway's libraries give."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.translog.ed25519 import holds_plainly, signature_holds
from gateway.verifier.document import canonical_text
from schemas.canonical import canonical_json
from tests.thoroughness import examples


# RFC 8032 section 7.1, tests 1 to 3
@pytest.mark.parametrize(
    ("public", "message", "signature"),
    [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ],
)  # fmt: skip
def test_published_signatures_hold_plainly(public: str, message: str, signature: str) -> None:
    assert holds_plainly(bytes.fromhex(public), bytes.fromhex(signature), bytes.fromhex(message))


@settings(max_examples=examples(30), deadline=None)
@given(st.binary(max_size=64), st.integers(0, 95), st.integers(0, 255))
def test_the_plain_form_agrees_with_openssl(message: bytes, at: int, flip: int) -> None:
    key = Ed25519PrivateKey.generate()
    joined = bytearray(key.public_key().public_bytes_raw() + key.sign(message))
    joined[at] ^= flip
    public, signature = bytes(joined[:32]), bytes(joined[32:])
    assert holds_plainly(public, signature, message) == signature_holds(public, signature, message)
    assert holds_plainly(public, signature, message) == (flip == 0)


KEYS = st.text(st.characters(max_codepoint=126), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=examples(200), deadline=None)
@given(JSON)
def test_canonical_text_is_the_log_s(value: Any) -> None:
    assert canonical_text(value).encode() == canonical_json(value)
