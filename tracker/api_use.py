"""Counts what is asked with each key, for all processes that serve the same database together.

PostgreSQL keeps the counts in the table ``api_use``; it is not logged, so that counting waits for no disk. A
SQLite database is written by one at a time, and a load may hold it for seconds: there the counts are in a small
file of their own beside it. They are no data: lost counts begin anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from tracker.db import make_engine

TABLE = (
    "CREATE {unlogged} TABLE IF NOT EXISTS api_use (key_id INTEGER NOT NULL, period VARCHAR(3) NOT NULL,"
    " start BIGINT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (key_id, period))"
)
# A process whose clock is a little behind counts in the period that has begun.
_COUNT = text(
    "INSERT INTO api_use (key_id, period, start, times) VALUES (:key, :period, :start, 1)"
    " ON CONFLICT (key_id, period) DO UPDATE SET"
    " times = CASE WHEN api_use.start < excluded.start THEN 1 ELSE api_use.times + 1 END,"
    " start = CASE WHEN api_use.start < excluded.start THEN excluded.start ELSE api_use.start END"
    " WHERE api_use.start < excluded.start OR api_use.times < :limit"
    " RETURNING times"
)


@dataclass(frozen=True)
class Allowance:
    """How often a key may be used in the period that began at ``start`` (seconds since 1970)."""

    period: str
    start: int
    limit: int


class Counter:
    """The counts beside or in a database."""

    def __init__(self, engine: Engine) -> None:
        self._own = engine.dialect.name == "sqlite"
        self.engine = make_engine(_beside(engine.url.database)) if self._own else engine
        if self._own:
            with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
                connection.exec_driver_sql(TABLE.format(unlogged=""))

    def count(self, key_id: int, allowances: Sequence[Allowance]) -> Allowance | None:
        """Count one use in every period, or in none: then the allowance that is used up is the answer."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin() as transaction:
            for each in allowances:
                values = {"key": key_id, "period": each.period, "start": each.start, "limit": each.limit}
                if connection.execute(_COUNT, values).first() is None:
                    transaction.rollback()
                    return each
        return None

    def close(self) -> None:
        """Let go of the file."""
        if self._own:
            self.engine.dispose()


def _beside(database: str | None) -> str:
    if not database or database == ":memory:":
        return "sqlite://"
    path = Path(database)
    return f"sqlite:///{path.with_name(path.stem + '-api-use.db')}"
