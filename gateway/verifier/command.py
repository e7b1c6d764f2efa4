"""`gateway-verify`: the commands of the wheel. Standard library only; a witness also needs `cryptography`, because it signs."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from gateway.translog.checkpoint import check_proof, parse_proof
from gateway.translog.merkle import leaf_hash
from gateway.translog.note import Verifier, parse_vkeys
from gateway.verifier.evidence import Verdict, verify_evidence
from schemas.errors import GatewayError, InvalidError


def main(arguments: Sequence[str] | None = None) -> int:
    """0: it verifies. 1: it does not, and one sentence says why. 2: the command was misspelt."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        return int(asked.run(asked))
    except GatewayError as exc:
        print(f"DOES NOT VERIFY: {exc}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gateway-verify", description="Check what a gateway says, without trusting it."
    )
    commands = parser.add_subparsers(required=True)
    evidence = commands.add_parser("evidence", help="check a file of evidence")
    evidence.add_argument("file", type=Path)
    evidence.add_argument(
        "--keys", type=Path, required=True, help="verifier keys of the log and its witnesses, one a line"
    )
    evidence.add_argument("--witnesses", type=int, default=0, help="so many witnesses must have signed")
    evidence.add_argument(
        "--ask-id", action="store_true", help="ask for a resident id: is the file about that person?"
    )
    evidence.set_defaults(run=_evidence)
    proof = commands.add_parser(
        "proof", help="check a record and its proof, as a push receipt is redeemed for"
    )
    proof.add_argument("proof", type=Path)
    proof.add_argument("entry", type=Path)
    proof.add_argument("--keys", type=Path, required=True)
    proof.set_defaults(run=_proof)
    init = commands.add_parser("witness-init", help="make a witness's folder")
    init.add_argument("folder", type=Path)
    init.add_argument("--name", required=True)
    init.add_argument("--log", action="append", required=True, help="a log's verifier key")
    init.set_defaults(run=_witness_init)
    serve = commands.add_parser("witness-serve", help="serve a witness")
    serve.add_argument("folder", type=Path)
    serve.add_argument("--bind", default="127.0.0.1:8460")
    serve.add_argument("--cert", type=Path)
    serve.add_argument("--key", type=Path)
    serve.set_defaults(run=_witness_serve)
    return parser


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise InvalidError("the file cannot be read", where=str(path), value=type(exc).__name__) from None


def read_keys(path: Path) -> list[Verifier]:
    """Verifier keys from a file. Raises InvalidError."""
    found = parse_vkeys(_read(path).decode("utf-8", "replace"))
    if not found:
        raise InvalidError("no verifier key in the file", where=str(path))
    return found


def describe(verdict: Verdict) -> list[str]:
    """What was proved, as lines."""
    when = "" if verdict.signed_at is None else f", signed {verdict.signed_at:%Y-%m-%d %H:%M:%S} UTC"
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(verdict.kinds.items()))
    return [
        f"verifies: evidence about {verdict.about_kind} {verdict.about_id}",
        f"  log {verdict.origin}, {verdict.size} records{when}",
        f"  witnesses: {', '.join(verdict.witnesses) or 'none of those whose keys were given'}",
        *([f"  second signature (SM2): {verdict.second}"] if verdict.second else []),
        f"  records: {kinds}",
    ]


def _evidence(asked: argparse.Namespace) -> int:
    id_no = ""
    if asked.ask_id:
        import getpass

        id_no = getpass.getpass("resident id: ").strip().upper()
    verdict = verify_evidence(_read(asked.file), read_keys(asked.keys), quorum=asked.witnesses, id_no=id_no)
    for line in describe(verdict):
        print(line)
    return 0


def _proof(asked: argparse.Namespace) -> int:
    found = parse_proof(_read(asked.proof).decode("utf-8", "replace"))
    signed = check_proof(found, leaf_hash(_read(asked.entry)), read_keys(asked.keys))
    print(f"verifies: the record is leaf {found.position} of {signed.checkpoint.size}")
    return 0


def _witness_init(asked: argparse.Namespace) -> int:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from gateway.verifier.witness import make_witness

    key = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    print(make_witness(asked.folder, asked.name, key, asked.log))
    return 0


def _witness_serve(asked: argparse.Namespace) -> int:
    from gateway.verifier.witness import Witness
    from gateway.verifier.witness_server import serve_witness

    serve_witness(Witness(asked.folder, lambda: int(time.time())), asked.bind, asked.cert, asked.key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
