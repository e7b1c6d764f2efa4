"""Errors, named by what the caller can do about them.

Every error says *what* is wrong, *where*, *which value* and *what to do*. `code` is stable and kebab-case: it is
used in logs, answers and documents. `value` must never carry personal data: pass a masked form.
"""

from __future__ import annotations

from typing import Any, ClassVar


class GatewayError(Exception):
    """The root of all errors that are ours. Never raised itself."""

    kind: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    default_code: ClassVar[str] = "error"

    def __init__(
        self,
        what: str,
        *,
        code: str | None = None,
        where: str | None = None,
        value: Any = None,
        remedy: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.code = code or self.default_code
        self.where = where
        self.value = value
        self.remedy = remedy
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        parts = [self.what]
        if self.where:
            parts.append(f"at {self.where}")
        if self.value is not None:
            parts.append(f"value {self.value!r}")
        if self.remedy:
            parts.append(self.remedy)
        return "; ".join(parts)


class InvalidError(GatewayError):
    """The request itself is wrong; sending it again unchanged cannot succeed."""

    kind, http_status, default_code = "invalid", 400, "invalid"


class NotFoundError(GatewayError):
    """What the request names does not exist, or is not the caller's to see."""

    kind, http_status, default_code = "not-found", 404, "not-found"


class ConflictError(GatewayError):
    """What the request says contradicts what is stored."""

    kind, http_status, default_code = "conflict", 409, "conflict"


class RefusedError(GatewayError):
    """Understood, and refused by a rule (not enough points, no consent, a veto)."""

    kind, http_status, default_code = "refused", 422, "refused"


class UnavailableError(GatewayError):
    """Nothing happened; the same request may be sent again later."""

    kind, http_status, default_code = "unavailable", 503, "unavailable"


class OutcomeUnknownError(GatewayError):
    """It may or may not have happened: ask first (查证), never send again blindly."""

    kind, http_status, default_code = "outcome-unknown", 504, "outcome-unknown"


class UnauthenticatedError(GatewayError):
    """Who is calling could not be established."""

    kind, http_status, default_code = "unauthenticated", 401, "unauthenticated"


class ForbiddenError(GatewayError):
    """The caller is known and may not do this."""

    kind, http_status, default_code = "forbidden", 403, "forbidden"


class TamperedError(GatewayError):
    """Evidence does not agree with itself: a row, a leaf, a tree or a signature was changed."""

    kind, http_status, default_code = "tampered", 500, "tampered"
