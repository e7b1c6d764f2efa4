"""The simulated town: a platform of its own with its own books, and the side of it that posts lists.

It speaks the contract beside the adapter and shares no code with it: envelopes are made with lxml and signed with signxml.
Everything about it is deterministic by seed.
"""

from adapters.wuhe_zhonglian.simulator.books import Books, BooksError
from adapters.wuhe_zhonglian.simulator.envelopes import Signing
from adapters.wuhe_zhonglian.simulator.place import create_simulator, settings_for
from adapters.wuhe_zhonglian.simulator.posting import Posted, PostedList
from adapters.wuhe_zhonglian.simulator.pusher import DoorAccess, DoorRefusedError, Pusher
from adapters.wuhe_zhonglian.simulator.server import SimulatorSettings, create_simulator_app
from adapters.wuhe_zhonglian.simulator.town import Town, invent_town

__all__ = [
    "Books",
    "BooksError",
    "DoorAccess",
    "DoorRefusedError",
    "Posted",
    "PostedList",
    "Pusher",
    "Signing",
    "SimulatorSettings",
    "Town",
    "create_simulator",
    "create_simulator_app",
    "invent_town",
    "settings_for",
]
