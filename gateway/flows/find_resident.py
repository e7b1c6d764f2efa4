"""Our number of the person with a resident id: how a command that is given an id gets to an id of ours."""

from __future__ import annotations

from gateway import subjects
from gateway.house import House
from schemas.errors import NotFoundError


def find_resident(house: House, id_no: str) -> int:
    """Raises NotFoundError; neither the error nor a log line says which id was asked for."""
    with house.audit_db.transaction(read_only=True) as tx:
        found = subjects.find_person(tx, house.keys, id_no)
    if found is None:
        raise NotFoundError(
            "nobody with that resident id is known here", code="resident-not-found", where="resident id"
        )
    return int(found)
