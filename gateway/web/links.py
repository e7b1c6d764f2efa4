"""Pages on which a resident links the account at a town, sees the consents given, and takes them back.

The resident comes with an entry link of the bank's; a cookie binds the form and the return from the town to this browser. No
script runs, nothing is loaded from elsewhere, nothing is cached, and no address of ours is told to the town.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request

from gateway.flows.begin_link import begin_link
from gateway.flows.complete_link import complete_link
from gateway.flows.show_link import show_link
from gateway.flows.unlink_account import unlink_account
from gateway.house import House
from gateway.web.limits import RateLimiter
from gateway.web.link_words import said, words_of
from gateway.web.problems import TITLES, DoorError
from gateway.web.staff_pages import read_form
from schemas.errors import GatewayError, NotFoundError
from schemas.values import Purpose, TownCode

log = logging.getLogger("gateway.door")

COOKIE = "__Host-link"
COOKIE_LIVES_S = 3600
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"


def links_blueprint(house: House) -> Blueprint:
    """/link/<town>: the page, its two forms, and where the town sends the resident back to."""
    blueprint = Blueprint("links", __name__)
    limiter = RateLimiter(house.config.rate_per_minute, house.config.web_processes)

    @blueprint.before_request
    def limit() -> None:
        if wait_s := limiter.take(request.remote_addr or "").wait_s:
            raise DoorError("rate-limited", "too many attempts", headers={"Retry-After": str(wait_s)})

    @blueprint.get("/<town>", endpoint="show")
    def show(town: str) -> Response:
        entry, session = request.args.get("entry", ""), _session() or secrets.token_urlsafe(32)
        view = show_link(house, _town(house, town), entry, session, now=house.clock())
        template = "link/linked.html" if view.linked else "link/consent.html"
        response = _page(house, template, town, view=view, entry=entry, chosen=())
        _keep_session(response, session)
        return response

    @blueprint.post("/<town>/consents", endpoint="agree")
    def agree(town: str) -> Response:
        form = read_form()
        try:
            address = begin_link(
                house, _town(house, town), form.get("entry"), session=_session(), form_token=form.get("form_token"),
                purposes=form.all("purpose"), language=_language(form.get("lang")), now=house.clock(),
            )  # fmt: skip
        except GatewayError as exc:
            if exc.code != "purpose-none":
                raise
            view = show_link(house, _town(house, town), form.get("entry"), _session(), now=house.clock())
            return _page(house, "link/consent.html", town, status=400, view=view, entry=form.get("entry"),
                         fault=said(exc.code, _language(form.get("lang"))), lang=form.get("lang"))  # fmt: skip
        response: Response = redirect(address, 303)  # type: ignore[assignment]
        return _guarded(response, house, town)

    @blueprint.get("/<town>/callback", endpoint="come_back")
    def come_back(town: str) -> Response:
        asked = {name: request.args.getlist(name) for name in ("state", "code", "iss", "error")}
        once = {name: found[0][:4096] if len(found) == 1 else "" for name, found in asked.items()}
        linked = complete_link(
            house, _town(house, town), session=_session(), state=once["state"], code=once["code"],
            issuer=once["iss"], error=once["error"], now=house.clock(),
        )  # fmt: skip
        return _page(house, "link/done.html", town, lang=linked.language, purposes=linked.purposes)

    @blueprint.post("/<town>/withdrawals", endpoint="withdraw")
    def withdraw(town: str) -> Response:
        form = read_form()
        done = unlink_account(
            house, _town(house, town), form.get("entry"), session=_session(), form_token=form.get("form_token"),
            purposes=form.all("purpose"), now=house.clock(),
        )  # fmt: skip
        return _page(house, "link/ended.html", town, lang=form.get("lang"), done=done)

    @blueprint.errorhandler(GatewayError)
    def refused(exc: GatewayError) -> Response:
        if exc.http_status >= 500:
            log.error("failed", extra={"code": exc.code, "kind": exc.kind, "what": str(exc)}, exc_info=exc)
        return _refusal(house, exc.code, exc.http_status)

    @blueprint.errorhandler(DoorError)
    def door_refused(exc: DoorError) -> Response:
        response = _refusal(house, exc.code, TITLES[exc.code][0])
        response.headers.update(exc.headers)
        return response

    return blueprint


def _town(house: House, town: str) -> TownCode:
    if town not in house.linkings:
        raise NotFoundError("accounts of this town are not linked here", code="no-linking", where="town")
    return TownCode(town)


def _session() -> str:
    value = request.cookies.get(COOKIE, "")
    return value if len(value) == 43 and value.isascii() else ""


def _keep_session(response: Response, session: str) -> None:
    """Lax: the town's answer brings the resident back by a link, and the browser must be known then."""
    response.set_cookie(
        COOKIE, session, max_age=COOKIE_LIVES_S, secure=True, httponly=True, samesite="Lax", path="/"
    )


def _language(asked: str | None) -> str:
    return "en" if asked == "en" else "zh"


def _refusal(house: House, code: str, status: int) -> Response:
    request.environ["gateway.code"] = code
    town = str((request.view_args or {}).get("town", ""))
    lang = _language(request.args.get("lang"))
    return _page(house, "link/refused.html", town, status=status, code=code, why=said(code, lang), lang=lang)


def _page(
    house: House, template: str, town: str, *, status: int = 200, lang: str | None = None, **values: Any
) -> Response:
    language = _language(lang or request.args.get("lang"))
    reader = house.readers.get(TownCode(town))
    config = house.config
    english = language == "en"
    names = {
        "town": reader.profile.name(language) if reader else "",
        "place": (reader.profile.place_en if english else reader.profile.place_zh) if reader else "",
        "bank": config.bank_name_en if english else config.bank_name,
        "contact": config.bank_contact,
    }
    text = render_template(
        template,
        t=words_of(language, **{k: v for k, v in names.items() if k != "contact"}),
        lang=language,
        names=names,
        town=town,
        all_purposes=tuple(Purpose),
        config=config,
        path=request.path,
        **values,
    )
    response = Response(text, status, content_type="text/html; charset=utf-8")
    return _guarded(response, house, town)


def _guarded(response: Response, house: House, town: str) -> Response:
    """The form may lead to us and, by our redirect, to this town; browsers hold redirects of a form to `form-action`."""
    linking = house.linkings.get(TownCode(town))
    response.headers["Content-Security-Policy"] = (
        POLICY + (f" {linking.authorize_origin}" if linking else "") + ";"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
