"""The sender is killed again and again: nothing is lost, and what may have come twice is marked."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kill_senders import prove


def judge(found: dict[str, int], kills: int) -> None:
    assert found["kills"] == kills and found["planned"] > 0
    assert found["planned"] == found["arrived"]
    bad = ("lost", "not accepted", "strange", "second copies not marked", "copies that differ", "gaps in the log")
    assert [found[name] for name in bad] == [0] * len(bad), found
    # Each kill can leave one mail in flight, no more.
    assert found["second copies"] <= kills and found["marked"] <= kills


def test_a_few_kills(tmp_path: Path) -> None:
    judge(prove(tmp_path, 3, readers=8, seed=3), 3)


@pytest.mark.slow
def test_three_hundred_kills(tmp_path: Path) -> None:
    judge(prove(tmp_path, 300, readers=60), 300)
