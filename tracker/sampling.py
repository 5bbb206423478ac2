"""How much do we miss? Each week a few bills are drawn at random to be read; readers' answers give the estimate.

Bills are drawn from three strata, because a plain draw would hardly ever meet a missed bill: `tagged` (in scope),
`near` (a score that was kept, below the threshold) and `far` (all others). Each stratum is weighed by its size.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy import true as always

from tracker.db import reading, writing
from tracker.feedback import Verdict
from tracker.models.bills import BillRow, SessionRow
from tracker.models.readers import FeedbackRow
from tracker.models.samples import ReadingSampleRow
from tracker.models.tags import TagRow
from tracker.records import bill_key
from tracker.tagging import IN_SCOPE

SIZES = {"tagged": 5, "near": 10, "far": 10}
"""How many bills of each stratum are drawn in a week."""

DRAWS, SEED = 20_000, 7


@dataclass(frozen=True)
class Recall:
    """The estimate. Shares lie between 0 and 1 with a 95 % interval; None where too little was read to say anything."""

    read: dict[str, int]
    relevant: dict[str, int]
    population: dict[str, int]
    missed: float | None
    missed_low: float | None
    missed_high: float | None
    precision: float | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def week_of(moment: dt.datetime) -> str:
    """The ISO week, such as 2026-W07."""
    year, week, _ = moment.astimezone(dt.UTC).isocalendar()
    return f"{year}-W{week:02d}"


def draw(engine: Engine, *, now: dt.datetime, sizes: dict[str, int] | None = None) -> int:
    """Draw this week's bills, unless that was done. Gives how many were drawn now.

    The draw depends on the week and on the bills alone, so that two machines with one database agree.
    """
    week = week_of(now)
    with writing(engine) as connection:
        if connection.execute(select(ReadingSampleRow.id).where(ReadingSampleRow.week == week).limit(1)).first():
            return 0
        strata = _strata(connection)
        chance = random.Random(week)  # noqa: S311
        rows = []
        for stratum, size in (sizes or SIZES).items():
            bills = strata.get(stratum, [])
            for bill_id, score in chance.sample(bills, min(size, len(bills))):
                rows.append(
                    {
                        "week": week,
                        "bill_id": bill_id,
                        "stratum": stratum,
                        "population": len(bills),
                        "score": score,
                        "drawn_at": now,
                    }
                )
        if rows:
            connection.execute(insert(ReadingSampleRow), rows)
    return len(rows)


def _strata(connection: Connection) -> dict[str, list[tuple[int, float]]]:
    """Bills that are tagged at all (a classifier read them) by stratum, in order of their id."""
    current = (TagRow.bill_id == BillRow.id) & (TagRow.strategy == IN_SCOPE) & TagRow.removed_at.is_(None)
    query = (
        select(BillRow.id, TagRow.score, TagRow.applied)
        .join(TagRow, current, isouter=True)
        .where(BillRow.tagged_at.is_not(None), BillRow.vanished_at.is_(None))
        .order_by(BillRow.id)
    )
    strata: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for bill_id, score, applied in connection.execute(query):
        strata["far" if score is None else "tagged" if applied else "near"].append((bill_id, score or 0.0))
    return strata


def to_read(engine: Engine, week: str = "") -> list[dict[str, Any]]:
    """Drawn bills that nobody has read yet, of one week or of all, without saying which stratum they are of:
    a reader who knew would not read them alike.
    """
    with reading(engine) as connection:
        query = (
            select(
                ReadingSampleRow.week,
                BillRow.jurisdiction,
                SessionRow.identifier.label("session"),
                BillRow.identifier,
                BillRow.title,
                BillRow.url,
            )
            .join(BillRow, BillRow.id == ReadingSampleRow.bill_id)
            .join(SessionRow, SessionRow.id == BillRow.session_id)
            .where(
                ReadingSampleRow.week == week if week else always(),
                ~select(FeedbackRow.id)
                .where(
                    FeedbackRow.bill_id == ReadingSampleRow.bill_id,
                    FeedbackRow.at >= ReadingSampleRow.drawn_at,
                )
                .exists(),
            )
            .order_by(ReadingSampleRow.week, BillRow.jurisdiction, BillRow.identifier)
        )
        return [
            {
                "week": row.week,
                "key": bill_key(row.jurisdiction, row.session, row.identifier),
                "title": row.title,
                "url": row.url,
            }
            for row in connection.execute(query)
        ]


def recall(engine: Engine) -> Recall:
    """The share of relevant bills that the tags miss, from all drawn bills that were read.

    Each stratum's share of relevant bills is drawn from its Jeffreys posterior; the interval is the middle 95 % of what
    follows for the whole. Needs something read of `near` and `far`; otherwise the shares are None.
    """
    read: dict[str, int] = dict.fromkeys(SIZES, 0)
    relevant: dict[str, int] = dict.fromkeys(SIZES, 0)
    with reading(engine) as connection:
        for stratum, is_relevant in _answers(connection):
            read[stratum] += 1
            relevant[stratum] += is_relevant
        population = {stratum: len(bills) for stratum, bills in _strata(connection).items()}
    population = {stratum: population.get(stratum, 0) for stratum in SIZES}
    precision = relevant["tagged"] / read["tagged"] if read["tagged"] else None
    if any(population[stratum] and not read[stratum] for stratum in SIZES):
        return Recall(read, relevant, population, None, None, None, precision)
    missed = _missed(read, relevant, population, np.random.default_rng(SEED))
    middle, low, high = (round(float(value), 4) for value in np.percentile(missed, [50, 2.5, 97.5]))
    return Recall(read, relevant, population, middle, low, high, precision)


def _missed(
    read: dict[str, int], relevant: dict[str, int], population: dict[str, int], chance: np.random.Generator
) -> NDArray[np.float64]:
    counts = {
        stratum: population[stratum]
        * chance.beta(relevant[stratum] + 0.5, read[stratum] - relevant[stratum] + 0.5, size=DRAWS)
        for stratum in SIZES
    }
    outside = counts["near"] + counts["far"]
    shares: NDArray[np.float64] = outside / np.maximum(outside + counts["tagged"], 1e-9)
    return shares


def _answers(connection: Connection) -> list[tuple[str, bool]]:
    """Stratum and answer of each drawn bill that was read; the newest word counts."""
    newest = (
        select(ReadingSampleRow.id.label("sample"), func.max(FeedbackRow.id).label("word"))
        .join(FeedbackRow, FeedbackRow.bill_id == ReadingSampleRow.bill_id)
        .where(FeedbackRow.at >= ReadingSampleRow.drawn_at)
        .group_by(ReadingSampleRow.id)
        .subquery()
    )
    query = (
        select(ReadingSampleRow.stratum, FeedbackRow.verdict)
        .join(newest, newest.c.sample == ReadingSampleRow.id)
        .join(FeedbackRow, FeedbackRow.id == newest.c.word)
        .order_by(ReadingSampleRow.id)
    )
    return [(stratum, verdict != Verdict.NOT_RELEVANT) for stratum, verdict in connection.execute(query)]
