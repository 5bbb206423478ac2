"""How often keys to the API were used, counted for all processes together (on SQLite in a file of its own)."""

from alembic import op

from tracker.api_use import TABLE

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(TABLE.format(unlogged="UNLOGGED"))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TABLE api_use")
