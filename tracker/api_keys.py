"""Keys to the API: made once, shown once, kept only as a hash.

A key is 32 random bytes, so a plain SHA-256 is enough: there is nothing to guess.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tracker.models.access import ApiKeyRow

PER_MINUTE = 240
PER_DAY = 50_000
_PREFIX = "bt_"
_SHOWN = 10


class ApiKeyError(ValueError):
    """A key that cannot be made or revoked; one sentence."""


@dataclass(frozen=True)
class ApiKey:
    """A key in force, and how much may be asked with it."""

    id: int
    name: str
    per_minute: int
    per_day: int


def add_key(
    connection: Connection, name: str, *, per_minute: int = PER_MINUTE, per_day: int = PER_DAY, now: dt.datetime
) -> str:
    """Make a key and return it; it cannot be shown again. Raises :class:`ApiKeyError`."""
    name = " ".join(name.replace("\x00", "").split())
    if not 1 <= len(name) <= 100:
        raise ApiKeyError("the name of a key has 1 to 100 characters")
    if _in_force(connection, name):
        raise ApiKeyError(f"there is a key named {name!r} already: revoke it first, or choose another name")
    key = _PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        insert(ApiKeyRow).values(
            name=name,
            prefix=key[:_SHOWN],
            key_hash=_hash(key),
            scope="read",
            per_minute=per_minute,
            per_day=per_day,
            created_at=now,
        )
    )
    return key


def find_key(connection: Connection, key: str) -> ApiKey | None:
    """The key in force that this is, or None."""
    row = connection.execute(
        select(ApiKeyRow.id, ApiKeyRow.name, ApiKeyRow.per_minute, ApiKeyRow.per_day).where(
            ApiKeyRow.key_hash == _hash(key), ApiKeyRow.revoked_at.is_(None)
        )
    ).one_or_none()
    return ApiKey(row.id, row.name, row.per_minute, row.per_day) if row else None


def list_keys(connection: Connection) -> list[dict[str, Any]]:
    """Every key ever made, without the key itself: its first letters tell keys apart."""
    rows = connection.execute(
        select(
            ApiKeyRow.id,
            ApiKeyRow.name,
            ApiKeyRow.prefix,
            ApiKeyRow.per_minute,
            ApiKeyRow.per_day,
            ApiKeyRow.created_at.label("created"),
            ApiKeyRow.last_used_at.label("last_used"),
            ApiKeyRow.revoked_at.label("revoked"),
        ).order_by(ApiKeyRow.id)
    )
    return [dict(row._mapping) for row in rows]


def revoke_key(connection: Connection, name: str, *, now: dt.datetime) -> None:
    """End a key by its name, its number or its first letters. Raises :class:`ApiKeyError`."""
    found = _in_force(connection, name.strip())
    if not found:
        raise ApiKeyError(f"there is no key {name[:60]!r} in force: `billtracker api-key list` shows all")
    if len(found) > 1:
        raise ApiKeyError(f"{name[:60]!r} means more than one key: give its number from `billtracker api-key list`")
    connection.execute(update(ApiKeyRow).where(ApiKeyRow.id == found[0]).values(revoked_at=now))


def note_use(connection: Connection, used: dict[int, dt.datetime]) -> None:
    """Write down when keys were last used."""
    for key_id, moment in sorted(used.items()):
        connection.execute(update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(last_used_at=moment))


def _in_force(connection: Connection, name: str) -> list[int]:
    rows = connection.execute(
        select(ApiKeyRow.id, ApiKeyRow.name, ApiKeyRow.prefix).where(ApiKeyRow.revoked_at.is_(None))
    ).all()
    for same in (lambda r: r.name == name, lambda r: str(r.id) == name, lambda r: r.prefix == name[:_SHOWN]):
        found = [row.id for row in rows if same(row)]
        if found:
            return found
    return []


def _hash(key: str) -> str:
    return hashlib.sha256(key.strip().encode("utf-8", "surrogatepass")).hexdigest()
