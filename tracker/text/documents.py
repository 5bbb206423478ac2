"""One document through its row of the table: bytes to Extraction. Pure; the caller bounds time and memory."""

from __future__ import annotations

import re

from tracker.text import lines, markup, signatures, sniffing
from tracker.text.extraction import Extraction, Limits, Refused
from tracker.text.lines import Line, Page
from tracker.text.marks import ANY, STRUCK, STRUCK_END, added, assemble, bare, clean, struck
from tracker.text.table import Recipe, recipe

KIND = {
    sniffing.HTML: "html",
    sniffing.XML: "xml",
    sniffing.PDF: "pdf",
    sniffing.TEXT: "pdf",  # text of printed pages: the same furniture as the PDF it was made from
    sniffing.DOCX: "word",
    sniffing.RTF: "word",
}
UNSUPPORTED = {
    sniffing.DOC: "Old Word documents (.doc) cannot be read; ask the source for PDF, HTML or .docx.",
    "application/vnd.wordperfect": "WordPerfect documents cannot be read.",
    sniffing.ZIP: "A zip archive is not a document.",
}


def read(body: bytes, jurisdiction: str, media: str, limits: Limits) -> Extraction:
    """Extract a document whose real media type is `media`; raises Refused with the named reason."""
    kind = KIND.get(media)
    if kind is None:
        if media.startswith("image/"):
            raise Refused("image_only", "The document is a picture; it cannot be read.")
        raise Refused("unsupported", UNSUPPORTED.get(media, f"Documents of type {media} cannot be read."))
    row = recipe(jurisdiction, kind)
    paragraphs = _paragraphs(body, media, row, limits)
    paragraphs = _dressed(_cut(_balanced(paragraphs, row), row), row)
    text, gone, new = assemble(p for p in paragraphs if p.strip())
    if not any(c.isalnum() for c in text):
        raise Refused("empty", "The document holds no words.")
    if sniffing.garbled(text):
        raise Refused("garbled", "The document's characters are damaged; it cannot be read.")
    return Extraction(text, gone, new, "ok", "", row.name, media)


def _paragraphs(body: bytes, media: str, row: Recipe, limits: Limits) -> list[str]:
    if media == sniffing.PDF:
        from tracker.text import pdf

        return lines.paragraphs(pdf.read(body, limits, drawn=row.drawn), row)
    if media == sniffing.DOCX:
        from tracker.text import word

        return word.docx(body, row, limits)
    if media == sniffing.RTF:
        from tracker.text import word

        return word.rtf(body, limits)
    text = sniffing.decode(body)
    if sniffing.garbled(text):
        raise Refused("garbled", "The document's bytes were damaged on the way; it cannot be read.")
    if media != sniffing.XML and (sign := signatures.match(text)):
        raise Refused("blocked", sign.reason)
    if media == sniffing.TEXT:
        if len(text) > limits.text:
            raise Refused("too_large", f"The text has more than {limits.text} characters.")
        return lines.paragraphs(_plain(text), row)
    tree = markup.parse_html(text, limits) if media == sniffing.HTML else markup.parse_xml(text, limits)
    rendered = markup.render(tree, row, xml=media == sniffing.XML)
    if row.layout == "lines":
        return lines.paragraphs(markup.lines(rendered), row)
    return [p for p in markup.flow(rendered) if not lines.furniture(p, row)]


def _plain(text: str) -> list[Page]:
    """Plain text as pages: form feeds, or blank lines where they come only once a page or so."""
    text = clean(text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\ufde0")) if "\f" not in text else text
    if "\f" in text:
        blocks = [clean(b) for b in text.replace("\r\n", "\n").replace("\r", "\n").split("\f")]
    else:
        blocks = re.split(r"\n[ \t]*\n", text)
        full = [b for b in blocks if b.count("\n") >= 12]
        if sum(b.count("\n") for b in full) < 0.6 * text.count("\n"):
            blocks = [text]
    pages: list[Page] = []
    for block in blocks:
        page: Page = []
        for line in block.split("\n"):
            page.append(Line(line.rstrip()))
        pages.append(page)
    return pages


def _cut(paragraphs: list[str], row: Recipe) -> list[str]:
    """Paragraphs from the recipe's `begin` to its `end`, whole when they do not match."""
    if row.begin:
        at = next((i for i, p in enumerate(paragraphs) if row.begin.search(bare(p))), 0)
        paragraphs = paragraphs[at:]
    if row.skip:
        paragraphs = [p for p in paragraphs if not any(pattern.search(bare(p)) for pattern in row.skip)]
    if row.end:
        at = next((i for i, p in enumerate(paragraphs) if i and row.end.search(bare(p))), len(paragraphs))
        paragraphs = paragraphs[:at]
    return paragraphs


# ---------------------------------------------------------------- marks that are part of the words

_ENACTING = re.compile(r"\bbe it\b.{0,60}\b(?:enacted|resolved)\b|do enact as follows", re.I | re.S)
_CAPS = re.compile(
    r"(?<![\w’'])(?!SECTION\b|ARTICLE\b|BE IT\b|U\.S\.C)\(?[A-Z][A-Z\d’',;:()–—§. -]{2,}[A-Z)\d](?![a-z])"
)


def _balanced(paragraphs: list[str], row: Recipe) -> list[str]:
    """Words in brackets marked as struck, also where a bracket is closed some paragraphs later."""
    if not row.brackets:
        return paragraphs
    if row.brackets == "[]":
        # "[[]§256-2[]]": the brackets themselves are deleted.
        paragraphs = [p.replace("[[]", struck("[")).replace("[]]", struck("]")) for p in paragraphs]
    opening, closing = ("[", "]") if row.brackets == "[]" else ("((", "))")
    out: list[str] = []
    depth = 0
    for index, text in enumerate(paragraphs):
        inside = False
        if depth and not any(closing in bare(p) for p in paragraphs[index : index + 40]):
            depth = 0  # a stray bracket must not strike the rest of the law
        result = STRUCK if depth else ""
        at = 0
        while at < len(text):
            if text[at] in (STRUCK, STRUCK_END):
                inside = text[at] == STRUCK
            if inside and depth == 0:
                result += text[at]
                at += 1
            elif text.startswith(opening, at) and (
                depth or _closes(text, at, paragraphs[index + 1 : index + 40], opening, closing)
            ):
                depth += 1
                result += STRUCK if depth == 1 else opening
                at += len(opening)
            elif depth and text.startswith(closing, at):
                depth -= 1
                result += STRUCK_END if depth == 0 else closing
                at += len(closing)
            else:
                result += text[at] if not (depth and text[at] in ANY) else ""
                at += 1
        out.append(result + (STRUCK_END if depth else ""))
    return out


# Brackets that are notes and not deletions: "[this act]", "[similar matter filed]", dates to be filled in.
_NOTE = re.compile(
    r"\[(?:this act|sections? [\w ,().-]{1,40}|(?:similar matter|see|insert|effective)\b[^\]]*|sic)\]",
    re.I,
)


def _closes(text: str, at: int, following: list[str], opening: str, closing: str) -> bool:
    if opening == "[" and _NOTE.match(bare(text[at : at + 200])):
        return False
    if closing in text[at:]:
        return True
    return any(closing in p for p in following)


def _dressed(paragraphs: list[str], row: Recipe) -> list[str]:
    """Capitals in ordinary sentences after the enacting clause marked as new law, where it is printed so."""
    if not row.capitals:
        return paragraphs
    start = next((i + 1 for i, p in enumerate(paragraphs) if _ENACTING.search(bare(p))), len(paragraphs))
    return paragraphs[:start] + [
        p if _heading(bare(p)) else _CAPS.sub(lambda m: added(m.group()), p) for p in paragraphs[start:]
    ]


def _heading(text: str) -> bool:
    return text.isupper() and len(text.split()) < 8 and not re.match(r"[(\d“\"]", text)
