"""Bills by the day we first saw them, found in the index alone."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_bill_first_seen_at", table_name="bill")
    op.create_index("ix_bill_first_seen_at", "bill", ["first_seen_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_bill_first_seen_at", table_name="bill")
    op.create_index("ix_bill_first_seen_at", "bill", ["first_seen_at"])
