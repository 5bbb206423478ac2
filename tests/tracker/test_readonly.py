"""Analysts' SQL: what it answers, and that nothing hostile gets through, on both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from tests.tracker import analysts
from tracker import readonly
from tracker.db import reading
from tracker.readonly import SqlError

KEY = "a signing key of the tests"


@pytest.fixture
def bills(engine: Engine) -> Iterator[Engine]:
    """The test bills with, on PostgreSQL, a reader role that is dropped again."""
    analysts.fill(engine)
    readonly.prepare(engine, KEY)
    yield engine
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection, connection.begin():
            role = readonly.role_name(engine)
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")


def fingerprint(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return [
            connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("bill", "action", "bill_event", "tag", "tag_evidence", "api_key", "bill_note", "subscriber")
        ]


def test_queries_of_every_shape_are_answered(bills: Engine) -> None:
    for statement, rows in {
        "SELECT count(*) FROM v_bills": [(9,)],
        "select jurisdiction, count(*) from v_bills group by 1 order by 2 desc, 1 limit 1;": [("oh", 2)],
        "-- a comment\n/* another */ WITH x AS (SELECT * FROM v_tags WHERE applied) "
        "SELECT DISTINCT identifier FROM x WHERE strategy = 'flexibility' -- end": [("SB 120",)],
        "VALUES (1, 'a')": [(1, "a")],
        "SELECT b.identifier, a.identifier FROM v_bills b JOIN v_actions a ON a.bill_id = b.bill_id"
        " WHERE b.identifier = 'SB 44'": [("SB 44", "SB 44")],
        "SELECT title FROM v_bills WHERE title LIKE '%100\\%%' ESCAPE '\\'": [],
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT max(i) FROM n": [(5,)],
    }.items():
        assert readonly.run(bills, statement, password_key=KEY).rows == rows
    answer = readonly.run(bills, "SELECT 1 AS a, 2 AS a, 3 AS b", password_key=KEY)
    assert answer.as_dicts() == [{"a": 1, "a:2": 2, "b": 3}]
    assert readonly.run(bills, "EXPLAIN SELECT * FROM v_bills", password_key=KEY).rows


def test_every_view_can_be_read(bills: Engine) -> None:
    with reading(bills) as connection:
        source = (
            "SELECT name FROM sqlite_master WHERE type = 'view'"
            if bills.dialect.name == "sqlite"
            else "SELECT table_name FROM information_schema.views WHERE table_schema = 'public'"
        )
        views = [v for v in connection.execute(text(source)).scalars() if v.startswith("v_")]
    assert len(views) >= 16
    for view in views:
        readonly.run(bills, f"SELECT * FROM {view}", password_key=KEY)
        readonly.run(bills, f"SELECT count(*) FROM {view}", password_key=KEY)


def test_rows_are_limited_and_said_so(bills: Engine) -> None:
    answer = readonly.run(bills, "SELECT * FROM v_bills", password_key=KEY, max_rows=4)
    assert len(answer.rows) == 4 and answer.cut
    assert not readonly.run(bills, "SELECT * FROM v_bills", password_key=KEY, max_rows=9).cut


# On either database each of these must be refused or fail, in one sentence, and change nothing.
HOSTILE = [
    "DROP TABLE bill",
    "DELETE FROM bill",
    "UPDATE bill SET title = 'x'",
    "INSERT INTO bill_note (bill_id, author, note, stance, created_at) VALUES (1, 'a', 'b', '', '2026-01-01')",
    "SELECT 1; DROP TABLE bill",
    "SELECT 1; DELETE FROM tag;",
    "/* SELECT */ DELETE FROM tag",
    "-- SELECT\nDELETE FROM tag",
    "WITH gone AS (DELETE FROM tag RETURNING *) SELECT * FROM gone",
    "WITH x AS (SELECT 1) DELETE FROM tag",
    "WITH x AS (SELECT 1) INSERT INTO tag SELECT * FROM tag",
    "CREATE TABLE mine (a int)",
    "CREATE TEMP TABLE mine AS SELECT * FROM v_bills",
    "SELECT * INTO mine FROM v_bills",
    "SELECT * INTO TEMP mine FROM v_bills",
    "CREATE VIEW v_mine AS SELECT * FROM subscriber",
    "ALTER TABLE bill RENAME TO lost",
    "TRUNCATE bill",
    "VACUUM",
    "VACUUM INTO '/tmp/stolen.db'",
    "ATTACH DATABASE '/tmp/other.db' AS other",
    "PRAGMA writable_schema = 1",
    "PRAGMA table_info(bill)",
    "SELECT * FROM pragma_table_info('bill')",
    "REINDEX",
    "ANALYZE",
    "BEGIN",
    "COMMIT",
    "SET ROLE postgres",
    "RESET ROLE",
    "SET SESSION AUTHORIZATION DEFAULT",
    "SET TRANSACTION READ WRITE",
    "DO $$ BEGIN RESET ROLE; DELETE FROM bill; END $$",
    "COPY (SELECT * FROM v_bills) TO '/tmp/stolen'",
    "COPY v_bills TO PROGRAM 'cat'",
    "EXPLAIN ANALYZE DELETE FROM bill",
    "EXPLAIN DELETE FROM bill; DELETE FROM bill",
    "SELECT * FROM bill",
    "SELECT * FROM subscriber",
    "SELECT email FROM subscriber",
    "SELECT count(*) FROM subscriber",
    "SELECT key_hash FROM api_key",
    "SELECT * FROM v_bills WHERE bill_id IN (SELECT id FROM subscriber)",
    "SELECT (SELECT max(email) FROM subscriber) FROM v_bills",
    "WITH v_bills AS (SELECT email FROM subscriber) SELECT * FROM v_bills",
    "WITH v_bills AS (SELECT key_hash FROM api_key) SELECT * FROM v_bills",
    "SELECT * FROM (SELECT * FROM subscriber) AS v_bills",
    "SELECT 1) AS q; DELETE FROM bill; --",
    "SELECT email FROM public.subscriber",
    'SELECT * FROM "subscriber"',
    "SELECT * FROM http_cache",
    "SELECT sql FROM sqlite_master",
    "SELECT * FROM alembic_version",
    "SELECT load_extension('/tmp/evil.so')",
    "SELECT readfile('/etc/passwd')",
    "SELECT writefile('/tmp/x', 'y')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT set_config('role', 'postgres', false)",
    "SELECT pg_advisory_lock(7301944012)",
    'SELECT "pg_advisory_xact_lock"(7301944012)',
    'SELECT U&"pg\\005fsleep"(100)',
    "SELECT pg_sleep(100)",
    "SELECT pg_terminate_backend(pg_backend_pid())",
    "SELECT query_to_xml('DELETE FROM bill', true, true, '')",
    "SELECT * FROM dblink('', 'DELETE FROM bill') AS t(a int)",
    "SELECT passwd FROM pg_shadow",
    "SELECT rolpassword FROM pg_authid",
    "SELECT nextval('bill_id_seq')",
    "GRANT ALL ON bill TO PUBLIC",
    "LISTEN bills",
    "NOTIFY bills",
    "LOCK TABLE bill",
    "SELECT * FROM v_bills FOR UPDATE",
    "CALL something()",
    "SELECT 9223372036854775808999999999999999999999999999999999999999 + 'x'::int",
    "SELECT * FROM no_such_table",
    "SELECT no_such_column FROM v_bills",
    "",
    ";",
    "hello",
    "SELECT '\x00'",
    "SELECT " + "1 + " * 6000 + "1",
]


def test_nothing_hostile_gets_through(bills: Engine) -> None:
    assert len(HOSTILE) >= 40
    before = fingerprint(bills)
    for statement in HOSTILE:
        begun = time.monotonic()
        with pytest.raises(SqlError) as error:
            readonly.run(bills, statement, password_key=KEY, seconds=2)
        message = str(error.value)
        assert message and "\n" not in message and len(message) < 400, statement
        assert time.monotonic() - begun < 4, statement
    assert fingerprint(bills) == before


def test_each_wall_holds_alone(bills: Engine) -> None:
    """Statements as they would reach the database if the check of their first word were not there."""
    before = fingerprint(bills)
    writes = [s for s in HOSTILE if s.split(" ")[0] in ("DROP", "DELETE", "UPDATE", "INSERT", "ALTER", "TRUNCATE")]
    writes += [
        "DO $$ BEGIN RESET ROLE; DELETE FROM bill; END $$",
        "PRAGMA writable_schema = 1",
        "VACUUM",
        "ATTACH DATABASE '/tmp/other.db' AS other",
        "SET ROLE postgres",
        "COPY bill TO PROGRAM 'cat'",
        "CREATE TABLE mine (a int)",
        "CREATE TEMP TABLE mine (a int)",
        "LOCK TABLE bill",
    ]
    for statement in writes:
        if bills.dialect.name == "sqlite":
            with pytest.raises(SqlError):
                readonly._sqlite(str(bills.url.database), statement, 10, 2)
            continue
        import psycopg

        with readonly._reader(bills, KEY, 2) as connection, pytest.raises(psycopg.Error):
            connection.execute("SET TRANSACTION READ WRITE")
            connection.execute(statement.encode())
    assert fingerprint(bills) == before


ENDLESS = [
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "SELECT count(*) FROM v_actions a, v_actions b, v_actions c, v_actions d, v_actions e, v_actions f, v_actions g,"
    " v_actions h, v_actions i, v_actions j",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n ORDER BY i DESC",
]


def test_what_never_ends_is_ended(bills: Engine) -> None:
    for statement in ENDLESS:
        begun = time.monotonic()
        with pytest.raises(SqlError, match=r"longer than 0\.5 seconds"):
            readonly.run(bills, statement, password_key=KEY, seconds=0.5)
        assert time.monotonic() - begun < 2


def test_too_much_is_refused(bills: Engine) -> None:
    bomb = {
        "sqlite": ["SELECT hex(zeroblob(100000000))", "SELECT hex(randomblob(3000000))"],
        "postgresql": ["SELECT repeat('x', 100000000)", "SELECT decode(repeat('00', 9000000), 'hex')"],
    }[bills.dialect.name]
    for statement in bomb:
        with pytest.raises(SqlError, match="larger"):
            readonly.run(bills, statement, password_key=KEY)
    long = "'" + "x" * 3000 + "'"
    with pytest.raises(SqlError, match="larger"):
        readonly.run(
            bills,
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT i, {long} FROM n",
            password_key=KEY,
            max_rows=100_000,
        )


def test_a_wildcard_bomb_ends_in_time(bills: Engine) -> None:
    pattern = "%a" * 40 + "%b"
    begun = time.monotonic()
    function = "printf('%.30000c', 'a')" if bills.dialect.name == "sqlite" else "repeat('a', 30000)"
    readonly.run(bills, f"SELECT {function} LIKE '{pattern}'", password_key=KEY)
    assert time.monotonic() - begun < 5


def test_the_reader_role_has_nothing_but_the_views(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("roles are PostgreSQL's")
    readonly.prepare(engine, KEY)
    role = readonly.role_name(engine)
    with reading(engine) as connection:
        granted = connection.execute(
            text("SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = :role"),
            {"role": role},
        ).all()
        assert granted and all(name.startswith("v_") and what == "SELECT" for name, what in granted)
        row = connection.execute(
            text("SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = :role"),
            {"role": role},
        ).one()
        assert not any(row)


def test_without_a_key_postgresql_says_so(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("SQLite needs no role")
    with pytest.raises(SqlError, match="secret key"):
        readonly.run(engine, "SELECT 1")
