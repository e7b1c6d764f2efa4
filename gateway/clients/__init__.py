"""Towns' clients: who may speak for which town, over OAuth or SOAP, with which keys and certificates.

Owns: client, client_change, assertion_used, soap_client, soap_message_used, own_key_change
Reads: contribution_batch, schema_migration
Never: a private key, a resident; a shared secret only sealed, and only where UsernameToken leaves no other way. Keys come from
our own list, never from a token's header or a message.
"""

from gateway.clients.memory import Memory, memory_of
from gateway.clients.own_keys import OwnKey, insert_key_changes
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
from gateway.clients.soap_registry import (
    SoapClient,
    delete_expired_soap_messages,
    insert_soap_client,
    insert_soap_message,
    list_soap_clients,
    mark_soap_client_enabled,
    party_of,
)
from gateway.clients.tokens import AccessToken, TokenKeys, read_token

__all__ = [
    "AccessToken",
    "Memory",
    "OwnKey",
    "RegisteredClient",
    "SoapClient",
    "TokenKeys",
    "TokenServer",
    "delete_expired_assertions",
    "delete_expired_soap_messages",
    "find_client",
    "insert_assertion",
    "insert_client",
    "insert_key_changes",
    "insert_soap_client",
    "insert_soap_message",
    "list_clients",
    "list_last_pushes",
    "list_missing_migrations",
    "list_soap_clients",
    "mark_client_enabled",
    "mark_soap_client_enabled",
    "memory_of",
    "party_of",
    "read_token",
]
