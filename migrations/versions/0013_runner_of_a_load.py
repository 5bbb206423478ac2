"""Which process loads a run, so that a run whose process is gone can be told from one under way."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("crawl_run", sa.Column("runner", sa.String(length=120), server_default="", nullable=False))


def downgrade() -> None:
    op.drop_column("crawl_run", "runner")
