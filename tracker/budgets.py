"""Counts the queries of sources whose keys allow only so many, so that the allowance is never exceeded.

A crawl's share is entered as used before it starts; what it left over is taken back when it has given its
account. A crawl that dies without one has used all of its share.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Engine, insert, select, update

from tracker.db import writing
from tracker.jurisdictions import Source
from tracker.models.runs import SourceBudgetRow
from tracker.settings import Settings

# A crawl may take a quarter of what is left, or this many if that is more: others want some too.
LEAST_SHARE = 100


def limit_of(source: Source, settings: Settings, now: dt.datetime) -> tuple[int, str]:
    """What a source's key allows and the period it counts for; (0, "") where there is no limit."""
    if source.queries_a_month:
        return settings.queries.get(source.name, source.queries_a_month), f"{now:%Y-%m}"
    if source.queries_a_day:
        return settings.queries.get(source.name, source.queries_a_day), f"{now:%Y-%m-%d}"
    return 0, ""


def take(engine: Engine, source: Source, settings: Settings, now: dt.datetime) -> int:
    """A crawl's share of what is left, entered as used; 0 when nothing is left."""
    limit, period = limit_of(source, settings, now.astimezone(dt.UTC))
    with writing(engine) as connection:
        used = connection.execute(
            select(SourceBudgetRow.used).where(SourceBudgetRow.source == source.name, SourceBudgetRow.period == period)
        ).scalar()
        left = max(0, limit - (used or 0))
        share = min(left, max(LEAST_SHARE, left // 4))
        values = {"used": (used or 0) + share, "updated_at": now}
        if used is None:
            connection.execute(insert(SourceBudgetRow).values(source=source.name, period=period, **values))
        else:
            connection.execute(
                update(SourceBudgetRow)
                .where(SourceBudgetRow.source == source.name, SourceBudgetRow.period == period)
                .values(**values)
            )
    return share


def give_back(engine: Engine, source: Source, settings: Settings, unused: int, now: dt.datetime) -> None:
    """Take back what a crawl left of its share. ``now`` is the moment the share was taken at."""
    _, period = limit_of(source, settings, now.astimezone(dt.UTC))
    with writing(engine) as connection:
        connection.execute(
            update(SourceBudgetRow)
            .where(SourceBudgetRow.source == source.name, SourceBudgetRow.period == period)
            .values(used=SourceBudgetRow.used - max(0, unused), updated_at=now)
        )
