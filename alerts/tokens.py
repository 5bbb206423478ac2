"""Signed links: no login, no table of tokens. Changing a reader's seed ends all links signed for them.

A link is good for one purpose only. Stopping never expires; changing wishes and confirming do. A link to an
issue shows what may be forwarded and lets nobody change anything.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import Engine

from alerts.subscriptions import Reader, of_seed

CHANGES_GOOD_FOR = dt.timedelta(days=30)
CONFIRM_GOOD_FOR = dt.timedelta(days=7)
_PURPOSES = ("unsubscribe", "preferences", "confirm", "digest", "feedback")


class Links:
    """Makes the links of an installation."""

    def __init__(self, public_url: str, key: str) -> None:
        self.base = public_url.rstrip("/")
        self._key = key

    def _url(self, purpose: str, payload: Any) -> str:
        return f"{self.base}/{purpose}/{sign(purpose, payload, self._key)}"

    def unsubscribe(self, reader: Reader) -> str:
        """Ends the subscription; never expires."""
        return self._url("unsubscribe", reader.token_seed)

    def preferences(self, reader: Reader, at: dt.datetime) -> str:
        """Changes wishes, for :data:`CHANGES_GOOD_FOR` after ``at``."""
        return self._url("preferences", [reader.token_seed, int(at.timestamp())])

    def confirm(self, reader: Reader, at: dt.datetime) -> str:
        """Confirms the address, for :data:`CONFIRM_GOOD_FOR` after ``at``."""
        return self._url("confirm", [reader.token_seed, int(at.timestamp())])

    def issue(self, issue: int) -> str:
        """Shows an issue, without anything private."""
        return self._url("digest", issue)

    def feedback(self, reader: Reader, issue: int) -> str:
        """The form on which a reader says which bills of an issue were relevant."""
        return self._url("feedback", [reader.token_seed, issue])


def sign(purpose: str, payload: Any, key: str) -> str:
    """A token for one purpose."""
    if purpose not in _PURPOSES:
        raise ValueError(f"{purpose!r} is not a purpose of a link")
    return str(URLSafeSerializer(key, salt=purpose).dumps(payload))


def read(purpose: str, token: str, key: str) -> Any:
    """What was signed, or None for a token that we did not sign for this purpose."""
    if len(token) > 500:
        return None
    try:
        return URLSafeSerializer(key, salt=purpose).loads(token)
    except BadSignature:
        return None


def reader_of(engine: Engine, token: str, key: str) -> Reader | None:
    """Whose unsubscribe link this is."""
    seed = read("unsubscribe", token, key)
    return of_seed(engine, seed) if isinstance(seed, str) else None


def reader_at(
    engine: Engine, purpose: str, token: str, key: str, *, good_for: dt.timedelta, now: dt.datetime
) -> tuple[Reader | None, bool]:
    """Whose link this is, and whether it is still young enough to change something."""
    payload = read(purpose, token, key)
    if not isinstance(payload, list) or len(payload) != 2:
        return None, False
    reader = of_seed(engine, str(payload[0]))
    age = now - dt.datetime.fromtimestamp(int(payload[1]), dt.UTC)
    return reader, reader is not None and age <= good_for
