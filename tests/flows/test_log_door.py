"""The log over a real connection, as strangers read it: resources, caching, who may read entries, receipts, Go's own verifier."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from joserfc import jws
from joserfc.jwk import KeySet

from gateway.flows.seal_log import seal_log
from gateway.translog import check_proof, leaf_hash, open_checkpoint, parse_proof, publish_verifiers
from gateway.translog.merkle import root_of, verify_consistency
from gateway.translog.note import parse_vkey
from tests.flows.test_town_door import _body, _item, door  # noqa: F401 - the fixture of a registered family
from tests.integration.log_house import add_batches
from tests.served import Served, TownClient

GO_SOURCES = Path("/usr/share/gocode")
GO_PROGRAM = Path(__file__).parent.parent / "go" / "verify_log.go"
FOREVER = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def log(served: Served) -> str:
    """A log of 603 leaves, sealed in three pieces; its address."""
    for count in (300, 1, 302):
        add_batches(served.house, count)
        seal_log(served.house, now=datetime.now(UTC))
    return f"{served.url}/log"


@pytest.fixture(scope="module")
def stranger(served: Served) -> Iterator[requests.Session]:
    """Somebody with nothing but our address."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(served.certificates.ca_cert)
        yield session


def test_resources_are_typed_and_cached_as_the_specification_says(
    stranger: requests.Session, log: str
) -> None:
    checkpoint = stranger.get(f"{log}/checkpoint", timeout=5)
    assert checkpoint.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert checkpoint.headers["Cache-Control"] == "public, max-age=2"
    size = int(checkpoint.text.split("\n")[1])
    tile = stranger.get(f"{log}/tile/0/000", timeout=5)
    assert (len(tile.content), tile.headers["Content-Type"]) == (8192, "application/octet-stream")
    assert tile.headers["Cache-Control"] == FOREVER
    assert tile.headers["Access-Control-Allow-Origin"] == "*"
    assert stranger.get(f"{log}/tile/1/000.p/2", timeout=5).status_code == 200
    for missing in ("0/003", f"0/002.p/{size - 512 + 1}", "0/0", "1/000", "entries/9", "8/x"):
        answer = stranger.get(f"{log}/tile/{missing}", timeout=5)
        assert answer.status_code == 404
        assert answer.headers["Cache-Control"] == "no-store"


def test_entries_are_compressed_and_private(stranger: requests.Session, log: str) -> None:
    plain = stranger.get(f"{log}/tile/entries/000", headers={"Accept-Encoding": "identity"}, timeout=5)
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Cache-Control"].startswith("private")
    zipped = stranger.get(
        f"{log}/tile/entries/000", headers={"Accept-Encoding": "gzip"}, timeout=5, stream=True
    )
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.raw.read(decode_content=False)) == plain.content
    through = stranger.get(f"{log}/tile/entries/000", headers={"X-Forwarded-For": "1.2.3.4"}, timeout=5)
    assert through.status_code == 403


def test_consistency_between_any_two_checkpoints(stranger: requests.Session, log: str) -> None:
    keys = [parse_vkey(line) for line in stranger.get(f"{log}/keys", timeout=5).text.splitlines()]
    signed = open_checkpoint(stranger.get(f"{log}/checkpoint", timeout=5).text, keys, timed=True).checkpoint
    leaves: list[bytes] = []
    for path in ("000", "001", f"002.p/{signed.size - 512}"):
        tile = stranger.get(f"{log}/tile/0/{path}", timeout=5).content
        leaves += [tile[at : at + 32] for at in range(0, len(tile), 32)]
    assert root_of(leaves) == signed.root
    for old, new in ((1, signed.size), (300, 301), (256, 512), (signed.size, signed.size)):
        answer = stranger.get(f"{log}/consistency/{old}/{new}", timeout=5)
        proof = [base64.b64decode(line) for line in answer.text.splitlines()]
        assert verify_consistency(old, new, root_of(leaves[:old]), root_of(leaves[:new]), proof)
    for old, new in ((2, 1), (1, signed.size + 1)):
        assert stranger.get(f"{log}/consistency/{old}/{new}", timeout=5).status_code == 404


def test_a_receipt_is_redeemed_for_its_proof(
    stranger: requests.Session,
    log: str,
    served: Served,
    door: tuple[TownClient, str],  # noqa: F811
) -> None:
    town, token = door
    receipt = town.post("/contributions", _body(_item(), _item()), token).json()["receipt"]
    keys = KeySet.import_key_set(stranger.get(f"{served.url}/oauth/receipt-jwks", timeout=5).json())
    claims = json.loads(jws.deserialize_compact(receipt, keys, algorithms=["ES256"]).payload)
    early = stranger.get(f"{log}/proof/{claims['record']}", timeout=5)
    assert early.status_code == 404
    assert early.json()["code"] == "record-not-found"
    seal_log(served.house, now=datetime.now(UTC))
    entry = stranger.get(f"{log}/entry/{claims['record']}", timeout=5).content
    proof = parse_proof(stranger.get(f"{log}/proof/{claims['record']}", timeout=5).text)
    vkeys = [parse_vkey(line) for line in stranger.get(f"{log}/keys", timeout=5).text.splitlines()]
    assert check_proof(proof, leaf_hash(entry), vkeys).checkpoint.origin == claims["log"]
    said = json.loads(entry)["body"]
    assert said["receipt_sha256"] == hashlib.sha256(receipt.encode()).hexdigest()
    assert said["payload_sha256"] == claims["payload_sha256"]
    assert said["items_sha256"] == claims["items_sha256"]


def test_only_what_a_receipt_names_is_shown_one_by_one(stranger: requests.Session, log: str) -> None:
    assert stranger.get(f"{log}/entry/consent_given/x", timeout=5).status_code == 404
    assert stranger.get(f"{log}/proof/sample_batch/x", timeout=5).status_code == 404


def test_public_keys_stay_when_the_key_changes(served: Served, tmp_path: Path) -> None:
    config = served.config
    path = tmp_path / "log.vkeys"
    path.write_text("# kept by hand\nold.example/log+8ccd8a70+AQ==", "utf-8")
    assert publish_verifiers(path, config.log_key, config.log_origin)
    assert not publish_verifiers(path, config.log_key, config.log_origin)
    lines = path.read_text("utf-8").splitlines()
    assert lines[:2] == ["# kept by hand", "old.example/log+8ccd8a70+AQ=="]
    assert parse_vkey(lines[2]).name == config.log_origin


@pytest.mark.skipif(
    shutil.which("go") is None or not (GO_SOURCES / "src/golang.org/x/mod/sumdb/tlog").is_dir(),
    reason="needs golang-go and golang-golang-x-mod-dev (Debian); .ci/run installs them",
)
def test_go_verifies_everything_without_our_code(
    stranger: requests.Session, log: str, served: Served, tmp_path: Path
) -> None:
    """Bar 1: Go's checksum-database packages read checkpoint, tiles, entries, inclusion and consistency."""
    vkey = stranger.get(f"{log}/keys", timeout=5).text.splitlines()[0]
    environ = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GO_SOURCES), "GOFLAGS": ""}
    program = tmp_path / "verify_log"
    built = subprocess.run(
        ["go", "build", "-o", program, GO_PROGRAM], env=environ, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    asked = [
        str(program),
        log,
        str(served.certificates.ca_cert),
        vkey,
        "1",
        "256",
        "300",
        "301",
        "512",
        "602",
    ]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("verified 60"), done.stdout
    name, _, rest = vkey.partition("+")
    other = f"{name}+{rest[:8]}+{base64.b64encode(bytes([1]) + bytes(32)).decode()}"
    refused = subprocess.run([*asked[:3], other], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
