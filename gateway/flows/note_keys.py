"""Keys and certificates of ours that began or ended since the last look are recorded in the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from gateway import clients, translog
from gateway.clients import OwnKey
from gateway.flows.publish_keys import publish_keys
from gateway.house import House


def note_keys(house: House, *, now: datetime) -> int:
    """How many began or ended: the log's, those of tokens and receipts, our doors' certificates, witnesses' keys. Twice is once.

    Public forms only. Raises InvalidError when the log's key cannot be used.
    """
    present = set(_list_present(house))
    with house.db.transaction() as tx:
        drafts = clients.insert_key_changes(tx, present, now=now, new_id=house.new_id)
        translog.append_records(tx, drafts, now=now, new_id=house.new_id)
    return len(drafts)


def _list_present(house: House) -> Iterator[OwnKey]:
    config = house.config
    for verifier in translog.load_signer(config.log_key, config.log_origin).verifiers():
        yield OwnKey("log", verifier.vkey())
    if config.receipt_key.exists() and config.token_keys.exists():
        for purpose, keys in publish_keys(house).items():
            for key in keys["keys"]:
                yield OwnKey(purpose, key["kid"])
    for purpose, path in (
        ("tls", config.tls_cert),
        ("tls client authority", config.tls_client_ca),
        ("soap", config.soap_cert),
    ):
        if path.exists():
            for certificate in x509.load_pem_x509_certificates(path.read_bytes()):
                yield OwnKey(purpose, certificate.fingerprint(SHA256()).hex())
    for witness in house.witnesses.known:
        yield OwnKey("witness", witness.vkey)
