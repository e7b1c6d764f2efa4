"""One scheduler leads: the one that holds an advisory lock, for as long as its connection lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from gateway import runs
from gateway.house import House
from schemas.errors import UnavailableError

log = logging.getLogger(__name__)


def hold_leadership(
    house: House,
    *,
    stop: threading.Event,
    lead: Callable[[], None],
    retire: Callable[[], None],
    look_every_s: float = 2.0,
) -> None:
    """Stand by until the lock is free, then call `lead`; call `retire` when the lock is lost or `stop` is set. Returns on `stop`.

    The lock lives in a transaction that stays open on a connection of its own: when this process dies, PostgreSQL gives it
    to the next within moments. While leading, the connection is looked at every `look_every_s`. The time between losing
    it and `retire` may see two leaders; every flow a job calls is safe to run twice at once.
    """
    while not stop.is_set():
        leading = False
        try:
            with house.db.transaction() as tx:
                leading = runs.find_leadership(tx)
                if leading:
                    log.info("this process leads the jobs")
                    lead()
                    while not stop.wait(look_every_s):
                        runs.keep_leadership(tx)
        except UnavailableError as exc:
            log.warning("leadership: %s", exc.code)
        finally:
            if leading:
                retire()
        stop.wait(look_every_s)
