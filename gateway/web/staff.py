"""Signing in and out, the page one begins at, one's own password."""

from __future__ import annotations

import logging
from typing import NamedTuple

from flask import Blueprint, Response, redirect, request

from gateway.flows.begin_provider_sign_in import begin_provider_sign_in
from gateway.flows.change_password import change_password
from gateway.flows.finish_provider_sign_in import finish_provider_sign_in
from gateway.flows.sign_in import sign_in
from gateway.flows.sign_out import sign_out
from gateway.house import House
from gateway.web.limits import RateLimiter
from gateway.web.problems import DoorError
from gateway.web.staff_pages import (
    FORM_COOKIE,
    PROVIDER_COOKIE,
    SESSION_COOKIE,
    caller,
    clear_cookie,
    form,
    guard_answer,
    is_forged,
    language,
    read_form,
    said,
    set_cookie,
    staff_page,
    way_back,
)
from schemas.errors import ForbiddenError, GatewayError, InvalidError, UnauthenticatedError
from schemas.staff import ProviderReturn, Role, SignIn

log = logging.getLogger("gateway.door")

ATTEMPTS_PER_MINUTE = 60  # of one address: a whole branch may sign in at once behind one


class Place(NamedTuple):
    """A desk: its door, its address, its word, and who works there."""

    door: str
    path: str
    word: str
    roles: frozenset[Role]


PLACES = (
    Place("desk", "/desk/", "desk", frozenset({Role.CLERK, Role.SUPERVISOR})),
    Place("closing", "/closing/", "closing", frozenset({Role.CLERK, Role.SUPERVISOR})),
    Place("stock", "/stock/", "stock", frozenset({Role.CLERK, Role.SUPERVISOR})),
    Place("settlement", "/settlement/", "settlement", frozenset({Role.SUPERVISOR})),
    Place("overview", "/overview/", "overview", frozenset({Role.SUPERVISOR})),
    Place("audit", "/audit/", "audit", frozenset({Role.AUDITOR})),
    Place("policy", "/policy/", "policy", frozenset({Role.POLICY_AUTHOR, Role.POLICY_APPROVER})),
    Place("operations", "/operations/", "operations", frozenset({Role.OPERATOR})),
)


def sign_in_blueprint(house: House) -> Blueprint:
    """/staff/sign-in: whoever passes proves who they are."""
    blueprint = Blueprint("sign_in", __name__)
    limiter = RateLimiter(ATTEMPTS_PER_MINUTE, house.config.web_processes)

    def page(
        error: GatewayError | None = None, status: int = 200, teller_no: str = "", back: str = ""
    ) -> Response:
        code = request.args.get("why", "")
        why = (
            said(UnauthenticatedError("", code=code), language())
            if code.startswith(("session-", "account-"))
            else ""
        )
        return staff_page(
            house,
            "staff/sign_in.html",
            status=status,
            error=error,
            why=why,
            teller_no=teller_no,
            next=back or way_back(request.args.get("next", "/staff/")),
            directory=house.config.staff_directory,
            provider=house.identity is not None,
        )

    @blueprint.get("/sign-in")
    def show() -> Response:
        return page()

    @blueprint.post("/sign-in")
    def enter() -> Response:
        _limit(limiter)
        sent = read_form()
        back = way_back(sent.get("next", "/staff/"))
        if is_forged(sent, request.cookies.get(FORM_COOKIE)):
            return page(ForbiddenError("", code="sign-in-expired"), 403, back=back)
        asked = SignIn(sent.get("teller_no")[:32], sent.get("password")[:256], sent.get("code")[:8])
        try:
            done = sign_in(house, asked, now=house.clock())
        except (UnauthenticatedError, ForbiddenError) as exc:
            request.environ["gateway.code"] = exc.code
            return page(exc, exc.http_status, asked.teller_no[:16], back)
        return let_in(done.token, back)

    @blueprint.get("/provider")
    def go_to_provider() -> Response:
        _limit(limiter)
        url, sealed = begin_provider_sign_in(
            house, way_back(request.args.get("next", "/staff/")), now=house.clock()
        )
        response: Response = redirect(url, 303)  # type: ignore[assignment]
        set_cookie(response, PROVIDER_COOKIE, sealed)
        return guard_answer(response)

    @blueprint.get("/callback")
    def come_back() -> Response:
        _limit(limiter)
        said_back = ProviderReturn(
            *(request.args.get(name, "")[:2048] for name in ("state", "code", "iss", "error"))
        )
        cookie = request.cookies.get(PROVIDER_COOKIE, "")
        try:
            done, back = finish_provider_sign_in(house, said_back, cookie, now=house.clock())
        except GatewayError as exc:
            log.warning("a sign-in by the provider failed: %s", exc, extra={"code": exc.code})
            response = page(exc, exc.http_status)
        else:
            response = let_in(done.token, way_back(back))
        clear_cookie(response, PROVIDER_COOKIE)
        return response

    return blueprint


def _limit(limiter: RateLimiter) -> None:
    """Refuse an address that tries too often."""
    if wait_s := limiter.take(request.remote_addr or "").wait_s:
        raise DoorError("rate-limited", "too many attempts", headers={"Retry-After": str(wait_s)})


def let_in(token: str, back: str) -> Response:
    """To where they wanted to go, with the session's cookie."""
    response: Response = redirect(back, 303)  # type: ignore[assignment]
    set_cookie(response, SESSION_COOKIE, token)
    clear_cookie(response, FORM_COOKIE)
    return guard_answer(response)


def staff_blueprint(house: House) -> Blueprint:
    """/staff/: home, password, sign-out; for whoever is signed in."""
    blueprint = Blueprint("staff", __name__)

    @blueprint.get("/")
    def home() -> Response:
        who = caller()
        from flask import current_app

        places = [p for p in PLACES if p.door in current_app.blueprints and who.roles & p.roles]
        return staff_page(
            house, "staff/home.html", places=places, roles=[r.value for r in Role if r in who.roles]
        )

    @blueprint.get("/password")
    def ask_password() -> Response:
        return staff_page(house, "staff/password.html", error=None)

    @blueprint.post("/password")
    def new_password() -> Response:
        sent = form()
        asked = SignIn(caller().teller_no, sent.get("old"), sent.get("code"))
        try:
            if sent.get("new") != sent.get("again"):
                raise InvalidError("the two differ", code="password-differs", where="again")
            change_password(house, caller(), asked, sent.get("new"), now=house.clock())
        except GatewayError as exc:
            return staff_page(house, "staff/password.html", status=exc.http_status, error=exc)
        return _out(house, changed=True)

    @blueprint.post("/sign-out")
    def leave() -> Response:
        elsewhere = sign_out(house, request.cookies.get(SESSION_COOKIE, ""), now=house.clock())
        return _out(house, changed=False, elsewhere=elsewhere)

    return blueprint


def _out(house: House, *, changed: bool, elsewhere: str = "") -> Response:
    """The session here has ended; at the provider it ends with one click more. A redirect would be refused: a form of ours may
    lead to no other site (form-action 'self')."""
    request.environ.pop("gateway.staff", None)
    response = staff_page(house, "staff/signed_out.html", changed=changed, elsewhere=elsewhere)
    clear_cookie(response, SESSION_COOKIE)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response
