"""Who asks the API, and how often: a key by header or address, counted per minute and per day (UTC).

Counts are kept in the process that serves; a restart begins anew. A refused request is not counted, so
``Retry-After`` is the truth.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import APIKeyHeader, APIKeyQuery

from tracker.api_keys import ApiKey, find_key
from tracker.db import reading
from tracker.web.dependencies import Database, Now

_header = APIKeyHeader(name="X-API-KEY", auto_error=False, description="The key, as `billtracker api-key add` gave it.")
_query = APIKeyQuery(name="apikey", auto_error=False, description="The key, where a header cannot be sent.")


class Meter:
    """Counts requests of each key in the running minute and day."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[tuple[int, str], tuple[dt.datetime, int]] = {}
        self._used: dict[int, dt.datetime] = {}

    def count(self, key: ApiKey, now: dt.datetime) -> None:
        """Count one request, or raise 429 with the seconds until the next is welcome."""
        minute = now.replace(second=0, microsecond=0)
        day = minute.replace(hour=0, minute=0)
        windows = (
            ("min", minute, dt.timedelta(minutes=1), key.per_minute),
            ("day", day, dt.timedelta(days=1), key.per_day),
        )
        with self._lock:
            for name, start, length, limit in windows:
                begun, times = self._counts.get((key.id, name), (start, 0))
                if begun == start and times >= limit:
                    wait = max(1, int((start + length - now).total_seconds() + 0.999))
                    raise HTTPException(
                        429, f"exceeded limit of {limit}/{name}: {times + 1}", {"Retry-After": str(wait)}
                    )
            for name, start, _, _ in windows:
                begun, times = self._counts.get((key.id, name), (start, 0))
                self._counts[key.id, name] = (start, times + 1 if begun == start else 1)
            self._used[key.id] = now

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
