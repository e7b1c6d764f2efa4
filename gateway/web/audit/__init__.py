"""The audit desk: why each resident got what they got, and the proof that nothing was changed since.

One blueprint; each module beside this one hangs its pages into it (`add_…(blueprint, pages)`) and its place into `frame.NAV`.
Corridors read under the read-only database role; the only thing an auditor causes to be written is that they looked.
"""

from __future__ import annotations

from flask import Blueprint

from gateway.house import House
from gateway.web.audit.cases import add_cases
from gateway.web.audit.frame import AuditPages
from gateway.web.audit.rulesets import add_rulesets
from gateway.web.audit.searching import add_search
from gateway.web.audit.tables import add_tables


def audit_blueprint(house: House) -> Blueprint:
    """Everything below /audit/: for auditors, who have no other role."""
    blueprint = Blueprint("audit", __name__)
    pages = AuditPages(house)
    add_search(blueprint, pages)
    add_cases(blueprint, pages)
    add_rulesets(blueprint, pages)
    add_tables(blueprint, pages)
    return blueprint
