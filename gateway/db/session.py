"""Connections, transactions and the few verbs rooms use. The only module that knows psycopg2."""

from __future__ import annotations

import io
import logging
import queue
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import psycopg2.extras

from gateway.db.queries import Query
from schemas.boundary import transaction_open
from schemas.errors import ConflictError, NotFoundError, OutcomeUnknownError, UnavailableError

Row = Any  # a named tuple with the query's columns
Params = Mapping[str, Any] | None

FEW_BYTES = 32 * 1024  # up to here rows travel as an INSERT with their neighbours, beyond by COPY

log = logging.getLogger(__name__)
psycopg2.extras.register_uuid()  # type: ignore[no-untyped-call]


class _Connection(psycopg2.extensions.connection):
    """A connection that remembers what was prepared on it. Prepared statements outlive a rollback."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prepared: set[str] = set()


class Transaction:
    """One open transaction. Rooms get it from a corridor and never end it themselves.

    Small writes wait and travel together: they are sent in their order before the next statement that has an answer, and at
    the latest with the end of the transaction, where their refusals are raised.
    """

    __slots__ = ("_connection", "_cursor", "_waiting")

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._cursor = connection.cursor(cursor_factory=psycopg2.extras.NamedTupleCursor)
        self._waiting: list[bytes] = []

    def run(self, query: Query, params: Params = None) -> int:
        """Run a statement; the number of rows it touched."""
        self._execute(self._cursor, query, params)
        return int(self._cursor.rowcount)

    def later(self, query: Query, params: Params = None) -> None:
        """Run a statement whose answer nobody needs, together with its neighbours."""
        text = self._prepared(query)
        self._waiting.append(self._cursor.mogrify(text, params) if params else text.encode())

    def all(self, query: Query, params: Params = None) -> list[Row]:
        """All rows. The query bounds them."""
        self._execute(self._cursor, query, params)
        return self._cursor.fetchall()  # type: ignore[no-any-return]

    def find(self, query: Query, params: Params = None) -> Row | None:
        """The one row, or None."""
        self._execute(self._cursor, query, params)
        return self._cursor.fetchone()

    def one(self, query: Query, params: Params = None) -> Row:
        """The one row that must exist. Raises NotFoundError."""
        row = self.find(query, params)
        if row is None:
            raise NotFoundError("no such row", where=query.name)
        return row

    def tuples(self, query: Query, params: Params = None) -> list[tuple[Any, ...]]:
        """All rows as plain tuples, for hot paths."""
        with self._connection.cursor() as cursor:
            self._execute(cursor, query, params)
            return cursor.fetchall()  # type: ignore[no-any-return]

    def stream(
        self, query: Query, params: Params = None, chunk: int = 5000
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Rows in chunks of plain tuples through a server-side cursor: bounded memory for any size."""
        self.flush()
        with self._connection.cursor(name=query.name.replace(".", "_")) as cursor:
            cursor.itersize = chunk
            cursor.execute(query.sql, params)
            while rows := cursor.fetchmany(chunk):
                yield rows

    def copy_in(self, query: Query, text: bytes) -> int:
        """`COPY … FROM STDIN` in text format; see `copy_text`. Returns the number of rows. A few rows go as an INSERT, later."""
        if len(text) <= FEW_BYTES:
            self._waiting.append(_as_insert(query, text))
            return text.count(b"\n")
        self.flush()
        self._cursor.copy_expert(query.sql, io.BytesIO(text), size=1 << 20)
        return int(self._cursor.rowcount)

    def flush(self) -> None:
        """Send what waits."""
        if self._waiting:
            together, self._waiting = b";\n".join(self._waiting), []
            self._cursor.execute(together)

    def _execute(self, cursor: Any, query: Query, params: Params) -> None:
        """What waits and this statement travel together; the answer is this one's."""
        text = self._prepared(query)
        if not self._waiting:
            cursor.execute(text, params)
            return
        self._waiting.append(cursor.mogrify(text, params) if params else text.encode())
        together, self._waiting = b";\n".join(self._waiting), []
        cursor.execute(together)

    def _prepared(self, query: Query) -> str:
        """What to send for a query: itself, or the EXECUTE of what was prepared on this connection."""
        if not query.prepare:
            return query.sql
        if query.name not in self._connection.prepared:
            self._cursor.execute(query.prepare)
            self._connection.prepared.add(query.name)
        return query.execute


class Database:
    """A bounded pool of connections. A thread that finds none waits `wait_s`, then gets UnavailableError."""

    def __init__(self, dsn: str, *, size: int = 8, wait_s: float = 10.0, options: str = "") -> None:
        self._dsn = dsn
        self._options = options
        self._wait_s = wait_s
        self._slots: queue.LifoQueue[Any] = queue.LifoQueue(size)
        for _ in range(size):
            self._slots.put(None)

    def _connect(self) -> Any:
        try:
            connection = psycopg2.connect(
                self._dsn,
                connection_factory=_Connection,
                options=f"-c timezone=UTC -c standard_conforming_strings=on {self._options}".strip(),
                application_name="gateway",
                connect_timeout=5,
                keepalives_idle=30,
            )
        except psycopg2.OperationalError as exc:
            raise UnavailableError(
                "the database does not answer", code="database-unavailable", retry_after_s=2
            ) from exc
        connection.autocommit = False
        return connection

    @contextmanager
    def transaction(self, *, read_only: bool = False, isolation: str | None = None) -> Iterator[Transaction]:
        """One transaction: committed at the end, rolled back on any error.

        `isolation` is None (read committed), 'repeatable read' or 'serializable'. Errors: UnavailableError when the
        database is away or asks to be asked again (nothing was committed); ConflictError on a unique or check violation.
        """
        with transaction_open():
            connection = self._take()
            kept: Any = None
            try:
                if read_only or isolation:
                    connection.set_session(
                        readonly=read_only, isolation_level=isolation and isolation.upper()
                    )
                transaction = Transaction(connection)
                yield transaction
                transaction.flush()
                _commit(connection)
                if read_only or isolation:
                    connection.set_session(readonly=False, isolation_level="DEFAULT")
                kept = connection
            except psycopg2.extensions.TransactionRollbackError as exc:
                kept = _rolled_back(connection)
                raise UnavailableError(
                    "the database rolled back: two transactions met",
                    code="transaction-rolled-back",
                    retry_after_s=1,
                ) from exc
            except psycopg2.errors.IntegrityError as exc:
                kept = _rolled_back(connection)
                raise ConflictError(
                    "the database refused: " + (exc.diag.message_primary or "integrity"),
                    code="integrity-conflict",
                    where=exc.diag.constraint_name or exc.diag.table_name,
                ) from exc
            except psycopg2.errors.DiskFull as exc:
                kept = _rolled_back(connection)
                raise UnavailableError(
                    "the database's disk is full: nothing was stored",
                    code="database-disk-full",
                    remedy="make room on PostgreSQL's disk; what was refused is sent again",
                    retry_after_s=60,
                ) from exc
            except psycopg2.Error as exc:
                kept = _rolled_back(connection)
                if not _went_away(exc):
                    raise
                raise UnavailableError(
                    "the database went away or asks to be asked again",
                    code="database-unavailable",
                    retry_after_s=2,
                ) from exc
            except BaseException:
                kept = _rolled_back(connection)
                raise
            finally:
                self._slots.put(kept)

    def _take(self) -> Any:
        try:
            connection = self._slots.get(timeout=self._wait_s)
        except queue.Empty:
            raise UnavailableError(
                "all database connections are busy", code="database-busy", retry_after_s=1
            ) from None
        if connection is not None and not connection.closed:
            return connection
        try:
            return self._connect()
        except BaseException:
            self._slots.put(None)
            raise

    def close(self) -> None:
        """Close the idle connections; those in use close when they come back broken."""
        for _ in range(self._slots.qsize()):
            connection = self._slots.get_nowait()
            if connection is not None:
                _discard(connection)
            self._slots.put(None)


def _commit(connection: Any) -> None:
    try:
        connection.commit()
    except psycopg2.Error as exc:
        told = (psycopg2.extensions.TransactionRollbackError, psycopg2.errors.DiskFull)
        if isinstance(exc, told) or not _went_away(exc):
            raise  # the server said it rolled back, or why
        raise OutcomeUnknownError(
            "the database went away while committing: it may or may not be stored",
            code="commit-unknown",
            remedy="send the same request with the same Idempotency-Key again; it is stored once",
            retry_after_s=2,
        ) from exc


def _went_away(exc: psycopg2.Error) -> bool:
    """Whether the server is gone or asks to be asked again, rather than refusing what was said.

    psycopg2 raises the bare DatabaseError, without a code of the server's, when libpq reports a connection that broke in the
    middle of a statement; its subclasses say something about the statement.
    """
    if isinstance(exc, (psycopg2.OperationalError, psycopg2.InterfaceError)):
        return True
    return type(exc) is psycopg2.DatabaseError and exc.pgcode is None


def _discard(connection: Any) -> None:
    try:
        connection.close()
    except psycopg2.Error:
        log.debug("closing a broken connection failed", exc_info=True)


def _rolled_back(connection: Any) -> Any:
    """The connection after rollback and reset, or None when it is broken."""
    try:
        connection.rollback()
        connection.set_session(readonly=False, isolation_level="DEFAULT")
        return connection
    except psycopg2.Error:
        _discard(connection)
        return None


def int_array(values: Iterable[int]) -> str:
    """Integers as an array literal: `%(ids)s::bigint[]`. A list would become one expression for each element."""
    return "{" + ",".join(map(str, values)) + "}"


_COPY = re.compile(r"(?:/\*.*?\*/ )?copy (\w+) (\([^)]*\)) from stdin", re.DOTALL)
_ESCAPED = re.compile(rb"\\([\\tnr])")
_UNESCAPED = {b"\\": b"\\", b"t": b"\t", b"n": b"\n", b"r": b"\r"}


def _as_insert(query: Query, text: bytes) -> bytes:
    """Rows in COPY's text format as one INSERT: literals without a type take their column's."""
    found = _COPY.match(query.sql)
    if found is None:
        raise ValueError(f"{query.name} is not `copy TABLE (COLUMNS) from stdin`")
    rows = [b"(" + b",".join(map(_literal, line.split(b"\t"))) + b")" for line in text.split(b"\n")[:-1]]
    head = f"insert into {found[1]} {found[2]} values "  # noqa: S608 - table and columns are the room's own, from its queries.sql
    return head.encode() + b",".join(rows)


def _literal(value: bytes) -> bytes:
    if value == b"\\N":
        return b"null"
    if b"\\" in value:
        value = _ESCAPED.sub(lambda found: _UNESCAPED[found[1]], value)
    return b"'" + value.replace(b"'", b"''") + b"'"


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_text(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows to COPY's text format. None is NULL, bytes are bytea, everything else its `str`."""
    lines = []
    for row in rows:
        lines.append("\t".join([_copy_field(value) for value in row]))
    lines.append("")
    return "\n".join(lines).encode()


def _copy_field(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, int):
        return str(int(value)) if not isinstance(value, bool) else ("t" if value else "f")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "\\\\x" + bytes(value).hex()
    return str(value).translate(_ESCAPES)
