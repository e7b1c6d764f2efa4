"""The supervisor's overview: charts drawn on the server, low stock, unknown outcomes with their age."""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.flows.inspect_trade import inspect_trade
from gateway.flows.list_redemptions import list_redemptions
from gateway.house import House
from gateway.web.closing_words import WORDS
from gateway.web.staff_pages import caller, language, staff_page


def overview_blueprint(house: House) -> Blueprint:
    """/overview: for supervisors. Sums and numbers; nothing of a resident."""
    blueprint = Blueprint("overview", __name__)

    @blueprint.get("/")
    def show() -> Response:
        now = house.clock()
        names = {town: reader.profile.name(language()) for town, reader in house.readers.items()}
        return staff_page(
            house, "closing/overview.html", words=WORDS, trade=inspect_trade(house, now=now), names=names, now=now,
            view=list_redemptions(house, caller(), now=now),
        )  # fmt: skip

    return blueprint
