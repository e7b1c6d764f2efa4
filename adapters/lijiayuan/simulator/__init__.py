"""The simulated town: a platform of its own with its own books, and the side of it that pushes.

It speaks the contract beside the adapter and shares no code with it; everything about it is deterministic by seed.
"""

from adapters.lijiayuan.simulator.books import Books, BooksError
from adapters.lijiayuan.simulator.place import create_simulator, settings_for
from adapters.lijiayuan.simulator.pusher import DoorAccess, Pushed, Pusher
from adapters.lijiayuan.simulator.server import SimulatorSettings, create_simulator_app
from adapters.lijiayuan.simulator.town import Town, invent_town

__all__ = [
    "Books",
    "BooksError",
    "DoorAccess",
    "Pushed",
    "Pusher",
    "SimulatorSettings",
    "Town",
    "create_simulator",
    "create_simulator_app",
    "invent_town",
    "settings_for",
]
