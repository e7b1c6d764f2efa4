"""The simulated town: a platform of its own with its own books, an authorization server, a feed, and a sender of events.

It speaks the contract beside the adapter and shares no code with it; everything about it is deterministic by seed.
"""

from adapters.nanyang_young.simulator.authority import LIES, Authority
from adapters.nanyang_young.simulator.books import Books, BooksError
from adapters.nanyang_young.simulator.browser import Browser, PageError
from adapters.nanyang_young.simulator.place import CALLBACK, create_simulator, hook_secret, settings_for
from adapters.nanyang_young.simulator.sender import Sender, event_body, signature, signed_headers
from adapters.nanyang_young.simulator.server import create_simulator_app
from adapters.nanyang_young.simulator.town import Town, invent_town

__all__ = [
    "CALLBACK",
    "LIES",
    "Authority",
    "Books",
    "BooksError",
    "Browser",
    "PageError",
    "Sender",
    "Town",
    "create_simulator",
    "create_simulator_app",
    "event_body",
    "hook_secret",
    "invent_town",
    "settings_for",
    "signature",
    "signed_headers",
]
