"""Typed configuration from GATEWAY_*; every fault reported at once. Each name is described in docs/configuration.md."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


class ConfigError(Exception):
    """One or more settings are missing or wrong; `str()` lists them all."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("configuration cannot be used:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults


def _bool(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("is not one of true, false")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.replace(",", " ").split() if word)


def _path(text: str) -> Path:
    return Path(text).expanduser().resolve()


def setting(default: Any, parse: Callable[[str], Any], about: str) -> Any:
    """A field of Config read from GATEWAY_<FIELD NAME>; `about` goes into the documentation."""
    metadata = {"parse": parse, "about": about}
    if callable(default):
        return field(default_factory=default, metadata=metadata)
    return field(default=default, metadata=metadata)


#: Of the sandbox's bank, which does not exist: production names its own.
INVENTED = frozenset({"示例农村商业银行", "Example Rural Commercial Bank", "000-00000000"})


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. The name in the environment is GATEWAY_ and the field's name in capitals."""

    mode: str = setting(
        "sandbox", str, "sandbox or production; production refuses simulators and development keys"
    )
    state_dir: Path = setting(
        lambda: _path(".run"), _path, "where the embedded database, keys, certificates and logs are kept"
    )
    database_url: str = setting(
        "", str, "PostgreSQL for the application role; empty: an embedded server in the state directory"
    )
    database_migrate_url: str = setting(
        "",
        str,
        "PostgreSQL for the role that owns the schema; needed with database_url for `gateway db migrate`",
    )
    database_audit_url: str = setting(
        "", str, "PostgreSQL for the read-only auditor role; needed with database_url"
    )
    database_pool: int = setting(10, int, "connections each process keeps at most")
    public_url: str = setting(
        "https://localhost:8443", str, "the address towns reach us at; it is the OAuth issuer and audience"
    )
    bind: str = setting("127.0.0.1:8443", str, "address and port the web process listens on")
    web_processes: int = setting(2, int, "gunicorn worker processes")
    web_threads: int = setting(16, int, "threads in each web process")
    keys_file: Path = setting(
        lambda: _path(".run/keys.json"), _path, "key ring: suite, current key id, keys, digest key; mode 600"
    )
    tls_cert: Path = setting(lambda: _path(".run/certs/server.crt"), _path, "server certificate chain")
    tls_key: Path = setting(lambda: _path(".run/certs/server.key"), _path, "server private key")
    tls_client_ca: Path = setting(
        lambda: _path(".run/certs/ca.crt"), _path, "authorities whose client certificates are accepted"
    )
    log_key: Path = setting(
        lambda: _path(".run/keys/log.key"), _path, "Ed25519 key that signs checkpoints (PEM)"
    )
    log_verifiers: Path = setting(
        lambda: _path(".run/keys/log.vkeys"),
        _path,
        "public keys that checkpoints are verified with, one C2SP verifier key a line; absent: from log_key",
    )
    receipt_key: Path = setting(
        lambda: _path(".run/keys/receipt.key"), _path, "ES256 key that signs push receipts (PEM)"
    )
    soap_key: Path = setting(
        lambda: _path(".run/keys/soap.key"),
        _path,
        "key that signs answers to towns with WS-Security, RSA or P-256 (PEM)",
    )
    soap_cert: Path = setting(
        lambda: _path(".run/certs/soap.crt"),
        _path,
        "its certificate, which those towns have on their list (PEM)",
    )
    token_keys: Path = setting(
        lambda: _path(".run/keys/token"),
        _path,
        "directory of ES256 keys that sign access tokens: one in use, one in rotation",
    )
    log_origin: str = setting(
        "gateway.example/log",
        str,
        "origin line of our checkpoints (C2SP tlog-checkpoint); also the signer's key name",
    )
    neighbours_file: Path = setting(
        lambda: _path(".run/neighbours.toml"),
        _path,
        "addresses, credentials and time-outs of the towns and the bank",
    )
    witnesses_file: Path = setting(
        lambda: _path(".run/witnesses.toml"),
        _path,
        "who co-signs checkpoints, and how many must before one is published; absent: nobody",
    )
    trusted_proxies: tuple[str, ...] = setting(
        (), _words, "addresses of proxies that may pass Client-Cert (RFC 9440); empty: none"
    )
    body_limit_bytes: int = setting(16 * 1024 * 1024, int, "largest request body that is not a stream")
    stream_limit_bytes: int = setting(2 * 1024 * 1024 * 1024, int, "largest stream after decompression")
    rate_per_minute: int = setting(6000, int, "requests a client may make in a minute")
    seal_interval_s: float = setting(1.0, float, "how often the sealer looks for unsealed records")
    seal_lag_warn_s: int = setting(60, int, "age of the oldest unsealed record at which we warn")
    seal_lag_refuse_s: int = setting(
        900, int, "age of the oldest unsealed record at which pushes are refused (503)"
    )
    quarantine_days: int = setting(90, int, "how long a quarantined item is kept")
    staff_directory: bool = setting(
        True,
        _bool,
        "whether staff of the local directory may sign in; off where the bank's provider knows everybody",
    )
    staff_idle_s: int = setting(900, int, "after so long without a request a staff session ends")
    staff_session_s: int = setting(36_000, int, "the longest a staff session lasts, whatever is done in it")
    staff_lock_after: int = setting(5, int, "failed sign-ins in a row after which an account is locked")
    staff_lock_s: int = setting(900, int, "how long a locked account stays so")
    link_entry_s: int = setting(900, int, "how long an entry link to the account linking page is good")
    bank_name: str = setting(
        "示例农村商业银行", str, "who receives residents' data, as the consent page names it in Chinese"
    )
    bank_name_en: str = setting("Example Rural Commercial Bank", str, "the same in English")
    bank_contact: str = setting(
        "000-00000000", str, "how residents reach the bank about their data: the consent page shows it"
    )
    feed_gap_raise_s: int = setting(
        300, int, "how long a number may be missing in a town's change feed before it is raised"
    )
    neighbour_at_once: int = setting(8, int, "calls one process makes to one neighbour at the same time")
    breaker_opens_after: int = setting(5, int, "failed calls in a row after which a neighbour is left alone")
    breaker_wait_s: float = setting(
        30.0, float, "how long it is left alone at first; doubled each time in a row, to 10 minutes"
    )
    desk_approval_fen: int = setting(
        20_000, int, "from this value of a basket (1/100 CNY) a second person approves a redemption"
    )
    desk_hold_s: int = setting(600, int, "a freeze that is not confirmed ends by itself after so long")
    otel_endpoint: str = setting("", str, "OTLP/HTTP endpoint; empty: OpenTelemetry is off")
    log_level: str = setting("INFO", str, "lowest level of log lines")
    log_entries_token: str = setting(
        "", str, "bearer token for /log/tile/entries; empty: entry bundles answer loopback only"
    )
    metrics_token: str = setting("", str, "bearer token for /metrics; empty: /metrics answers loopback only")


def load_config(environ: Mapping[str, str] | None = None) -> Config:
    """Read GATEWAY_* from `environ` (the process's when None). Raises ConfigError naming every fault."""
    environ = os.environ if environ is None else environ
    known = {f"GATEWAY_{f.name.upper()}": f for f in fields(Config)}
    faults: list[str] = []
    values: dict[str, Any] = {}
    for name, text in environ.items():
        if not name.startswith("GATEWAY_"):
            continue
        if name not in known:
            faults.append(f"{name} is not a setting; known are {', '.join(sorted(known))}")
            continue
        try:
            values[known[name].name] = known[name].metadata["parse"](text)
        except ValueError as exc:
            faults.append(f"{name}={text!r}: {exc}")
    if "state_dir" in values:
        _follow_state_dir(values)
    if faults:
        raise ConfigError(faults)
    config = Config(**values)
    faults = _contradictions(config)
    if faults:
        raise ConfigError(faults)
    return config


def _follow_state_dir(values: dict[str, Any]) -> None:
    """Paths that were not set themselves stand below the state directory."""
    old, new = _path(".run"), values["state_dir"]
    for f in fields(Config):
        default = f.default_factory() if callable(f.default_factory) else f.default
        if f.name not in values and isinstance(default, Path):
            values[f.name] = new / default.relative_to(old)


def _contradictions(config: Config) -> list[str]:
    faults = []
    if config.mode not in ("sandbox", "production"):
        faults.append(f"GATEWAY_MODE={config.mode!r}: use sandbox or production")
    if config.database_url and not config.database_audit_url:
        faults.append(
            "GATEWAY_DATABASE_AUDIT_URL is missing: with GATEWAY_DATABASE_URL the auditor needs a role of their own"
        )
    if config.mode == "production":
        faults += [
            f"GATEWAY_{name.upper()} is missing: residents are told who receives their data (PIPL art. 23)"
            for name in ("bank_name", "bank_name_en", "bank_contact")
            if getattr(config, name) in INVENTED
        ]
    if config.mode == "production" and not config.database_url:
        faults.append("GATEWAY_DATABASE_URL is missing: production does not run on the embedded server")
    for name in (
        "database_pool",
        "web_processes",
        "web_threads",
        "rate_per_minute",
        "body_limit_bytes",
        "staff_idle_s",
        "staff_session_s",
        "staff_lock_after",
        "staff_lock_s",
        "desk_approval_fen",
        "desk_hold_s",
    ):
        if getattr(config, name) < 1:
            faults.append(f"GATEWAY_{name.upper()}={getattr(config, name)}: must be at least 1")
    if config.seal_lag_warn_s >= config.seal_lag_refuse_s:
        faults.append("GATEWAY_SEAL_LAG_WARN_S must be below GATEWAY_SEAL_LAG_REFUSE_S")
    return faults
