"""Each true format gives clean text, with struck words apart and new words marked."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest

from tests.tracker.text.samples import docx, pdf, printed, run
from tracker.text import Extraction, Limits, extract


def added(found: Extraction) -> list[str]:
    return [found.text[a:b] for a, b in found.added]


def test_html_page_without_its_chrome() -> None:
    body = b"""<!doctype html><html><head><title>Bill</title><script>var a="menu"</script></head><body>
    <nav><a href=/>Home</a> <a href=/s>Search the site</a></nav><div class="breadcrumb">Bills &gt; 12</div>
    <table><tr><td>&#xA0;</td><td>SECTION 1.  The fund <s>shall</s> <u>may</u> pay tuition.</td></tr>
    <tr><td></td><td>SECTION 2. Grants end in 2030.</td></tr></table><button>Print</button></body></html>"""
    found = extract(body, jurisdiction="tx", media_type="text/html")
    assert found.status == "ok" and found.media_type == "text/html" and found.extractor == "tx/html"
    assert found.text == "SECTION 1. The fund may pay tuition.\n\nSECTION 2. Grants end in 2030."
    assert [w for _, w in found.struck] == ["shall"] and found.text[found.struck[0][0] :].startswith(" may")
    assert added(found) == ["may"]


def test_a_page_of_west_virginia_without_its_menus() -> None:
    page = (
        b"<html><body><div id='navskip'><a href='#x'>skip navigation</a></div>"
        b"<div id='subs4' class='submenus'><a href='/x'>BILL STATUS</a></div>"
        b"<div class='textcontainer'><p>A BILL to amend the code of made-up matters.</p></div>"
        b"<div id='footer'>Terms of Use | Webmaster</div><div id='pod-popup'>Print On Demand</div></body></html>"
    )
    found = extract(page, jurisdiction="wv", media_type="text/html")
    assert (found.status, found.text) == ("ok", "A BILL to amend the code of made-up matters.")


def test_word_filtered_html_in_windows_1252() -> None:
    body = (
        "<html><head><meta http-equiv=Content-Type content='text/html; charset=windows-1252'><style>"
        "span.FormattedStrike {text-decoration:line-through;}</style></head><body><p class=Statute>Sec. 5. "
        "A “school” – or an academy’s board – <span class=FormattedStrike>must</span> "
        "<span class=FormattedNew>may</span> apply.</p></body></html>"
    ).encode("cp1252")
    found = extract(body, jurisdiction="mi", media_type="text/html; charset=utf-8")
    assert found.text == "Sec. 5. A “school” – or an academy’s board – may apply."
    assert [w for _, w in found.struck] == ["must"] and added(found) == ["may"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8"])
def test_utah_xml_in_utf_16(encoding: str) -> None:
    body = (
        '<?xml version="1.0" encoding="UTF-16"?><leg><lt><gd lineno="5">This bill funds apprentices.</gd></lt>'
        '<bdy><subsection><display>(1)</display>A board <amend ea="erase">shall</amend>'
        '<amend ea="amend">may</amend> enter <ln lineno="7"/>contracts.</subsection></bdy>'
        "<foot><rev>1-02-26 9:00 AM</rev></foot></leg>"
    ).encode(encoding) + b"\x0a"
    found = extract(body, jurisdiction="ut", media_type="text/xml")
    assert found.text == "This bill funds apprentices.\n\n(1) A board may enter contracts."
    assert [w for _, w in found.struck] == ["shall"] and added(found) == ["may"]


def test_federal_xml_keeps_its_quotation_marks() -> None:
    body = b"""<?xml version="1.0"?><!DOCTYPE bill PUBLIC "-//US" "bill.dtd"><bill><metadata>x</metadata>
    <form><legis-num>S. 1</legis-num></form><legis-body><section><enum>1.</enum><header>Short title</header>
    <text>This Act may be cited as the <quote>Work Act</quote>.</text></section></legis-body></bill>"""
    found = extract(body, jurisdiction="us", media_type="application/xml")
    assert found.text == "S. 1\n\n1. Short title\n\nThis Act may be cited as the “Work Act”."


def test_utf8_read_as_latin1_and_written_again() -> None:
    text = "<html><body><p>§ 5 — the student’s “career”</p></body></html>"
    twice = text.encode().decode("latin-1").encode()
    assert extract(twice, jurisdiction="zz", media_type="").text == "§ 5 — the student’s “career”"


def test_docx_keeps_struck_words_apart() -> None:
    body = docx([run("The board ") + run("shall", "strike") + run(" ") + run("may", "u") + run(" pay."), run("End.")])
    found = extract(body, jurisdiction="nc", media_type="application/pdf")
    assert found.text == "The board may pay.\n\nEnd."
    assert found.struck == ((9, "shall"),) and added(found) == ["may"]


def test_rtf() -> None:
    body = rb"{\rtf1\ansi\deff0{\fonttbl{\f0 Arial;}}\f0 Section 1. Schools may partner.\par Section 2. End.\par}"
    assert extract(body, jurisdiction="nc", media_type="").text == "Section 1. Schools may partner.\n\nSection 2. End."
    struck = extract(body.replace(b"may", rb"{\strike shall}"), jurisdiction="nc", media_type="")
    assert struck.status == "unsupported" and "strikes" in struck.reason


LINES = [
    "AN ACT relating to workforce training credits in this",
    "state.",
    "Section 1. An employer that takes on 3 or more appren-",
    "tices may claim a credit of 500 dollars each year for",
    "7 years.",
    "(a) The credit is capped at 40",
    "percent of wages.",
]
MORE = (("rural", "urban", "small"), ("public", "charter", "trade"), ("new", "old", "large"))


def test_pdf_margin_numbers_hyphens_headers_and_wrapping() -> None:
    pages = []
    for number in range(4):
        lines = LINES if number == 0 else [f"({'bcd'[number - 1]}) {w} schools {w}." for w in MORE[number - 1]]
        page = printed(lines)
        page += [(90, 750, f"HB 77 - {number + 1}"), (290, 40, str(number + 1))]
        pages.append(page)
    found = extract(pdf(pages), jurisdiction="zz", media_type="application/pdf")
    assert found.status == "ok", found.reason
    assert found.text.split("\n\n")[:3] == [
        "AN ACT relating to workforce training credits in this state.",
        "Section 1. An employer that takes on 3 or more apprentices may claim a credit of 500 dollars each year "
        "for 7 years.",
        "(a) The credit is capped at 40 percent of wages.",
    ]
    assert "HB 77" not in found.text


def test_pdf_without_margin_numbers_keeps_its_numbers() -> None:
    page = printed(["Grants", "12 schools take part", "30 pupils each", "45 days"], numbered=False)
    found = extract(pdf([page]), jurisdiction="zz", media_type="")
    assert [n for n in ("12", "30", "45") if n in found.text.split()] == ["12", "30", "45"]


def test_pdf_drawn_lines_strike_and_underline() -> None:
    # Courier at 12 points: 7.2 a letter.
    line = "The board shall may pay tuition costs."
    x = 90.0
    strike = (x + 10 * 7.2, x + 15 * 7.2, 703.5)
    under = (x + 16 * 7.2, x + 19 * 7.2, 698.0)
    found = extract(pdf([[(x, 700, line)]], [[strike, under]]), jurisdiction="sd", media_type="")
    assert found.text == "The board may pay tuition costs."
    assert found.struck == ((9, "shall"),) and added(found) == ["may"]


def test_plain_text_of_a_numbered_print() -> None:
    body = "\n".join(f"{line} {n}" for n, line in enumerate(LINES, 1)).encode()
    found = extract(body, jurisdiction="oh", media_type="application/pdf")
    assert found.media_type == "text/plain" and found.extractor == "oh/pdf"
    assert "apprentices may claim a credit of 500 dollars each year for 7 years." in found.text


def test_brackets_strike_but_notes_stay() -> None:
    lines = [
        "Section 1. The board [shall] MAY pay under [section 4] of the law.",
        "[2. This paragraph goes",
        "away.]",
        "Section 2. End of the act.",
    ]
    found = extract("\n".join(lines).encode(), jurisdiction="mo", media_type="text/plain")
    assert "shall" not in found.text and "goes" not in found.text and "[section 4]" in found.text
    assert found.struck[0][1] == "shall"


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        (b"", "empty", "empty"),
        (b"  \n ", "empty", "empty"),
        (b"<html><body><nav>Home</nav></body></html>", "empty", "no words"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "unsupported", ".doc"),
        (b"\xffWPC" + bytes(100), "unsupported", "WordPerfect"),
        (b"II*\x00" + bytes(100), "image_only", "picture"),
        (b"%PDF-1.4\nnothing here", "garbled", "broken"),
        (b"\x8d\x01\x02\x03\x90" * 50, "garbled", "damaged"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "unsupported", "entities"),
    ],
)
def test_named_reasons(body: bytes, status: str, word: str) -> None:
    found = extract(body, jurisdiction="tx", media_type="text/html")
    assert (found.status, found.text) == (status, "") and word in found.reason


def test_image_only_pdf() -> None:
    found = extract(pdf([[], []], image=True), jurisdiction="me", media_type="")
    assert found.status == "image_only" and "cannot be read" in found.reason


def test_bombs_are_refused_by_size_while_reading() -> None:
    limits = Limits(unpacked=1 << 20, markup=1 << 20)
    bomb = gzip.compress(bytes(8 << 20))
    assert extract(bomb, jurisdiction="tx", media_type="", limits=limits).status == "too_large"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(8 << 20))
    assert extract(out.getvalue(), jurisdiction="tx", media_type="", limits=limits).status == "too_large"
    page = b"<html><body>" + b"a " * (1 << 20) + b"</body></html>"
    assert extract(page, jurisdiction="tx", media_type="", limits=limits).status == "too_large"
    assert extract(page, jurisdiction="tx", media_type="", limits=Limits(body=1000)).status == "too_large"


def test_gzip_is_unpacked() -> None:
    page = gzip.compress(b"<html><body><p>Section 1. Credits.</p></body></html>")
    assert extract(page, jurisdiction="zz", media_type="application/gzip").text == "Section 1. Credits."
