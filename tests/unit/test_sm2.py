"""The second signature of a checkpoint: the published example, the note's form, and what is said where it cannot be checked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.translog import note
from gateway.translog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from gateway.translog.keys import add_sm2_key, load_signer, load_verifiers
from gateway.translog.note import Signer, Verifier, parse_vkey, parse_vkeys
from gateway.translog.sm2 import SM2, Sm2Key, beside, holds, is_installed
from schemas.errors import InvalidError, TamperedError

# GB/T 32918.5-2017, annex A (the curve of the standard): key, message and signature
PRIVATE = bytes.fromhex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
PUBLIC = bytes.fromhex(
    "09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020"
    "CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13"
)
SIGNED = encode_dss_signature(
    0xF5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3,
    0xB1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA,
)
ORIGIN = "gateway.example/log"
SIGNER = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)), Sm2Key(PUBLIC, PRIVATE))
SECOND = Verifier(ORIGIN, SM2, PUBLIC)
KEYS = [SIGNER.verifier(), SIGNER.verifier().cosigner(), SECOND]
AT = datetime(2026, 11, 24, tzinfo=UTC)
# Made with the key above: a checkpoint with its three lines, so that what is said without the library is tested without it.
MADE = """gateway.example/log
7
AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

— gateway.example/log HJ3lsxHljGIckQYMxgXeQsqFoKnPtAxEMMpd7DVfgJkEkV8TG41MreCIYXSkLHLFWLpNezxQ2EPAeugyJwx0KM8dNg4=
— gateway.example/log t0d6IQAAAABrBNOAc1EKT178LdqDHNh/8UCwoubxo9cHqlX0aAwQ3e9LBQjZHCgjz/ZtG7rgxJR7/T6UiYQzBIBBFcHV6LXKqaZ3Bg==
— gateway.example/log pCxiSDBEAiBDMXI4k67UxMpsbv2hsWtuwCWgX8oWT0o8+h2cmyiVUwIga256VOk/3AMlfdieHCr96/lJEWRwLK3cmO1CByVqiJM=
"""

needs_guomi = pytest.mark.skipif(
    not is_installed(), reason="the extra guomi is not installed: pip install gateway[guomi]"
)


@needs_guomi
def test_the_published_example_verifies_and_nothing_else_does() -> None:
    assert holds(PUBLIC, SIGNED, b"message digest")
    assert not holds(PUBLIC, SIGNED, b"message digesu")
    assert not holds(PUBLIC[::-1], SIGNED, b"message digest")
    for at in range(len(SIGNED)):
        changed = SIGNED[:at] + bytes([SIGNED[at] ^ 1]) + SIGNED[at + 1 :]
        assert not holds(PUBLIC, changed, b"message digest")
    assert not holds(PUBLIC, b"", b"message digest")


@needs_guomi
def test_a_checkpoint_carries_both_and_each_is_checked() -> None:
    signed = sign_checkpoint(Checkpoint(ORIGIN, 7, bytes(32)), SIGNER, AT)
    assert SECOND in open_checkpoint(signed, KEYS, timed=True).by
    lines = signed.splitlines(keepends=True)
    other = sign_checkpoint(Checkpoint(ORIGIN, 8, bytes(32)), SIGNER, AT).splitlines(keepends=True)
    with pytest.raises(TamperedError):
        open_checkpoint("".join([*lines[:-1], other[-1]]), KEYS)
    assert SECOND in open_checkpoint(MADE, KEYS).by


@needs_guomi
def test_a_key_is_made_once_and_published(tmp_path: Path) -> None:
    key, vkeys = tmp_path / "log.key", tmp_path / "log.vkeys"
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key.write_bytes(pem)
    key.chmod(0o600)
    made = parse_vkey(add_sm2_key(key, vkeys, ORIGIN))
    assert beside(key).stat().st_mode & 0o777 == 0o600
    assert {one.kind for one in load_verifiers(vkeys, key, ORIGIN)} == {1, 4, SM2}
    signed = sign_checkpoint(Checkpoint(ORIGIN, 7, bytes(32)), load_signer(key, ORIGIN), AT)
    assert made in open_checkpoint(signed, load_verifiers(vkeys, key, ORIGIN)).by
    with pytest.raises(InvalidError, match="already"):
        add_sm2_key(key, vkeys, ORIGIN)
    beside(key).chmod(0o644)
    with pytest.raises(InvalidError, match="read by others"):
        load_signer(key, ORIGIN)


def test_a_verifier_key_reads_as_it_was_written() -> None:
    assert parse_vkey(SECOND.vkey()) == SECOND
    assert parse_vkeys(f"{SIGNER.verifier().vkey()}\n{SECOND.vkey()}\n") == KEYS
    with pytest.raises(InvalidError):
        parse_vkey(SECOND.vkey().replace("/1NNMi13", "/1NNMi14", 1))


def test_without_the_library_it_is_said_and_the_rest_is_checked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(note, "is_installed", lambda: False)
    signed = open_checkpoint(MADE, KEYS, timed=True)
    assert (signed.unchecked, SECOND in signed.by) == ((SECOND,), False)
    with pytest.raises(TamperedError):
        open_checkpoint(MADE, [SECOND])  # what nobody here can check proves nothing


def test_others_skip_the_line() -> None:
    signed = open_checkpoint(MADE, KEYS[:2], timed=True)
    assert (signed.unchecked, len(signed.by)) == ((), 2)
