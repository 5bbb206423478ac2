"""The filters of a search that the index of words knows nothing of: tags, scores and days of observation."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Connection, text

from tracker.search_sql import Narrowing, Query, as_numbers, one_of

# Up to so many bills are handed to the index by their ids.
FEW = 5_000


def narrowing(connection: Connection, search: Query) -> Narrowing:
    """The smaller side is listed, the bills that are meant or those that are not; where both are many, each hit is
    asked whether it is meant."""
    dialect = connection.dialect.name
    inner, values = _bills(search, dialect)
    if not inner:
        return Narrowing()
    ids = _listed(connection, inner, values)
    if len(ids) <= FEW:
        return Narrowing(one_of("{bill}", "bill_ids", dialect), {"bill_ids": as_numbers(ids, dialect)})
    if not search.strategies and search.min_score is None:
        # Mostly a day before or after nearly all that was ever seen.
        days = _days(search, dialect)
        ids = _listed(connection, " OR ".join(part for _, part, _, _ in days), values)
        if not ids:
            return Narrowing()
        if len(ids) <= FEW:
            return Narrowing(f"NOT ({one_of('{bill}', 'bill_ids', dialect)})", {"bill_ids": as_numbers(ids, dialect)})
    return Narrowing(f"EXISTS (SELECT 1 FROM bill WHERE bill.id = {{bill}} AND {inner})", values)


def _listed(connection: Connection, which: str, values: dict[str, Any]) -> list[int]:
    """The bills for which a condition holds, or one more than :data:`FEW` of them."""
    return list(connection.execute(text(f"SELECT bill.id FROM bill WHERE {which} LIMIT {FEW + 1}"), values).scalars())


def _bills(search: Query, dialect: str) -> tuple[str, dict[str, Any]]:
    """The filters that the index has no words for, as a condition on ``bill``."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    if search.strategies:
        names = ", ".join(f":strategy{n}" for n in range(len(search.strategies)))
        values.update({f"strategy{n}": name for n, name in enumerate(search.strategies)})
        reach = "tag.applied" if search.min_score is None else "tag.score >= :score"
        parts.append(
            "bill.id IN (SELECT tag.bill_id FROM tag"
            f" WHERE tag.strategy IN ({names}) AND tag.removed_at IS NULL AND {reach})"
        )
    elif search.min_score is not None:
        parts.append(
            "bill.id IN (SELECT tag.bill_id FROM tag WHERE tag.removed_at IS NULL"
            " AND tag.strategy <> 'in_scope' AND tag.score >= :score)"
        )
    if search.min_score is not None:
        values["score"] = search.min_score
    for part, _, name, value in _days(search, dialect):
        parts.append(part)
        values[name] = value
    return " AND ".join(parts), values


def _days(search: Query, dialect: str) -> list[tuple[str, str, str, Any]]:
    """The days of observation: condition on ``bill``, its opposite, and the name and value that both need."""
    made: list[tuple[str, str, str, Any]] = []
    for name, column, since, until in (
        ("seen", "bill.first_seen_at", search.seen_since, search.seen_until),
        ("changed", "bill.last_changed_at", search.changed_since, search.changed_until),
    ):
        low, high = f"{name}_low", f"{name}_high"
        if since is not None:
            made.append((f"{column} >= :{low}", f"{column} < :{low}", low, _moment(since, dialect)))
        if until is not None:
            end = _moment(until + dt.timedelta(days=1), dialect)
            made.append((f"{column} < :{high}", f"{column} >= :{high}", high, end))
    return made


def _moment(day: dt.date, dialect: str) -> Any:
    moment = dt.datetime.combine(day, dt.time(), dt.UTC)
    # SQLite keeps moments as text, and "2026-01-31T" sorts before every moment of that day.
    return moment if dialect == "postgresql" else f"{day.isoformat()}T"
