"""Signed unsubscribe links: no login, no table of tokens; changing the reader's seed ends all old links."""

from __future__ import annotations

from sqlalchemy import Engine, select
from sqlalchemy import func as sql

from alerts.subscriptions import Reader, find
from tracker.db import reading
from tracker.models.readers import SubscriberRow

_SALT = "unsubscribe"


def unsubscribe_url(public_url: str, key: str, seed: str) -> str:
    """The link that ends a subscription."""
    from itsdangerous import URLSafeSerializer

    return f"{public_url.rstrip('/')}/unsubscribe/{URLSafeSerializer(key, salt=_SALT).dumps(seed)}"


def reader_of(engine: Engine, token: str, key: str) -> Reader | None:
    """Whose link this is, or None for a link that we did not sign or that is no longer good."""
    from itsdangerous import BadSignature, URLSafeSerializer

    try:
        seed = URLSafeSerializer(key, salt=_SALT).loads(token)
    except BadSignature:
        return None
    with reading(engine) as connection:
        email = connection.execute(
            select(sql.min(SubscriberRow.email)).where(SubscriberRow.token_seed == str(seed))
        ).scalar()
    return find(engine, email) if email else None
