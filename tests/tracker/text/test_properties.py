"""Whatever the bytes, extraction answers; whatever the marks, positions hold."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from tracker.text import diff, extract
from tracker.text.marks import ADDED, ADDED_END, STRUCK, STRUCK_END, assemble

MEDIA = st.sampled_from(
    ["text/html", "application/xml", "application/pdf", "text/plain", "application/msword", "", "x"]
)
CODES = st.sampled_from(["tx", "md", "co", "ok", "oh", "ut", "us", "hi", "ky", "mo", "pa", "zz", ""])
HEADS = st.sampled_from(
    [
        b"",
        b"%PDF-1.4\n",
        b"PK\x03\x04",
        b"{\\rtf1 ",
        b"<html><body>",
        b"<?xml version='1.0'?><a>",
        b"\xff\xfe",
        b"\x1f\x8b\x08",
    ]
)
MARKUP = st.lists(
    st.sampled_from(
        ["<s>", "</s>", "<u>", "</u>", "<p>", "</p>", "<pre>", "</pre>", "\n", " ", "[", "]", "((", "))", "12 ", "1 ",
         "2 ", "Sec. 1.", "word", "PAY IT", "-\n", "&#xFDD0;", "&#147;", "é", "e\u0301", "<td>", "<br>", "Be it enacted"]  # noqa: E501
    ),
    max_size=60,
)  # fmt: skip


@given(HEADS, st.binary(max_size=400), MEDIA, CODES)
@settings(max_examples=250, deadline=None)
def test_extract_never_raises(head: bytes, body: bytes, media: str, code: str) -> None:
    found = extract(head + body, jurisdiction=code, media_type=media)
    assert (found.status == "ok") == bool(found.text) and bool(found.reason) == (found.status != "ok")


@given(MARKUP, CODES)
@settings(max_examples=250, deadline=None)
def test_positions_hold_and_text_is_normal(pieces: list[str], code: str) -> None:
    found = extract(("<html><body>" + "".join(pieces)).encode(), jurisdiction=code, media_type="text/html")
    assert unicodedata.is_normalized("NFC", found.text) and found.text == found.text.strip()
    last = 0
    for start, end in found.added:
        assert last <= start < end <= len(found.text)
        last = end
    assert all(0 <= at <= len(found.text) and words for at, words in found.struck)


PIECES = st.lists(
    st.sampled_from(["a", " ", "b c", "e", "\u0301", ".", STRUCK, STRUCK_END, ADDED, ADDED_END]), max_size=30
)


@given(st.lists(PIECES.map("".join), max_size=4))
def test_assemble_keeps_no_marks(paragraphs: list[str]) -> None:
    text, struck, added = assemble(paragraphs)
    assert not set(text) & set(STRUCK + STRUCK_END + ADDED + ADDED_END)
    assert unicodedata.is_normalized("NFC", text)
    assert all(0 <= at <= len(text) for at, _ in struck) and all(0 <= a <= b <= len(text) for a, b in added)


WORDS = st.lists(st.sampled_from(["the ", "board ", "shall ", "may ", "pay. ", "\n\n", "Section 1. "]), max_size=40)


@given(WORDS.map("".join), WORDS.map("".join))
def test_changes_rebuild_both_texts(old: str, new: str) -> None:
    for hunk in diff(old, new, context=True):
        if hunk.kind == "same":
            continue
        assert "".join(c.text for c in hunk.changes if c.kind != "inserted") == hunk.old
        assert "".join(c.text for c in hunk.changes if c.kind != "deleted") == hunk.new
        assert hunk.old_start < 0 or old[hunk.old_start :].startswith(hunk.old)
        assert hunk.new_start < 0 or new[hunk.new_start :].startswith(hunk.new)
