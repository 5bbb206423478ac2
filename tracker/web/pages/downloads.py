"""Whole sessions as archives: the addresses are in the API's ``legislative_sessions[].downloads``.

An archive is made when it is first asked for and kept until the session changes.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from fastapi.responses import FileResponse, Response
from sqlalchemy import func, select

from tracker import jurisdictions
from tracker.db import reading
from tracker.jurisdictions import Jurisdiction
from tracker.models.bills import BillRow, SessionRow
from tracker.web.api.session_files import write_session
from tracker.web.dependencies import AppSettings, Database
from tracker.web.errors import not_found

router = APIRouter()
# The heaviest thing a visitor without a key can ask for: one is made at a time, a few wait, others come again.
_making = threading.Lock()
_waiting = threading.BoundedSemaphore(3)


@router.get("/downloads/csv/{code}/{name}.zip")
def session_archive(
    engine: Database,
    settings: AppSettings,
    code: Annotated[str, Path(pattern="^[a-z]{2}$")],
    name: Annotated[str, Path(description="The session, an underscore, and when it last changed.", max_length=120)],
) -> Response:
    """The session as it stands; the time in the name only keeps readers from using an old copy."""
    place = jurisdictions.load().get(code) if code in jurisdictions.load() else None
    session = name.rpartition("_")[0]
    if place is None or not session:
        raise not_found("There is no such session.")
    if not _waiting.acquire(blocking=False):
        raise HTTPException(503, "Other sessions are being packed: ask again in a moment.", {"Retry-After": "20"})
    try:
        return _archive(engine, settings, place, session)
    finally:
        _waiting.release()


def _archive(engine: Database, settings: AppSettings, place: Jurisdiction, session: str) -> Response:
    with _making, reading(engine) as connection:
        changed = connection.execute(
            select(func.max(BillRow.last_changed_at))
            .join(SessionRow, SessionRow.id == BillRow.session_id)
            .where(BillRow.jurisdiction == place.code, SessionRow.identifier == session)
        ).scalar()
        if changed is None:
            raise not_found("There is no such session.")
        folder = settings.home / "downloads"
        stem = f"{place.code}-{hashlib.sha256(session.encode()).hexdigest()[:16]}"
        path = folder / f"{stem}-{changed:%Y%m%d%H%M%S%f}.zip"
        if not path.exists():
            write_session(connection, place, session, path)
            for older in folder.glob(f"{stem}-*.zip"):
                if older != path:
                    older.unlink(missing_ok=True)
    return FileResponse(path, media_type="application/zip", filename=f"{place.code}_{session}_csv.zip")
