"""Keys are shown once and kept as hashes."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import Engine, select

from tracker.api_keys import ApiKeyError, add_key, find_key, list_keys, note_use, revoke_key
from tracker.db import reading, writing
from tracker.models.access import ApiKeyRow

NOW = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)


def test_a_key_lives_until_it_is_revoked(engine: Engine) -> None:
    with writing(engine) as connection:
        key = add_key(connection, " Policy  desk ", per_minute=7, per_day=9, now=NOW)
        other = add_key(connection, "Other", now=NOW)
        with pytest.raises(ApiKeyError, match="already"):
            add_key(connection, "Other", now=NOW)
        for name in ("", "x" * 101):
            with pytest.raises(ApiKeyError):
                add_key(connection, name, now=NOW)
    with reading(engine) as connection:
        found = find_key(connection, key)
        assert found and (found.name, found.per_minute, found.per_day) == ("Policy desk", 7, 9)
        assert find_key(connection, key + "x") is None and find_key(connection, "") is None
        kept = connection.execute(select(ApiKeyRow.__table__)).all()
        assert len(kept) == 2 and key not in str(kept) and key != other
        assert key not in str(list_keys(connection))
    with writing(engine) as connection:
        note_use(connection, {found.id: NOW})
        revoke_key(connection, "Policy desk", now=NOW)
        with pytest.raises(ApiKeyError, match="no key"):
            revoke_key(connection, "Policy desk", now=NOW)
        revoke_key(connection, other[:10], now=NOW)
        assert find_key(connection, key) is None and find_key(connection, other) is None
        again = add_key(connection, "Other", now=NOW)
        assert find_key(connection, again)
        rows = list_keys(connection)
    assert [(row["name"], row["revoked"] is None, row["last_used"]) for row in rows] == [
        ("Policy desk", False, NOW),
        ("Other", False, None),
        ("Other", True, None),
    ]
