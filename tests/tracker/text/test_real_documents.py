"""Every real version document gives clean text or a named reason."""

from __future__ import annotations

import re
import tarfile
from collections import Counter
from pathlib import Path

import pytest

from tracker.text import Extraction, extract

# What pages of legislatures wear round a bill; matched as whole lines or phrases no law would use.
CHROME = re.compile(
    r"skip to (?:main )?content|toggle navigation|breadcrumb|^(?:sign in|log ?in)$|accept (?:all )?cookies"
    r"|cookie policy"
    r"|javascript|print this page|share this|facebook|twitter\.com|back to top|site ?map\b.{0,20}contact"
    r"|copyright ©|all rights reserved|search bills|bill search|add to my bills|download pdf|previous page",
    re.I | re.M,
)
# Documents that cannot give text, by state: damaged before they were kept.
REASONED = {"ks": 6}


@pytest.fixture(scope="module")
def documents(shared: Path) -> dict[str, list[tuple[str, Extraction]]]:
    """Each state's documents, extracted."""
    folder = shared / "texts"
    if not folder.is_dir():
        pytest.skip(f"no bill documents: {folder} is not there")
    found: dict[str, list[tuple[str, Extraction]]] = {}
    for path in sorted(folder.glob("*.tar.gz")):
        code = path.name.removesuffix(".tar.gz")
        with tarfile.open(path) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    body = stream.read()
                    found.setdefault(code, []).append(
                        (member.name, extract(body, jurisdiction=code, media_type="application/octet-stream"))
                    )
    return found


def test_every_document_gives_text_or_a_named_reason(
    documents: dict[str, list[tuple[str, Extraction]]],
) -> None:
    assert sum(map(len, documents.values())) == 257
    without = Counter(code for code, rows in documents.items() for _, e in rows if e.status != "ok")
    assert without == REASONED
    for rows in documents.values():
        for name, found in rows:
            if found.status == "ok":
                assert len(found.text.split()) >= 10, name
            else:
                assert found.reason and not found.text, name


def test_no_page_chrome(documents: dict[str, list[tuple[str, Extraction]]]) -> None:
    hits = [
        (name, match.group()) for rows in documents.values() for name, e in rows for match in CHROME.finditer(e.text)
    ]
    assert hits == []


def test_no_marks_left_in_text(documents: dict[str, list[tuple[str, Extraction]]]) -> None:
    for rows in documents.values():
        for name, found in rows:
            assert not re.search(r"[\ufdd0-\ufdef\x00-\x09\x0b-\x1f\x80-\x9f\ufffd]", found.text), name
            assert "\n\n\n" not in found.text and found.text == found.text.strip(), name
            for at, words in found.struck:
                assert 0 <= at <= len(found.text) and words, name
            for start, end in found.added:
                assert 0 <= start < end <= len(found.text), name
