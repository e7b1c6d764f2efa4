"""The log's public keys as others configure them (c2sp.org/signed-note verifier keys)."""

from __future__ import annotations

from gateway.house import House
from gateway.translog import load_verifiers


def list_log_keys(house: House) -> list[str]:
    """One verifier key a line: plain signatures and timed ones, of every key that ever signed. Fetching them here is a
    convenience; whoever does not trust our server takes them from paper."""
    config = house.config
    return [one.vkey() for one in load_verifiers(config.log_verifiers, config.log_key, config.log_origin)]
