"""The migrations make what the models say, on both databases."""

from alembic import command
from sqlalchemy import Engine

from tracker.db import alembic_config


def test_the_schema_is_the_models(engine: Engine) -> None:
    command.check(alembic_config(engine.url.render_as_string(hide_password=False)))
