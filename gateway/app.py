"""The web application: doors around a house."""

from __future__ import annotations

from flask import Flask, Request, Response
from werkzeug.routing import Rule

from gateway.house import House
from gateway.web.doors import open_doors
from gateway.web.observed import Observed
from gateway.web.problems import install_problems


class _Gateway(Flask):
    """Flask without static files and automatic OPTIONS; notes door and rule of a request for the log line."""

    def dispatch_request(self) -> Response:
        from flask.globals import request

        rule: Rule | None = request.url_rule
        if rule is not None:
            request.environ["gateway.rule"] = rule.rule
            request.environ["gateway.door"] = rule.endpoint.partition(".")[0]
        return super().dispatch_request()  # type: ignore[return-value]


class _Request(Request):
    """Forms are read by the doors themselves, within their own limits."""

    max_form_memory_size = 0
    max_form_parts = 0


def create_app(house: House) -> Flask:
    """The WSGI application. Raises RuntimeError when an address stands behind no guarded door."""
    app = _Gateway("gateway.web", static_folder=None, template_folder="templates")
    app.request_class = _Request
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.url_map.strict_slashes = True
    app.url_map.redirect_defaults = False
    app.url_map.merge_slashes = False
    install_problems(app, house.config.public_url.rstrip("/"))
    open_doors(app, house)
    app.wsgi_app = Observed(app.wsgi_app)  # type: ignore[method-assign]
    return app
