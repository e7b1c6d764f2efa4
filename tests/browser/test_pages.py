"""The pages as a real browser draws them, over real TLS. Without a browser these are skipped; .ci/run installs one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.db.embedded import Embedded
from tests.browser.chromium import NEEDS_CHROMIUM, read_page, take_picture
from tests.served import Served, scratch_database, served_gateway

pytestmark = NEEDS_CHROMIUM
PICTURES = Path(__file__).parents[2] / "artefacts" / "screenshots"


@pytest.fixture(scope="module")
def served(postgres: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with (
        scratch_database(postgres) as database,
        served_gateway(database, tmp_path_factory.mktemp("web")) as running,
    ):
        yield running


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", ("政银互联网关", "沥家园", "系统就绪")),
        ("/?lang=en", ('lang="en"', "Lijiayuan")),
        ("/docs", ("/towns/lijiayuan/v1/contributions", "/oauth/token", "Idempotency-Key")),
        ("/problems/token-missing", ("token-missing",)),
    ],
)
def test_a_page_says_what_it_is_for(served: Served, path: str, words: tuple[str, ...]) -> None:
    document = read_page(served.url + path)
    assert [word for word in words if word not in document] == []
    assert "<h1" in document
    assert "Traceback" not in document


@pytest.mark.parametrize("path", ["/", "/docs"])
@pytest.mark.parametrize(("name", "width", "scale"), [("desk", 1280, 1.0), ("zoom200", 640, 2.0)])
def test_a_page_is_drawn_at_the_counters_size_and_zoomed(
    served: Served, path: str, name: str, width: int, scale: float
) -> None:
    target = PICTURES / f"{path.strip('/') or 'start'}-{name}.png"
    drawn = take_picture(served.url + path, target, width=width, scale=scale)
    assert drawn == (1280, int(800 * scale))
    assert target.stat().st_size > 20_000, "an empty page compresses to less"
