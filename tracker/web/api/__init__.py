"""API v3 as Open States' clients know it, and our own additions; one module a resource."""

from __future__ import annotations

from fastapi import APIRouter


def routers() -> list[APIRouter]:
    """The routers of the API, in the order in which they are asked."""
    return []
