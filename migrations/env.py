"""Runs the migrations on SQLite and PostgreSQL; the address comes from the settings or the caller."""

from alembic import context

from tracker import settings
from tracker.db import make_engine
from tracker.models import Base


def _ours(obj, name, type_, reflected, compare_to):  # type: ignore[no-untyped-def]
    """Leave alone what is not in the models: full-text tables, the scheduler's and the queue's own."""
    return not (type_ == "table" and reflected and compare_to is None)


url = context.config.attributes.get("url") or settings.load().url
engine = make_engine(url)
with engine.connect().execution_options(writes=True) as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        include_object=_ours,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
