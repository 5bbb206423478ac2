"""An unchanged site costs under two percent of its first crawl, for every source that has a document a bill.

Sources of a few files (ca, nd, nj, or, pa, va) are asked for the same files each time, and answer 304 or with the
same bytes; they read nothing, as their own tests show, and New York's feed has its test, too.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawlers import modules
from crawlers.api import ApiSpider
from crawlers.recording import Recording
from tests.crawlers.jurisdictions import test_nm, test_wa
from tests.crawlers.replies import crawl
from tracker import jurisdictions

FOLDER = Path(__file__).parent / "recordings"
Site = dict[str, Any]


def sample(code: str) -> dict[str, bytes]:
    (file,) = (file for file in (FOLDER / code).iterdir() if ".warc" in file.name)
    return {url: body for url, (_, _, body) in Recording(file).replies.items()}


def sd(bills: int) -> Site:
    base, there = "https://sdlegislature.gov/api", sample("sd")
    entries = [{"BillId": n, "BillType": "HB", "BillNumberOnly": n, "Title": f"made-up {n}"} for n in range(bills)]
    site: Site = {f"{base}/Bills/Session/Light/71": entries, f"{base}/Sessions/": []}
    for n in range(bills):
        for path in ("Bills", "Bills/ActionLog"):
            site[f"{base}/{path}/{n}"] = there[f"{base}/{path}/990001"].replace(b"990001", b"%d" % n)
    return site


def il(bills: int) -> Site:
    there, folder = sample("il"), "/Legislation/104/BillStatus/XML/"
    names = [f"10400HB{n:04d}.xml" for n in range(1, bills + 1)]
    listed = "".join(f'8/16/2025  2:05 AM  16045 <A HREF="{folder}{name}">{name}</A><br>' for name in names)
    site: Site = {f"https://ftp.ilga.gov{folder}": f"<html><body><pre>{listed}</pre></body></html>".encode()}
    one = there[f"https://ftp.ilga.gov{folder}10400HB9001.xml"]
    return site | {f"https://ftp.ilga.gov{folder}{name}": one for name in names}


def mn(bills: int) -> Site:
    there = sample("mn")
    site: Site = {url: body for url, body in there.items() if "chedule" in url}
    today = f"{dt.date.today():%m/%d/%Y}"
    one = there["https://api.revisor.mn.gov/bills/v1/94/2025/0/HF/401/"]
    for body, letters in (("House", "HF"), ("Senate", "SF")):
        for first in (1, 501):
            here = range(first, min(first + 500, bills // 2 + 1))
            rows = "".join(
                f"<tr><td>{n}</td><td><a href='x'>{letters}{n:04d}</a></td><td>Made-up</td>"
                f"<td><a href='y'>{'05/23/2025' if n % 2 else today}</a></td></tr>"
                for n in here
            )
            url = f"https://www.revisor.mn.gov/bills/status_result.php?body={body}&session=0942025"
            page = f"<html><body><table class='table'><tbody>{rows}</tbody></table></body></html>"
            site[f"{url}&bill={first}-{first + 499}&bill_type=bill&submit_bill=GO"] = page
            for n in here:
                changed = one.replace(b">401<", b">%d<" % n).replace(b">HF<", b">%s<" % letters.encode())
                site[f"https://api.revisor.mn.gov/bills/v1/94/2025/0/{letters}/{n}/"] = changed
    return {url: page.encode() if isinstance(page, str) else page for url, page in site.items()}


def tx(bills: int) -> Site:
    base, there = "ftp://ftp.legis.state.tx.us/bills/89R/billhistory/", sample("tx")
    one = there[f"{base}house_bills/HB09001_HB09099/HB%209001.xml"]
    site: Site = {base: b"06-22-25  02:05AM       <DIR>          house_bills\r\n"}
    folders = [f"HB{at:05d}_HB{at + 99:05d}" for at in range(1, bills, 100)]
    site[f"{base}house_bills/"] = "".join(f"06-22-25  02:05AM  <DIR>  {name}\r\n" for name in folders).encode()
    for at, folder in enumerate(folders):
        numbers = range(at * 100 + 1, min(at * 100 + 101, bills + 1))
        listed = "".join(f"06-22-25  02:05AM  6045 HB {n}.xml\r\n" for n in numbers)
        site[f"{base}house_bills/{folder}/"] = listed.encode()
        for n in numbers:
            site[f"{base}house_bills/{folder}/HB%20{n}.xml"] = one.replace(b"HB 9001", b"HB %d" % n)
    return site


def md(bills: int) -> Site:
    there, base = sample("md"), "https://mgaleg.maryland.gov"
    first = json.loads(there[f"{base}/2026RS/misc/billsmasterlist/legislation.json"].decode("utf-8-sig"))[0]
    page = there[f"{base}/mgawebsite/Legislation/Details/hb9001?ys=2026RS"]
    entries = [{**first, "BillNumber": f"HB{n:04d}"} for n in range(1, bills + 1)]
    site: Site = {f"{base}/2026RS/misc/billsmasterlist/legislation.json": entries}
    for n in range(1, bills + 1):
        url = f"{base}/mgawebsite/Legislation/Details/hb{n:04d}?ys=2026RS"
        site[url] = page.replace(b"9001", b"%04d" % n)
    return site


def us(bills: int) -> Site:
    site: Site = {}
    base = "https://www.govinfo.gov"
    for kind in ("hr", "s", "hjres", "sjres", "hconres", "sconres", "hres", "sres"):
        urls = [f"{base}/bulkdata/BILLSTATUS/119/{kind}/BILLSTATUS-119{kind}{n}.xml" for n in range(1, bills // 8 + 1)]
        listed = "".join(f"<url><loc>{url}</loc><lastmod>2026-01-02T03:04:05Z</lastmod></url>" for url in urls)
        site[f"{base}/sitemap/bulkdata/BILLSTATUS/119{kind}/sitemap.xml"] = f"<urlset>{listed}</urlset>".encode()
        for n, url in enumerate(urls, 1):
            said = f"<type>{kind.upper()}</type><number>{n}</number><congress>119</congress><title>Made-up {n}</title>"
            site[url] = f"<billStatus><bill>{said}</bill></billStatus>".encode()
    return site


def wa(bills: int) -> Site:
    site: Site = dict(test_wa.site())
    numbers = range(1003, 1003 + bills)
    listed = [test_wa.legislation(f"HB {n}") for n in numbers]
    site[f"{test_wa.SERVICE}/GetLegislationIntroducedSince?sinceDate=2024-12-02"] = test_wa.array(
        "Legislation", *listed
    )
    for n in numbers:
        asked = f"biennium=2025-26&billNumber={n}"
        site[f"{test_wa.SERVICE}/GetSponsors?biennium=2025-26&billId=HB%20{n}"] = test_wa.array("Sponsor")
        site[f"{test_wa.SERVICE}/GetHearings?{asked}"] = test_wa.array("Hearing")
    return site


def nm(bills: int) -> Site:
    numbers = range(1, bills + 1)
    rows = [test_nm.row(n, f"HB {n}", "MADE-UP", "HPREF [1] HEC") for n in numbers]
    page = test_nm.bill_page(*test_nm.ACTIONS)
    site: Site = {test_nm.LIST: test_nm.listing(*rows), f"{test_nm.LIST}?Session=70": test_nm.listing(*rows)}
    folder = f"{test_nm.SITE}/Sessions/25%20Regular"
    for name in ("bills", "resolutions", "memorials"):
        site |= {f"{folder}/{name}/{house}/": b"<html><body>no files</body></html>" for house in ("house", "senate")}
    site[f"{folder}/final/"] = b"<html><body>no files</body></html>"
    for n in numbers:
        url = f"{test_nm.SITE}/Legislation/Legislation?chamber=H&legType=B&legNo={n}&year=25"
        site[url] = page.replace(b"HB  1<", b"HB  %d<" % n)
    return site


def wy(bills: int) -> Site:
    base, there = "https://lsoservice.wyoleg.gov/api", sample("wy")
    names = [f"HB{n:04d}" for n in range(1, bills + 1)]
    asked = f"{base}/BillInformation?$filter=Year%20eq%202026&$orderby=BillNum"
    site: Site = {asked: [{"billNum": name, "catchTitle": f"made-up {name}"} for name in names]}
    today = dt.datetime.now(dt.UTC).date().replace(day=1)
    for month in (today - dt.timedelta(days=1), today, today + dt.timedelta(days=31), today + dt.timedelta(days=62)):
        site[f"{base}/Calendar/Events/{month:%Y%m}01"] = there[f"{base}/Calendar/Events/20260201"]
    one = there[f"{base}/BillInformation/2026/HB0901?calendarDate="]
    return site | {
        f"{base}/BillInformation/2026/{name}?calendarDate=": one.replace(b'"HB0901"', f'"{name}"'.encode())
        for name in names
    }


def ms(bills: int) -> Site:
    base, there = "https://billstatus.ls.state.ms.us/2026/pdf", sample("ms")
    names = [f"HB{n:04d}" for n in range(1, bills + 1)]
    rows = "".join(
        "<MSRGROUP><LASTACTION>03/03 (S) Passed</LASTACTION>"
        f"<ACTIONLINK>../history/HB/{name}.xml</ACTIONLINK></MSRGROUP>"
        for name in names
    )
    one = there[f"{base}/history/HB/HB9001.xml"]
    site: Site = {f"{base}/all_measures/allmsrs.xml": f"<LASTACTION>{rows}</LASTACTION>".encode()}
    return site | {f"{base}/history/HB/{name}.xml": one for name in names}


SITES: dict[str, tuple[Callable[[int], Site], str, int]] = {
    "il": (il, "104th", 60),
    "md": (md, "2026", 60),
    "mn": (mn, "2025-2026", 440),
    "ms": (ms, "2026", 60),
    "nm": (nm, "2025", 460),
    "sd": (sd, "2026", 110),
    "tx": (tx, "89R", 250),
    "us": (us, "119", 424),
    "wa": (wa, "2025-2026", 430),
    "wy": (wy, "2026", 220),
}
# Their lists are the bills: whole files, or a feed of changes.
FEW_FILES = {"ca", "nd", "nj", "ny", "or", "pa", "va"}


def test_every_official_source_is_here() -> None:
    assert set(SITES) | FEW_FILES == set(modules.official())


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
