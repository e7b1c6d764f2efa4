"""Signed notes, checkpoints and proofs against published examples, and every mangling refused."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.translog.checkpoint import (
    Checkpoint,
    Proof,
    check_proof,
    open_checkpoint,
    parse_checkpoint,
    parse_proof,
    sign_checkpoint,
)
from gateway.translog.merkle import EMPTY_ROOT, leaf_hash
from gateway.translog.note import COSIGNATURE, Signer, open_note, parse_vkey
from schemas.errors import GatewayError, InvalidError, TamperedError

# golang.org/x/mod/sumdb/note, note_test.go: the reference key, text and signature
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
# c2sp.org/tlog-checkpoint and c2sp.org/tlog-cosignature, the example
PUBLISHED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa"
    " Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1"
    " jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)
ORIGIN = "gateway.example/log"
SIGNER = Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(32)))
VERIFIERS = [SIGNER.verifier(), SIGNER.verifier().cosigner()]
AT = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)


def _signed(size: int = 1, root: bytes = EMPTY_ROOT) -> str:
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), SIGNER, AT)


def test_the_published_note_opens() -> None:
    verifier = parse_vkey(VKEY)
    assert verifier.vkey() == VKEY
    assert open_note(TEXT + "\n" + LINE, [verifier]).text == TEXT


def test_signing_gives_the_published_bytes() -> None:
    signer = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(SEED))
    assert signer.verifier().vkey() == VKEY
    assert signer.sign(TEXT) == LINE


def test_the_published_checkpoint_reads() -> None:
    text = PUBLISHED.partition("\n\n")[0] + "\n"
    checkpoint = parse_checkpoint(text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.text() == text
    with pytest.raises(TamperedError, match="no signature is by a key we know"):
        open_note(PUBLISHED, VERIFIERS)


def test_a_checkpoint_carries_its_signed_time() -> None:
    signed = open_checkpoint(_signed(7), VERIFIERS, timed=True)
    assert (signed.checkpoint.size, signed.signed_at) == (7, AT)
    line = _signed().split("\n")[5]
    raw = base64.b64decode(line.split(" ")[2])
    assert raw[:4] == VERIFIERS[1].key_id
    assert int.from_bytes(raw[4:12], "big") == int(AT.timestamp())
    assert VERIFIERS[1].kind == COSIGNATURE


def test_every_changed_character_is_refused() -> None:
    note = _signed(12)
    for at, char in enumerate(note):
        changed = note[:at] + ("B" if char != "B" else "C") + note[at + 1 :]
        with pytest.raises(GatewayError):
            open_checkpoint(changed, VERIFIERS, timed=True)


def test_a_missing_signature_is_missed() -> None:
    lines = _signed().split("\n")
    plain_only = "\n".join([*lines[:5], ""])
    assert open_checkpoint(plain_only, VERIFIERS).signed_at is None
    with pytest.raises(TamperedError, match="own signature is missing"):
        open_checkpoint(plain_only, VERIFIERS, timed=True)
    timed_only = "\n".join([*lines[:4], lines[5], ""])
    with pytest.raises(TamperedError, match="own signature is missing"):
        open_checkpoint(timed_only, VERIFIERS)


def test_unknown_signatures_beside_a_known_one_are_ignored() -> None:
    assert open_checkpoint(_signed() + LINE, VERIFIERS, timed=True).checkpoint.size == 1


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        TEXT + LINE,
        TEXT + "\n" + LINE.rstrip("\n"),
        TEXT + "\n" + LINE.replace("—", "-"),
        TEXT + "\n" + LINE.replace("=", ""),
        TEXT + "\n" + LINE.replace("x08g", "!!!!"),
        TEXT + "\n— PeterNeumann\n",
        TEXT + "\n— PeterNeumann \n",
        TEXT + "\n— Peter+Neumann x08gozz=\n",
        TEXT.replace("you", "\x00ou") + "\n" + LINE,
        TEXT + "\n" + LINE * 101,
        "x" * 100_001,
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(InvalidError):
        open_note(note, [parse_vkey(VKEY)])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "PeterNeumann",
        VKEY[:-1],
        VKEY.replace("c74f20a3", "c74f20a4"),
        VKEY.replace("PeterNeumann", "PeterNewmann"),
        VKEY.replace("+ARpc", "+AhpC"),
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_what_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(InvalidError):
        parse_vkey(vkey)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\n",
        "\n1\n" + "A" * 43 + "=\n",
        "a\n01\n" + "A" * 43 + "=\n",
        "a\n-1\n" + "A" * 43 + "=\n",
        "a\n١\n" + "A" * 43 + "=\n",
        "a\n1\n" + "A" * 42 + "B=\n",
        "a\n1\n" + "A" * 40 + "\n",
        "a\n1\n" + "A" * 43 + "=\nextension\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        parse_checkpoint(text)


def test_a_proof_survives_being_written_down() -> None:
    hashed = leaf_hash(b"entry")
    proof = Proof(0, [], _signed(1, hashed))
    assert parse_proof(proof.text()) == proof
    assert check_proof(parse_proof(proof.text()), hashed, VERIFIERS).checkpoint.size == 1
    with pytest.raises(TamperedError, match="does not lead"):
        check_proof(proof, leaf_hash(b"another"), VERIFIERS)


# c2sp.org/tlog-proof: the layouts its Go implementation's tests publish (filippo.io/torchwood)
def test_the_published_proof_layout() -> None:
    first, second = leaf_hash(b"hash1"), leaf_hash(b"hash2")
    one, two = base64.b64encode(first).decode(), base64.b64encode(second).decode()
    assert Proof(5, [first, second], "test checkpoint\n").text() == (
        f"c2sp.org/tlog-proof@v1\nindex 5\n{one}\n{two}\n\ntest checkpoint\n"
    )
    assert Proof(0, [], "checkpoint\n").text() == "c2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n"
    extra = f"c2sp.org/tlog-proof@v1\nextra eHg=\nindex 10\n{one}\n\ncheckpoint data\n"
    assert parse_proof(extra) == Proof(10, [first], "checkpoint data\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wrong-header\nindex 0\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\n",
        "c2sp.org/tlog-proof@v1\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex -1\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\ncheckpoint\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nnot base64\n\ncheckpoint\n",
    ],
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        parse_proof(text)
