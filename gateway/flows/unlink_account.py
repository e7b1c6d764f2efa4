"""A resident takes consents back; with the last one the account is unlinked. ‖ the town is told ‖ the grant goes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from gateway import links, subjects
from gateway.flows._linking import check_form, linking_of, open_entry, read_purposes, withdraw_purposes
from gateway.house import House
from schemas.errors import GatewayError
from schemas.values import Purpose, TownCode

log = logging.getLogger(__name__)


def unlink_account(
    house: House,
    town: TownCode,
    entry_text: str,
    *,
    session: str,
    form_token: str,
    purposes: Sequence[str],
    now: datetime,
) -> dict[str, int]:
    """Withdraw these consents, or all when none is named; twice is once. How many ended, and whether the account was unlinked.

    Mapping stops at once; what was proposed is revoked by the next evaluation. Killed before the town was told: `renew_links`
    tells it. Errors: RefusedError for an entry or a form that is not good.
    """
    linking = linking_of(house, town)
    entry = open_entry(house, town, entry_text, now=now)
    check_form(house, session, entry, form_token)
    wanted = read_purposes(purposes) or tuple(Purpose)
    with house.db.transaction() as tx:
        person = subjects.find_person(tx, house.keys, entry.identity.id_no)
        if person is None:
            return {"withdrawn": 0, "unlinked": 0}
        withdrawn, ended = withdraw_purposes(
            house, tx, town, int(person), entry.identity.id_no, wanted, "resident", now=now
        )
        grant = links.find_ended_grant(tx, house.keys, ended) if ended is not None else None
    if grant is not None:
        try:
            linking.revoke(grant.refresh_token)  # ‖ no transaction is open here
        except GatewayError as exc:
            log.warning("the town was not told of an ended grant yet: %s", exc.code)
        else:
            with house.db.transaction() as tx:
                links.delete_grant(tx, grant.link_id)
    return {"withdrawn": withdrawn, "unlinked": int(ended is not None)}
