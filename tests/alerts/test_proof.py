"""What was sent can be shown again: replayed, made anew, and accounted for bill by bill."""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
from pathlib import Path

import pytest
import typer
from click.testing import Result
from pydantic import SecretStr
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from alerts import commands
from alerts.outbox import frozen_mail, rebuilt_mail
from alerts.receipts import receipts
from alerts.sending import send
from tests.alerts.data import NOW, bill, load, reader, settings
from tests.alerts.servers import smtp_server
from tracker.db import make_engine, reading, upgrade
from tracker.models.readers import DigestIssueRow

WEEK = dt.timedelta(days=7)


def test_a_year_of_issues_is_rebuilt_to_the_byte(engine: Engine, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    reader(engine, keywords=["welding"], searches=[{"text": "credit"}])
    sent = {}
    for week in range(4):
        load(engine, [bill(f"HB {week}{n}", title=f"A tax credit & “{n}” — é") for n in range(5)], NOW + week * WEEK)
        (mail,) = send(engine, chosen, now=NOW + week * WEEK).mails
        sent[mail["issue"]] = Path(mail["file"]).read_bytes()
    # What changes afterwards changes no issue.
    load(engine, [bill("HB 01", title="Another title")], NOW + 5 * WEEK)
    for issue, raw in sent.items():
        assert frozen_mail(engine, issue) == raw
        assert rebuilt_mail(engine, chosen, issue) == raw
        with reading(engine) as connection:
            stored = connection.execute(select(DigestIssueRow.sha256).where(DigestIssueRow.id == issue)).scalar()
        assert stored == hashlib.sha256(raw).hexdigest()
    assert rebuilt_mail(engine, settings(tmp_path, public_url="https://elsewhere.example"), 1) != sent[1]
    assert frozen_mail(engine, 999) is None and rebuilt_mail(engine, chosen, 999) is None


def test_what_the_server_got_is_what_replay_gives(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    reader(sqlite)
    with smtp_server() as (handler, url):
        send(sqlite, settings(tmp_path, smtp_url=SecretStr(url)), now=NOW)
    assert handler.mails[0][1] == frozen_mail(sqlite, 1)


def test_receipts_say_when_each_bill_was_seen_tagged_and_mailed(engine: Engine, tmp_path: Path) -> None:
    load(engine, [bill("HB 1"), bill("HB 2", title="On welding")], NOW - dt.timedelta(hours=6))
    reader(engine, keywords=["welding"])
    (mail,) = send(engine, settings(tmp_path), now=NOW).mails
    rows = {row["key"]: row for row in receipts(engine, mail["issue"]) or ()}
    first, second = rows["tx/89R/HB 1"], rows["tx/89R/HB 2"]
    assert (first["first_seen"], first["tagged"], first["mailed"]) == (
        NOW - dt.timedelta(hours=6), NOW - dt.timedelta(hours=6), NOW,
    )  # fmt: skip
    assert first["hours"] == 6 and second["tagged"] is None and second["mailed"] == NOW
    assert receipts(engine, 999) is None


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [n for n in os.environ if n.startswith("BILLTRACKER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BILLTRACKER_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    engine = make_engine(f"sqlite:///{tmp_path / 'billtracker.db'}")
    upgrade(engine)
    load(engine, [bill("HB 1")])
    engine.dispose()
    return tmp_path


def billtracker(*arguments: str) -> Result:
    app = typer.Typer()
    commands.register(app)
    return CliRunner().invoke(app, list(arguments))


def test_the_commands_from_adding_to_receipts(home: Path) -> None:
    add = ("subscribers", "add", "ann@example.org", "--confirmed", "--day", "tue", "--hour", "8", "--json")
    added = json.loads(billtracker(*add, "--search", 'apprentice* "tax credit"').stdout)
    assert (added["weekday"], added["hour"], added["searches"][0]["text"]) == (1, 8, 'apprentice* "tax credit"')
    now = ("--now", NOW.isoformat())
    assert "CTE bills, week 10: 1 new" in billtracker("digest", "preview", "ann@example.org", *now).stdout
    assert billtracker("digest", "preview", "ann@example.org", "--out", "look", *now).exit_code == 0
    assert "issue.invalid" not in (home / "look" / "digest.html").read_text("utf-8")
    dry = json.loads(billtracker("digest", "send", "--dry-run", *now, "--json").stdout)
    assert dry["mails"][0]["state"] == "dry run" and not (home / "outbox").exists()
    sent = json.loads(billtracker("digest", "send", "--due", *now, "--json").stdout)
    issue = str(sent["mails"][0]["issue"])
    replayed = billtracker("digest", "replay", issue, "--check")
    assert replayed.exit_code == 0 and replayed.stdout_bytes == Path(sent["mails"][0]["file"]).read_bytes()
    rows = json.loads(billtracker("digest", "receipts", issue, "--json").stdout)
    assert [row["key"] for row in rows] == ["tx/89R/HB 1"]
    assert json.loads(billtracker("digest", "send", "--due", *now, "--json").stdout) == {"mails": [], "errors": []}
    assert "0 stops released" in billtracker("digest", "resume").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["subscribers", "add", "b@example.org", "--day", "t"], "is not a day of the week"),
        (["subscribers", "add", "b@example.org", "--search", '"open'], "cannot be read"),
        (["digest", "replay", "99"], "there is no issue 99"),
        (["digest", "receipts", "99"], "there is no issue 99"),
        (["digest", "bounces"], "BILLTRACKER_BOUNCE_MAILBOX"),
        (["digest", "preview", "nobody@example.org"], "is not a subscriber"),
    ],
)
def test_wrong_use_ends_with_a_sentence(home: Path, arguments: list[str], says: str) -> None:
    done = billtracker(*arguments)
    assert done.exit_code == 2 and says in done.stderr


def test_a_second_run_at_once_ends_with_a_sentence(home: Path) -> None:
    with (home / "sending.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = billtracker("digest", "send", "--due")
    assert done.exit_code == 1 and "another run is sending mail" in done.stderr
