"""Measuring and training: counts are right, a worse model is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from tracker import playbook
from tracker.classify import Classifier, GoldError, evaluate, render
from tracker.classify.evaluation import unseen
from tracker.classify.measures import best_threshold, f_score, folds, recall_threshold
from tracker.classify.training import train
from tracker.commands.tags import register

LABELS = ["in_scope", *playbook.load().strategies]


def bill(number: int, title: str, *true: str) -> dict[str, Any]:
    state = ["aa", "bb", "cc", "dd", "ee", "ff"][number % 6]
    labels = {label: label in true for label in LABELS}
    return {
        "jurisdiction": state,
        "session": "1",
        "identifier": f"HB {number}",
        "title": title,
        "labels": labels,
    }


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    rows = [
        bill(
            1,
            "An act allowing an income tax credit to employers of registered apprentices",
            "in_scope",
            "tax_credits",
        ),
        bill(2, "An act relating to bridge inspection"),
        bill(3, "An act relating to the state bird", "in_scope", "flexibility"),
    ]
    path = tmp_path / "gold.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def test_counts_of_a_known_case(gold: Path) -> None:
    report = evaluate(gold, Classifier.load())
    row = report["labels"]["in_scope"]
    assert (row["true"], row["applied"], row["precision"], row["recall"]) == (2, 1, 1.0, 0.5)
    assert row["f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert row["f1_low"] <= row["f1"] <= row["f1_high"]
    assert report["labels"]["tax_credits"]["f1"] == 1.0
    assert report["labels"]["flexibility"]["f1"] == 0.0
    assert report["macro_of"] == ["incentives", "tax_credits", "flexibility"]
    assert report["kinds"]["title_only"]["bills"] == 3
    assert set(report["states"]) == {"bb", "cc", "dd"}
    assert "tax_credits" in render(report)


@pytest.mark.parametrize(("content", "words"), [("", "no labelled"), ("{", "line 1"), ('{"title": "x"}', "labels")])
def test_files_that_are_no_gold(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(GoldError, match=words):
        evaluate(path, Classifier.load())


def test_folds_keep_states_whole() -> None:
    states = ["a"] * 5 + ["b"] * 3 + ["c"] * 3 + ["d"]
    found = folds(states)
    assert all(len(set(found[[s == state for s in states]])) == 1 for state in "abcd")
    assert set(found) == {0, 1, 2}


def test_thresholds() -> None:
    truth = np.array([0.0, 0.0, 1.0, 1.0])
    scores = np.array([0.1, 0.4, 0.6, 0.9])
    assert 0.4 < best_threshold(truth, scores) <= 0.6
    assert f_score(truth, scores >= 0.5) == 1.0
    assert recall_threshold(truth, scores, 1.0) <= 0.6


def made_up(keep_truth: bool) -> list[dict[str, Any]]:
    mechanisms = {
        "incentives": "a grant program for",
        "tax_credits": "an income tax credit for employers of",
        "flexibility": "waivers of licence rules for",
        "agency_funding": "an appropriation to the college for",
        "agency_rules": "rules of the department on",
        "executive_call": "a task force on",
    }
    rows = []
    for number in range(120):
        key = list(mechanisms)[number % 7 % 6]
        on = number % 3 != 0
        what = ["apprentices", "interns"][number % 2] if on else ["bridges", "harbors"][number % 2]
        true: tuple[str, ...] = ("in_scope", key) if on else ()
        if not keep_truth:
            true = ("in_scope", *mechanisms) if number % 5 == 0 else ()
        rows.append(bill(number * 7 // 2, f"An act relating to {mechanisms[key]} {what}", *true))
    return rows


@pytest.mark.slow
def test_a_worse_model_is_refused_and_leaves_the_folder_alone(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    book = playbook.load()
    good = made_up(True)
    first = train(good, good[:60], book, tmp_path)
    assert first.accepted and first.before is None
    kept = unseen(tmp_path)
    assert kept is not None and kept["bills"] == 60 and set(kept["states"]) == {b["jurisdiction"] for b in good[:60]}
    assert {label: row["f1"] for label, row in kept["labels"].items()} == first.f1
    assert f"{first.f1['in_scope']:.3f}" in render(kept)
    before = (tmp_path / "model.json").read_bytes()
    second = train(made_up(False), made_up(False)[:60], book, tmp_path)
    assert not second.accepted and second.reason.startswith("Refused")
    assert (tmp_path / "model.json").read_bytes() == before


def test_commands(gold: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    register(app)
    runner = CliRunner()
    lines = tmp_path / "bills.jsonl"
    lines.write_text('{"title": "An act on roads"}\nnot json\n{"title": 5}\n', encoding="utf-8")
    result = runner.invoke(app, ["tag", str(lines)])
    rows = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    assert result.exit_code == 1 and len(rows) == 3
    assert "tags" in rows[0] and "Line 2" in rows[1]["error"] and "'title'" in rows[2]["error"]
    assert runner.invoke(app, ["tag", str(tmp_path / "none")]).exit_code == 2
    assert json.loads(runner.invoke(app, ["evaluate", str(gold), "--json"]).stdout)["bills"] == 3
    assert runner.invoke(app, ["evaluate", str(lines)]).exit_code == 2
    assert runner.invoke(app, ["evaluate", str(gold), "--unseen"]).exit_code == 2
    assert "omnibus" in runner.invoke(app, ["evaluate", "--unseen"]).stdout
    assert "trained model" in runner.invoke(app, ["playbook", "check"]).stdout
    assert runner.invoke(app, ["playbook", "check", str(lines)]).exit_code == 2


def test_wordpieces_of_odd_words() -> None:
    from tracker.classify.model import FOLDER
    from tracker.classify.wordpiece import WordPiece

    pieces = WordPiece(FOLDER / "cte" / "vocabulary.txt")
    assert pieces.numbers("An Act, establishing…", 3) == pieces.numbers("an act ,", 9)
    assert pieces.numbers("É", 9) == pieces.numbers("e", 9)
    assert len(pieces.numbers("x" * 200, 9)) == 1
    assert pieces.numbers("\x00\u00ad", 9) == []
