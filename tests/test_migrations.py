"""Migrations on databases with data, from every older schema on, on both engines; and no drift from the models."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert, inspect, select

from tests.conftest import new_database
from tests.tracker.analysts import fill
from tracker.db import alembic_config, make_engine, newest_schema, reading, upgrade, writing
from tracker.models import Base

REVISIONS = [script.revision for script in ScriptDirectory.from_config(alembic_config("")).walk_revisions()][1:]


@pytest.fixture(params=["sqlite", "postgresql"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of each kind, without a schema."""
    if request.param == "sqlite":
        made = make_engine(f"sqlite:///{tmp_path / uuid.uuid4().hex}.db")
    else:
        made = make_engine(new_database(request.getfixturevalue("postgres_server")))
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Engine]:
    """A database whose rows an older one is given."""
    path = shutil.copy(sqlite_template, tmp_path_factory.mktemp("filled") / "filled.db")
    made = make_engine(f"sqlite:///{path}")
    fill(made)
    yield made
    made.dispose()


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_older_database_keeps_its_data(filled: Engine, older: Engine, revision: str) -> None:
    config = alembic_config(older.url.render_as_string(hide_password=False))
    command.upgrade(config, revision)
    kept = _columns(older)
    with reading(filled) as source:
        rows = {name: _rows(source, name, columns) for name, columns in kept.items()}
    assert rows["bill"] and rows["bill_event"] and rows["tag"]
    with writing(older) as target:
        for name, found in rows.items():
            if found:
                target.execute(insert(Base.metadata.tables[name]), [dict(row) for row in found])
    upgrade(older)
    with reading(older) as connection:
        for name, columns in kept.items():
            assert _rows(connection, name, columns) == rows[name], name
    assert _drift(older) == []


def test_the_models_and_the_newest_schema_are_the_same(engine: Engine) -> None:
    assert _drift(engine) == []


def test_there_is_one_line_of_migrations() -> None:
    assert len(ScriptDirectory.from_config(alembic_config("")).get_heads()) == 1


def _columns(engine: Engine) -> dict[str, list[str]]:
    """Of the tables that models and this schema share, the columns that both have, in an order that keys allow."""
    there = {name: {c["name"] for c in columns} for (_, name), columns in inspect(engine).get_multi_columns().items()}
    return {
        table.name: [c.name for c in table.columns if c.name in there[table.name]]
        for table in Base.metadata.sorted_tables
        if table.name in there
    }


def _rows(connection: Any, name: str, columns: list[str]) -> list[Any]:
    table = Base.metadata.tables[name]
    query = select(*(table.c[column] for column in columns)).order_by(*table.primary_key.columns)
    return [dict(row) for row in connection.execute(query).mappings()]


def _drift(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _ours})
        return list(compare_metadata(context, Base.metadata))


def _ours(_item: Any, _name: Any, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Leave out what only the database has: full-text tables, the clock's and the queue's own."""
    return not (kind == "table" and reflected and compare_to is None)


def test_the_files_names_say_which_schema_is_the_newest() -> None:
    script = ScriptDirectory.from_config(alembic_config("sqlite://"))
    assert script.get_heads() == [newest_schema()]
