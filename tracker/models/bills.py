"""What legislatures did: bills, everything that hangs on them, and the log of every change.

Rows are never deleted. A child row that its source no longer shows gets ``removed_at``; ``first_seen_at``
is when *we* saw it. Together they answer "what did we know on that day".
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, BigKey, Json, Moment


class JurisdictionRow(Base):
    """One of the 56; the rest of what we know of it is data in jurisdictions.toml."""

    __tablename__ = "jurisdiction"

    code: Mapped[str] = mapped_column(String(2), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    ocd_id: Mapped[str] = mapped_column(String(120), unique=True)
    time_zone: Mapped[str] = mapped_column(String(40))


class SessionRow(Base):
    """A legislative session; made on first sight when the data file does not know it (``known`` false)."""

    __tablename__ = "session"
    __table_args__ = (UniqueConstraint("jurisdiction", "identifier"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    jurisdiction: Mapped[str] = mapped_column(ForeignKey("jurisdiction.code"))
    identifier: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(200))
    start_date: Mapped[dt.date | None] = mapped_column(Date)
    end_date: Mapped[dt.date | None] = mapped_column(Date)
    known: Mapped[bool] = mapped_column(Boolean)


class BillRow(Base):
    """A bill as it stands. ``record_hash`` is of the whole record, so an unchanged one costs one look-up."""

    __tablename__ = "bill"
    __table_args__ = (
        UniqueConstraint("session_id", "identifier"),
        Index("ix_bill_jurisdiction_latest", "jurisdiction", "latest_action_date"),
        Index("ix_bill_stage", "stage"),
        Index("ix_bill_last_changed_at", "last_changed_at"),
        Index("ix_bill_first_seen_at", "first_seen_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    ocd_id: Mapped[str] = mapped_column(String(45), unique=True)
    jurisdiction: Mapped[str] = mapped_column(ForeignKey("jurisdiction.code"))
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    identifier: Mapped[str] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(Text)
    chamber: Mapped[str] = mapped_column(String(12))
    classification: Mapped[list[str]] = mapped_column(Json)
    stage: Mapped[str] = mapped_column(String(24))
    stage_date: Mapped[dt.date | None] = mapped_column(Date)
    first_action_date: Mapped[dt.date | None] = mapped_column(Date)
    latest_action_date: Mapped[dt.date | None] = mapped_column(Date)
    latest_action: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    sources: Mapped[list[dict[str, str]]] = mapped_column(Json)
    documents: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    extras: Mapped[dict[str, Any]] = mapped_column(Json)
    record_hash: Mapped[bytes] = mapped_column(LargeBinary(16))
    first_seen_at: Mapped[dt.datetime] = mapped_column(Moment)
    last_changed_at: Mapped[dt.datetime] = mapped_column(Moment)
    last_seen_at: Mapped[dt.datetime] = mapped_column(Moment)
    vanished_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    missing_runs: Mapped[int] = mapped_column(SmallInteger)
    # Where the classifier stopped reading this bill: tag when last_changed_at or the classifier moved on.
    tagged_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    classifier_id: Mapped[int | None] = mapped_column(ForeignKey("classifier.id"))


class _Seen:
    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    first_seen_at: Mapped[dt.datetime] = mapped_column(Moment)
    removed_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class BillTitleRow(_Seen, Base):
    """Each title the bill has had."""

    __tablename__ = "bill_title"

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    title: Mapped[str] = mapped_column(Text)


class AbstractRow(_Seen, Base):
    """A summary the source publishes; ``ordinal`` is its place in the record (evidence says abstract:0)."""

    __tablename__ = "bill_abstract"

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    ordinal: Mapped[int] = mapped_column(SmallInteger)
    abstract: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)


class SubjectRow(_Seen, Base):
    """A subject heading of the source."""

    __tablename__ = "bill_subject"
    __table_args__ = (Index("ix_bill_subject_subject", "subject"),)

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    subject: Mapped[str] = mapped_column(Text)


class ActionRow(_Seen, Base):
    """One line of the history. ``date`` is the legislature's, ``first_seen_at`` ours; ``late`` when they part."""

    __tablename__ = "action"
    __table_args__ = (Index("ix_action_date", "date"),)

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    ordinal: Mapped[int] = mapped_column(Integer)
    date: Mapped[dt.date] = mapped_column(Date)
    description: Mapped[str] = mapped_column(Text)
    chamber: Mapped[str] = mapped_column(String(12))
    classification: Mapped[list[str]] = mapped_column(Json)
    late: Mapped[bool] = mapped_column(Boolean)


class SponsorshipRow(_Seen, Base):
    """A sponsor's name as printed."""

    __tablename__ = "sponsorship"
    __table_args__ = (Index("ix_sponsorship_name", "name"),)

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    ordinal: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(Text)
    classification: Mapped[str] = mapped_column(String(60))
    primary: Mapped[bool] = mapped_column("is_primary", Boolean)
    entity_type: Mapped[str] = mapped_column(String(12))


class VersionRow(_Seen, Base):
    """A published form of the bill ("Introduced", "Engrossed")."""

    __tablename__ = "version"

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    ordinal: Mapped[int] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(Text)
    date: Mapped[dt.date | None] = mapped_column(Date)


class VersionLinkRow(Base):
    """One file form of a version."""

    __tablename__ = "version_link"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("version.id"), index=True)
    url: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(String(100))


class BillTextRow(Base):
    """The text read from one version. ``status`` is ok, or the named reason why there is none.

    ``text`` is the law as it would be: struck words are kept apart in ``struck`` as [position, words],
    spans marked as new in ``added`` as [start, end]; all in Unicode code points.
    """

    __tablename__ = "bill_text"
    __table_args__ = (
        UniqueConstraint("version_id", "sha256"),
        Index("ix_bill_text_bill_id", "bill_id"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"))
    version_id: Mapped[int] = mapped_column(ForeignKey("version.id"))
    url: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text)
    extractor: Mapped[str] = mapped_column(String(60))
    sha256: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    struck: Mapped[list[Any]] = mapped_column(Json)
    added: Mapped[list[Any]] = mapped_column(Json)
    words: Mapped[int] = mapped_column(Integer)
    fetched_at: Mapped[dt.datetime] = mapped_column(Moment)


class RelatedBillRow(_Seen, Base):
    """Another bill this one names; joined by session and identifier when we have it too."""

    __tablename__ = "related_bill"

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    identifier: Mapped[str] = mapped_column(String(100))
    legislative_session: Mapped[str] = mapped_column(String(60))
    relation_type: Mapped[str] = mapped_column(String(40))


class HearingRow(_Seen, Base):
    """A hearing as announced; a cancelled or moved one is a change, not a new row where it can be matched."""

    __tablename__ = "hearing"
    __table_args__ = (Index("ix_hearing_date", "date"),)

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    date: Mapped[dt.date] = mapped_column(Date)
    time: Mapped[str] = mapped_column(String(40))
    timezone: Mapped[str] = mapped_column(String(40))
    committee: Mapped[str] = mapped_column(Text)
    location: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(40))
    url: Mapped[str] = mapped_column(Text)


class BillEventRow(Base):
    """The append-only log. ``seq`` rises in the order of commits, so a reader who keeps the last ``seq``
    he saw misses nothing and gets nothing twice. ``occurred_on`` is the legislature's date, where there is one.
    """

    __tablename__ = "bill_event"
    __table_args__ = (
        Index("ix_bill_event_bill_id", "bill_id", "seq"),
        Index("ix_bill_event_seen_at", "seen_at"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(BigKey, primary_key=True)
    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"))
    kind: Mapped[str] = mapped_column(String(24))
    before: Mapped[Any] = mapped_column(Json, nullable=True)
    after: Mapped[Any] = mapped_column(Json, nullable=True)
    occurred_on: Mapped[dt.date | None] = mapped_column(Date)
    seen_at: Mapped[dt.datetime] = mapped_column(Moment)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("crawl_run.id"))
