"""Bills drawn at random to be read, for the estimate of what is missed."""

import sqlalchemy as sa
from alembic import op

import tracker.models.base

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = tracker.models.base.Moment(length=27)


def upgrade() -> None:
    op.create_table(
        "reading_sample",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("week", sa.String(length=8), nullable=False),
        sa.Column("bill_id", _KEY, nullable=False),
        sa.Column("stratum", sa.String(length=8), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("drawn_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_reading_sample_bill_id_bill"),
        sa.PrimaryKeyConstraint("id", name="pk_reading_sample"),
        sa.UniqueConstraint("week", "bill_id", name="uq_reading_sample_week"),
    )
    op.create_index("ix_reading_sample_week", "reading_sample", ["week"])
    op.create_index("ix_reading_sample_bill_id", "reading_sample", ["bill_id"])


def downgrade() -> None:
    op.drop_table("reading_sample")
