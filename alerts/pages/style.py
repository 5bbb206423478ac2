"""The one stylesheet of these pages, as a file of its own: no style stands in a page."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import Response

router = APIRouter()
_CSS = Path(__file__).parent.parent.joinpath("templates", "pages.css").read_text("utf-8")


@router.get("/digest.css")
def stylesheet() -> Response:
    """The stylesheet."""
    return Response(_CSS, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})
