"""Every page in real Chromium: it fits, can be read and used by keyboard, keeps the policy, works without scripts.

``BILLTRACKER_SCREENSHOTS=FOLDER`` keeps a picture of each page, wide and narrow, light and dark.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.tracker.web import sites
from tests.tracker.web.conftest import Serve
from tests.tracker.web.test_pages import PAGES

pytestmark = pytest.mark.browser

# Elements whose text stands out less from what is behind it than people need.
FAINT = """() => {
  const linear = v => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 };
  const light = c => { const [r, g, b] = c.map(linear); return .2126 * r + .7152 * g + .0722 * b };
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c } return [255, 255, 255] };
  const found = [];
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('svg') || ![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (style.visibility !== 'visible' || box.width < 2 || box.height < 2 || !e.checkVisibility()) continue;
    const pair = [light(parse(style.color).slice(0, 3)), light(behind(e).slice(0, 3))].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), big = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (pair[0] + .05) / (pair[1] + .05);
    if (ratio < (big ? 3 : 4.5)) found.push([e.tagName, e.className, e.textContent.slice(0, 30), ratio.toFixed(2)]);
  }
  for (const t of document.querySelectorAll('svg.map g')) {
    const fill = name => light(parse(getComputedStyle(t.querySelector(name)).fill));
    const pair = [fill('text'), fill('rect')].sort((a, b) => b - a);
    if ((pair[0] + .05) / (pair[1] + .05) < 4.5) found.push(['tile', t.textContent]);
  }
  return found }"""


@pytest.fixture
def address(sqlite: Engine, serve: Serve) -> str:
    """The app over the filled database."""
    sites.fill(sqlite)
    return serve(sqlite)


def watched(context: Any) -> tuple[Any, list[str]]:
    """A page and what it complains of."""
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.on("dialog", lambda d: complaints.append(f"dialog {d.message}"))
    return page, complaints


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (1280, "light"),
        (320, "dark"),
        pytest.param(1280, "dark", marks=pytest.mark.slow),
        pytest.param(320, "light", marks=pytest.mark.slow),
    ],
)
def test_every_page_fits_can_be_read_and_keeps_the_policy(
    chromium: Any, address: str, tmp_path: Path, width: int, scheme: str
) -> None:
    folder = Path(os.environ.get("BILLTRACKER_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page, complaints = watched(context)
    for number, path in enumerate(PAGES):
        reply = page.goto(address + path)
        assert reply.status == 200, path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(FAINT) == [], path
        assert complaints == [], path
        small = page.evaluate(
            "[...document.querySelectorAll('button, .button, input:not([type=checkbox]):not([type=hidden]), select')]"
            ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 24).length"
        )
        assert small == 0, path
        name = "".join(c if c.isalnum() else "-" for c in path).strip("-") or "home"
        shot = folder / f"{number:02}-{name[:40]}-{width}-{scheme}.png"
        page.screenshot(path=shot, full_page="666" not in path)
        assert shot.stat().st_size > 2_000
    context.close()


def test_keyboard_alone_reaches_the_content_and_the_search(chromium: Any, address: str) -> None:
    page, complaints = watched(chromium.new_context(viewport={"width": 1280, "height": 800}))
    page.goto(f"{address}/freshness")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.goto(f"{address}/strategies")
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()"))
        assert outline != "none", reached
        if reached[-1] == "q":
            break
    page.keyboard.type("dual enrollment")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=dual+enrollment")
    assert page.locator("ol.bills h3").all_inner_texts() == ["Regards credit for prior learning and dual enrollment"]
    assert complaints == []


def test_a_facet_narrows_the_hits_in_place_and_back_widens_them(chromium: Any, address: str) -> None:
    page, complaints = watched(chromium.new_context(viewport={"width": 1280, "height": 900}))
    page.goto(f"{address}/search?q=credit")
    page.evaluate("window.stays = true")
    page.get_by_label("Texas").check()
    page.wait_for_url("**state=tx**")
    page.locator("p.removable").get_by_text("Texas").wait_for()
    assert page.evaluate("window.stays") is True
    assert {text.split(" ·")[0] for text in page.locator("p.key").all_inner_texts()} == {"Texas"}
    assert page.get_by_label("Texas").is_checked() and page.get_by_label("Ohio").count() == 1
    page.get_by_label("In committee").count()
    page.locator("#q").fill("apprenticeship")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=apprenticeship**")
    page.get_by_role("link", name="Without Texas").click()
    page.wait_for_url(lambda url: "state=tx" not in url)
    assert complaints == []


def test_everything_works_without_scripts(chromium: Any, address: str) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 800}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/search?q=credit")
    page.get_by_label("Ohio").check()
    page.get_by_role("button", name="Use these filters").click()
    page.wait_for_url("**state=oh**")
    assert "Ohio" in page.locator("p.key").first.inner_text()
    page.locator("ol.bills a").nth(1).click()
    page.get_by_label("What we knew at the end of").fill("2026-02-12")
    page.get_by_role("button", name="Show that day").click()
    page.wait_for_url("**as_of=2026-02-12**")
    assert page.get_by_text("what we knew at the end of 12 Feb 2026").is_visible()
    page.goto(f"{address}/bill/oh/136/SB%20120/compare")
    page.locator("select[name=new]").select_option(index=0)
    page.get_by_role("button", name="Compare").click()
    assert page.get_by_text("Not a word was changed.").is_visible()
    context.close()


def test_what_states_write_runs_nothing(chromium: Any, address: str) -> None:
    page, complaints = watched(chromium.new_context(viewport={"width": 320, "height": 800}))
    for path in (
        "/bill/tx/89R/HB%20666",
        "/search?q=tax&sort=newest",
        "/strategies/tax_credits",
        "/admin/held",
        "/admin/actions",
    ):
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
        page.goto(f"{address}/search?q=%3Cscript%3Ealert(1)%3C/script%3E&state=%22onmouseover=alert(1)")
    assert complaints == []


def test_it_prints_the_bill_and_not_the_furniture(chromium: Any, address: str) -> None:
    page, _ = watched(chromium.new_context(viewport={"width": 800, "height": 800}, color_scheme="dark"))
    page.goto(f"{address}/bill/tx/89R/HB%2012")
    page.emulate_media(media="print")
    assert not page.locator("nav").first.is_visible() and not page.get_by_role("button").first.is_visible()
    assert page.locator("h1").is_visible() and page.locator("article.tag mark").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.pdf(format="Letter").startswith(b"%PDF")
