"""Who may ask: API keys, and what analysts add of their own.

Notes, stances and watch lists hang on the bill's row, which a crawl never replaces, so they survive every
re-crawl.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, BigKey, Moment


class ApiKeyRow(Base):
    """A key to the API. Only its SHA-256 is kept; ``prefix`` lets people tell keys apart."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(12))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[str] = mapped_column(String(20))
    per_minute: Mapped[int] = mapped_column(Integer)
    per_day: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    last_used_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class BillNoteRow(Base):
    """What an analyst says of a bill; ``stance`` is support, oppose, neutral, watch or empty."""

    __tablename__ = "bill_note"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    author: Mapped[str] = mapped_column(String(100))
    note: Mapped[str] = mapped_column(Text)
    stance: Mapped[str] = mapped_column(String(12))
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    removed_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class WatchRow(Base):
    """A bill on a named watch list."""

    __tablename__ = "watch"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    watch_list: Mapped[str] = mapped_column(String(100), index=True)
    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    added_by: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    removed_at: Mapped[dt.datetime | None] = mapped_column(Moment)
