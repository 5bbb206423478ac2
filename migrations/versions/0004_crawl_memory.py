"""What crawls remember: stamps of lists and the bill behind an address, budgets of keyed sources, alerts sent."""

import sqlalchemy as sa
from alembic import op

import tracker.models.base

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = tracker.models.base.Moment(length=27)


def upgrade() -> None:
    with op.batch_alter_table("http_cache") as batch:
        batch.add_column(sa.Column("stamp", sa.Text(), nullable=False, server_default=""))
        batch.add_column(sa.Column("bill", sa.String(length=200), nullable=False, server_default=""))
    op.create_table(
        "source_budget",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("source", "period", name="pk_source_budget"),
    )
    op.create_table(
        "crawl_alert",
        sa.Column("jurisdiction", sa.String(length=2), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("told_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("jurisdiction", name="pk_crawl_alert"),
    )


def downgrade() -> None:
    op.drop_table("crawl_alert")
    op.drop_table("source_budget")
    with op.batch_alter_table("http_cache") as batch:
        batch.drop_column("bill")
        batch.drop_column("stamp")
