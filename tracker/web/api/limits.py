"""Who asks the API, and how often: a key by header or address, counted per minute and per day (UTC).

A refused request is not counted, so ``Retry-After`` is the truth.
"""

from __future__ import annotations

import datetime as dt
import math
import threading
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyHeader, APIKeyQuery
from sqlalchemy import Engine

from tracker.api_keys import ApiKey, find_key
from tracker.api_use import Allowance, Counter
from tracker.db import reading
from tracker.web.dependencies import Database, Now

_header = APIKeyHeader(name="X-API-KEY", auto_error=False, description="The key, as `billtracker api-key add` gave it.")
_query = APIKeyQuery(name="apikey", auto_error=False, description="The key, where a header cannot be sent.")


class Meter:
    """Counts requests of each key in the running minute and day, with all processes that serve this database."""

    def __init__(self, engine: Engine) -> None:
        self._counter = Counter(engine)
        self._lock = threading.Lock()
        self._used: dict[int, dt.datetime] = {}

    def count(self, key: ApiKey, now: dt.datetime) -> None:
        """Count one request, or raise 429 with the seconds until the next is welcome."""
        at = now.timestamp()
        lengths = {"min": 60, "day": 86_400}
        limits = (("min", key.per_minute), ("day", key.per_day))
        allowed = [Allowance(name, int(at // lengths[name] * lengths[name]), limit) for name, limit in limits]
        over = self._counter.count(key.id, allowed)
        if over is not None:
            wait = max(1, math.ceil(over.start + lengths[over.period] - at))
            raise HTTPException(
                429, f"exceeded limit of {over.limit}/{over.period}: {over.limit + 1}", {"Retry-After": str(wait)}
            )
        with self._lock:
            self._used[key.id] = now

    def close(self) -> None:
        """Nothing is counted any more."""
        self._counter.close()

    def take_used(self) -> dict[int, dt.datetime]:
        """When keys were used since the last call."""
        with self._lock:
            used, self._used = self._used, {}
        return used


def require_key(
    request: Request,
    engine: Database,
    now: Now,
    header: Annotated[str | None, Depends(_header)],
    query: Annotated[str | None, Depends(_query)],
) -> ApiKey:
    """The key of the request: 403 without one, 401 for one that is not in force, 429 beyond its limits."""
    given = header or query
    if not given:
        raise HTTPException(403, "An API key is needed: send it as X-API-KEY, or as ?apikey=.")
    with reading(engine) as connection:
        key = find_key(connection, given)
    if key is None:
        raise HTTPException(401, "This API key is not known, or no longer in force.")
    meter: Meter = request.app.state.meter
    meter.count(key, now)
    return key
