"""A playbook is data: it loads, it is checked, and errors say where to look."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tracker import playbook


def _data() -> dict[str, Any]:
    return tomllib.loads(playbook.DEFAULT.read_text(encoding="utf-8"))


def test_the_shipped_playbook_has_the_six_strategies() -> None:
    assert list(playbook.load().strategies) == [
        "incentives",
        "tax_credits",
        "flexibility",
        "agency_funding",
        "agency_rules",
        "executive_call",
    ]


def test_hash_follows_content_and_not_layout() -> None:
    data = _data()
    changed = copy.deepcopy(data)
    changed["strategy"][0]["threshold"] = 0.77
    assert playbook.parse(data).hash == playbook.load().hash
    assert playbook.parse(changed).hash != playbook.load().hash


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["strategy"][1].pop("definition"), ["tax_credits", "definition", "missing"]),
        (lambda d: d["strategy"][1].update(threshold=1.5), ["tax_credits", "threshold", "less than 1"]),
        (lambda d: d["strategy"][1].update(cue=["x"]), ["tax_credits", "'cue'", "spelling"]),
        (lambda d: d["strategy"][1].update(cues=["a*b"]), ["tax_credits", "cues", "a*b"]),
        (lambda d: d["strategy"][1].update(cues=["same", "same"]), ["tax_credits", "cues", "twice"]),
        (lambda d: d["strategy"][1].update(cues=[]), ["tax_credits", "cues", "at least 1"]),
        (lambda d: d["strategy"][1].update(key="incentives"), ["incentives", "two strategies"]),
        (lambda d: d["strategy"][1].update(key="Tax Credits"), ["Tax Credits", "key", "lower-case"]),
        (lambda d: d["strategy"][1].pop("key"), ["number 2", "key", "missing"]),
        (lambda d: d.pop("topic"), ["topic", "missing"]),
        (lambda d: d["topic"].update(digest_threshold="high"), ["topic", "digest_threshold", "'high'"]),
        (lambda d: d.update(strategy=[]), ["strategy", "at least 1"]),
    ],
)
def test_errors_name_file_place_and_reason(change: Any, words: list[str]) -> None:
    data = _data()
    change(data)
    with pytest.raises(playbook.PlaybookError) as error:
        playbook.parse(data, "mine.toml")
    message = str(error.value)
    assert message.startswith("mine.toml: ") and message.endswith(".") and "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"x" * 1_000_001])
def test_files_that_are_no_playbook(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(playbook.PlaybookError, match=r"broken\.toml"):
        playbook.load(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(playbook.PlaybookError, match="cannot be read"):
        playbook.load(tmp_path / "none.toml")


def test_the_second_playbook_of_the_docs_tags_sensibly(tmp_path: Path) -> None:
    from tracker.classify import Classifier

    docs = (Path(__file__).parents[2] / "docs" / "playbook.md").read_text(encoding="utf-8")
    path = tmp_path / "literacy.toml"
    path.write_text(docs.split("```toml\n")[-1].split("```")[0], encoding="utf-8")
    classifier = Classifier.load(playbook.load(path))
    assert classifier.model is None
    coaches, roads = classifier.tag(
        [
            {
                "title": "An act to place reading coaches in elementary schools",
                "text": "Section 1. The department shall assign a literacy coach to each school where early "
                "literacy scores are low. Section 2. Teachers of reading shall complete training in the "
                "science of reading.",
            },
            {"title": "An act relating to the paving of county roads", "text": "Roads shall be paved."},
        ]
    )
    assert coaches["in_scope"]["value"] and not roads["in_scope"]["value"]
    applied = [tag["strategy"] for tag in coaches["tags"] if tag["value"]]
    assert "coaching" in applied and "retention" not in applied
    assert not any(tag["value"] for tag in roads["tags"])
