"""Quicker beginnings of words and days of observation; sketches of bills for finding similar ones.

The search index is emptied: the next search or run fills it again, with the sketches.
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_FTS = "CREATE VIRTUAL TABLE bill_fts USING fts5(title, abstract, body, marks, content='', {})"
_TOKENS = "tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\""


def upgrade() -> None:
    op.create_index("ix_bill_first_seen_at", "bill", ["first_seen_at"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE bill_fts")
        op.execute(_FTS.format(f"prefix='2 3', {_TOKENS}"))
    op.execute("DELETE FROM bill_search")
    op.execute("UPDATE bill_search_state SET seq = 0")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE bill_fts")
        op.execute(_FTS.format(_TOKENS))
    op.execute("DELETE FROM bill_search")
    op.execute("UPDATE bill_search_state SET seq = 0")
    op.drop_index("ix_bill_first_seen_at", table_name="bill")
