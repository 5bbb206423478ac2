"""Full-text search, API keys, analysts' own notes and lists, and further views."""

import sqlalchemy as sa
from alembic import op

import tracker.models.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = tracker.models.base.Moment(length=27)


def _create_tables() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("last_used_at", _MOMENT, nullable=True),
        sa.Column("revoked_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("key_hash", name="uq_api_key_key_hash"),
    )
    op.create_table(
        "bill_note",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("bill_id", _KEY, nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("stance", sa.String(length=12), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_bill_note_bill_id_bill"),
        sa.PrimaryKeyConstraint("id", name="pk_bill_note"),
    )
    op.create_index("ix_bill_note_bill_id", "bill_note", ["bill_id"])
    op.create_table(
        "watch",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("watch_list", sa.String(length=100), nullable=False),
        sa.Column("bill_id", _KEY, nullable=False),
        sa.Column("added_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("removed_at", _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name="fk_watch_bill_id_bill"),
        sa.PrimaryKeyConstraint("id", name="pk_watch"),
    )
    op.create_index("ix_watch_bill_id", "watch", ["bill_id"])
    op.create_index("ix_watch_watch_list", "watch", ["watch_list"])


def _create_search() -> None:
    op.execute("CREATE TABLE bill_search_state (seq BIGINT NOT NULL)")
    op.execute("INSERT INTO bill_search_state VALUES (0)")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TABLE bill_search (doc_id BIGINT PRIMARY KEY, bill_id BIGINT NOT NULL UNIQUE,"
            " record_hash BYTEA NOT NULL, tokens TEXT NOT NULL, lexemes TSVECTOR NOT NULL)"
        )
        op.execute("CREATE INDEX ix_bill_search_lexemes ON bill_search USING gin (lexemes) WITH (fastupdate = off)")
    else:
        op.execute(
            "CREATE TABLE bill_search (doc_id INTEGER PRIMARY KEY, bill_id INTEGER NOT NULL UNIQUE,"
            " record_hash BLOB NOT NULL, tokens BLOB NOT NULL)"
        )
        op.execute(
            "CREATE VIRTUAL TABLE bill_fts USING fts5(title, abstract, body, marks, content='',"
            " tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\")"
        )


_BILL = "bill.id AS bill_id, bill.jurisdiction, session.identifier AS session, bill.identifier"
_JOIN = "JOIN session ON session.id = bill.session_id"
VIEWS = {
    "v_texts": f"""
        SELECT bill_text.id AS text_id, {_BILL}, version.note AS version, version.date,
               bill_text.status, bill_text.reason, bill_text.url, bill_text.media_type, bill_text.extractor,
               bill_text.words, bill_text.text, bill_text.sha256, bill_text.fetched_at AS fetched
        FROM bill_text JOIN version ON version.id = bill_text.version_id
        JOIN bill ON bill.id = bill_text.bill_id {_JOIN}""",
    "v_hearings": f"""
        SELECT {_BILL}, bill.title, hearing.date, hearing.time, hearing.timezone, hearing.committee,
               hearing.location, hearing.status, hearing.url, hearing.first_seen_at AS first_seen
        FROM hearing JOIN bill ON bill.id = hearing.bill_id {_JOIN}
        WHERE hearing.removed_at IS NULL""",
    "v_sponsors": f"""
        SELECT {_BILL}, sponsorship.ordinal, sponsorship.name, sponsorship.classification,
               sponsorship.is_primary, sponsorship.entity_type, sponsorship.first_seen_at AS first_seen
        FROM sponsorship JOIN bill ON bill.id = sponsorship.bill_id {_JOIN}
        WHERE sponsorship.removed_at IS NULL""",
    "v_subjects": f"""
        SELECT {_BILL}, bill_subject.subject, bill_subject.first_seen_at AS first_seen
        FROM bill_subject JOIN bill ON bill.id = bill_subject.bill_id {_JOIN}
        WHERE bill_subject.removed_at IS NULL""",
    "v_abstracts": f"""
        SELECT {_BILL}, bill_abstract.ordinal, bill_abstract.abstract, bill_abstract.note,
               bill_abstract.first_seen_at AS first_seen
        FROM bill_abstract JOIN bill ON bill.id = bill_abstract.bill_id {_JOIN}
        WHERE bill_abstract.removed_at IS NULL""",
    "v_versions": f"""
        SELECT version.id AS version_id, {_BILL}, version.ordinal, version.note, version.date,
               version_link.url, version_link.media_type, version.first_seen_at AS first_seen
        FROM version JOIN bill ON bill.id = version.bill_id {_JOIN}
        LEFT JOIN version_link ON version_link.version_id = version.id
        WHERE version.removed_at IS NULL""",
    "v_related": f"""
        SELECT {_BILL}, related_bill.relation_type, related_bill.identifier AS related_identifier,
               related_bill.legislative_session AS related_session, related_bill.first_seen_at AS first_seen
        FROM related_bill JOIN bill ON bill.id = related_bill.bill_id {_JOIN}
        WHERE related_bill.removed_at IS NULL""",
    "v_evidence": f"""
        SELECT {_BILL}, tag.strategy, tag.score, tag.applied, tag_evidence.ordinal, tag_evidence.field,
               tag_evidence.start_offset, tag_evidence.end_offset, tag_evidence.quote,
               classifier.version AS classifier, tag.first_seen_at AS tagged, tag.removed_at AS ended
        FROM tag_evidence JOIN tag ON tag.id = tag_evidence.tag_id
        JOIN classifier ON classifier.id = tag.classifier_id
        JOIN bill ON bill.id = tag.bill_id {_JOIN}""",
    "v_runs": """
        SELECT crawl_run.id AS run_id, crawl_run.jurisdiction, crawl_run.session, crawl_run.source,
               crawl_run.status, crawl_run.reason, crawl_run.replayed, crawl_run.complete,
               crawl_run.started_at AS started, crawl_run.finished_at AS finished, crawl_run.bills,
               crawl_run.new AS new_bills, crawl_run.changed, crawl_run.unchanged, crawl_run.rejected,
               crawl_run.events, crawl_run.newest_action
        FROM crawl_run""",
    "v_notes": f"""
        SELECT {_BILL}, bill.title, bill_note.author, bill_note.note, bill_note.stance,
               bill_note.created_at AS created
        FROM bill_note JOIN bill ON bill.id = bill_note.bill_id {_JOIN}
        WHERE bill_note.removed_at IS NULL""",
    "v_watch": f"""
        SELECT {_BILL}, bill.title, watch.watch_list, watch.added_by, watch.created_at AS added
        FROM watch JOIN bill ON bill.id = watch.bill_id {_JOIN}
        WHERE watch.removed_at IS NULL""",
}


def upgrade() -> None:
    _create_tables()
    _create_search()
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")


def downgrade() -> None:
    for name in reversed(VIEWS):
        op.execute(f"DROP VIEW {name}")
    if op.get_bind().dialect.name != "postgresql":
        op.execute("DROP TABLE bill_fts")
    for table in ("bill_search", "bill_search_state", "watch", "bill_note", "api_key"):
        op.drop_table(table)
