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
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from tracker.models.base import Base, Json, Moment


class SubscriberRow(Base):
    """A reader. ``last_seq`` is the newest event a digest of theirs has covered; ``token_seed`` is in every
    link signed for them, so that changing it makes the old links worthless. ``weekday`` (0 is Monday) and
    ``hour`` are in the reader's time zone. ``address_hash`` is the address as the suppression list keeps it.
    ``held_until`` is set while an address bounces softly.
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
    weekday: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    hour: Mapped[int] = mapped_column(SmallInteger, server_default="7")
    # At most so many immediate mails a day; what comes after waits for the next day's first.
    daily_cap: Mapped[int] = mapped_column(SmallInteger, server_default="5")
    # Whether a week without news is worth a short mail that says what was checked.
    empty_weeks: Mapped[bool] = mapped_column(Boolean, server_default=true())
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    address_hash: Mapped[str] = mapped_column(String(64), server_default="", index=True)
    held_until: Mapped[dt.datetime | None] = mapped_column(Moment)


class SubscriptionRow(Base):
    """What a reader wants to hear of. No states means all; no strategies means the playbook's first group.

    ``searches`` are saved searches ({name, text, states, …}), ``bills`` the keys of followed bills,
    ``sponsors`` names as printed.
    """

    __tablename__ = "subscription"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), unique=True)
    states: Mapped[list[str]] = mapped_column(Json)
    strategies: Mapped[list[str]] = mapped_column(Json)
    keywords: Mapped[list[str]] = mapped_column(Json)
    searches: Mapped[list[dict[str, Any]]] = mapped_column(Json, server_default="[]")
    bills: Mapped[list[str]] = mapped_column(Json, server_default="[]")
    sponsors: Mapped[list[str]] = mapped_column(Json, server_default="[]")


class DigestIssueRow(Base):
    """One mail to one reader, frozen before it is sent: events after ``from_seq`` up to ``to_seq``.

    ``kind`` is digest, or confirm and link for the short mails that carry a link. ``html`` and ``text`` are
    what may be forwarded; the mail has the reader's private links besides. ``sha256`` is of the mail.
    """

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
    # The mail as it is sent, to the byte, deflated (zlib): what a replay gives back.
    mail: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str] = mapped_column(String(12), server_default="digest")
    sha256: Mapped[str] = mapped_column(String(64), server_default="")
    bills: Mapped[int] = mapped_column(Integer, server_default="0")


class DeliveryRow(Base):
    """The way of one issue to one reader; ``alerts/states.py`` says which state may follow which.

    ``maybe_repeated`` is set before a mail is sent again whose first acceptance nobody noted: the run was
    killed, or the line cut, between the mail's last byte and the server's answer.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("issue_id", "subscriber_id"),
        Index("ix_delivery_state", "state"),
        Index("ix_delivery_finished_at", "finished_at"),
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
    next_attempt_at: Mapped[dt.datetime | None] = mapped_column(Moment)
    maybe_repeated: Mapped[bool] = mapped_column(Boolean, server_default=false())


class BounceRow(Base):
    """One recipient in one delivery report or complaint, counted once: ``report`` is the report's SHA-256."""

    __tablename__ = "bounce"
    __table_args__ = (UniqueConstraint("report", "delivery_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("delivery.id"), index=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    report: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(12))
    status: Mapped[str] = mapped_column(String(20))
    diagnostic: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(Moment)


class MailStopRow(Base):
    """A stop of all sending, until a person releases it: too many mails, or too many errors in a row."""

    __tablename__ = "mail_stop"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[dt.datetime] = mapped_column(Moment)
    released_at: Mapped[dt.datetime | None] = mapped_column(Moment)


class SuppressionRow(Base):
    """An address that must get nothing; kept as a keyed hash, so that the wish outlives the reader's data and
    nobody can try addresses against a copy of the database. ``key_id`` tells which key; "" is none yet.
    """

    __tablename__ = "suppression"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    email_hash: Mapped[str] = mapped_column(String(64), unique=True)
    reason: Mapped[str] = mapped_column(String(60))
    at: Mapped[dt.datetime] = mapped_column(Moment)
    key_id: Mapped[str] = mapped_column(String(16), server_default="")


class FeedbackRow(Base):
    """A reader's word on a tag, for the next round of labelling: what was judged, and who had said it."""

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), index=True)
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id"))
    strategy: Mapped[str] = mapped_column(String(60))
    verdict: Mapped[str] = mapped_column(String(20))
    at: Mapped[dt.datetime] = mapped_column(Moment)
    issue_id: Mapped[int | None] = mapped_column(Integer)
    classifier_id: Mapped[int | None] = mapped_column(ForeignKey("classifier.id"))
    bill_text_id: Mapped[int | None] = mapped_column(ForeignKey("bill_text.id"))
