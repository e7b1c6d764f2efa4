"""The simulated town: accounts and the day's rows, with faults on demand. Shares the contract with the adapter, and no code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import jsonify, request

from adapters.kit.platform import Platform, SaysNoError, settings_for_oauth
from adapters.simulating import Simulated, SimulatorPlace

PAGE = 200


def create_simulator(place: SimulatorPlace) -> Simulated:
    """The town with the accounts it had."""
    platform = Platform(place, actions=("balance", "statement"), lines_under="ROWS")
    app = platform.app()
    rows: dict[str, list[dict[str, Any]]] = {}  # day → rows the town has sent

    @app.post("/v2/score")
    def score() -> Any:
        def act() -> Any:
            asked = request.get_json(silent=True)
            if not isinstance(asked, dict) or not isinstance(asked.get("ID_CARD"), str):
                raise SaysNoError(400, "requestInvalid", "ID_CARD is needed")
            return jsonify({"SCORE": platform.balance(asked["ID_CARD"]) // 100})

        return platform.answer("balance", act)

    @app.get("/v2/days/<day>")
    def statement(day: str) -> Any:
        def act() -> Any:
            listed, start = rows.get(day, []), int(request.args.get("page", "0")) * PAGE
            more = start + PAGE < len(listed)
            return jsonify(
                {"DAY": day, "TOTAL": len(listed), "MORE": more, "ROWS": listed[start : start + PAGE]}
            )

        return platform.answer("statement", act)

    @app.post("/_rows/<day>")
    def sent(day: str) -> Any:
        rows.setdefault(day, []).extend(request.get_json())
        return jsonify({"rows": len(rows[day])})

    return Simulated(app, before_end=platform.save)


def settings_for(place: SimulatorPlace) -> Mapping[str, Any]:
    """The town's table in the neighbours file of a sandbox."""
    return settings_for_oauth(place)
