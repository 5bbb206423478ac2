"""Who is told: subscribers, subscriptions, issues, deliveries, suppression, feedback."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, Json, Moment


class SubscriberRow(Base):
    """A reader. ``last_seq`` is the newest event a digest of theirs has covered; ``token_seed`` is in every
    link signed for them, so that changing it makes the old links worthless.
    """

    __tablename__ = "subscriber"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    confirmed: Mapped[bool] = mapped_column(Boolean)
    cadence: Mapped[str] = mapped_column(String(12))
    timezone: Mapped[str] = mapped_column(String(60))
    min_score: Mapped[float] = mapped_column(Float)
    paused: Mapped[bool] = mapped_column(Boolean)
    token_seed: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[dt.datetime] = mapped_column(Moment)
    last_seq: Mapped[int] = mapped_column(BigInteger)


class SubscriptionRow(Base):
    """What a reader wants to hear of. No states means all; no strategies means the playbook's first group."""

    __tablename__ = "subscription"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), unique=True)
    states: Mapped[list[str]] = mapped_column(Json)
    strategies: Mapped[list[str]] = mapped_column(Json)
    keywords: Mapped[list[str]] = mapped_column(Json)


class DigestIssueRow(Base):
    """One digest of one reader, frozen before it is sent: events after ``from_seq`` up to ``to_seq``."""

    __tablename__ = "digest_issue"
    __table_args__ = (Index("ix_digest_issue_subscriber_id", "subscriber_id", "planned_at"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    planned_at: Mapped[dt.datetime] = mapped_column(Moment)
    from_seq: Mapped[int] = mapped_column(BigInteger)
    to_seq: Mapped[int] = mapped_column(BigInteger)
    snapshot: Mapped[dict[str, Any]] = mapped_column(Json)
    subject: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    # The mail as it is sent, to the byte: what a replay gives back.
    mail: Mapped[bytes] = mapped_column(LargeBinary)


class DeliveryRow(Base):
    """The way of one issue to one reader: planned, sending, accepted, deferred, failed, or unknown (the
    process ended between sending and noting it, so sending again might send twice).
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("issue_id", "subscriber_id"),
        Index("ix_delivery_state", "state"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    issue_id: Mapped[int] = mapped_column(ForeignKey("digest_issue.id"))
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    attempts: Mapped[int] = mapped_column(Integer)
    last_error: Mapped[str] = mapped_column(Text)
    planned_at: Mapped[dt.datetime] = mapped_column(Moment)
    attempted_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class SuppressionRow(Base):
    """An address that must get nothing; kept as a hash, so that the wish outlives the reader's data."""

    __tablename__ = "suppression"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    email_hash: Mapped[str] = mapped_column(String(64), unique=True)
    reason: Mapped[str] = mapped_column(String(60))
    at: Mapped[dt.datetime] = mapped_column(Moment)


class FeedbackRow(Base):
    """A reader's word on a tag, for the next round of labelling."""

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id"))
    strategy: Mapped[str] = mapped_column(String(60))
    verdict: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime] = mapped_column(Moment)
