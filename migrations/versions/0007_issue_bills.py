"""The number of bills of an issue, so that sending need not read the issue's contents."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("digest_issue", schema=None) as batch_op:
        batch_op.add_column(sa.Column("bills", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("digest_issue", schema=None) as batch_op:
        batch_op.drop_column("bills")
