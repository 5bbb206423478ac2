"""The database: engine, transactions, schema version, and loading many rows quickly.

One place knows the two dialects' differences for writing. SQLite takes the write lock when a transaction
starts (``BEGIN IMMEDIATE``), so two writers wait instead of failing; on PostgreSQL a transaction that
writes events takes one advisory lock first, so that ``bill_event.seq`` rises in the order of commits.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, Engine, Table, create_engine, event, select, text
from sqlalchemy import func as sql
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from tracker import parent

if TYPE_CHECKING:
    from alembic.config import Config

EVENT_LOCK = 7_301_944_012
BUSY_SECONDS = 30
#: How long a PostgreSQL that restarts is waited for when a command begins.
STARTING_SECONDS = 60
#: With less room than this SQLite cannot make the files that it keeps beside the database.
_SMALL = 1 << 20
_ALEMBIC_INI = Path(__file__).resolve().parent.parent / "alembic.ini"


class DatabaseError(RuntimeError):
    """The database cannot be used; the message says what to do."""


class DatabaseAway(DatabaseError):
    """The database does not answer now; the same may go well later."""


def make_engine(url: str) -> Engine:
    """An engine for a SQLite or PostgreSQL address (``postgresql+psycopg://…``)."""
    if url.startswith("sqlite"):
        path = url.removeprefix("sqlite:///")
        if path and path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if not url.startswith("postgresql+psycopg://"):
        raise DatabaseError(f"database address {url.split('://')[0]}://… is neither SQLite nor PostgreSQL")
    return create_engine(url, pool_pre_ping=True)


def _prepare_sqlite(connection: sqlite3.Connection, _record: ConnectionPoolEntry) -> None:
    # The driver's own implicit transactions would start late and without the write lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_SECONDS * 1000}",
        "cache_size=-64000",
        "temp_store=MEMORY",
        # Reading goes through the system's own cache, which all connections share.
        "mmap_size=1073741824",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes. Commits at the end, rolls back on any exception."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(select(sql.pg_advisory_xact_lock(EVENT_LOCK)))
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads, from one unchanging snapshot."""
    connection = engine.connect()
    if engine.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with connection, connection.begin():
        yield connection


def alembic_config(url: str) -> Config:
    """Alembic's configuration for this address."""
    from alembic.config import Config

    config = Config(str(_ALEMBIC_INI))
    config.attributes["url"] = url
    return config


def upgrade(engine: Engine) -> None:
    """Bring the schema to the newest version; nothing happens when it is. A server that starts up is waited for."""
    if _schema(engine) == newest_schema():
        return
    from alembic import command

    command.upgrade(alembic_config(engine.url.render_as_string(hide_password=False)), "head")


def _schema(engine: Engine) -> str | None:
    """The schema's version; raises :class:`DatabaseAway` when nobody answers in time."""
    until = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            with engine.connect() as connection:
                has = engine.dialect.has_table(connection, "alembic_version")
                return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if has else None
        except OperationalError as error:
            said = str(error.orig).strip()
            if not _comes_back(engine, said) or time.monotonic() > until:
                raise DatabaseAway(f"cannot open the database: {said.splitlines()[0]}{_room(engine)}") from error
            time.sleep(0.5)


def _comes_back(engine: Engine, said: str) -> bool:
    """Whether a server that refuses will soon be there. A job of the clock hopes longer than a person at a terminal."""
    if engine.dialect.name != "postgresql":
        return False
    restarts = any(words in said for words in ("starting up", "shutting down", "not yet accepting", "recovery mode"))
    return restarts or (parent.VARIABLE in os.environ and "password" not in said and "does not exist" not in said)


def _room(engine: Engine) -> str:
    """What SQLite does not say of a disk that is full: "disk I/O error" is all one gets from it."""
    folder = Path(engine.url.database or "").parent
    if engine.dialect.name != "sqlite" or not folder.is_dir() or shutil.disk_usage(folder).free > _SMALL:
        return ""
    return f"; the disk is full at {folder}: make room, `billtracker clean --dry-run` says what there is"


def newest_schema() -> str:
    """The newest revision, by the migrations' file names: every command asks, and Alembic takes a third of a second
    to be imported."""
    versions = _ALEMBIC_INI.parent / "migrations" / "versions"
    return max(path.name[:4] for path in versions.glob("[0-9][0-9][0-9][0-9]_*.py"))


def reserve_ids(connection: Connection, table: Table, count: int) -> range:
    """Take ``count`` new primary keys at once, so that child rows can be written without asking back."""
    if count == 0:
        return range(0)
    key = table.primary_key.columns.values()[0].name
    if connection.dialect.name == "postgresql":
        # One reservation at a time: the transaction holds the writers' lock.
        sequence = f"pg_get_serial_sequence('{table.name}', '{key}')"
        first = connection.exec_driver_sql(f"SELECT nextval({sequence})").scalar_one()
        connection.exec_driver_sql(f"SELECT setval({sequence}, {first + count - 1})")
    else:
        first = connection.exec_driver_sql(f"SELECT coalesce(max({key}), 0) + 1 FROM {table.name}").scalar_one()
    return range(first, first + count)


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert many rows of database-ready values (JSON as text, moments by ``models.base.stamp``).

    Goes past the ORM: COPY on PostgreSQL, one executemany on SQLite.
    """
    if not rows:
        return
    names = ", ".join(columns)
    cursor = connection.connection.cursor()
    try:
        if connection.dialect.name == "postgresql":
            with cast(Any, cursor).copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join("?" * len(columns))
            cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)
    finally:
        cursor.close()
