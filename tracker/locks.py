"""One at a time, across processes: a lock that is free again the moment its holder is gone.

On PostgreSQL an advisory lock of a connection kept for it; on SQLite, which is one machine's, a locked file in
``locks`` beside the database.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, Engine, select
from sqlalchemy import func as sql
from sqlalchemy.exc import DBAPIError


class Lock:
    """A named lock; ``take`` never waits. ``once``: its name is not used again, so its file goes with it."""

    def __init__(self, engine: Engine, name: str, *, once: bool = False) -> None:
        self.engine, self.name, self.once = engine, name, once
        self._path = Path(engine.url.database or "").parent / "locks" / f"{name}.lock"
        self._file: IO[bytes] | None = None
        self._connection: Connection | None = None
        self._key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)

    def take(self) -> bool:
        """Whether it is ours now."""
        if self.engine.dialect.name == "postgresql":
            connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if connection.execute(select(sql.pg_try_advisory_lock(self._key))).scalar():
                self._connection = connection
                return True
            connection.close()
            return False
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = self._path.open("ab")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            return False
        handle.truncate(0)
        handle.write(str(os.getpid()).encode())
        handle.flush()
        self._file = handle
        return True

    def still_held(self) -> bool:
        """Whether it is still ours: a restart of PostgreSQL drops its locks, and then another may take it."""
        if self._file is not None:
            return True
        if self._connection is None:
            return False
        try:
            self._connection.execute(select(1))
            return True
        except DBAPIError:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
            return False

    def release(self) -> None:
        """Give it back; nothing happens when it is not ours."""
        if self._file is not None:
            if self.once:
                self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None
        if self._connection is not None:
            # The lock lives as long as the session: do not hand the session back to the pool with it.
            self._connection.invalidate()
            self._connection.close()
            self._connection = None
