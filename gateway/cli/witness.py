"""`gateway witness …`: for a town or another third party that co-signs a log. Needs no database and no setting of a gateway."""

from __future__ import annotations

import time
from pathlib import Path

import click


@click.group()
def group() -> None:
    """Witness a log: init, serve, status."""


@group.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--name", required=True, help="the witness's name, e.g. guali.example/witness; never used twice"
)
@click.option("--log", "logs", multiple=True, required=True, help="a log's verifier key (`gateway log keys`)")
def init(folder: Path, name: str, logs: tuple[str, ...]) -> None:
    """Make FOLDER with a new key and an empty memory; prints the verifier key for the log's operator."""
    from certs.files import key_pem, new_ed25519_key
    from gateway.verifier.witness import make_witness

    print(make_witness(folder, name, key_pem(new_ed25519_key()), logs))


@group.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--bind", default="127.0.0.1:8460", show_default=True, help="address and port")
@click.option(
    "--cert", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="server certificate (PEM)"
)
@click.option("--key", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="its private key")
def serve(folder: Path, bind: str, cert: Path | None, key: Path | None) -> None:
    """Serve until SIGTERM or SIGINT. Refuses to start when the memory of what was signed is lost."""
    from gateway.verifier.witness import Witness
    from gateway.verifier.witness_server import serve_witness

    serve_witness(Witness(folder, lambda: int(time.time())), bind, cert, key)


@group.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def status(folder: Path) -> None:
    """What was signed last for each log, and what was refused as inconsistent; exit 1 when something was."""
    from gateway.verifier.witness import read_logs, read_signer

    print(f"witness {read_signer(folder).name}, logs: {', '.join(sorted(read_logs(folder)))}")
    for path in sorted((folder / "state").glob("*.checkpoint")):
        lines = path.read_text("utf-8").split("\n")
        print(f"  {lines[0]}: size {lines[1]}" if len(lines) > 2 else "  nothing signed yet")
    refused = sorted((folder / "evidence").glob("*.why")) if (folder / "evidence").is_dir() else []
    for path in refused:
        print(f"REFUSED {path.stem}: {path.read_text('utf-8').strip()}; both notes are in {path.parent}")
    raise SystemExit(1 if refused else 0)
