"""SQL of analysts' own, read-only for certain: nothing can be written, only the views can be read.

Several walls stand behind each other. On SQLite: the file is opened read-only, an authorizer allows reading
the ``v_`` views and nothing else, a progress handler ends what runs too long, values have a greatest length.
On PostgreSQL: the statement runs as a login role of its own that has grants on the views and on nothing else,
inside a cursor (so it can only be a query) of a read-only transaction that is rolled back, under the server's
statement timeout. ``SET ROLE`` would not do: a statement could reset it; so could it a read-only flag.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, text

MAX_ROWS = 10_000
MAX_SECONDS = 5.0
MAX_VALUE = 4 * 1024 * 1024
MAX_ANSWER = 64 * 1024 * 1024
MAX_STATEMENT = 20_000
ROLE_CONNECTIONS = 6
# How many steps of SQLite's machine run between two looks at the clock.
_STEPS = 20_000
_QUERY = re.compile(r"^(?:select|with|values|table|explain)\b", re.IGNORECASE)
_COMMENT = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
# Functions a plain role may call that hold locks, signal others, sleep, write large objects or change settings.
_REFUSED = re.compile(
    r"pg_\w*(?:lock|sleep|cancel|terminate|notify|promote|reload|rotate|switch|wal_|logical|replication|backup"
    r"|export_snapshot|import|stat_reset|read_|ls_|stat_file)\w*"
    r"|set_config|\blo_\w+|\blo\w*(?:import|export|creat|unlink|write|open)\w*|dblink\w*|query_to_xml\w*"
    r"|cursor_to_xml\w*|(?:table|schema|database)_to_xml\w*|txid_\w*|current_setting|U&\s*[\"']|nextval|setval",
    re.IGNORECASE,
)
_TOO_LARGE = f"the answer is larger than {MAX_ANSWER >> 20} MiB: choose fewer columns or rows"
# The statement as a table; a row too large to carry makes the division fail. The line break ends a comment.
_GUARD = (
    "SELECT q.* FROM (\n{statement}\n) AS q WHERE CASE WHEN octet_length(CAST(q AS text)) > "
    f"{MAX_VALUE} THEN 1 / (octet_length(CAST(q AS text)) * 0) > 0 ELSE true END"
)
_SQLITE_FUNCTIONS_REFUSED = frozenset(
    {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "fts5", "sqlite_compileoption_get"}
)


class SqlError(ValueError):
    """A statement that is refused or fails; the message is one sentence."""


@dataclass
class Answer:
    """Rows in the statement's order; ``cut`` when there were more than the limit."""

    columns: list[str]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    cut: bool = False
    seconds: float = 0.0

    def as_dicts(self) -> list[dict[str, Any]]:
        """Rows as objects; columns of one name get a number behind it."""
        names: list[str] = []
        for name in self.columns:
            same = sum(1 for other in names if other.rsplit(":", 1)[0] == name)
            names.append(f"{name}:{same + 1}" if same else name)
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def run(
    engine: Engine,
    statement: str,
    *,
    password_key: str = "",
    max_rows: int = MAX_ROWS,
    seconds: float = MAX_SECONDS,
) -> Answer:
    """Answer one query. Raises :class:`SqlError`.

    ``password_key`` (the installation's signing key) gives PostgreSQL's reader role its password; the role
    must have been made once, by :func:`prepare`.
    """
    statement = _one_query(statement)
    begun = time.monotonic()
    if engine.dialect.name == "sqlite":
        answer = _sqlite(str(engine.url.database), statement, max_rows, seconds)
    else:
        answer = _postgresql(engine, statement, password_key, max_rows, seconds)
    answer.seconds = round(time.monotonic() - begun, 3)
    return answer


def _one_query(statement: str) -> str:
    statement = statement.strip().rstrip(";").rstrip()
    if not statement:
        raise SqlError("there is no SQL to run")
    if len(statement) > MAX_STATEMENT:
        raise SqlError(f"a statement has at most {MAX_STATEMENT:,} characters")
    if "\x00" in statement:
        raise SqlError("a statement cannot have a NUL character")
    head = _COMMENT.match(statement)
    if not _QUERY.match(statement[head.end() if head else 0 :]):
        raise SqlError("only queries are allowed: a statement begins with SELECT, WITH, VALUES or EXPLAIN")
    return statement


def _sqlite(path: str, statement: str, max_rows: int, seconds: float) -> Answer:
    deadline = time.monotonic() + seconds
    gate: _Gate | None = None
    try:
        with closing(
            sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=5, isolation_level=None)
        ) as connection:
            gate = _Gate(connection)
            for limit, value in _SQLITE_LIMITS:
                connection.setlimit(limit, value)
            connection.set_authorizer(gate.authorize)
            connection.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS)
            cursor = connection.execute(statement)
            answer = Answer([column[0] for column in cursor.description or ()])
            size = 0
            for row in cursor:
                if len(answer.rows) >= max_rows:
                    answer.cut = True
                    break
                size += _size(row)
                if size > MAX_ANSWER:
                    raise SqlError(_TOO_LARGE)
                answer.rows.append(row)
            return answer
    except (sqlite3.Error, sqlite3.Warning) as error:
        message = str(error)
        if "interrupted" in message:
            raise SqlError(f"the statement ran longer than {seconds:g} seconds") from None
        if "too big" in message:
            raise SqlError(f"a value is larger than {MAX_VALUE >> 20} MiB") from None
        if gate and gate.refused:
            raise SqlError(f"{gate.refused} is not allowed here: only the views (v_bills …) can be read") from None
        raise SqlError(_sentence(message)) from None
    except OverflowError:
        raise SqlError("a number in the statement is too large") from None


_SQLITE_LIMITS = (
    (sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE),
    (sqlite3.SQLITE_LIMIT_ATTACHED, 0),
    (sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
    (sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 200),
    (sqlite3.SQLITE_LIMIT_COMPOUND_SELECT, 100),
)


class _Gate:
    """SQLite's authorizer: which columns of which tables a statement may read, and that it may do no more.

    SQLite names the view through which a table is read, but a statement can give that name to a query of its
    own (WITH v_bills AS …). So what counts is what each view really reads, and that is found by asking.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.refused = ""
        rows = connection.execute("SELECT lower(name), type FROM sqlite_master WHERE type IN ('table', 'view')")
        kinds = dict(rows.fetchall())
        self.views = {name for name, kind in kinds.items() if kind == "view" and name.startswith("v_")}
        self.hidden = kinds.keys() - self.views
        self.through: set[tuple[str, str, str]] = set()
        self.beneath: set[str] = set()
        connection.set_authorizer(self._learn)
        for view in sorted(self.views):
            connection.execute(f"EXPLAIN SELECT * FROM {view}")  # the names are ours, from a migration

    def _learn(self, action: int, table: str | None, column: str | None, _base: str | None, view: str | None) -> int:
        if action == sqlite3.SQLITE_READ and view:
            self.through.add((view.lower(), (table or "").lower(), (column or "").lower()))
            self.beneath.add((table or "").lower())
        return sqlite3.SQLITE_OK

    def authorize(self, action: int, one: str | None, two: str | None, _base: str | None, view: str | None) -> int:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and (two or "").lower() not in _SQLITE_FUNCTIONS_REFUSED:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and self._readable((one or "").lower(), (two or "").lower(), view):
            return sqlite3.SQLITE_OK
        self.refused = self.refused or (one if action == sqlite3.SQLITE_READ else two) or "that"
        return sqlite3.SQLITE_DENY

    def _readable(self, table: str, column: str, view: str | None) -> bool:
        if table in self.views:
            return True
        if table in self.hidden:
            # Without a column: SQLite counts rows of a table it joins, having dissolved the view.
            return ((view or "").lower(), table, column) in self.through or (not column and table in self.beneath)
        # What is no table of the file is a name the statement made itself, or a table-valued function.
        return not table.startswith(("sqlite_", "pragma_", "fts", "dbstat", "bytecode", "tables_used"))


def _size(row: tuple[Any, ...]) -> int:
    return sum(len(value) if isinstance(value, str | bytes) else 16 for value in row)


def role_name(engine: Engine) -> str:
    """The reader role of this database; roles belong to the whole server, so the name carries the database's."""
    digest = hashlib.sha256(str(engine.url.database).encode()).hexdigest()[:10]
    return f"billtracker_reader_{digest}"


def _password(engine: Engine, key: str) -> str:
    if not key:
        raise SqlError("SQL on PostgreSQL needs the installation's secret key")
    return hmac.new(key.encode(), f"sql-reader {engine.url.database}".encode(), hashlib.sha256).hexdigest()


def prepare(engine: Engine, password_key: str) -> None:
    """Make the reader role on PostgreSQL, or renew its password and grants; nothing to do on SQLite.

    The database's own user needs CREATEROLE. Raises :class:`SqlError` that says what an admin can do.
    """
    if engine.dialect.name == "sqlite":
        return
    from sqlalchemy.exc import DBAPIError

    role, password = role_name(engine), _password(engine, password_key)
    database = str(engine.url.database).replace('"', '""')
    try:
        with engine.connect() as connection, connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(7301944013)"))
            exists = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": role}).first()
            verb = "ALTER" if exists else "CREATE"
            connection.exec_driver_sql(
                f"{verb} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION"
                f" CONNECTION LIMIT {ROLE_CONNECTIONS} PASSWORD '{password}'"
            )
            connection.exec_driver_sql(f"ALTER ROLE {role} SET default_transaction_read_only = on")
            connection.exec_driver_sql(f"ALTER ROLE {role} SET statement_timeout = '{int(MAX_SECONDS * 1000)}'")
            connection.exec_driver_sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            connection.exec_driver_sql(f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC')
            connection.exec_driver_sql(f'GRANT CONNECT ON DATABASE "{database}" TO {role}')
            connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA public TO {role}")
            connection.exec_driver_sql(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
            connection.exec_driver_sql(f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}")
            for view in _views(connection):
                connection.exec_driver_sql(f"GRANT SELECT ON {view} TO {role}")
    except DBAPIError as error:
        raise SqlError(
            f"the role {role} for read-only SQL cannot be made ({_sentence(str(error.orig))}): give the database's"
            " user CREATEROLE"
        ) from error


def _views(connection: Any) -> list[str]:
    rows = connection.execute(
        text(
            "SELECT table_name FROM information_schema.views"
            " WHERE table_schema = 'public' AND table_name LIKE 'v\\_%' ORDER BY 1"
        )
    )
    return [name for name in rows.scalars() if re.fullmatch(r"v_[a-z_]+", name)]


@contextmanager
def _reader(engine: Engine, password_key: str, seconds: float) -> Iterator[Any]:
    import psycopg

    url = engine.url
    options: dict[str, Any] = {
        "dbname": url.database,
        "user": role_name(engine),
        "password": _password(engine, password_key),
        "connect_timeout": 5,
        "application_name": "billtracker sql",
        "options": f"-c statement_timeout={int(seconds * 1000)} -c default_transaction_read_only=on"
        " -c idle_in_transaction_session_timeout=15000 -c work_mem=16MB -c lock_timeout=1000"
        " -c max_parallel_workers_per_gather=0",
    }
    host = url.host or url.query.get("host")
    if host:
        options["host"] = host
    if url.port or url.query.get("port"):
        options["port"] = url.port or url.query.get("port")
    try:
        connection = psycopg.connect(**options)
    except psycopg.OperationalError as error:
        prepare(engine, password_key)
        try:
            connection = psycopg.connect(**options)
        except psycopg.OperationalError:
            raise SqlError(f"the reader role cannot log in: {_sentence(str(error))}") from error
    try:
        yield connection
    finally:
        with suppress(psycopg.Error):
            connection.rollback()
        connection.close()


def _postgresql(engine: Engine, statement: str, password_key: str, max_rows: int, seconds: float) -> Answer:
    import threading

    import psycopg

    refused = _REFUSED.search(statement)
    if refused:
        raise SqlError(f"{refused[0][:40]} is not allowed here: only the views can be read")
    with _reader(engine, password_key, seconds) as connection:
        # Should a statement ever slip the server's clock, ours ends it.
        alarm = threading.Timer(seconds + 1, connection.cancel)
        alarm.daemon = True
        alarm.start()
        try:
            return _fetch(connection, statement, max_rows)
        except SqlError:
            raise
        except psycopg.errors.QueryCanceled:
            raise SqlError(f"the statement ran longer than {seconds:g} seconds") from None
        except psycopg.errors.InsufficientPrivilege as error:
            raise SqlError(f"{_sentence(str(error))}: only the views (v_bills, v_actions …) can be read") from None
        except psycopg.errors.DivisionByZero:
            raise SqlError(f"division by zero, or a row larger than {MAX_VALUE >> 20} MiB") from None
        except psycopg.Error as error:
            raise SqlError(_sentence(str(error) or type(error).__name__)) from None
        except (UnicodeError, ValueError, OverflowError) as error:
            raise SqlError(f"the answer holds a value that cannot be shown: {_sentence(str(error))}") from None
        finally:
            alarm.cancel()


def _fetch(connection: Any, statement: str, max_rows: int) -> Answer:
    if statement.lstrip()[:7].lower() == "explain":
        if re.search(r"\banalyze\b", statement, re.IGNORECASE):
            raise SqlError("EXPLAIN ANALYZE is not allowed here: EXPLAIN alone shows the plan")
        # Binary results go by the extended protocol, which takes one statement and no more.
        cursor = connection.cursor(binary=True)
        cursor.execute(statement.encode())
        return Answer([c.name for c in cursor.description or ()], cursor.fetchmany(max_rows))
    with connection.cursor(name="answer") as cursor:
        cursor.execute(_GUARD.format(statement=statement).encode())
        cursor.itersize = 200
        answer = Answer([c.name for c in cursor.description or ()])
        size = 0
        while True:
            rows = cursor.fetchmany(200)
            for row in rows:
                if len(answer.rows) >= max_rows:
                    answer.cut = True
                    return answer
                size += _size(row)
                if size > MAX_ANSWER:
                    raise SqlError(_TOO_LARGE)
                answer.rows.append(row)
            if len(rows) < 200:
                return answer


def _sentence(message: str) -> str:
    return (message.strip().splitlines() or ["it failed"])[0].strip()[:300]
