"""Rows of the push paths: floor, REST batch, stream, single push. Everything goes through the real web process over TLS."""

from __future__ import annotations

import gzip
import statistics
import subprocess
import tempfile
from pathlib import Path

import orjson
import psutil

from bench import floor, rows
from bench.client import Door, Shot, fire
from bench.report import Line, Report
from gateway.db.embedded import Embedded

PUSH = f"/towns/{rows.TOWN}/v1/contributions"
BATCH_EVENTS = 60_000
STREAM_EVENTS = 1_000_000
SINGLE_SECONDS = 6
ROUNDS = 3


def best_floor(dsn: str, families: list[rows.Family], round_no: int) -> float:
    """Events a second of plain SQL: the better of one and two connections."""
    return max(
        floor.measure(dsn, families, BATCH_EVENTS, writers, f"floor{round_no}w{writers}")
        for writers in (1, 2)
    )


def batch_rate(door: Door, families: list[rows.Family], round_no: int, connections: int = 4) -> float:
    """Events a second pushed 1 000 a request over `connections` connections."""
    made = rows.events(families, BATCH_EVENTS, f"batch{round_no}", seed=round_no + 10)
    shots = [
        Shot(PUSH, body, "application/json", f"batch-{round_no}-{no}")
        for no, body in enumerate(rows.bodies(made, 1000))
    ]
    took, _, firsts = fire(door, [shots[n::connections] for n in range(connections)])
    _all_accepted(firsts)
    return BATCH_EVENTS / took


def stream_rate(door: Door, families: list[rows.Family], events: int) -> float:
    """Events a second in one gzip NDJSON stream."""
    made = rows.events(families, events, "stream", seed=77)
    body = gzip.compress(b"\n".join(orjson.dumps(event) for event in made), 1)
    took, _, firsts = fire(door, [[Shot(f"{PUSH}/stream", body, "application/x-ndjson", "stream-1", "gzip")]])
    summary = orjson.loads(firsts[0].rstrip().rsplit(b"\n", 1)[-1])["summary"]
    if summary["counts"]["accepted"] != events:
        raise RuntimeError(f"the stream was not accepted whole: {summary['counts']}")
    return events / took


def single_rate(
    door: Door, families: list[rows.Family], count: int, round_no: int, clients: int = 16
) -> tuple[float, float]:
    """(pushes a second, 99th percentile in ms) of single pushes by `clients` connections."""
    made = rows.events(families, count, f"single{round_no}", seed=round_no + 99)
    shots = [
        Shot(PUSH, orjson.dumps(event), "application/json", f"single-{round_no}-{no}")
        for no, event in enumerate(made)
    ]
    took, latencies, firsts = fire(door, [shots[n::clients] for n in range(clients)])
    _all_accepted(firsts)
    return count / took, statistics.quantiles(latencies, n=100)[98] * 1000


def door_rate(door: Door, count: int = 12_000, clients: int = 16) -> float:
    """Requests a second that the door answers when there is nothing behind it: gunicorn, TLS and Flask, and this client."""
    shots = [Shot("/healthz", b"", "", "")] * count
    took, _, _ = fire(door, [shots[n::clients] for n in range(clients)])
    return count / took


def pgbench_commits(server: Embedded, clients: int = 16) -> float:
    """Commits a second of pgbench with one insert a transaction."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        script = Path(folder) / "insert.sql"
        script.write_text("insert into bench_commit values (gen_random_uuid(), 'x');\n")
        target = ["-h", str(server.socket_dir), "-U", "postgres", "gateway"]
        subprocess.run(
            [
                server.bin_dir / "psql",
                "-qc",
                "create table if not exists bench_commit (a uuid, b text)",
                *target,
            ],
            check=True,
        )
        done = subprocess.run(
            [server.bin_dir / "pgbench", "-n", "-f", script, "-c", str(clients), "-j", "2", "-T", str(SINGLE_SECONDS), *target],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
    return float(done.stdout.split("tps = ")[1].split(" ")[0])


def web_memory_mb(master_pid: int) -> float:
    """Largest resident size among the web processes, in MB."""
    master = psutil.Process(master_pid)
    return float(max(p.memory_info().rss for p in [master, *master.children(recursive=True)]) / 1e6)


def _all_accepted(answers: list[bytes]) -> None:
    for answer in answers:
        counts = orjson.loads(answer)["counts"]
        if set(counts) - {"accepted"} and any(v for k, v in counts.items() if k != "accepted"):
            raise RuntimeError(f"a push was not plainly accepted: {counts} {answer[:600]!r}")


def measure_pushes(
    report: Report,
    door: Door,
    server: Embedded,
    families: list[rows.Family],
    web_pid: int,
    stream_events: int,
) -> None:
    """All rows of the push paths; floor and door in turn, so that a slow minute hits both."""
    dsn = server.dsn(
        "gateway_migrate"
    )  # the floor stages its rows in a temporary table, which the gateway itself may not make
    batch_rate(door, families, 900)  # warm
    ratios, floors, batches = [], [], []
    for round_no in range(ROUNDS):
        floors.append(best_floor(dsn, families, round_no))
        batches.append(batch_rate(door, families, round_no))
        ratios.append(batches[-1] / floors[-1])
    report.add(Line("floor: plain SQL, same rows", statistics.median(floors), "events/s"))
    ratio = statistics.median(ratios)
    report.add(
        Line("REST batch, 1 000 a request, TLS, token", statistics.median(batches), "events/s", ratio, ">= 0.5 of the floor",
             ratio >= 0.5, web_memory_mb(web_pid))
    )  # fmt: skip
    # A million rows later everything is slower, batches too: they are measured on both sides of the stream.
    beside = [batch_rate(door, families, 10 + n) for n in range(ROUNDS)]
    rate = stream_rate(door, families, stream_events)
    memory = web_memory_mb(web_pid)
    beside += [batch_rate(door, families, 20 + n) for n in range(ROUNDS)]
    against = rate / statistics.median(beside)
    report.add(Line("REST batch, before and after the stream", statistics.median(beside), "events/s"))
    report.add(
        Line(f"NDJSON stream of {stream_events:,}", rate, "events/s", against, ">= 0.9 of batch beside it; < 300 MB",
             against >= 0.9 and memory < 300, memory)
    )  # fmt: skip
    singles, commits, doors, slowest = [], [], [], []
    for round_no in range(ROUNDS):
        commits.append(pgbench_commits(server))
        doors.append(door_rate(door))
        rate, p99_ms = single_rate(door, families, 12_000, round_no)
        singles.append(rate)
        slowest.append(p99_ms)
    report.add(Line("pgbench, 16 clients, one insert a transaction", statistics.median(commits), "commits/s"))
    report.add(Line("door alone: GET /healthz, 16 clients, TLS", statistics.median(doors), "requests/s"))
    ratio = statistics.median(s / d for s, d in zip(singles, doors, strict=True))
    report.add(
        Line("single push, 16 clients, TLS kept alive", statistics.median(singles), "pushes/s", ratio,
             ">= 0.25 of the door alone (0004)", ratio >= 0.25, web_memory_mb(web_pid))
    )  # fmt: skip
    ratio = statistics.median(s / c for s, c in zip(singles, commits, strict=True))
    report.add(
        Line("the same against pgbench", statistics.median(singles), "pushes/s", ratio, ">= 0.25 of pgbench (first bar)",
             ratio >= 0.25)
    )  # fmt: skip
    p99_ms = statistics.median(slowest)
    report.add(Line("single push, 99th percentile", p99_ms, "ms", None, "< 50 ms", p99_ms < 50))
