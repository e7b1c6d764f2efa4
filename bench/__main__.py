"""`python -m bench`: every row in one run on one machine, printed side by side and written to bench/report.json."""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import rows
from bench.audit import measure_audit
from bench.client import Door
from bench.depth import measure_depth
from bench.feed import measure_feed
from bench.isolation import measure_isolation
from bench.pushes import measure_pushes
from bench.redemptions import REDEMPTIONS, measure_redemptions
from bench.report import Report
from bench.soap import measure_soap
from certs import ensure_development, read_registration
from gateway.flows.register_client import register_client
from gateway.wiring import build_house
from tests.served import TownClient
from tests.storm.stage import Stage, stage

SECTIONS = ("pushes", "depth", "isolation", "soap", "feed", "redemptions", "evaluation", "sealing", "audit")
FAMILIES = 20_000
SETTINGS = {"GATEWAY_RATE_PER_MINUTE": "100000000", "GATEWAY_SEAL_LAG_REFUSE_S": "86400"}


def open_door(it: Stage) -> tuple[Door, object]:
    """Register the town's client, start the web, fetch a token."""
    config = it.config
    made = ensure_development(config)
    house = build_house(config)
    certificate, key = made.client(rows.TOWN)
    asked = read_registration(rows.TOWN, "bench", made.assertion(rows.TOWN)[1], (certificate,), ())
    register_client(house, asked, now=house.clock())
    it.start("web")
    it.wait_ready()
    town = TownClient(it.url, made.ca_cert, (certificate, key), made.assertion(rows.TOWN)[0], "bench")
    token = town.token()
    town.close()
    return Door("localhost", it.port, made.ca_cert, certificate, key, token), house


@contextmanager
def attempted(section: str, failed: list[str]) -> Iterator[None]:
    """A section that breaks is said and counted; what others measured is kept."""
    try:
        yield
    except Exception:  # printed here; the run ends with 1 once what was measured is written
        traceback.print_exc()
        failed.append(section)


def main() -> None:
    """Run the sections asked for. Ends with 1 when one of them broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", choices=SECTIONS, action="append", help="this section only (may be given twice)"
    )
    parser.add_argument("--stream-events", type=int, default=1_000_000)
    parser.add_argument(
        "--deep", type=int, default=5_000_000, help="contributions stored in the deep history"
    )
    parser.add_argument("--soap-families", type=int, default=20_000, help="families on the SOAP town's lists")
    parser.add_argument("--feed-items", type=int, default=200_000)
    parser.add_argument(
        "--redemptions", type=int, default=REDEMPTIONS, help="redemptions a round at the desk"
    )
    parser.add_argument(
        "--audit-contributions",
        type=int,
        default=2_000_000,
        help="contributions stored behind the audit desk",
    )
    parser.add_argument("--report", type=Path, default=Path(__file__).with_name("report.json"))
    asked = parser.parse_args()
    sections = asked.only or SECTIONS
    report = Report()
    failed: list[str] = []
    for section in ("pushes", "depth", "isolation", "feed", "audit"):
        if section not in sections:
            continue
        with attempted(section, failed), stage(**SETTINGS) as it:
            door, house = open_door(it)
            families = rows.load_families(house.db, house.keys, FAMILIES)  # type: ignore[attr-defined]
            assert it.server is not None
            if section == "pushes":
                measure_pushes(report, door, it.server, families, it.running["web"].pid, asked.stream_events)
            elif section == "feed":
                measure_feed(report, it, asked.feed_items)
            elif section == "audit":
                ca = ensure_development(it.config).ca_cert
                measure_audit(report, house, it.url, ca, it.dsn(), families, asked.audit_contributions)  # type: ignore[arg-type]
            elif section == "isolation":
                measure_isolation(report, it, door, families)
            else:
                measure_depth(report, door, it.dsn(), families, asked.deep)
    if "soap" in sections:
        with attempted("soap", failed), stage(**SETTINGS) as it:
            door, house = open_door(it)
            measure_soap(report, door, it.dsn(), house, asked.soap_families)
    if "redemptions" in sections:
        with attempted("redemptions", failed), stage(**SETTINGS) as it:
            measure_redemptions(report, it, asked.redemptions)
    for section in ("evaluation", "sealing"):
        if section in sections:
            with attempted(section, failed):
                importlib.import_module(f"bench.{section}").measure(report)
    report.show()
    report.write(asked.report)
    if failed:
        sys.exit(f"not measured: {', '.join(failed)}")


if __name__ == "__main__":
    main()
