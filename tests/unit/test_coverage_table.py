"""The committed table of scenarios is the one the tests would make, and it would show a failure."""

from __future__ import annotations

from pathlib import Path

from adapters.kit.running import FAILED, PASSED
from tests.coverage_table import PAGE, cells_of, declared_cells, page_of


def test_the_committed_table_is_what_the_tests_make() -> None:
    """Cheap: which scenarios a town lacks is known from what it declares; that all others pass is what the suite itself says."""
    assert PAGE.read_text("utf-8") == page_of(declared_cells()), "run `make coverage-table`"


def test_a_failure_and_a_scenario_that_did_not_run_would_show(tmp_path: Path) -> None:
    results = tmp_path / "results.xml"
    results.write_text(
        "<testsuites><testsuite>"
        '<testcase name="test_their_words_are_read[lijiayuan-read-golden]"/>'
        '<testcase name="test_their_words_are_read[lijiayuan-read-twice]"><failure message="x"/></testcase>'
        '<testcase name="test_their_platform_is_called[shili_invented-call-find]">'
        '<skipped message="declared: cannot freeze"/></testcase>'
        "</testsuite></testsuites>"
    )
    cells = cells_of(results)
    assert cells["lijiayuan", "read-golden"] == (PASSED, "")
    assert cells["lijiayuan", "read-twice"] == (FAILED, "")
    page = page_of(cells)
    assert "| ✗ | ? | `read-twice` |" in page
    assert "| ? | –1 | `call-find` |" in page
    assert "1. declared: cannot freeze" in page
