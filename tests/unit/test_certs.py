"""The development authority: what it makes can be used, is private, and is made once."""

from __future__ import annotations

import json
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs import ensure_development, issue_certificate, list_certificates, rotate_token_key
from certs.files import read_certificate
from gateway.config import Config, load_config
from gateway.wiring import load_keys
from schemas.errors import InvalidError, RefusedError


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return load_config(
        {"GATEWAY_STATE_DIR": str(tmp_path / "state"), "GATEWAY_PUBLIC_URL": "https://gateway.test:8443"}
    )


def test_keys_can_be_read_by_their_owner_only(config: Config) -> None:
    ensure_development(config)
    private = [p for p in config.state_dir.rglob("*") if p.suffix in (".key",) or p.name == "keys.json"]
    assert len(private) > 10
    assert {stat.S_IMODE(p.stat().st_mode) for p in private} == {0o600}


def test_twice_is_once(config: Config) -> None:
    ensure_development(config)
    before = {p: p.read_bytes() for p in config.state_dir.rglob("*") if p.is_file()}
    ensure_development(config)
    assert {p: p.read_bytes() for p in config.state_dir.rglob("*") if p.is_file()} == before


def test_the_key_ring_is_what_wiring_reads(config: Config) -> None:
    ensure_development(config)
    ring = load_keys(config.keys_file)
    assert ring.open(ring.seal(b"x", "test"), "test") == b"x"


def test_server_and_client_leaves_have_their_own_usage_and_names(config: Config) -> None:
    made = ensure_development(config)
    server, client = read_certificate(config.tls_cert), read_certificate(made.client("lijiayuan")[0])
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "gateway.test" in names.get_values_for_type(x509.DNSName)
    assert "127.0.0.1" in [str(a) for a in names.get_values_for_type(x509.IPAddress)]
    for leaf, usage in ((server, ExtendedKeyUsageOID.SERVER_AUTH), (client, ExtendedKeyUsageOID.CLIENT_AUTH)):
        assert list(leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [usage]
        assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days == 397
    ssl.create_default_context(cafile=str(made.ca_cert)).load_cert_chain(*made.client("lijiayuan"))


def test_issue_keeps_the_one_before_for_rollover(config: Config) -> None:
    made = ensure_development(config)
    cert = made.client("lijiayuan")[0]
    before = cert.read_bytes()
    issue_certificate(config, "client-lijiayuan")
    assert cert.read_bytes() != before
    assert cert.with_suffix(".previous.crt").read_bytes() == before
    for name in ("client-", "nobody", "client-../x", "server-x"):
        with pytest.raises(InvalidError):
            issue_certificate(config, name)


def test_rotation_keeps_two_token_keys(config: Config) -> None:
    ensure_development(config)
    first = sorted(config.token_keys.glob("*.key"))
    second = rotate_token_key(config)
    assert sorted(config.token_keys.glob("*.key")) == [*first, second]
    third = rotate_token_key(config)
    assert sorted(config.token_keys.glob("*.key")) == [second, third]


def test_production_makes_no_development_keys(tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        ensure_development(Config(mode="production", state_dir=tmp_path))


def test_the_list_names_what_expires(config: Config) -> None:
    ensure_development(config)
    found = list_certificates([config.tls_cert.parent])
    assert all(c.development and not c.warning for c in found)
    later = list_certificates([config.tls_cert], now=found[0].expires_at)
    assert later[0].warning


def test_assertion_keys_publish_no_private_part(config: Config) -> None:
    made = ensure_development(config)
    keys = json.loads(made.assertion("lijiayuan")[1].read_text())["keys"]
    assert keys[0]["kty"] == "EC"
    assert "d" not in keys[0]
