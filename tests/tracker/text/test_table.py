"""The table is whole, and the documentation says of every row what can be seen."""

from __future__ import annotations

from pathlib import Path

from tracker.text.table import KINDS, recipe, recipes

ROOT = Path(__file__).resolve().parents[3]


def test_every_kind_has_a_row_for_all_the_others() -> None:
    assert {kind for code, kind in recipes() if code == "*"} == set(KINDS)
    assert recipe("zz", "pdf") is recipes()[("*", "pdf")] and recipe("TX", "html").name == "tx/html"


def test_every_row_is_documented() -> None:
    text = (ROOT / "docs" / "texts.md").read_text("utf-8")
    for (code, kind), row in recipes().items():
        assert row.strikes.endswith("."), row.name
        shown = "all others" if code == "*" else code
        line = next(x for x in text.splitlines() if x.startswith(f"| {shown} | {kind} |"))
        assert row.strikes in line, row.name
