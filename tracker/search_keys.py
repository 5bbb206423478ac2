"""Document keys and counts from the index of words, on either database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext

from sqlalchemy import Connection, text

from tracker.search_sql import Condition

COUNTED = 10_000


def counted(connection: Connection, found: Condition) -> tuple[int, Callable[[int, int], list[int]]]:
    """How many match, and what hands out the newest of them by limit and offset."""
    if found.slow:
        known = keys_of(connection, found, COUNTED + 1, 0)
        return len(known), lambda limit, offset: known[offset : offset + limit]
    total = count_hits(connection, found)
    return total, lambda limit, offset: keys_of(connection, found, limit, offset, many=total > COUNTED)


def count_hits(connection: Connection, found: Condition) -> int:
    """How many documents match, counted to one more than :data:`COUNTED`."""
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {found.tables} WHERE {found.sql} LIMIT {COUNTED + 1}) AS hit"
    with _by_words(connection, found):
        return int(connection.execute(text(sql), found.values).scalar_one())


def keys_of(connection: Connection, found: Condition, limit: int, offset: int, *, many: bool = False) -> list[int]:
    """Document keys, newest first. ``many``: so many documents match that the newest are soon found one by one."""
    sql = (
        f"SELECT {found.key} FROM {found.tables} WHERE {found.sql}"
        f" ORDER BY {found.key} DESC LIMIT :limit OFFSET :offset"
    )
    with nullcontext() if many else _by_words(connection, found):
        rows = connection.execute(text(sql), {**found.values, "limit": limit, "offset": offset})
        return list(rows.scalars().all())


@contextmanager
def _by_words(connection: Connection, found: Condition) -> Iterator[None]:
    """PostgreSQL goes by the index of words alone.

    It takes looking into a document for as cheap as any comparison, so it would look into thousands of them,
    each unpacked for that, rather than fetch what the index names.
    """
    if connection.dialect.name != "postgresql" or "lexemes" not in found.sql:
        yield
        return
    # Hits that are asked whether their bill is one of many are joined with these bills, by an index.
    barred = ["seqscan"] if "EXISTS" in found.sql else ["seqscan", "indexscan"]
    _allow(connection, barred, "off")
    yield
    _allow(connection, barred, "on")


def _allow(connection: Connection, ways: Sequence[str], allowed: str) -> None:
    settings = ", ".join(f"set_config('enable_{way}', :allowed, true)" for way in ways)
    connection.execute(text(f"SELECT {settings}"), {"allowed": allowed})
