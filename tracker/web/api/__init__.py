"""API v3 as Open States' clients know it, and our own additions; one module a resource."""

from __future__ import annotations

from fastapi import APIRouter, Depends


def routers() -> list[APIRouter]:
    """The routers of the API; every request to them needs a key."""
    from tracker.web.api import bills, changes, events, jurisdictions, people
    from tracker.web.api.limits import require_key

    guarded = APIRouter(dependencies=[Depends(require_key)])
    for module in (jurisdictions, bills, people, events, changes):
        guarded.include_router(module.router)
    return [guarded]
