"""Running the suite: every scenario in order, each with one of three outcomes; of a failed one, what was said on the line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.kit import calling, door, failing, reading, reading_json, reversing
from adapters.kit.masking import Shown, shown
from adapters.kit.scenario import PARTS, SCENARIOS, Scenario, ScenarioFailedError, lack_of
from adapters.wire_tap import Tap
from schemas.errors import GatewayError
from schemas.ports import Capabilities

PASSED, FAILED, LACKING = "passed", "failed", "lacking"
#: the modules that fill the list; importing them is what registers their scenarios
HOLDERS: Final = (reading, reading_json, calling, failing, reversing, door)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one scenario. Sentences in Chinese and English; nothing personal."""

    id: str
    part: str
    zh: str
    en: str
    outcome: str  # 'passed', 'failed' or 'lacking'
    reason_zh: str = ""
    reason_en: str = ""
    exchanges: tuple[Shown, ...] = ()  # of a failed scenario: what was sent and received, masked


def scenarios(*parts: str) -> list[Scenario]:
    """The suite in its order, of some parts or of all."""
    return [one for part in parts or PARTS for one in SCENARIOS.values() if one.part == part]


def run_one(
    one: Scenario,
    subject: Any,
    capabilities: Capabilities,
    *,
    tap: Tap | None = None,
    personal: Sequence[str] = (),
) -> Outcome:
    """Run a scenario. Whatever is raised is an outcome, never the end of the suite."""
    lack = lack_of(one, capabilities)
    if lack is not None:
        return Outcome(one.id, one.part, one.zh, one.en, LACKING, *lack)
    if tap is not None:
        tap.take()
    try:
        one.run(subject)
    except ScenarioFailedError as exc:
        zh = f"{exc.zh}；应为 {_short(exc.wanted)}，实为 {_short(exc.seen)}"
        en = f"{exc.en}; wanted {_short(exc.wanted)}, seen {_short(exc.seen)}"
    except GatewayError as exc:
        zh = f"得到意外的答复：{exc.what}（{exc.code}）"
        en = f"an answer nobody expected: {exc.what} ({type(exc).__name__}, {exc.code})"
    except Exception as exc:  # an adapter that breaks is a failure to report, not to end at
        zh = f"适配器出错：{type(exc).__name__}"
        en = f"the adapter broke: {type(exc).__name__}"
    else:
        return Outcome(one.id, one.part, one.zh, one.en, PASSED)
    finally:
        heard = tap.take() if tap is not None else []
    masked = tuple(shown(exchange, personal) for exchange in heard)
    return Outcome(one.id, one.part, one.zh, one.en, FAILED, zh, en, masked)


def run_all(
    chosen: Iterable[Scenario],
    subject_of: Callable[[str], Any],
    capabilities: Capabilities,
    *,
    tap: Tap | None = None,
    personal: Sequence[str] = (),
) -> Iterator[Outcome]:
    """Run them in order; `subject_of` gives what a part needs."""
    for one in chosen:
        yield run_one(one, subject_of(one.part), capabilities, tap=tap, personal=personal)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:199] + "…"
