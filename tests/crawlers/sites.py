"""Made-up sites of any size in the official forms, one for each official source, as a live crawl asks them."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scrapy.http import Request, Response

from crawlers.recording import Recording
from tests.crawlers.jurisdictions import test_nd, test_nm, test_ny, test_or, test_wa
from tests.crawlers.replies import in_memory

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
        for first in range(1, bills // 2 + 502, 500):
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


def oh(bills: int) -> Site:
    base, there = "https://search-prod.lis.state.oh.us/api/v2/general_assembly_136/legislation", sample("oh")
    first = json.loads(there[f"{base}/"])[0]
    site: Site = {f"{base}/": [{**first, "number": f"hb{n}"} for n in range(1, bills + 1)]}
    for n in range(1, bills + 1):
        for path in ("versions", "actions"):
            site[f"{base}/hb{n}/{path}/"] = there[f"{base}/hb9001/{path}/"]
    return site


SITES: dict[str, tuple[Callable[[int], Site], str, int]] = {
    "il": (il, "104th", 60),
    "md": (md, "2026", 60),
    "mn": (mn, "2025-2026", 440),
    "ms": (ms, "2026", 60),
    "nm": (nm, "2025", 460),
    "oh": (oh, "136", 110),
    "sd": (sd, "2026", 110),
    "tx": (tx, "89R", 250),
    "us": (us, "119", 424),
    "wa": (wa, "2025-2026", 430),
    "wy": (wy, "2026", 220),
}


# ---------------------------------------------------------------- sources of a few files


def va(bills: int) -> Site:
    base = "https://lis.blob.core.windows.net/lisfiles/20261"
    listed = "".join(f'"HB{n}","Made-up matters {n}"\r\n' for n in range(1, bills + 1))
    moved = "".join(f'"HB{n}","01/14/26","H Prefiled and ordered printed"\r\n' for n in range(1, bills + 1))
    return {
        f"{base}/BILLS.CSV": f"Bill_id,Bill_description\r\n{listed}".encode(),
        f"{base}/HISTORY.CSV": f"Bill_id,History_date,History_description\r\n{moved}".encode(),
        f"{base}/Sponsors.csv": b"MEMBER_NAME,MEMBER_ID,BILL_NUMBER,PATRON_TYPE\r\nSample,H1,HB1,Chief Patron\r\n",
        f"{base}/Summaries.csv": b"SUM_BILNO,SUMMARY_DOCID,SUMMARY_TYPE,SUMMARY_TEXT\r\nHB1,x,Introduced,Made up.\r\n",
        f"{base}/DOCKET.CSV": b"BILL_NO,COM_NO,DOC_DATE\r\nHB1,H09,01/20/26\r\n",
        f"{base}/Committees.csv": b"COM_COMNO,COM_NAME\r\nH09,Education\r\n",
    }


def nd(bills: int) -> Site:
    rows = [test_nd.bill(f"HB {n}") for n in range(1001, 1001 + bills)]
    schedule = b'Hearing Date/Time,Bill,Committee\r\n"11/28 2:00:PM","HB 1001","House Education"\r\n'
    return {test_nd.BILLS: test_nd.bills(*rows), test_nd.SCHEDULE: schedule}


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return out.getvalue()


def unzipped(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def nj(bills: int) -> Site:
    ((url, body),) = sample("nj").items()
    files = unzipped(body)
    name = next(name for name in files if name.upper().endswith("MAINBILL.TXT"))
    head, first, *_ = files[name].splitlines(keepends=True)
    files[name] = head + b"".join(first.replace(b"9001", b"%d" % n) for n in range(1, bills + 1))
    return {url: zipped(files)}


def pa(bills: int) -> Site:
    ((url, body),) = sample("pa").items()
    ((name, xml),) = unzipped(body).items()
    start, end = xml.index(b"<bill "), xml.index(b"</bill>") + len(b"</bill>")
    one, last = xml[start:end], xml.rindex(b"</bill>") + len(b"</bill>")
    many = b"".join(one.replace(b"9001", b"%d" % n) for n in range(1, bills + 1))
    return {url: zipped({name: xml[:start] + many + xml[last:]})}


def oregon(bills: int) -> Site:
    expand = "MeasureSponsors,MeasureDocuments,MeasureHistoryActions,CommitteeAgendaItems/CommitteeProposedAmendments"
    site: Site = {url: body for url, body in test_or.site().items() if "Measures?" not in url}
    today = dt.datetime.now(dt.UTC).date()
    for month in (today.replace(day=1), (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)):
        since = f"(MeetingDate ge datetime'{month}T00:00:00') and (SessionKey eq '2025R1')"
        url = f"{test_or.ROOT}/CommitteeMeetings?$filter={since}&$expand=CommitteeAgendaItems&$format=json"
        site[url] = {"value": []}
    measures = [test_or.measure("HB", 2000 + n, MeasureHistoryActions=test_or.HISTORY) for n in range(1, bills + 1)]
    for skip in range(0, bills + 500, 500):
        url = f"{test_or.SESSION}/Measures?$expand={expand}&$top=500&$skip={skip}&$format=json"
        site[url] = {"value": measures[skip : skip + 500]}
    return site


def ny(bills: int) -> Site:
    """Pages of a hundred; made-up ones hold fewer, which is quicker to read."""
    pages = -(-bills // 100)
    made: Site = {}
    for n in range(pages):
        url = f"{test_ny.API}/bills/2025?limit=100&offset={n * 100 + 1}&full=true"
        rows = test_ny.items(test_ny.bill(f"S{n + 1}"))
        made[url] = test_ny.reply(rows, offsetEnd=min(bills, (n + 1) * 100), total=bills)
    return made


FEW: dict[str, tuple[Callable[[int], Site], str]] = {
    "nd": (nd, "69"),
    "nj": (nj, "222"),
    "or": (oregon, "2025R1"),
    "pa": (pa, "2025-2026"),
    "va": (va, "2026"),
}


class Live(Recording):
    """A site that knows its ETags (where ``etags``), and whose feeds of changes and meetings are empty."""

    def __init__(self, site: Site, *, etags: bool) -> None:
        made = in_memory(site)
        self.path, self.damage, self.recorded_at, self.replies = made.path, "", "", made.replies
        self.etags = etags

    def response(self, request: Request) -> Response | None:
        if "/bills/updates/" in request.url or "/agendas/meetings/" in request.url:
            body = json.dumps(test_ny.reply(test_ny.items(), offsetEnd=0, total=0)).encode()
            return Response(request.url, body=body, request=request)
        reply = super().response(request)
        if reply is None or not self.etags:
            return reply
        etag = hashlib.md5(reply.body, usedforsecurity=False).hexdigest().encode()
        if request.headers.get("If-None-Match") == etag:
            return Response(request.url, 304, request=request)
        return reply.replace(headers={**reply.headers, "ETag": etag})
