"""How we came to know: crawl runs, what they could not use, and what sites said about freshness."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, BigKey, Json, Moment


class CrawlRunRow(Base):
    """One crawl (or file) and what became of it. ``status``: running, published, held, failed.

    ``runner`` is the process that loads it: a run whose process was killed is closed as failed, with that reason.

    ``complete`` says that the whole session was seen, so that bills not in it are missing.
    ``numbers`` is the crawler's own count; the columns are what the ingest made of it.
    """

    __tablename__ = "crawl_run"
    __table_args__ = (Index("ix_crawl_run_jurisdiction", "jurisdiction", "started_at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    jurisdiction: Mapped[str] = mapped_column(String(2))
    session: Mapped[str] = mapped_column(String(60))
    source: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(Text)
    replayed: Mapped[bool] = mapped_column(Boolean)
    complete: Mapped[bool] = mapped_column(Boolean)
    started_at: Mapped[dt.datetime] = mapped_column(Moment)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    bills: Mapped[int] = mapped_column(Integer)
    new: Mapped[int] = mapped_column(Integer)
    changed: Mapped[int] = mapped_column(Integer)
    unchanged: Mapped[int] = mapped_column(Integer)
    rejected: Mapped[int] = mapped_column(Integer)
    events: Mapped[int] = mapped_column(Integer)
    newest_action: Mapped[str] = mapped_column(String(10))
    numbers: Mapped[dict[str, Any]] = mapped_column(Json)
    records_path: Mapped[str] = mapped_column(Text)
    runner: Mapped[str] = mapped_column(String(120), server_default="")


class CrawlIssueRow(Base):
    """Something an admin should look at: a rejected record, an unknown action or session, a block page."""

    __tablename__ = "crawl_issue"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("crawl_run.id"), index=True)
    jurisdiction: Mapped[str] = mapped_column(String(2), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    identifier: Mapped[str] = mapped_column(String(100))
    field: Mapped[str] = mapped_column(String(100))
    detail: Mapped[str] = mapped_column(Text)
    count: Mapped[int] = mapped_column(Integer)
    seen_at: Mapped[dt.datetime] = mapped_column(Moment)


class HttpCacheRow(Base):
    """What a site told us of a URL's freshness. No bodies: only what is needed to ask "changed since?".

    ``stamp`` is what a list said of the document (or a feed's cursor), ``bill`` which bill
    ("session/identifier") it is of.
    """

    __tablename__ = "http_cache"

    url: Mapped[str] = mapped_column(String(2000), primary_key=True)
    jurisdiction: Mapped[str] = mapped_column(String(2), index=True)
    etag: Mapped[str] = mapped_column(Text)
    last_modified: Mapped[str] = mapped_column(Text)
    body_hash: Mapped[str] = mapped_column(String(64))
    stamp: Mapped[str] = mapped_column(Text, server_default="")
    bill: Mapped[str] = mapped_column(String(200), server_default="")
    checked_at: Mapped[dt.datetime] = mapped_column(Moment)
    changed_at: Mapped[dt.datetime] = mapped_column(Moment)


class SourceBudgetRow(Base):
    """Queries used of a keyed source's allowance, by period: a month ("2026-11") or a day ("2026-11-24").

    A crawl's share is entered before it starts and what it left over is taken back: a crawl that dies has
    used all it was given, so that the allowance is never exceeded.
    """

    __tablename__ = "source_budget"

    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    period: Mapped[str] = mapped_column(String(10), primary_key=True)
    used: Mapped[int] = mapped_column(Integer)
    updated_at: Mapped[dt.datetime] = mapped_column(Moment)


class CrawlAlertRow(Base):
    """A jurisdiction of which the admins were told that its crawls fail. Gone once they are told it is well again."""

    __tablename__ = "crawl_alert"

    jurisdiction: Mapped[str] = mapped_column(String(2), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(Integer)
    told_at: Mapped[dt.datetime] = mapped_column(Moment)


class ServiceAlertRow(Base):
    """A trouble of the whole service of which the admins were told. Gone once they are told it is over."""

    __tablename__ = "service_alert"

    kind: Mapped[str] = mapped_column(String(80), primary_key=True)
    message: Mapped[str] = mapped_column(Text)
    told_at: Mapped[dt.datetime] = mapped_column(Moment)
