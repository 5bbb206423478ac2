"""What the database knows of its own tables, refreshed after a large load, so that its first questions are quick.

PostgreSQL would look by itself within a minute, SQLite never; until then both plan as if the tables were empty.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tracker.db import reading, writing

#: Fewer rows than this move no plan.
LARGE = 1_000
#: A load is large when it wrote at least one in so many of the table's rows, as PostgreSQL itself reckons.
SHARE = 10
#: SQLite looks at so many rows of each index: milliseconds, however large the table.
_ROWS_LOOKED_AT = 1_000

_log = structlog.get_logger(__name__)


def refresh(engine: Engine, tables: Sequence[str], written: int) -> bool:
    """Look at ``tables`` anew where ``written`` rows are much of the first of them; says whether it did.

    Readers and writers go on meanwhile. What loads has committed before: that no statistics could be had (another
    process holds the database) is logged, and the next large load tries again.
    """
    if written < LARGE:
        return False
    try:
        with reading(engine) as connection:
            rows = connection.execute(text(f"SELECT count(*) FROM {tables[0]}")).scalar_one()
        if written * SHARE < rows:
            return False
        _analyze(engine, tables)
    except DBAPIError as error:
        _log.warning("no statistics this time", tables=list(tables), error=str(error.orig).splitlines()[0])
        return False
    return True


def _analyze(engine: Engine, tables: Sequence[str]) -> None:
    if engine.dialect.name == "postgresql":
        # Each table is a transaction of its own, so no lock is held longer than one takes.
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"ANALYZE {', '.join(tables)}")
        return
    with writing(engine) as connection:
        connection.exec_driver_sql(f"PRAGMA analysis_limit = {_ROWS_LOOKED_AT}")
        for table in tables:
            connection.exec_driver_sql(f"ANALYZE {table}")
