"""gunicorn for the web process: threads, TLS 1.2 or later with optional client certificates, each worker its own house."""

from __future__ import annotations

import gc
import logging
import os
import shutil
import ssl
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from gateway.config import Config
from gateway.web.patience import use_patient_sockets
from gateway.web.sharing import Counts

#: Forward secrecy and authenticated encryption only (RFC 9325 section 4.2); TLS 1.3 has nothing else.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
KEEPALIVE_S = 75
GRACEFUL_S = 30
log = logging.getLogger("gateway.serve")


def tls_context(config: Config) -> ssl.SSLContext:
    """TLS 1.2 or later; a client certificate is asked for and, when shown, must be from our authorities. Whether one is
    needed is each door's matter: a browser reads /docs without."""
    context = use_patient_sockets(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.load_cert_chain(config.tls_cert, config.tls_key)
    context.load_verify_locations(config.tls_client_ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    context.set_alpn_protocols(["http/1.1"])
    return context


def gunicorn_settings(config: Config, metrics_dir: Path) -> dict[str, Any]:
    """What gunicorn is told. The TLS context is made once in each worker: making one costs more than a handshake."""
    context: list[ssl.SSLContext] = []

    def ssl_context(_settings: Any, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        if not context:
            context.append(tls_context(config))
        return context[0]

    settings: dict[str, Any] = {
        "bind": [config.bind],
        "workers": config.web_processes,
        "threads": config.web_threads,
        "worker_class": "gateway.web.worker.DoorWorker",
        "worker_connections": max(1000, config.web_threads * 4),
        "preload_app": False,
        "keepalive": KEEPALIVE_S,
        "timeout": 120,
        "graceful_timeout": GRACEFUL_S,
        "limit_request_line": 4094,
        "limit_request_fields": 60,
        "limit_request_field_size": 16 * 1024,
        "certfile": str(config.tls_cert),
        "keyfile": str(config.tls_key),
        "ssl_context": ssl_context,
        "do_handshake_on_connect": False,
        "accesslog": None,
        "errorlog": "-",
        "logger_class": "gateway.web.worker.JsonLogger",
        "loglevel": "warning",
        "forwarded_allow_ips": "",
        "proxy_allow_ips": "",
        "raw_env": [f"PROMETHEUS_MULTIPROC_DIR={metrics_dir}"],
        "control_socket_disable": True,
    }
    if Path("/dev/shm").is_dir() and os.access("/dev/shm", os.W_OK):  # noqa: S108 - gunicorn's heartbeat files
        settings["worker_tmp_dir"] = "/dev/shm"  # noqa: S108
    return settings


class Served(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings; every worker builds its house after the fork."""

    def __init__(self, config: Config, metrics_dir: Path) -> None:
        self._config = config
        #: four places a process: a worker that replaces another has a place of its own
        self.counts = Counts(config.web_processes * 4)
        self._metrics_dir = metrics_dir
        super().__init__()

    def load_config(self) -> None:
        for name, value in gunicorn_settings(self._config, self._metrics_dir).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from gateway.app import create_app
        from gateway.observe.logs import configure_logging
        from gateway.observe.tracing import configure_tracing
        from gateway.wiring import build_house

        configure_logging(self._config.log_level)
        configure_tracing(self._config.otel_endpoint, "gateway-web")
        app = create_app(build_house(self._config, threads=self._config.web_threads))
        # What stands now stays for good: the collector need not walk it again for every thousand items of a push.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        return app


def serve(config: Config) -> None:
    """Run until told to stop (SIGTERM: finish what is being answered, at most GRACEFUL_S)."""
    refuse_development_files(config)
    metrics_dir = Path(tempfile.mkdtemp(prefix="gateway-metrics-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(metrics_dir)
    owner = os.getpid()
    try:
        Served(config, metrics_dir).run()
    finally:
        if os.getpid() == owner:  # workers leave through here too
            shutil.rmtree(metrics_dir, ignore_errors=True)


def refuse_development_files(config: Config) -> None:
    """In production a certificate of the development authority ends the start. Raises RefusedError."""
    from certs import list_certificates
    from schemas.errors import RefusedError

    if config.mode != "production":
        return
    found = [
        c.path
        for c in list_certificates([config.tls_cert, config.tls_client_ca, config.soap_cert])
        if c.development
    ]
    if found:
        raise RefusedError(
            "production does not run on development certificates",
            code="development-certificate",
            where=str(found[0]),
            remedy="install the bank's certificates",
        )
