"""The HTML pages; one module a page or a small family, each with a ``router``.

Addresses of the API (:data:`tracker.web.errors.API`: /bills, /events …) are taken; pages use others.
"""

from __future__ import annotations

from fastapi import APIRouter

from tracker.web.pages import (
    admin,
    bill,
    calendar,
    downloads,
    feeds,
    freshness,
    home,
    reference,
    search,
    spread,
    sql,
    strategies,
)


def routers() -> list[APIRouter]:
    """The routers of the pages, in the order in which they are asked."""
    listed = (home, search, bill, strategies, spread, freshness, sql, reference, calendar, feeds, downloads, admin)
    return [page.router for page in listed]
