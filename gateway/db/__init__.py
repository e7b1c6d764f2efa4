"""The database session: the only importer of psycopg2.

A corridor writes `with db.transaction() as tx:` and passes `tx` to rooms; rooms run named queries (`queries.sql`) on it.
"""

from gateway.db.queries import Queries, Query, load_queries
from gateway.db.session import Database, Row, Transaction, copy_text, int_array

__all__ = ["Database", "Queries", "Query", "Row", "Transaction", "copy_text", "int_array", "load_queries"]
