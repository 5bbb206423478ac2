"""The map: every jurisdiction once, its words, its contrast, and how it looks in a real browser."""

import re
from typing import Any, Literal

import pytest
from lxml import etree, html

from alerts import tilemap
from tracker import jurisdictions

COUNTS = {"tx": 12, "oh": 5, "va": 3, "us": 1}


def test_every_jurisdiction_has_one_tile() -> None:
    found = [t.code.lower() for t in tilemap.tiles({})]
    assert sorted(found) == sorted(jurisdictions.load())
    assert len({len(row) for row in tilemap.ROWS}) == 1


def test_words_give_every_count_most_first() -> None:
    assert tilemap.words(COUNTS) == "21 bills in 4 jurisdictions: Texas 12, Ohio 5, Virginia 3, " + (
        f"{jurisdictions.load()['us'].name} 1."
    )
    assert tilemap.words({"md": 1}) == "1 bill in 1 jurisdiction: Maryland 1."
    assert tilemap.words({"md": 0}) == tilemap.words({}) == "No jurisdiction has bills to report."


def test_unknown_code_is_refused() -> None:
    with pytest.raises(KeyError, match="no tile for zz"):
        tilemap.table({"zz": 1})


def test_table_and_svg_show_the_same_numbers() -> None:
    cells = html.fromstring(tilemap.table(COUNTS)).xpath(".//td[b]")
    shown = {c.text.lower(): int(c.findtext("b") or 0) for c in cells}
    picture = etree.fromstring(tilemap.svg(COUNTS))
    groups = picture.findall("{*}g")
    drawn = {g[1].text.lower(): int(g[2].text or 0) for g in groups if len(g) == 3}
    assert shown == drawn == COUNTS
    assert len(tilemap.table({c: 999 for c in jurisdictions.load()})) < 9_000
    assert "style=" not in tilemap.svg(COUNTS)


def test_shades_rise_with_the_count_and_one_outlier_leaves_room() -> None:
    assert {t.shade for t in tilemap.tiles({"tx": 1})} == {0, 1}
    shade = {t.code: t.shade for t in tilemap.tiles({"tx": 999, "oh": 20, "va": 9})}
    assert (shade["TX"], shade["OH"], shade["VA"], shade["MD"]) == (3, 2, 1, 0)


@pytest.mark.parametrize("pair", [*tilemap.LIGHT, *tilemap.DARK])
def test_contrast_is_enough(pair: tuple[str, str]) -> None:
    lighter, darker = sorted((_luminance(c) for c in pair), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    parts = [int(h, 16) / 255 for h in re.findall("[0-9a-f]{2}", colour)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 600), ("dark", 600), ("light", 320), ("dark", 320)])
def test_map_fits_and_takes_the_scheme(chromium: Any, scheme: Literal["light", "dark"], width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 500}, color_scheme=scheme)
    page.set_content(f"<style>body{{margin:0}}{tilemap.CSS}</style>" + tilemap.table({"tx": 999, "oh": 20, "va": 9}))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.querySelectorAll('td')].every(c => c.scrollWidth <= c.clientWidth + 1)")
    back = page.evaluate("getComputedStyle(document.querySelector('td.t3')).backgroundColor")
    page.close()
    wanted = (tilemap.LIGHT if scheme == "light" else tilemap.DARK)[3][0]
    assert back == "rgb({}, {}, {})".format(*(int(wanted[i : i + 2], 16) for i in (1, 3, 5)))
