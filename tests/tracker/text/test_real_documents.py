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
    r"skip (?:to (?:main )?content|navigation)|webmaster|terms of use|print on demand|^\d+/ ?\d+$|toggle navigation|breadcrumb|^(?:sign in|log ?in)$|accept (?:all )?cookies|cookie policy"  # noqa: E501
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


# Checked by eye against the documents: (file, words struck, spans added, a short fact in the text).
GOLDEN = {
    "tx/892__HB102__": (76, 126, "SECTION 1."),
    "ut/2026__HB360__": (2, 5, "(ii) establishes that the student"),
    "fl/2026__SB672__": (35, 34, "Eastern massage"),
    "az/57th-2nd-regular__HB2383__": (13, 19, "Be it enacted"),
    "de/153__SB62__": (65, 77, "BE IT ENACTED"),
    "wa/2025-2026__SB5235__": (2, 4, "Developing and updating high school"),
    "sd/2026__HB1003__": (26, 2, "hired by a school shall submit"),
    "id/2026__H0490__": (2, 2, "due caution and circumspection"),
    "mn/2025-2026__SF4453__": (17, 30, "BE IT ENACTED"),
    "pa/2025-2026__SB999__": (4, 0, "school year 2025-2026 and every two years"),
    "ga/2025_26__HB200__": (0, 0, "students in grades two through five in order to:"),
    "ok/2025__HB1007__": (0, 0, "shall announce that person's name to the judge"),
    "oh/136__HB101__": (0, 0, "Encouragement Scholarship Pilot Program and to make an appropriation."),
    "usa/119__SRES196__": (0, 0, "S. RES. 196"),
}


@pytest.mark.parametrize("start", sorted(GOLDEN))
def test_golden(documents: dict[str, list[tuple[str, Extraction]]], start: str) -> None:
    rows = documents[start.partition("/")[0]]
    found = next(e for name, e in rows if name.startswith(start))
    struck, added, fact = GOLDEN[start]
    assert (len(found.struck), len(found.added)) == (struck, added)
    assert fact in found.text


def test_no_runs_of_margin_numbers(documents: dict[str, list[tuple[str, Extraction]]]) -> None:
    """No five numbers that count up by one a line's length apart, but for tables that do."""
    tables = {
        "ma/194th__SD3069",
        "mo/2025S2__HB1",
        "mo/2025S2__SR2",
        "ms/2026__HB1126",
        "ct/2026__",
        "wy/2026__HB0001",
    }
    number = re.compile(r"(?<![\w$.,:§(–/#-])\d{1,4}(?![\w.,)%–-])")
    for rows in documents.values():
        for name, found in rows:
            if name.startswith(tuple(tables)):
                continue
            run, last = 1, (-1000, -1)
            for match in number.finditer(found.text):
                value = int(match.group())
                near = 20 < match.start() - last[0] < 130
                run = run + 1 if near and value == last[1] + 1 else 1
                assert run < 5, (name, found.text[max(0, match.start() - 200) : match.end()])
                last = (match.start(), value)


def test_tags_of_other_states_stay_out(documents: dict[str, list[tuple[str, Extraction]]]) -> None:
    """Headers and footers that stand on every page of these prints are nowhere in the text."""
    furniture = {
        "fl": r"CODING: Words",
        "ga": r"\d\d LC \d+ \d{4}",
        "ne": r"LB\d+ LB\d+",
        "oh": r"H\. B\. No\. \d+ Page \d+",
        "ok": r"Req\. No\. \d+ Page",
        "md": r"\[Brackets\] indicate|EXPLANATION: CAPITALS",
        "ri": r"LC\d{6} - Page",
        "ia": r"LSB \d+\w+ \(\d\) 91",
        "pa": r"\d{5}[HS]B\d{4}PN\d{4}",
        "sd": r"Overstrikes",
    }
    for code, pattern in furniture.items():
        for name, found in documents[code]:
            assert not re.search(pattern, found.text), name
