"""Which bills were drawn at random to be read, so that what we miss can be estimated."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Float, ForeignKey, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, BigKey, Moment


class ReadingSampleRow(Base):
    """One bill drawn in one week. ``stratum`` is tagged, near or far; ``population`` how many bills it had then.

    A drawn bill is read when a row of ``feedback`` from after ``drawn_at`` speaks of it.
    """

    __tablename__ = "reading_sample"
    __table_args__ = (UniqueConstraint("week", "bill_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    week: Mapped[str] = mapped_column(String(8), index=True)
    bill_id: Mapped[int] = mapped_column(BigKey, ForeignKey("bill.id"), index=True)
    stratum: Mapped[str] = mapped_column(String(8))
    population: Mapped[int] = mapped_column(Integer)
    score: Mapped[float] = mapped_column(Float)
    drawn_at: Mapped[dt.datetime] = mapped_column(Moment)
