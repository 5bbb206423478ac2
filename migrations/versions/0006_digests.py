"""Digests: sending day and hour, followed bills, searches; retries, bounces, stops; keyed suppression."""

import sqlalchemy as sa
from alembic import op

import tracker.models.base

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_stop",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", tracker.models.base.Moment(length=27), nullable=False),
        sa.Column("released_at", tracker.models.base.Moment(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_stop")),
    )
    op.create_table(
        "bounce",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("report", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("diagnostic", sa.Text(), nullable=False),
        sa.Column("at", tracker.models.base.Moment(length=27), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_bounce_delivery_id_delivery")),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscriber.id"], name=op.f("fk_bounce_subscriber_id_subscriber")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bounce")),
        sa.UniqueConstraint("report", "delivery_id", name=op.f("uq_bounce_report")),
    )
    with op.batch_alter_table("bounce", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bounce_delivery_id"), ["delivery_id"], unique=False)

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.add_column(sa.Column("next_attempt_at", tracker.models.base.Moment(length=27), nullable=True))
        batch_op.add_column(sa.Column("maybe_repeated", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.create_index("ix_delivery_finished_at", ["finished_at"], unique=False)

    with op.batch_alter_table("digest_issue", schema=None) as batch_op:
        batch_op.add_column(sa.Column("kind", sa.String(length=12), server_default="digest", nullable=False))
        batch_op.add_column(sa.Column("sha256", sa.String(length=64), server_default="", nullable=False))

    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.add_column(sa.Column("issue_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("classifier_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("bill_text_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_feedback_bill_text_id_bill_text"), "bill_text", ["bill_text_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_feedback_classifier_id_classifier"), "classifier", ["classifier_id"], ["id"]
        )

    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        batch_op.add_column(sa.Column("weekday", sa.SmallInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("hour", sa.SmallInteger(), server_default="7", nullable=False))
        batch_op.add_column(sa.Column("daily_cap", sa.SmallInteger(), server_default="5", nullable=False))
        batch_op.add_column(sa.Column("empty_weeks", sa.Boolean(), server_default=sa.true(), nullable=False))
        batch_op.add_column(sa.Column("confirmed_at", tracker.models.base.Moment(length=27), nullable=True))
        batch_op.add_column(sa.Column("address_hash", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("held_until", tracker.models.base.Moment(length=27), nullable=True))
        batch_op.create_index(batch_op.f("ix_subscriber_address_hash"), ["address_hash"], unique=False)

    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.add_column(sa.Column("searches", tracker.models.base.Json, server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("bills", tracker.models.base.Json, server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("sponsors", tracker.models.base.Json, server_default="[]", nullable=False))

    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key_id", sa.String(length=16), server_default="", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.drop_column("key_id")

    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_column("sponsors")
        batch_op.drop_column("bills")
        batch_op.drop_column("searches")

    with op.batch_alter_table("subscriber", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subscriber_address_hash"))
        batch_op.drop_column("held_until")
        batch_op.drop_column("address_hash")
        batch_op.drop_column("confirmed_at")
        batch_op.drop_column("empty_weeks")
        batch_op.drop_column("daily_cap")
        batch_op.drop_column("hour")
        batch_op.drop_column("weekday")

    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_feedback_classifier_id_classifier"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_feedback_bill_text_id_bill_text"), type_="foreignkey")
        batch_op.drop_column("bill_text_id")
        batch_op.drop_column("classifier_id")
        batch_op.drop_column("issue_id")

    with op.batch_alter_table("digest_issue", schema=None) as batch_op:
        batch_op.drop_column("sha256")
        batch_op.drop_column("kind")

    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_finished_at")
        batch_op.drop_column("maybe_repeated")
        batch_op.drop_column("next_attempt_at")

    with op.batch_alter_table("bounce", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bounce_delivery_id"))

    op.drop_table("bounce")
    op.drop_table("mail_stop")
