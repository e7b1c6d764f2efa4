"""`gateway certs …`"""

from __future__ import annotations

import click

from gateway.config import load_config


@click.group()
def group() -> None:
    """Development certificates and keys: make, list, issue, rotate."""


@group.command()
def init() -> None:
    """Make the development authority, all certificates and all keys that are missing. Safe to run again."""
    from certs import ensure_development
    from gateway.translog import publish_verifiers

    config = load_config()
    made = ensure_development(config)
    publish_verifiers(config.log_verifiers, config.log_key, config.log_origin)
    print(f"certificates: {made.folder}")
    print(f"authority:    {made.ca_cert}")
    print(f"log's public keys: {config.log_verifiers}")


@group.command("list")
def list_command() -> None:
    """Every certificate with its end; exit 1 when one has under 30 days."""
    from certs import list_certificates

    config = load_config()
    certificates = list_certificates([config.tls_client_ca, config.tls_cert, config.tls_cert.parent])
    if not certificates:
        print("no certificates; run `gateway certs init`")
        raise SystemExit(1)
    for c in certificates:
        end = f"{c.expires_at:%Y-%m-%d} {c.days_left:5d} days"
        print(f"{end}  {c.path.name:36} {c.subject:24} {c.sha256[:16]}…  {c.warning}")
    raise SystemExit(1 if any(c.warning for c in certificates) else 0)


@group.command()
@click.argument("name")
def issue(name: str) -> None:
    """Issue a fresh certificate: server, client-TOWN, simulator-NAME, soap or signing-TOWN. The one before stays as
    *.previous.crt."""
    from certs import issue_certificate

    print(issue_certificate(load_config(), name))


@group.command("rotate-token-key")
def rotate_token_key_command() -> None:
    """Add a token signing key; it signs from now on, the one before stays published in the JWKS."""
    from certs import rotate_token_key

    print(rotate_token_key(load_config()))
