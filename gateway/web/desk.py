"""The branch desk: find a resident, choose goods, confirm, hand over; and what a supervisor decides. One task a page."""

from __future__ import annotations

import re
import secrets
from typing import TypeVar
from uuid import UUID

from flask import Blueprint, Response, redirect, request

from gateway.flows.approve_redemption import approve_redemption
from gateway.flows.confirm_redemption import confirm_redemption
from gateway.flows.hand_over_goods import hand_over_goods
from gateway.flows.identify_proxy import identify_proxy
from gateway.flows.inspect_history import inspect_history
from gateway.flows.inspect_redemption import RedemptionView, inspect_redemption
from gateway.flows.inspect_resident import ResidentView, inspect_resident
from gateway.flows.list_redemptions import list_redemptions
from gateway.flows.record_refusal import record_refusal
from gateway.flows.redeem_points import redeem_points
from gateway.flows.release_redemption import release_redemption
from gateway.flows.reverse_redemption import reverse_redemption
from gateway.flows.search_residents import Candidate, search_residents
from gateway.flows.show_picture import show_picture
from gateway.house import House
from gateway.web.desk_words import WORDS
from gateway.web.staff_pages import caller, form, language, staff_page
from schemas.errors import (
    ConflictError,
    ForbiddenError,
    GatewayError,
    InvalidError,
    NotFoundError,
    RefusedError,
)
from schemas.goods import Offer, Wanted
from schemas.redemptions import Basket, LookReason, ProxyProof, RedemptionState
from schemas.staff import Role
from schemas.values import TownCode

CLERKS = (Role.CLERK, Role.SUPERVISOR)
ACTIONS = {
    "confirm": confirm_redemption,
    "release": release_redemption,
    "hand-over": hand_over_goods,
    "approve": approve_redemption,
    "reverse": reverse_redemption,
}
OPEN_STATES = frozenset(
    {RedemptionState.UNKNOWN, RedemptionState.FREEZING, RedemptionState.CONFIRMING, RedemptionState.RELEASING}
)
#: What a form of ours does not say unless a price changed meanwhile or somebody changed the form: recorded.
TAMPERED = frozenset({"price-changed", "idempotency-key-reused", "not-offered"})
_QUANTITY = re.compile(r"q:([0-9a-f-]{36}):([a-z_]{1,40})")


Refused = TypeVar("Refused", bound=GatewayError)


class _Pages:
    """What the pages of the desk share."""

    def __init__(self, house: House) -> None:
        self.house = house

    def page(self, template: str, **values: object) -> Response:
        status = values.pop("status", 200)
        lang = language()
        names = {town: reader.profile.name(lang) for town, reader in self.house.readers.items()}
        return staff_page(
            self.house,
            f"desk/{template}",
            words=WORDS,
            status=int(str(status)),
            names=names,
            reasons=list(LookReason),
            proofs=list(ProxyProof),
            now=self.house.clock(),
            **values,
        )

    def recorded(self, error: Refused) -> Refused:
        """What somebody tried and may not do is in the log."""
        place = request.url_rule.rule if request.url_rule else ""
        record_refusal(self.house, caller(), error.code, place, now=self.house.clock())
        return error

    def viewed(self, redemption_id: UUID) -> RedemptionView:
        try:
            return inspect_redemption(self.house, caller(), redemption_id)
        except (ForbiddenError, NotFoundError) as exc:  # somebody else's, or an address that was guessed
            raise self.recorded(exc) from exc

    def start(self, error: GatewayError | None = None) -> Response:
        view = list_redemptions(self.house, caller(), now=self.house.clock())
        return self.page("start.html", view=view, error=error, status=error.http_status if error else 200)

    def resident(self, person_id: int, reason: LookReason, error: GatewayError | None = None) -> Response:
        view = inspect_resident(self.house, caller(), person_id, reason, now=self.house.clock())
        chosen = {
            name: form().get(name) for name in form().names() if name.startswith("q:") or name == "proof"
        }
        goods: dict[UUID, list[Offer]] = {}
        for offer in view.offers:
            goods.setdefault(offer.good_id, []).append(offer)
        return self.page(
            "resident.html",
            view=view,
            reason=reason,
            error=error,
            chosen=chosen,
            goods=list(goods.values()),
            points_of={town.town: town for town in view.towns},
            status=error.http_status if error else 200,
        )

    def following(self, template: str, every_s: int, *, open_still: bool, **values: object) -> Response:
        """A page that comes again by itself while something is open, until its reader says not to (WCAG 2.2.1)."""
        still = request.args.get("still") == "1"
        response = self.page(template, open=open_still, still=still, **values)
        if open_still and not still:
            response.headers["Refresh"] = str(every_s)
        return response

    def shown_redemption(self, redemption_id: UUID, error: GatewayError | None = None) -> Response:
        view = self.viewed(redemption_id)
        return self.following(
            "redemption.html",
            5,
            open_still=view.redemption.state in OPEN_STATES,
            view=view,
            r=view.redemption,
            error=error,
            status=error.http_status if error else 200,
        )


def desk_blueprint(house: House) -> Blueprint:
    """Everything below /desk/. Who may pass is the guard's; whose redemption it is, the flows'."""
    blueprint = Blueprint("desk", __name__)

    pages = _Pages(house)

    @blueprint.get("/")
    def home() -> Response:
        return pages.start()

    @blueprint.post("/find")
    def find() -> Response:
        try:
            reason = _reason()
            found = search_residents(house, form().get("words"), now=house.clock())
        except GatewayError as exc:
            return pages.start(exc)
        if len(found) == 1:
            return pages.resident(found[0].person_id, reason)
        return pages.page("candidates.html", found=found, reason=reason)

    @blueprint.post("/resident")
    def look() -> Response:
        return pages.resident(_person_id(), _reason())

    @blueprint.post("/basket")
    def basket() -> Response:
        person_id, reason = _person_id(), _reason()
        view = inspect_resident(house, caller(), person_id, reason, now=house.clock())
        wanted, shown = _priced(view)
        short = [t for t in view.towns if shown.get(t.town, 0) > t.spendable_centi]
        if not wanted or short:
            code = "not-enough-points" if short else "basket-empty"
            return pages.resident(person_id, reason, InvalidError("the basket cannot be", code=code))
        try:
            proxy, proof = _proxy(house, person_id)
        except GatewayError as exc:
            return pages.resident(person_id, reason, exc)
        offers = {(o.good_id, o.town): o for o in view.offers}
        lines = [(offers[w.good_id, w.town], w.quantity_count) for w in wanted]
        value_fen = sum(offer.settle_fen * count for offer, count in lines)
        return pages.page(
            "basket.html", view=view, reason=reason, lines=lines, shown=shown, key=secrets.token_hex(16),
            proxy=proxy, proof=proof, needs_approval=value_fen >= house.config.desk_approval_fen,
        )  # fmt: skip

    @blueprint.post("/redeem")
    def redeem() -> Response:
        sent = form()
        shown = {
            n.removeprefix("shown:"): _number(sent.get(n)) for n in sent.names() if n.startswith("shown:")
        }
        proxy_id = _number(sent.get("proxy_person_id")) if sent.get("proxy_person_id") else None
        proof = _proof() if proxy_id is not None else None
        wanted = Basket(sent.get("key"), _person_id(), proxy_id, tuple(_wanted()), shown, proof)
        try:
            done = redeem_points(house, caller(), wanted, now=house.clock())
        except (ConflictError, RefusedError) as exc:
            if exc.code in TAMPERED:
                raise pages.recorded(exc) from exc
            raise
        return redirect(f"/desk/redemptions/{done.redemption_id}", 303)  # type: ignore[return-value]

    @blueprint.post(
        "/redemptions/<uuid:redemption_id>/<any(confirm, release, 'hand-over', approve, reverse):action>"
    )
    def act(redemption_id: UUID, action: str) -> Response:
        try:
            ACTIONS[action](house, caller(), redemption_id, now=house.clock())
        except (ForbiddenError, NotFoundError) as exc:
            raise pages.recorded(exc) from exc
        except GatewayError as exc:
            return pages.shown_redemption(redemption_id, exc)
        return redirect(f"/desk/redemptions/{redemption_id}", 303)  # type: ignore[return-value]

    _add_pages_to_read(house, blueprint, pages)
    return blueprint


def _add_pages_to_read(house: House, blueprint: Blueprint, pages: _Pages) -> None:
    """What changes nothing: a redemption, its receipt, a history, what is open, pictures, the supervisor's page."""

    @blueprint.post("/history")
    def history() -> Response:
        view = inspect_history(house, caller(), _person_id(), _reason(), now=house.clock())
        return pages.page("history.html", view=view, reason=_reason())

    @blueprint.get("/waiting")
    def waiting() -> Response:
        view = list_redemptions(house, caller(), now=house.clock())
        return pages.following("waiting.html", 10, open_still=bool(view.unknown), view=view)

    @blueprint.get("/pictures/<uuid:picture_id>")
    def picture(picture_id: UUID) -> Response:
        media_type, content = show_picture(house, picture_id)
        response = Response(content, content_type=media_type)
        response.headers["Cache-Control"] = "private, max-age=86400, immutable"
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response

    @blueprint.get("/redemptions/<uuid:redemption_id>")
    def show(redemption_id: UUID) -> Response:
        return pages.shown_redemption(redemption_id)

    @blueprint.get("/redemptions/<uuid:redemption_id>/receipt")
    def receipt(redemption_id: UUID) -> Response:
        view = pages.viewed(redemption_id)
        paper = "a4" if request.args.get("paper") == "a4" else "roll"
        return pages.page("receipt.html", view=view, r=view.redemption, paper=paper)

    @blueprint.get("/supervisor")
    def supervisor() -> Response:
        if not caller().may(Role.SUPERVISOR):
            raise pages.recorded(ForbiddenError("this page is for supervisors", code="role-missing"))
        return pages.page("supervisor.html", view=list_redemptions(house, caller(), now=house.clock()))


def _reason() -> LookReason:
    """Why: chosen from the list. Raises InvalidError."""
    try:
        return LookReason(form().get("reason"))
    except ValueError:
        raise InvalidError(
            "a reason is chosen from the list", code="reason-missing", where="reason"
        ) from None


def _proof() -> ProxyProof:
    """What was seen: chosen from the list. Raises InvalidError."""
    try:
        return ProxyProof(form().get("proof"))
    except ValueError:
        raise InvalidError(
            "what was seen is chosen from the list", code="proof-missing", where="proof"
        ) from None


def _proxy(house: House, person_id: int) -> tuple[Candidate | None, ProxyProof | None]:
    """Who came in the resident's place, if somebody did, and what was seen of it."""
    words = form().get("proxy")
    if not words:
        return None, None
    proof = _proof()
    return identify_proxy(house, caller(), words, resident_id=person_id, now=house.clock()), proof


def _person_id() -> int:
    return _number(form().get("person_id"))


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidError("the form cannot be read", code="request-malformed", where="person_id")
    return int(text)


def _wanted() -> list[Wanted]:
    """The lines of the form with a number above zero, in its order."""
    found = []
    for name in form().names():
        match = _QUANTITY.fullmatch(name)
        text = form().get(name) or "0"
        if match and _number(text):
            found.append(Wanted(UUID(match[1]), TownCode(match[2]), _number(text)))
    return found


def _priced(view: ResidentView) -> tuple[list[Wanted], dict[str, int]]:
    """The lines that are offered, and what they come to by town, at the prices shown."""
    offers: dict[tuple[UUID, TownCode], Offer] = {(o.good_id, o.town): o for o in view.offers}
    wanted = [w for w in _wanted() if (w.good_id, w.town) in offers]
    shown: dict[str, int] = {}
    for want in wanted:
        price_centi = offers[want.good_id, want.town].price_centi
        shown[want.town] = shown.get(want.town, 0) + price_centi * want.quantity_count
    return wanted, shown
