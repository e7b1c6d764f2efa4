"""What every page for staff shares: who is calling, the language, forms that cannot be forged, cookies, and refusals in words.

A form carries a token made from a cookie's secret (the session, or before it a random one), so only a page of ours can have made
it; browsers that say where a request comes from (Sec-Fetch-Site) are believed as well. Personal data never stands in an address.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from flask import Response, current_app, redirect, render_template, request

from gateway.house import House
from gateway.web.problems import DoorError
from gateway.web.reading import check_content, read_body
from gateway.web.staff_words import ERRORS, WORDS
from schemas.errors import GatewayError, UnauthenticatedError
from schemas.staff import StaffCaller
from schemas.values import BEIJING, points_text, yuan_text

SESSION_COOKIE = "__Host-session"
FORM_COOKIE = "__Host-form"
PROVIDER_COOKIE = "__Host-provider"
LANGUAGE_COOKIE = "language"
FORM_BYTES = 256 * 1024
FORM_FIELDS = 400
LANGUAGES = ("zh", "en")
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)
OUR_SCRIPT = "script-src 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"

Words = Mapping[str, tuple[str, str]]


class Form:
    """What a form says: the last value of each field, and all of those that come several times."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def get(self, name: str, default: str = "") -> str:
        """The field without surrounding space; `default` when it is not there."""
        found = [value for key, value in self._pairs if key == name]
        return found[-1].strip() if found else default

    def all(self, name: str) -> list[str]:
        """Every value of the field."""
        return [value.strip() for key, value in self._pairs if key == name]

    def names(self) -> list[str]:
        """The fields there are, in their order."""
        return list(dict.fromkeys(key for key, _ in self._pairs))


def caller() -> StaffCaller:
    """Who is calling: the guard has put them there."""
    found: StaffCaller = request.environ["gateway.staff"]
    return found


def form() -> Form:
    """The form of this request: read and checked by the guard."""
    found: Form = request.environ["gateway.form"]
    return found


def read_form() -> Form:
    """Read the form of a POST within limits. Raises DoorError."""
    check_content(request.environ, "application/x-www-form-urlencoded")
    try:
        text = read_body(request.environ, FORM_BYTES).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FORM_FIELDS, errors="strict")
    except ValueError as exc:
        raise DoorError("request-malformed", "the form cannot be read") from exc
    return Form(pairs)


def form_token(secret: str) -> str:
    """The token a form carries, from the secret of its cookie."""
    return hmac.digest(secret.encode(), b"form", "sha256").hex()


def is_forged(sent: Form, secret: str | None) -> bool:
    """Whether a form was not made by a page of ours for this browser."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return True
    shown = sent.get("form_token")
    return not secret or not hmac.compare_digest(shown.encode(), form_token(secret).encode())


def language() -> str:
    """'zh' or 'en': as the address says, else as chosen before."""
    asked = request.args.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return "en" if asked == "en" else "zh"


def words_for(words: Words, lang: str) -> dict[str, str]:
    """All words of a page in one language."""
    at = LANGUAGES.index(lang)
    return {name: pair[at] for name, pair in {**WORDS, **words}.items()}


def staff_page(
    house: House,
    template: str,
    *,
    words: Words | None = None,
    status: int = 200,
    **values: Any,
) -> Response:
    """A page in the frame for staff. `words` are the page's own, over those every page has. In the template: `t` (words), `lang`,
    `caller` (or None), `form_token`, `said(error)`, `points(centi)`, `yuan(fen)`, `when(instant)`."""
    lang = language()
    who: StaffCaller | None = request.environ.get("gateway.staff")
    secret = request.cookies.get(SESSION_COOKIE if who else FORM_COOKIE) or ""
    fresh = "" if secret else secrets.token_urlsafe(24)
    text = render_template(
        template,
        t=words_for(words or {}, lang),
        lang=lang,
        caller=who,
        form_token=form_token(secret or fresh),
        said=lambda error: said(error, lang),
        points=points_text,
        yuan=yuan_text,
        when=lambda at: at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
        config=house.config,
        path=request.path if request.method == "GET" else f"/{request.path.split('/')[1]}/",
        doors=current_app.blueprints.keys(),
        **values,
    )
    response = Response(text, status, content_type="text/html; charset=utf-8")
    if fresh and who is None:
        set_cookie(response, FORM_COOKIE, fresh)
    if request.args.get("lang") in LANGUAGES:
        response.set_cookie(
            LANGUAGE_COOKIE, lang, max_age=31_536_000, secure=True, httponly=True, samesite="Lax"
        )
    return guard_answer(response)


def guard_answer(response: Response) -> Response:
    """Nothing of it is kept, only our own styles and pictures are loaded, no other site frames it; a script runs only where the
    page says so itself, and then only files of ours."""
    response.headers.setdefault(
        "Cache-Control", "no-store"
    )  # a good's picture never changes and says otherwise
    if response.mimetype == "text/html":
        response.headers.setdefault("Content-Security-Policy", POLICY)
    return response


def set_cookie(response: Response, name: str, value: str) -> None:
    """A cookie of this host alone, for the time the browser is open; no script reads it, no other site's form sends it."""
    response.set_cookie(name, value, secure=True, httponly=True, samesite="Lax", path="/")


def clear_cookie(response: Response, name: str) -> None:
    """Forget it."""
    response.delete_cookie(name, secure=True, httponly=True, samesite="Lax", path="/")


def said(error: Exception, lang: str) -> str:
    """A refusal in the page's language; in English the error's own words where we have none for its code."""
    code = str(getattr(error, "code", "") or "")
    if code in ERRORS:
        return ERRORS[code][LANGUAGES.index(lang)]
    what = error.what if isinstance(error, GatewayError) else getattr(error, "detail", "")
    kind = f"kind-{error.kind}" if isinstance(error, GatewayError) else "kind-invalid"
    if lang == "en":
        return str(what) or ERRORS[kind][1]
    return f"{ERRORS[kind][0]}（{code}）" if code else ERRORS[kind][0]


def refusal_page(house: House, error: Exception, status: int) -> Response:
    """A refusal as a page: what, and what to do."""
    code = str(getattr(error, "code", "") or "")
    request.environ["gateway.code"] = code or "internal"
    return staff_page(house, "staff/refused.html", status=status, error=error, code=code)


def to_sign_in(error: UnauthenticatedError) -> Response:
    """Send a page without a session to the sign-in, and back afterwards. What was posted is not kept."""
    back = request.path if request.method == "GET" else "/staff/"
    response = redirect(f"/staff/sign-in?next={quote(back)}&why={quote(error.code)}", 303)
    clear_cookie(response, SESSION_COOKIE)  # type: ignore[arg-type]
    return guard_answer(response)  # type: ignore[arg-type]


def way_back(text: str) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or not text.startswith("/") or text.startswith(("//", "/\\")):
        return "/staff/"
    return parts.path if parts.path.isprintable() and len(parts.path) <= 200 else "/staff/"
