"""The main job on the bundled sample, as a newcomer without a network meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from typer.main import get_command
from typer.testing import CliRunner, Result

from tracker.cli import build
from tracker.commands.job import _billtracker, _needs_a_look
from tracker.db import make_engine, reading, writing

Here = Callable[..., Result]
COMMAND = [sys.executable, "-m", "tracker.cli"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("job")


def billtracker(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("BILLTRACKER_")}
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=home,
        env={**environment, "BILLTRACKER_HOME": str(home / "var"), "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """``here(*words)``: a command in this process, where one of its own would prove nothing more."""
    for name in [name for name in os.environ if name.startswith("BILLTRACKER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BILLTRACKER_HOME", str(home / "var"))
    monkeypatch.chdir(home)
    return lambda *words: CliRunner().invoke(build(), list(words))


@pytest.fixture(scope="module")
def first(home: Path) -> dict[str, Any]:
    sample = home / "recordings"
    subprocess.run(
        [sys.executable, "-m", "crawlers", "--sample", str(sample), "--today", "2026-11-24"],
        cwd=Path(__file__).parents[3],
        check=True,
    )
    done = billtracker(home, "run", "--replay", str(sample), "--now", "2026-11-24T12:00:00", "--json")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_job_goes_from_site_to_mail(home: Path, first: dict[str, Any]) -> None:
    assert [row["status"] for row in first["crawls"]] == ["published"] * 4
    assert sum(row["new"] for row in first["crawls"]) == 13
    assert first["texts"]["ok"] > 0
    assert first["tags"]["gained"] >= 8
    (mail,) = (home / "var/outbox").glob("*.eml")
    message = message_from_bytes(mail.read_bytes(), policy=policy.default)
    text, markup = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))  # type: ignore[union-attr]
    for identifier in ("SB 5", "HB 3", "HB 2", "HB 6"):
        assert identifier in text and identifier in markup
    assert "HB 7" not in text


def test_every_quote_is_the_stored_field_at_its_offsets(home: Path, first: dict[str, Any]) -> None:
    engine = make_engine(f"sqlite:///{home / 'var/billtracker.db'}")
    with reading(engine) as connection:
        rows = connection.exec_driver_sql(
            "SELECT e.field, e.start_offset, e.end_offset, e.quote, b.title, x.text, "
            "(SELECT abstract FROM bill_abstract a WHERE a.bill_id = b.id AND a.ordinal = 0) "
            "FROM tag_evidence e JOIN tag t ON t.id = e.tag_id JOIN bill b ON b.id = t.bill_id "
            "LEFT JOIN bill_text x ON x.id = t.bill_text_id WHERE t.removed_at IS NULL"
        ).all()
    engine.dispose()
    assert rows
    for field, start, end, quote, title, text, abstract in rows:
        stored = {"title": title, "text": text, "abstract:0": abstract}[field]
        assert stored[start:end] == quote


def test_running_again_changes_and_sends_nothing(home: Path, first: dict[str, Any]) -> None:
    before = sorted((home / "var/outbox").glob("*.eml"))
    done = billtracker(home, "run", "--replay", str(home / "recordings"), "--now", "2026-11-24T13:00:00", "--json")
    again = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    # The recordings start with day 1 again, which is older than what we have.
    assert [row["status"] == "older" for row in again["crawls"]] == [True, False] * 2
    assert sum(row["events"] for row in again["crawls"]) == 0
    assert sorted((home / "var/outbox").glob("*.eml")) == before


def test_show_and_changes_tell_the_same_story(here: Here, first: dict[str, Any]) -> None:
    shown = json.loads(here("show", "va/sample/hb0003", "--json").stdout)
    assert shown["stage"] == "passed_legislature"
    assert any(tag["strategy"] == "flexibility" and tag["evidence"] for tag in shown["tags"])
    rows = json.loads(here("changes", "--after", "0", "--state", "va", "--limit", "1000", "--json").stdout)
    assert {"va/sample/HB 3"} <= {row["key"] for row in rows if row["kind"] == "stage"}
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)


def test_mail_that_did_not_go_out_ends_the_run_with_one() -> None:
    sent = {"mails": [], "errors": ["all sending is stopped: ten mails in a row were not taken"]}
    (look,) = _needs_a_look([], {"example_reader": "", "sent": sent})
    assert look["serious"] and "all sending is stopped" in look["what"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show", "nonsense"], "is not a KEY"),
        (["show", "va/2026/HB 999"], "there is no bill"),
        (["run", "--replay", "nowhere"], "does not exist"),
        (["run", "zz"], "no jurisdiction"),
        (["run", "--now", "soon"], "not an ISO date"),
        (["ingest", "nothing.jsonl"], "does not exist"),
        (["crawl", "texass"], "no jurisdiction"),
    ],
)
def test_wrong_use_ends_with_one_sentence(here: Here, arguments: list[str], says: str) -> None:
    done = here(*arguments)
    assert done.exit_code == 2, done.exception
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_another_command_answers_or_its_error_does(here: Here, first: dict[str, Any]) -> None:
    context = get_command(build()).make_context("billtracker", ["health"])
    (reader,) = _billtracker(context, "subscribers", "list", "--json")
    assert reader["email"] == first["digests"]["example_reader"]
    sentence = "billtracker: give --due or --to, not both"
    assert _billtracker(context, "digest", "send", "--due", "--to", "a@b.example") == {"error": sentence}
    assert _billtracker(context, "subscribers", "remove") != {"error": "no answer"}


def test_a_database_that_refuses_another_command_says_so(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLTRACKER_DATABASE_URL", str(sqlite.url))
    with writing(sqlite) as connection:
        connection.exec_driver_sql("ALTER TABLE subscription RENAME TO lost")
    context = get_command(build()).make_context("billtracker", ["health"])
    told = _billtracker(context, "subscribers", "list", "--json")
    assert told == {"error": "billtracker: the database refused: no such table: subscription"}


def test_a_process_ends_with_the_sentence_and_the_code(home: Path) -> None:
    done = billtracker(home, "show", "nonsense")
    assert done.returncode == 2
    assert "is not a KEY" in done.stderr and "Traceback" not in done.stderr
