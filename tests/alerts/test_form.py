"""How a digest looks and reads: in a real browser, light and dark, wide and narrow, without styles, read aloud."""

from __future__ import annotations

import datetime as dt
import re
from email import message_from_bytes, policy
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from sqlalchemy import Engine

from alerts.render import MAX_HTML
from alerts.sending import send
from tests.alerts.data import FILED, NOW, PASSED, SIGNED, bill, load, reader, settings
from tests.alerts.test_content import FIRST, NEW, OLD, SECOND, told
from tracker.db import make_engine, upgrade

WEEK = dt.timedelta(days=7)
LONG = "A bill relating to a tax credit for the training of apprentices in " + "very-long-compound-word-" * 6


def mail_of(engine: Engine, folder: Path, now: dt.datetime) -> tuple[str, str]:
    """HTML and text of the one mail sent, as a reader's program sees them."""
    (mail,) = send(engine, settings(folder), now=now).mails
    message: Any = message_from_bytes(Path(mail["file"]).read_bytes(), policy=policy.default)
    markup, plain = (message.get_body((kind,)).get_content() for kind in ("html", "plain"))
    return markup, plain.replace("\r\n", "\n")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A digest with every kind of thing in it."""
    folder = tmp_path_factory.mktemp("form")
    engine = make_engine(f"sqlite:///{folder / 'form.db'}")
    upgrade(engine)
    plain = bill("HB 12", title="Relating to apprentices", versions=[FIRST])
    load(engine, [plain, bill("HB 1"), bill("HB 2"), bill("HB 4")], texts={("HB 12", "Introduced"): OLD})
    told(engine, reader(engine))
    hearing = {"date": "2025-03-12", "time": "09:30", "committee": "Education", "url": "https://legislature.example/h"}
    later = NOW + WEEK
    load(
        engine,
        [
            bill("HB 1", actions=[FILED, SIGNED]),
            bill("HB 2", actions=[FILED, PASSED], hearings=[hearing]),
            bill("HB 4", title="On roads"),
            {**plain, "versions": [FIRST, SECOND]},
            bill("SB 9", state="oh", title=LONG),
        ],
        later,
        texts={("HB 12", "Engrossed"): NEW},
    )
    made = mail_of(engine, folder, later)
    engine.dispose()
    return made


# Contrast of each piece of text with what lies behind it (WCAG 2), the worst first.
_CONTRAST = """() => {
  const lum = c => { const v = c.map(x => { x /= 255; return x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4 });
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2] };
  const rgb = s => s.match(/[\\d.]+/g).map(Number);
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c.slice(0, 3) }
    return matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18] : [255, 255, 255] };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) { const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.offsetParent) continue;
    const a = lum(rgb(getComputedStyle(e).color)), b = lum(behind(e));
    found.push([(Math.max(a, b) + .05) / (Math.min(a, b) + .05), walker.currentNode.data.trim().slice(0, 40)]) }
  return found.sort((x, y) => x[0] - y[0]) }"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 700])
def test_it_fits_and_can_be_read(full: tuple[str, str], chromium: Any, scheme: str, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(full[0])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    contrast = page.evaluate(_CONTRAST)
    assert len(contrast) > 80 and contrast[0][0] >= 4.5, contrast[:3]
    back = page.evaluate("getComputedStyle(document.querySelector('.in')).backgroundColor")
    assert back == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(26, 34, 40)")
    # Map tiles, which must fit at 320 pixels and carry their words besides, are smaller.
    sizes = page.evaluate(
        "[...document.querySelectorAll('p,h1,h2,h3,h4,li,.f')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 14
    # The heads of the freshness table break between words only: "State" stays on one line.
    lines = page.evaluate(
        "[...document.querySelectorAll('th.f')].filter(e => !/\\s/.test(e.textContent.trim()))"
        ".map(e => { const r = document.createRange(); r.selectNodeContents(e); return r.getClientRects().length })"
    )
    assert lines and set(lines) == {1}
    assert [url for url in asked if not url.startswith(("about:", "data:"))] == []
    page.close()


@pytest.mark.browser
def test_it_reads_well_without_styles_and_in_forced_colours(full: tuple[str, str], chromium: Any) -> None:
    bare = re.sub(r'<style>.*?</style>| style="[^"]*"', "", full[0], flags=re.S)
    page = chromium.new_page(viewport={"width": 320, "height": 900}, forced_colors="active")
    page.set_content(bare)
    words = page.inner_text("body")
    order = [
        words.index(part)
        for part in ("CTE bills, week", "Became law or vetoed (1)", "Amended (1)", "How fresh this is")
    ]
    assert order == sorted(order) and "Only for you" in words
    page.close()


@pytest.mark.browser
def test_a_screen_reader_hears_what_is_there(full: tuple[str, str], chromium: Any) -> None:
    page = chromium.new_page()
    page.set_content(full[0])
    tree = page.locator("body").aria_snapshot()
    assert re.search(r'img "5 bills in 2 jurisdictions: Texas 4, Ohio 1\."', tree)
    assert 'heading "Became law or vetoed (1)" [level=2]' in tree
    assert 'columnheader "Last good check"' in tree and 'rowheader "TX"' in tree
    # Layout tables are silent: the only table that is announced is the one with data.
    assert len(re.findall(r"^\s*- table", tree, re.M)) == 1
    page.close()


def test_structure_and_what_must_not_be_there(full: tuple[str, str]) -> None:
    document = html.fromstring(full[0])
    assert document.get("lang") == "en" and document.findtext(".//title")
    levels = [int(e.tag[1]) for e in document.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels))
    assert not list(document.iter("script", "img", "link", "iframe", "object", "form", "font", "video", "base"))
    assert not re.search(r"@import|@font-face|url\(|expression\(| on\w+=", full[0], re.I)
    for table in document.iter("table"):
        assert table.get("role") in ("presentation", "img") or table.xpath(".//th[@scope]")
    links = list(document.iter("a"))
    assert links and all(re.match(r"https?://", a.get("href") or "") for a in links)
    assert not {a.text_content().strip().lower() for a in links} & {"here", "click here", "more", "link", ""}


def test_the_private_part_is_last_and_nothing_private_is_before_it(full: tuple[str, str]) -> None:
    for part, mark in ((full[0], "Only for you"), (full[1], "ONLY FOR YOU")):
        shared, _, private = part.partition(mark)
        for purpose in ("unsubscribe", "preferences", "feedback"):
            assert f"/{purpose}/" not in shared and f"/{purpose}/" in private
        assert "ann@example.org" not in part


@pytest.mark.parametrize("count", [0, 1, 40, 500])
def test_size_and_both_parts_the_same(sqlite: Engine, tmp_path: Path, count: int) -> None:
    title = "A bill relating to a tax credit for the training of apprentices & others “as needed”, part "
    load(sqlite, [bill(f"HB {n}", title=f"{title}{n}", state=("tx", "oh")[n % 2]) for n in range(1, count + 1)])
    reader(sqlite)
    markup, plain = mail_of(sqlite, tmp_path, NOW)
    assert len(markup.encode()) < MAX_HTML
    in_html = re.findall(r"<h4[^>]*><a href=\"[^\"]*/bills/([^\"]+)\"", markup)
    in_text = re.findall(r"^  http\S+/bills/(\S+)$", plain, re.M)
    assert in_html == in_text and len(set(in_html)) == len(in_html)
    left_out = count - len(in_html)
    assert left_out == 0 if count <= 40 else f"and {left_out} more" in markup and f"and {left_out} more" in plain
    assert count <= 40 or (len(in_html) >= 60 and "?all=1" in markup)
