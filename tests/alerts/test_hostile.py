"""A thousand titles, quotes and names made to break a mail: they break no part, no header and no page."""

from __future__ import annotations

import random
import re
import unicodedata
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from sqlalchemy import Engine

from alerts.sending import send
from tests.alerts.data import FIRST_WORDS, NOW, bill, load, reader, version
from tests.alerts.test_pages import Site

PIECES = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "</td></tr></table>", "<!--", "-->", "]]>", "<style>",
    "</style>", "\r\nBcc: all@example.org\r\n\r\n", "\r\n.\r\n", "\n--part-00\n", "=?utf-8?q?=0ABcc:_x?=", "\x00",
    "\x1b[31m", "\u202egnp.exe", "\u2066\u2069", "\u200b\u200d\ufeff", "\U0001f468\u200d\U0001f469", "\u2028\u2029",
    "{{ 7*7 }}", "{% raw %}", "${7*7}", "%s%n", "&lt;b&gt;", "&#x3c;", '" onmouseover="x', "'><svg/onload=x>",
    "javascript:alert(1)", "data:text/html,x", "<a href='javascript:x'>y</a>", "Z\u0351\u0312\u0300a\u0334lgo",
    "\U000e0041", "\ud7ff", "Müller’s “credit”", "مشروع قانون", "法案", "only-for-you", "<!--only-for-you-->",
    "https://issue.invalid/", "<!--styles-->", "@issue@", "A" * 10_000, "x " * 3_000, "'; DROP TABLE bill; --",
]  # fmt: skip
BAD_TAGS = {"script", "img", "svg", "iframe", "object", "form", "b-g", "video", "input", "meta-x"}


def hostile(chance: random.Random) -> str:
    """A few nasty pieces in a row, with the word that gets the bill its tag somewhere among them."""
    words = [chance.choice(PIECES) for _ in range(chance.randint(1, 4))]
    words.insert(chance.randint(0, len(words)), FIRST_WORDS)
    made = " ".join(words)[:19_000]
    return made if FIRST_WORDS in made else f"{FIRST_WORDS} {made}"


def records(count: int) -> list[dict[str, Any]]:
    chance = random.Random(7)  # noqa: S311
    found = []
    for n in range(1, count + 1):
        made = bill(f"HB {n}", title=hostile(chance))
        made["actions"] = [{**made["actions"][0], "description": hostile(chance)}]
        made["hearings"] = [
            {"date": "2025-03-05", "time": "09:30", "committee": hostile(chance)[:900], "location": "x"}
        ]
        made["sponsorships"] = [{"name": hostile(chance)[:500]}]
        made["versions"] = [version(hostile(chance)[:200], "2025-02-27", str(n))]
        found.append(made)
    return found


def check_markup(markup: str, cards: int) -> None:
    document = html.document_fromstring(markup)
    assert len(document.findall(".//h4")) == cards and len(document.findall(".//h1")) == 1
    assert not BAD_TAGS & {e.tag for e in document.iter() if isinstance(e.tag, str)}
    for element in document.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (element.tag, name)
            if name in ("href", "src"):
                assert re.match(r"https?://[^\s\"'<>]+$", value), value
    bad = {c for c in document.text_content() if unicodedata.category(c) in ("Cc", "Cf", "Cs")} - {"\n", "\t"}
    assert not bad


def check_text(plain: str) -> None:
    bad = {c for c in plain if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n"}
    assert not bad


@pytest.fixture(scope="module")
def nasty() -> list[dict[str, Any]]:
    return records(1_000)


def test_a_thousand_hostile_bills_break_nothing(sqlite: Engine, tmp_path: Path, nasty: list[dict[str, Any]]) -> None:
    load(sqlite, nasty)
    site = Site(sqlite, tmp_path)
    who = reader(sqlite, keywords=["<script>alert(1)</script>"], searches=[{"name": PIECES[0], "text": "credit"}])
    (sent,) = send(sqlite, site.settings, now=NOW).mails
    raw = Path(sent["file"]).read_bytes()
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    assert re.findall(r"(?im)^(bcc|cc|x-\w+):", head) == [] or "bcc:" not in head.lower()
    assert all(len(line) < 998 for line in raw.split(b"\r\n")) and b"\n" not in raw.replace(b"\r\n", b"")
    message = message_from_bytes(raw, policy=policy.default)
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
    assert sent["bills"] == 1_000 and message["Subject"] == "CTE bills, week 10: 1000 hearings"
    markup = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    shown = markup.count("<h4")
    check_markup(markup, shown)
    check_text(message.get_body(("plain",)).get_content().replace("\r\n", "\n"))  # type: ignore[union-attr]
    links = dict(re.findall(r'href="http://127.0.0.1:8000(/(?:digest|feedback|preferences)/)([^"?]+)"', markup))
    everything = site.web.get("/digest/" + links["/digest/"] + "?all=1")
    check_markup(everything.text, 1_000)
    assert markup.count("Only for you") == 1 and everything.text.count("Only for you") == 0
    for path in ("/feedback/", "/preferences/"):
        page = site.web.get(path + links[path])
        document = html.document_fromstring(page.text)
        assert not {"script", "img", "svg", "style"} & {e.tag for e in document.iter() if isinstance(e.tag, str)}
    assert (
        site.web.post("/feedback/" + links["/feedback/"], data={"tx/89R/HB 7|tax_credits": "relevant"}).status_code
        == 200
    )
    assert who.email not in everything.text
    site.app.state.engine.dispose()


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "https://a.example/\"onclick='x", "//evil"])
def test_no_address_but_a_web_address_becomes_a_link(sqlite: Engine, tmp_path: Path, url: str) -> None:
    from sqlalchemy import text

    from alerts.outbox import draft
    from tests.alerts.data import settings
    from tracker.db import writing

    load(sqlite, [bill("HB 1")])
    with writing(sqlite) as connection:
        connection.execute(text("UPDATE bill SET url = :url"), {"url": url})
    parts = draft(sqlite, settings(tmp_path), reader(sqlite), now=NOW).parts
    assert "Official page" not in parts.html and url not in parts.html and url not in parts.text


def test_no_template_switches_escaping_off() -> None:
    templates = Path(__file__).parents[2].joinpath("alerts", "templates").glob("*")
    for path in templates:
        assert not re.search(r"\|\s*safe|autoescape|Markup", path.read_text("utf-8")), path.name
