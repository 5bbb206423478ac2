"""The HTML pages; one module a page or a small family, each with a ``router``.

Addresses of the API (:data:`tracker.web.errors.API`: /bills, /events …) are taken; pages use others.
"""

from __future__ import annotations

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """The routers of the pages, in the order in which they are asked."""
    from tracker.web.pages import calendar, downloads, reference, sql

    return [module.router for module in (sql, reference, calendar, downloads)]
