"""Cuts a bill into the passages a judgement is made on: title, abstracts, and provisions of the text.

Offsets are Unicode code points of the string as it was given, so a passage is always `source[start:end]`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MAX_TEXT = 1_500_000
"""Code points of a text that are read; the rest of a longer text is left unread, so that time stays
bounded.
"""

PASSAGE_WORDS = 95
SENTENCE_CHARS = 700

_BOUNDARY = re.compile(
    # one set of first characters, so that the search can skip from one to the next
    r"""[.;:?!\s](?:"""
    # a sentence or clause followed by a capital, number or bracket
    r"""(?<=[.;:?!])["”\u2019)\]]{0,2}\s{1,20}(?=[A-Z(\["“§0-9*])"""
    r"""|(?<=[.;:])(?=\(\w{1,4}\))"""  # lists run together: "…;(7) Each"
    r"""|(?<=[a-z][.;])(?=§|SECTION|Section|NOTE)"""
    r"""|(?<=\n)[ \t]{0,20}\n"""
    r"""|(?<=\s)new text end\s(?=new text begin\s\(?[A-Z]))"""
)
_SPACE = re.compile(r"\s+")
_MARKS = re.compile(
    r"new text (?:begin|end)|deleted text (?:begin|end)|[\u00ad\ufeff\u0000]|"
    r"\b\d{1,3}\.\d{1,2}\b(?= \d{1,3}\.\d)"
)
_LINE_NUMBERS = re.compile(r"\d\.\d{1,2} \d{1,3}\.\d")
_MARK_WORDS = ("new text ", "deleted text ", "\u00ad", "\ufeff", "\u0000")
_NEW = re.compile(r"new text begin")
_SKIP = re.compile(
    r"severab|held (?:to be )?(?:invalid|unconstitutional)|shall take effect|takes effect|effective date|"
    r"is hereby repealed|enacting clause",
    re.I,
)
_FINDING = re.compile(
    r"\bwhereas\b|legislature (?:hereby )?finds|general assembly (?:hereby )?finds|findings?\b|"
    r"congress finds",
    re.I,
)
_DEFINITION = re.compile(
    r"[\"”\u2019'] ?(?:or [\"“\u2018'][^\"”\u2019']{1,60}[\"”\u2019'] )?"
    r"(?:means|shall mean|has the (?:same )?meaning)\b"
)
_STATEMENT = re.compile(
    r"STATEMENT (?=This|The|Under|Current)|NOTE: The purpose|this (?:act|bill) would|EXPLANATION|SYNOPSIS|"
    r"Statement of Purpose|"
    r"[Tt]his (?:bill|act) (?:would|provides|requires|establishes|allows|permits|authorizes|directs|"
    r"creates|extends)"
)
# words one of which is in every match: looking for them is far quicker than the expression
_STATEMENT_WORDS = (
    *("STATEMENT ", "NOTE: The purpose", "this act would", "this bill would", "EXPLANATION", "SYNOPSIS"),
    *("Statement of Purpose", "his bill ", "his act "),
)
_LEAD_WORDS = ("bill for an act", "A BILL", "An Act", "AN ACT", "relating to", "A bill to", "To amend", "RELATING TO")
_LEAD = re.compile(
    r"\bA ?bill for an act\b|\bA BILL\b|\bAn Act\b|\bAN ACT\b|\brelating to\b|\bA bill to\b|"
    r"\bTo amend\b|\bRELATING TO\b"
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of sentences. `kind`: title, abstract, lead, statement, finding, definition, closing,
    restated, provision.
    """

    field: str
    start: int
    end: int
    text: str
    kind: str


def fold(text: str) -> str:
    """The text in lower case with white space folded and hyphens opened: what cues are looked for in."""
    return " ".join(text.lower().replace("-", " ").replace("\u2011", " ").replace("\u2019", "'").split())


def clean(text: str) -> str:
    """The text as a reader sees it: editing marks and line numbers out, white space folded."""
    return _SPACE.sub(" ", _MARKS.sub(" ", text)).strip()


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Offsets of sentences or clauses, without surrounding white space, none longer than `SENTENCE_CHARS`."""
    end = len(text) if end is None else end
    position = start
    for found in _BOUNDARY.finditer(text, start, end):
        yield from _pieces(text, position, found.end())
        position = found.end()
    yield from _pieces(text, position, end)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    while end - start > SENTENCE_CHARS:
        cut = text.rfind(" ", start + SENTENCE_CHARS // 2, start + SENTENCE_CHARS)
        cut = cut if cut > start else start + SENTENCE_CHARS
        yield start, cut
        start = cut
        while start < end and text[start].isspace():
            start += 1
    if start < end:
        yield start, end


def _kind(raw: str, marked: bool) -> str:
    """The kind of a passage that is neither lead nor statement."""
    if marked and not _NEW.search(raw):
        return "restated"
    if _FINDING.search(raw):
        return "finding"
    if _DEFINITION.search(raw):
        return "definition"
    if len(raw) < 500 and _SKIP.search(raw):
        return "closing"
    return "provision"


def _is(words: tuple[str, ...], expression: re.Pattern[str], raw: str) -> bool:
    return any(word in raw for word in words) and expression.search(raw) is not None


def provisions(text: str, field: str = "text", touches: Callable[[str], bool] | None = None) -> Iterator[Passage]:
    """Passages of a text, about `PASSAGE_WORDS` words each, in order; the first with an enacting title
    is the lead.

    With `touches`, of what is neither lead nor statement only passages whose clean text it is true of.
    """
    text = text[:MAX_TEXT]
    marked = "new text begin" in text
    # most texts have no editing marks at all: then cleaning is but folding white space
    plain = not any(word in text for word in _MARK_WORDS) and not _LINE_NUMBERS.search(text)
    lead_open = True
    for first, last, is_final in _runs(text):
        raw = text[first:last]
        statement = _is(_STATEMENT_WORDS, _STATEMENT, raw)
        lead = lead_open and (is_final or not statement) and _is(_LEAD_WORDS, _LEAD, raw)
        if lead:
            lead_open = False
        tidy = " ".join(raw.split()) if plain else clean(raw)
        if touches and not lead and not statement and not touches(tidy):
            continue
        yield Passage(field, first, last, tidy, "lead" if lead else "statement" if statement else _kind(raw, marked))


def _runs(text: str) -> Iterator[tuple[int, int, bool]]:
    """Offsets of runs of sentences, and whether it is the last one."""
    first = last = -1
    words = 0
    for start, end in sentences(text):
        count = text.count(" ", start, end) + 1
        if first >= 0 and words + count > PASSAGE_WORDS:
            yield first, last, False
            first, words = -1, 0
        if first < 0:
            first = start
        last = end
        words += count
    if first >= 0:
        yield first, last, True
