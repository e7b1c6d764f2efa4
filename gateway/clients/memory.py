"""What one process remembers of tokens and clients, so that a request asks the database for them rarely."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

from gateway.clients.registry import RegisteredClient
from gateway.clients.tokens import AccessToken, TokenKeys
from gateway.db import Database
from schemas.soap import SoapParty
from schemas.values import TownCode

REMEMBERED = 4096


@dataclass(slots=True)
class Memory:
    """Verified tokens by digest, clients by id with the monotonic instant they were read at."""

    keys: TokenKeys
    tokens: dict[bytes, AccessToken] = field(default_factory=dict)
    clients: dict[str, tuple[float, RegisteredClient | None]] = field(default_factory=dict)

    soap_parties: dict[TownCode, tuple[float, tuple[SoapParty, ...]]] = field(default_factory=dict)  # by town

    def remember_token(self, digest: bytes, token: AccessToken) -> None:
        """Bounded: when full, everything is forgotten and verified again, which is rarer and simpler than an order of age."""
        if len(self.tokens) >= REMEMBERED:
            self.tokens.clear()
        self.tokens[digest] = token

    def remember_client(self, client_id: str, at: float, client: RegisteredClient | None) -> None:
        """Bounded likewise."""
        if len(self.clients) >= REMEMBERED:
            self.clients.clear()
        self.clients[client_id] = (at, client)


_memories: WeakKeyDictionary[Database, Memory] = WeakKeyDictionary()


def memory_of(database: Database, token_keys: Path) -> Memory:
    """The memory of this process for this database."""
    memory = _memories.get(database)
    if memory is None:
        memory = _memories[database] = Memory(TokenKeys(token_keys))
    return memory
