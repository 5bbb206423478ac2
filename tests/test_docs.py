"""The documents say what is so: every setting, event kind and relative link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracker.events import EventKind
from tracker.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_setting_is_described() -> None:
    text = (ROOT / "docs/operations.md").read_text("utf-8")
    assert set(re.findall(r"`BILLTRACKER_([A-Z_]+)`", text)) == {name.upper() for name in Settings.model_fields}


def test_every_event_kind_is_described() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert {kind.value for kind in EventKind} <= set(re.findall(r"[a-z_]+", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
