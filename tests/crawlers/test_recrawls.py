"""An unchanged site costs under two percent of its first crawl, for every source that has a document a bill.

Sources of a few files are asked for the same files each time: that is the floor. Those with validators answer 304 and
send nothing; California's one file is asked for its end alone, as its own test shows.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from crawlers import dry_run, modules
from crawlers.account import Account
from crawlers.api import ApiSpider
from tests.crawlers.replies import crawl
from tests.crawlers.sites import FEW, SITES, Live, Site, ny, sd
from tracker import jurisdictions


def test_every_official_source_is_here() -> None:
    assert {*SITES, *FEW, "ca", "ny"} == set(modules.official())


def test_a_feed_of_changes_is_asked_little(tmp_path: Path) -> None:
    first = live("ny", Live(ny(12_000), etags=False), "2025-2026", tmp_path / "a.jsonl")
    again = live("ny", Live(ny(12_000), etags=False), "2025-2026", tmp_path / "b.jsonl", known=first.validators)
    assert (first.requests, again.requests, again.bills, again.partial) == (121, 2, 0, True)


@pytest.mark.parametrize("code", sorted(FEW))
def test_files_that_are_as_they_were_cost_a_conditional_request_each(code: str, tmp_path: Path) -> None:
    make, session = FEW[code]
    etags = "etag" in jurisdictions.load()[code].sources[0].conditional
    site = Live(make(20), etags=etags)
    first = live(code, site, session, tmp_path / "a.jsonl")
    assert (first.outcome, first.complete, first.bills, first.rejected) == ("ok", True, 20, [])
    again = live(code, site, session, tmp_path / "b.jsonl", known=first.validators)
    assert (again.outcome, again.bills, again.requests) == ("unchanged", 0, first.requests)
    assert again.bytes < (0.01 * first.bytes if etags else first.bytes + 1)


def live(code: str, site: Live, session: str, out: Path, known: Any = None) -> Account:
    spider, place = modules.spider(code), jurisdictions.load()[code]
    assert spider is not None
    return dry_run.run(spider(place=place, source=place.sources[0], session=session, out=out, known=known), site)


@pytest.mark.parametrize("code", sorted(SITES))
def test_an_unchanged_site_is_asked_little(code: str, tmp_path: Path) -> None:
    spider = modules.spider(code)
    make, session, bills = SITES[code]
    assert spider is not None
    site = make(bills)
    first, made = crawl(spider, code, site, tmp_path / "a.jsonl", session=session, live=True)
    assert (first.outcome, first.complete, first.rejected) == ("ok", True, [])
    assert len(made) >= bills
    again, changed = crawl(spider, code, site, tmp_path / "b.jsonl", session=session, live=True, known=first.validators)
    assert changed == [] and again.outcome in ("ok", "unchanged")
    assert again.requests < 0.02 * first.requests, f"{again.requests} after {first.requests}"
    if again.outcome == "ok":
        assert again.complete and len(again.present) == len(made)


# ---------------------------------------------------------------- lists that do not tell


def moved(site: Site, bill: int) -> Site:
    url = f"https://sdlegislature.gov/api/Bills/ActionLog/{bill}"
    log = json.loads(site[url])
    later = {**log[-1], "ActionDate": "2026-04-01T00:00:00", "StatusText": "Tabled"}
    return site | {url: json.dumps([*log, later]).encode()}


def test_a_list_that_shows_no_action_is_probed(tmp_path: Path) -> None:
    spider = modules.spider("sd")
    assert spider is not None
    site = moved(sd(240), 5)
    first, _ = crawl(spider, "sd", site, tmp_path / "a.jsonl", session="2026", live=True)
    assert first.validators["https://sdlegislature.gov/api/Bills/5"]["stamp"].endswith(" moved 2026-04-01")
    # The bill that moved last is among those that are asked, and its news have all the others asked for.
    busy = moved(moved(site, 5), 77)
    again, bills = crawl(spider, "sd", busy, tmp_path / "b.jsonl", session="2026", live=True, known=first.validators)
    assert sorted(bill["identifier"] for bill in bills) == ["HB 5", "HB 77"]
    assert (again.complete, len(again.present), again.bills) == (True, 238, 2)
    third, bills = crawl(spider, "sd", busy, tmp_path / "c.jsonl", session="2026", live=True, known=again.validators)
    assert (bills, len(third.present)) == ([], 240) and third.requests < 10


def test_the_others_have_their_turns(tmp_path: Path) -> None:
    spider = modules.spider("sd")
    assert spider is not None and issubclass(spider, ApiSpider)
    place = jurisdictions.load()["sd"]
    made = spider(place=place, source=place.sources[0], session="2026", out=tmp_path / "o.jsonl")
    made.believed = {str(n): ({}, {}, "") for n in range(666)}
    found: set[str] = set()
    for _ in range(150):
        probed = set(made.probes())
        assert 6 <= len(probed) <= 12
        found |= probed
        made.account.started_at += dt.timedelta(days=1)
    assert len(found) == 666
