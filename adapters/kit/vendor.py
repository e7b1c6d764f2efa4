"""What a vendor gives the check in one TOML file: their platform, our credentials there, test accounts, recorded messages."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from adapters.kit.subject import Accounts
from schemas.errors import InvalidError
from schemas.ports import Capabilities

SAMPLES = ("push", "households", "withdrawals")
ACCOUNTS = tuple(field.name for field in fields(Accounts))


@dataclass(frozen=True, slots=True)
class VendorSettings:
    """One vendor's platform, as the check may use it."""

    town: Mapping[str, Any]  # the adapter's table of the neighbours file; paths are absolute
    accounts: Accounts
    samples: Mapping[str, bytes]  # push, households, withdrawals: messages as their platform sends them


def samples_of(capabilities: Capabilities) -> tuple[str, ...]:
    """Which recorded messages are needed: a town whose changes are fetched registers nobody."""
    return SAMPLES if capabilities.pushes else SAMPLES[:1]


def read_vendor_settings(
    path: Path, config: type[Any], wanted_samples: tuple[str, ...] = SAMPLES
) -> VendorSettings:
    """The settings file; paths in it count from where it lies. Raises InvalidError naming every fault at once."""
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise InvalidError("the settings cannot be read", where=str(path), value=exc.strerror) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InvalidError(f"the settings are no TOML: {exc}", where=str(path)) from exc
    faults = [
        f"[{name}] is not a table of these settings"
        for name in document
        if name not in ("town", "accounts", "samples")
    ]
    town, accounts, samples = (document.get(name, {}) for name in ("town", "accounts", "samples"))
    for name, table, wanted in (("accounts", accounts, ACCOUNTS), ("samples", samples, wanted_samples)):
        faults += [f"{name}.{key} is missing" for key in wanted if not isinstance(table.get(key), str)]
        faults += [f"{name}.{key} is not a setting" for key in table if key not in wanted]
    if not town:
        faults.append("[town] is missing: address, credentials, as in the neighbours file")
    found: dict[str, bytes] = {}
    for key in wanted_samples:
        file = path.parent / str(samples.get(key, ""))
        if isinstance(samples.get(key), str):
            if file.is_file():
                found[key] = file.read_bytes()
            else:
                faults.append(f"samples.{key}: {file} is not a file")
    if faults:
        raise InvalidError(
            "the settings cannot be used: " + "; ".join(faults), code="check-settings", where=str(path),
            remedy="see docs/adding-a-town.md, or print an example with --example",
        )  # fmt: skip
    paths = {field.name for field in fields(config) if "Path" in str(field.type)}
    settled = {
        name: str(path.parent / value) if name in paths and isinstance(value, str) else value
        for name, value in town.items()
    }
    return VendorSettings(settled, Accounts(**{key: accounts[key] for key in ACCOUNTS}), found)


def example_settings(config: type[Any], wanted_samples: tuple[str, ...] = SAMPLES) -> str:
    """An example of the file for an adapter: its required settings first, the others as comments."""
    lines = ["[town]  # where your platform is, and the credentials you gave the gateway"]
    for field in fields(config):
        needed = field.default is field.default_factory  # both MISSING
        default = "" if needed or field.default is None else f"  # {field.default!r} when left out"
        lines.append(f'{"" if needed else "# "}{field.name} = "…"{default}')
    lines += [
        "",
        "[accounts]  # test accounts; rich needs 20 points, a few of which are spent",
        *(f'{name} = "…"' for name in ACCOUNTS),
        "",
        "[samples]  # messages as your platform sends them; files beside this one",
        *(f'{name} = "{name}.…"' for name in wanted_samples),
    ]
    return "\n".join(lines) + "\n"


def write_strange_authority(path: Path) -> None:
    """The certificate of an authority that signed nothing: whoever trusts only this one must not talk to the platform."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority nobody uses")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
