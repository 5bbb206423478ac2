"""Addresses that must get nothing, kept as keyed hashes.

The hash is HMAC(key, SHA-256(address)): without the key nobody can try addresses against a copy of the
database, and it stays when the reader is deleted, so that an import cannot bring them back. The key is
``suppression_key``, else the signing key. Rows remember which key made them: with another key the list could
not be honoured, so nothing is sent then.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac

from sqlalchemy import Connection, delete, insert, or_, select, update

from tracker.models.readers import SubscriberRow, SuppressionRow
from tracker.settings import Settings

UNSUBSCRIBED = "unsubscribed"


class KeyChanged(RuntimeError):
    """The list was made with another key; the message says what to do."""


class Hasher:
    """Hashes addresses with one key."""

    def __init__(self, key: str) -> None:
        self._key = b"suppression/" + key.encode()
        self.key_id = self._hmac("which key is this")[:16]

    @classmethod
    def of(cls, settings: Settings) -> Hasher:
        """The hasher of an installation."""
        return cls(settings.suppression_key.get_secret_value() or settings.signing_key())

    def __call__(self, email: str) -> str:
        return self.rekeyed(hashlib.sha256(email.strip().lower().encode()).hexdigest())

    def rekeyed(self, plain: str) -> str:
        """The keyed form of an address's plain SHA-256, as lists without a key have it."""
        return self._hmac(plain)

    def _hmac(self, words: str) -> str:
        return hmac.new(self._key, words.encode(), hashlib.sha256).hexdigest()


def prepare(connection: Connection, hasher: Hasher) -> None:
    """Bring rows without a key, and readers without a hash, under this one. Raises :class:`KeyChanged`.

    Inside a writing transaction; costs two look-ups when there is nothing to do.
    """
    other = connection.execute(
        select(SuppressionRow.id).where(SuppressionRow.key_id.not_in(("", hasher.key_id))).limit(1)
    ).first()
    if other:
        raise KeyChanged(
            "the list of addresses that must get no mail was made with another key: set "
            "BILLTRACKER_SUPPRESSION_KEY to the secret key of that time; nothing is sent until then"
        )
    for row in connection.execute(
        select(SuppressionRow.id, SuppressionRow.email_hash).where(SuppressionRow.key_id == "")
    ).all():
        connection.execute(
            update(SuppressionRow)
            .where(SuppressionRow.id == row.id)
            .values(email_hash=hasher.rekeyed(row.email_hash), key_id=hasher.key_id)
        )
    for reader in connection.execute(
        select(SubscriberRow.id, SubscriberRow.email).where(SubscriberRow.address_hash == "")
    ).all():
        connection.execute(
            update(SubscriberRow).where(SubscriberRow.id == reader.id).values(address_hash=hasher(reader.email))
        )


def reason_for(connection: Connection, address_hash: str) -> str:
    """Why this address gets nothing; empty when it may be mailed."""
    return (
        connection.execute(select(SuppressionRow.reason).where(SuppressionRow.email_hash == address_hash)).scalar()
        or ""
    )


def suppress(connection: Connection, hasher: Hasher, email: str, reason: str, *, now: dt.datetime) -> None:
    """Add an address; a complaint or bounce takes the place of an earlier plain wish, never the reverse."""
    digest = hasher(email)
    found = reason_for(connection, digest)
    if not found:
        connection.execute(
            insert(SuppressionRow).values(email_hash=digest, reason=reason[:60], at=now, key_id=hasher.key_id)
        )
    elif found == UNSUBSCRIBED and reason != UNSUBSCRIBED:
        connection.execute(
            update(SuppressionRow).where(SuppressionRow.email_hash == digest).values(reason=reason[:60], at=now)
        )


def lift(connection: Connection, hasher: Hasher, email: str) -> None:
    """Take an address off the list: its owner asked to come back."""
    plain = hashlib.sha256(email.strip().lower().encode()).hexdigest()
    connection.execute(
        delete(SuppressionRow).where(
            or_(SuppressionRow.email_hash == hasher(email), SuppressionRow.email_hash == plain)
        )
    )
