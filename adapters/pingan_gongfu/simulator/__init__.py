"""The simulated town: a platform of its own with its own books, and the side of it that pushes.

It speaks the contract beside the adapter and shares no code with it; everything about it is deterministic by seed.
"""

from adapters.pingan_gongfu.simulator.books import Books, BooksError
from adapters.pingan_gongfu.simulator.place import create_simulator, settings_for
from adapters.pingan_gongfu.simulator.pusher import DoorAccess, Pushed, Pusher, results_of
from adapters.pingan_gongfu.simulator.server import SimulatorSettings, create_simulator_app
from adapters.pingan_gongfu.simulator.town import Town, invent_town

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
    "results_of",
    "settings_for",
]
