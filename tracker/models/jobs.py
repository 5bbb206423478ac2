"""What the clock and the workers did: one row a job's run, and who is alive."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Float, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, BigKey, Json, Moment


class JobRunRow(Base):
    """One run of a scheduled job. ``status``: running, done, look (done, something needs a look), failed,
    stopped (we were told to end), lost (whoever ran it is gone).

    ``message`` is the newest line a person may read, while it runs and after; ``result`` what the command
    printed for machines, where that is small.
    """

    __tablename__ = "job_run"
    __table_args__ = (Index("ix_job_run_job", "job", "id"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    job: Mapped[str] = mapped_column(String(60))
    status: Mapped[str] = mapped_column(String(12))
    attempt: Mapped[int] = mapped_column(Integer)
    runner: Mapped[str] = mapped_column(String(120))
    exit_code: Mapped[int | None] = mapped_column(Integer)
    message: Mapped[str] = mapped_column(Text)
    result: Mapped[Any | None] = mapped_column(Json)
    started_at: Mapped[dt.datetime] = mapped_column(Moment)
    seen_at: Mapped[dt.datetime] = mapped_column(Moment)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    seconds: Mapped[float | None] = mapped_column(Float)


class HeartbeatRow(Base):
    """That a long-running part is alive: the clock writes its row every half minute."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    runner: Mapped[str] = mapped_column(String(120))
    started_at: Mapped[dt.datetime] = mapped_column(Moment)
    seen_at: Mapped[dt.datetime] = mapped_column(Moment)
