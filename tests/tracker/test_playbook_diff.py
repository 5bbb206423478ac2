"""What another playbook would change, over bills in a database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from tests.tracker.analysts import BILLS, NOW
from tracker import playbook
from tracker.classify import Classifier
from tracker.cli import build
from tracker.ingest import Run, ingest
from tracker.models.tags import TagRow
from tracker.playbook_diff import compare
from tracker.tagging import IN_SCOPE

LITERACY = """
name = "reading"
title = "Early literacy"
source = "A test"
[topic]
name = "Reading"
definition = "How children are taught to read."
source = "A test"
threshold = 0.3
digest_threshold = 0.2
cues = ["waiver*", "flexibility"]
examples = ["An act on reading"]
[[strategy]]
key = "flexibility"
name = "Waivers"
group = "Rules"
definition = "Waives a rule."
source = "A test"
threshold = 0.2
cues = ["waiver*"]
examples = ["An act to waive"]
"""


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    path = tmp_path / "reading.toml"
    path.write_text(LITERACY, encoding="utf-8")
    return path


def test_gains_and_losses_carry_their_reason_and_nothing_is_written(sqlite: Engine, candidate: Path) -> None:
    ingest(sqlite, BILLS, run=Run("test"), now=NOW)
    changes = {
        (c.key, c.strategy): c for c in compare(sqlite, Classifier.load(), Classifier.load(playbook.load(candidate)))
    }
    lost = changes["tx/89R/HB 12", "tax_credits"]
    assert not lost.gained and lost.after is None and lost.before is not None and lost.before > 0.3
    assert "no longer has" in lost.why
    assert changes["tx/89R/HB 12", IN_SCOPE].why.startswith("Not in scope")
    assert all(c.key.count("/") == 2 and c.title and c.why for c in changes.values())
    with sqlite.connect() as connection:
        assert connection.execute(select(func.count()).select_from(TagRow)).scalar() == 0


def test_a_playbook_against_itself_changes_nothing(sqlite: Engine) -> None:
    ingest(sqlite, BILLS, run=Run("test"), now=NOW)
    assert not list(compare(sqlite, Classifier.load(), Classifier.load()))


def test_the_command_prints_one_json_value(tmp_path: Path, candidate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLTRACKER_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.db'}")
    result = CliRunner().invoke(build(), ["playbook", "diff", str(candidate), "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["changes"] == []
    assert CliRunner().invoke(build(), ["playbook", "diff", str(tmp_path / "none.toml")]).exit_code == 2
