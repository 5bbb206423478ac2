"""Of which troubles of the whole service the admins were told."""

import sqlalchemy as sa
from alembic import op

import tracker.models.base

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "service_alert",
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("told_at", tracker.models.base.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_service_alert"),
    )


def downgrade() -> None:
    op.drop_table("service_alert")
