"""Towns' OAuth clients: who may speak for which town, with which keys and certificates.

Owns: client, client_change, assertion_used
Reads: contribution_batch, schema_migration
Never: a private key, a shared secret, a resident. Keys come from our own list, never from a token's header.
"""

from gateway.clients.memory import Memory, memory_of
from gateway.clients.registry import (
    RegisteredClient,
    delete_expired_assertions,
    find_client,
    insert_assertion,
    insert_client,
    list_clients,
    list_last_pushes,
    list_missing_migrations,
    mark_client_enabled,
)
from gateway.clients.server import TokenServer
from gateway.clients.tokens import AccessToken, TokenKeys, read_token

__all__ = [
    "AccessToken",
    "Memory",
    "RegisteredClient",
    "TokenKeys",
    "TokenServer",
    "delete_expired_assertions",
    "find_client",
    "insert_assertion",
    "insert_client",
    "list_clients",
    "list_last_pushes",
    "list_missing_migrations",
    "mark_client_enabled",
    "memory_of",
    "read_token",
]
