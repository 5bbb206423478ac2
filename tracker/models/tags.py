"""What we say about bills: tags, the words that prove them, and which classifier said so."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, BigKey, Moment


class ClassifierRow(Base):
    """One classifier that has tagged: playbook, model and code, by hash."""

    __tablename__ = "classifier"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[str] = mapped_column(String(200), unique=True)
    playbook: Mapped[str] = mapped_column(String(80))
    playbook_hash: Mapped[str] = mapped_column(String(64))
    model_hash: Mapped[str] = mapped_column(String(64))
    code_version: Mapped[str] = mapped_column(String(40))
    first_used_at: Mapped[dt.datetime] = mapped_column(Moment)


class TagRow(Base):
    """A strategy's score on a bill, valid from ``first_seen_at`` until ``removed_at``; ``applied`` tags have
    evidence, always. ``in_scope`` is a row of its own under that name.
    """

    __tablename__ = "tag"
    __table_args__ = (Index("ix_tag_strategy", "strategy", "applied"),)

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    strategy: Mapped[str] = mapped_column(String(60))
    score: Mapped[float] = mapped_column(Float)
    applied: Mapped[bool] = mapped_column(Boolean)
    classifier_id: Mapped[int] = mapped_column(ForeignKey("classifier.id"))
    bill_text_id: Mapped[int | None] = mapped_column(ForeignKey("bill_text.id"))
    first_seen_at: Mapped[dt.datetime] = mapped_column(Moment)
    removed_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class TagEvidenceRow(Base):
    """The bill's own words: ``quote == field[start:end]`` in code points, of the title, an abstract or a text."""

    __tablename__ = "tag_evidence"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id"), index=True)
    ordinal: Mapped[int] = mapped_column(SmallInteger)
    field: Mapped[str] = mapped_column(String(20))
    start: Mapped[int] = mapped_column("start_offset", Integer)
    end: Mapped[int] = mapped_column("end_offset", Integer)
    quote: Mapped[str] = mapped_column(Text)
