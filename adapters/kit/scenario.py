"""A scenario: an id, a sentence in two languages, what a town must be able to do for it, and the steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from schemas.errors import GatewayError
from schemas.ports import Capabilities

PARTS: Final = {
    "read": ("读懂对方报文", "their words read into ours"),
    "call": ("调用对方接口", "our calls to their platform"),
    "door": ("对方推送到网关", "their pushes through our door"),
}

#: what a scenario may need → is it there, and what its absence is called (zh, en)
NEEDS: Final[Mapping[str, tuple[Callable[[Capabilities], bool], str, str]]] = {
    "freeze": (lambda c: c.can_freeze, "不能冻结积分", "cannot freeze"),
    "no-freeze": (lambda c: not c.can_freeze, "能够冻结积分", "can freeze"),
    "reverse": (lambda c: c.can_reverse, "不能冲正已确认的冻结", "takes no confirmed freeze back"),
    "find": (lambda c: c.can_find, "不能按流水号查证", "cannot find by serial"),
    "statement": (lambda c: c.day_statement, "没有日对账单", "has no day statement"),
    "half-points": (lambda c: c.half_points, "没有小数积分", "has no half points"),
    "whole-points": (lambda c: not c.half_points, "有小数积分", "has half points"),
    "rest": (lambda c: c.speaks == "rest", "使用 SOAP", "speaks SOAP"),
    "soap": (lambda c: c.speaks == "soap", "使用 REST", "speaks REST"),
    "pushes": (lambda c: c.pushes, "变更由我方拉取，不推送", "its changes are fetched, not pushed"),
    "items": (lambda c: not c.posts_scores, "只公示得分表", "posts score lists only"),
    "lists": (lambda c: c.posts_scores, "不公示得分表", "posts no score lists"),
    "household": (lambda c: c.holds == "household", "积分归个人", "points belong to persons"),
}


class ScenarioFailedError(Exception):
    """The town, or our adapter for it, did not do what the scenario says."""

    def __init__(self, zh: str, en: str, *, wanted: Any = None, seen: Any = None) -> None:
        super().__init__(f"{en}: wanted {wanted!r}, seen {seen!r}")
        self.zh, self.en, self.wanted, self.seen = zh, en, wanted, seen


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing every town must do. `run` gets the subject's part of the same name."""

    id: str
    part: str  # 'read', 'call' or 'door'
    zh: str
    en: str
    needs: tuple[str, ...]
    run: Callable[[Any], None]
    simulator_only: bool = False  # needs a neighbour that fails on demand in ways only a simulator can


SCENARIOS: Final[dict[str, Scenario]] = {}


def scenario(
    scenario_id: str, zh: str, en: str, *, needs: tuple[str, ...] = (), simulator_only: bool = False
) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Put a function into the suite. Raises ValueError for an id given twice or a need nobody knows."""

    def register(run: Callable[[Any], None]) -> Callable[[Any], None]:
        part = scenario_id.partition("-")[0]
        if scenario_id in SCENARIOS or part not in PARTS or not set(needs) <= set(NEEDS):
            raise ValueError(f"scenario {scenario_id!r} cannot be registered")
        SCENARIOS[scenario_id] = Scenario(scenario_id, part, zh, en, needs, run, simulator_only)
        return run

    return register


def lack_of(one: Scenario, capabilities: Capabilities) -> tuple[str, str] | None:
    """Why a town need not do this, in both languages; None when it must."""
    for need in one.needs:
        there, zh, en = NEEDS[need]
        if not there(capabilities):
            return f"已声明：{zh}", f"declared: {en}"
    return None


def expect(right: bool, zh: str, en: str, *, wanted: Any = True, seen: Any = None) -> None:
    """Raises ScenarioFailedError when something is not as it must be."""
    if not right:
        raise ScenarioFailedError(zh, en, wanted=wanted, seen=seen)


def expect_equal(seen: Any, wanted: Any, zh: str, en: str) -> None:
    """Raises ScenarioFailedError when two values differ."""
    expect(seen == wanted, zh, en, wanted=wanted, seen=seen)


@dataclass(slots=True)
class Raised:
    """The error a block ended with."""

    error: GatewayError | None = None

    @property
    def code(self) -> str:
        return self.error.code if self.error is not None else ""


@contextmanager
def expect_error(kind: type[GatewayError], zh: str, en: str, *, code: str | None = None) -> Iterator[Raised]:
    """The block must end with exactly this kind of error (and this code): each failure has one meaning."""
    raised = Raised()
    wanted = kind.__name__ + (f" {code}" if code else "")
    try:
        yield raised
    except GatewayError as exc:
        if type(exc) is not kind or (code is not None and exc.code != code):
            raise ScenarioFailedError(zh, en, wanted=wanted, seen=f"{type(exc).__name__} {exc.code}") from exc
        raised.error = exc
        return
    raise ScenarioFailedError(zh, en, wanted=wanted, seen="no error")
