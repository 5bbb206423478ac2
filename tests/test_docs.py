"""The documents say what is so: every setting, command, table, view, event kind, symptom and relative link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tracker import reference
from tracker.events import EventKind
from tracker.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", reference.PAGES)
def test_reference_pages_are_what_the_code_says(name: str) -> None:
    assert (ROOT / "docs" / name).read_text("utf-8") == reference.PAGES[name](), "run `make docs` and commit the pages"


def test_every_setting_command_table_and_view_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())
    pages = "\n".join((ROOT / "docs" / name).read_text("utf-8") for name in reference.PAGES)
    sections = re.findall(r"^###? (.+)\n\n(.*)$", pages, re.M)
    silent = [title for title, about in sections if not about.strip()]
    assert not silent, f"no docstring: {silent}"


def test_every_event_kind_is_described() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    assert {kind.value for kind in EventKind} <= set(re.findall(r"[a-z_]+", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
