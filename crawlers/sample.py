"""Writes the bundled sample: made-up bills in true official formats, as two days of recordings.

For newcomers without a network and for tests. The days are counted from a given day, so that there is
always something that moved "this week". The session ids (``sample`` in Virginia, the 199th Congress) cannot
be taken for real ones.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import tomllib
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

SESSION, CONGRESS = "sample", "199"
_VA = f"https://lis.blob.core.windows.net/lisfiles/{SESSION}"
_PAGE = f"https://lis.virginia.gov/bill-details/{SESSION}"
_US = f"https://www.govinfo.gov/bulkdata/BILLSTATUS/{CONGRESS}"
_COMMITTEES = {"H09": "Education", "H10": "Finance"}


def write(folder: Path, today: dt.date) -> None:
    """Write the recordings ``va-day1``, ``va-day2``, ``us-day1`` and ``us-day2`` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (Path(__file__).parent / "sample.toml").open("rb") as file:
        bills = tomllib.load(file)["bill"]
    for day in (1, 2):
        there = [bill for bill in bills if bill.get("day", 1) <= day]
        virginia = [bill for bill in there if bill["kind"] == "va"]
        congress = [bill for bill in there if bill["kind"] == "us"]
        on = today - dt.timedelta(days=2 - day)
        _warc(folder / f"va-day{day}.warc.gz", _virginia(virginia, day, today), on)
        _warc(folder / f"us-day{day}.warc.gz", [_status(bill, day, today) for bill in congress], on)


def _seen(bill: dict[str, Any], day: int, today: dt.date) -> list[tuple[dt.date, dict[str, Any]]]:
    """The actions that a site shows on the sample's first or second day."""
    return [
        (today - dt.timedelta(days=action["on"]), action) for action in bill["actions"] if day == 2 or action["on"] > 1
    ]


def _virginia(bills: Sequence[dict[str, Any]], day: int, today: dt.date) -> list[tuple[str, str, bytes]]:
    listed, history, sponsors, summaries, docket = [], [], [], [], []
    pages = []
    for bill in bills:
        seen = _seen(bill, day, today)
        first = f"{seen[0][0]:%m/%d/%y}"
        title = bill.get("title_day2", bill["title"]) if day == 2 else bill["title"]
        listed.append([bill["id"], title, bill["patron"], bill["id"], first])
        history += [[bill["id"], f"{date:%m/%d/%y}", action["text"], ""] for date, action in seen]
        sponsors.append([bill["patron"], "X0001", bill["id"], "Chief Patron"])
        summaries.append([bill["id"], f"{bill['id']}S", "Introduced", f"<p class=sumtext>{bill['summary']}</p>"])
        if "hearing" in bill and day == 2:
            on = today + dt.timedelta(days=bill["hearing"]["in"])
            docket.append([bill["hearing"]["committee"], on.isoformat(), "1", bill["id"]])
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in bill["text"].split("\n"))
        page = "<!DOCTYPE html>"
        page += f"<html><head><title>{bill['id']}</title></head><body>{paragraphs}</body></html>"
        pages.append((f"{_PAGE}/{bill['id']}/text/{bill['id']}", "text/html", page.encode()))
    return [
        _csv("BILLS.CSV", "Bill_id,Bill_description,Patron_name,Full_text_doc1,Full_text_date1", listed),
        _csv("HISTORY.CSV", "Bill_id,History_date,History_description,History_refid", history),
        _csv("Sponsors.csv", "MEMBER_NAME,MEMBER_ID,BILL_NUMBER,PATRON_TYPE", sponsors),
        _csv("Summaries.csv", "SUM_BILNO,SUMMARY_DOCID,SUMMARY_TYPE,SUMMARY_TEXT", summaries),
        _csv("DOCKET.CSV", "Com_no,Doc_date,Doc_no,Bill_no", docket),
        _csv("Committees.csv", "COM_COMNO,COM_NAME", [list(item) for item in _COMMITTEES.items()]),
        *pages,
    ]


def _csv(name: str, header: str, rows: Sequence[Sequence[str]]) -> tuple[str, str, bytes]:
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return f"{_VA}/{name}", "text/csv", text.getvalue().encode()


def _status(bill: dict[str, Any], day: int, today: dt.date) -> tuple[str, str, bytes]:
    kind = bill["id"].rstrip("0123456789")
    number = bill["id"].removeprefix(kind)
    chamber = "House" if kind.startswith("H") else "Senate"
    actions = "".join(
        f"<item><actionDate>{date}</actionDate><text>{escape(action['text'])}</text>"
        f"<actionCode>{action['code']}</actionCode><type>Committee"
        f"</type><sourceSystem><name>{chamber} committee actions</name></sourceSystem></item>"
        for date, action in reversed(_seen(bill, day, today))
    )
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><billStatus><bill><number>{number}</number><type>{kind}</type>'
        f"<congress>{CONGRESS}</congress><originChamber>{chamber}</originChamber><title>{escape(bill['title'])}"
        f"</title><sponsors><item><fullName>{escape(bill['patron'])}</fullName></item></sponsors><summaries>"
        f"<summary><actionDate>{today - dt.timedelta(days=30)}</actionDate><actionDesc>Introduced</actionDesc>"
        f"<text>{escape(bill['summary'])}</text></summary></summaries><actions>{actions}</actions></bill></billStatus>"
    )
    low = kind.lower()
    return f"{_US}/{low}/BILLSTATUS-{CONGRESS}{low}{number}.xml", "application/xml", body.encode()


def _warc(path: Path, replies: Sequence[tuple[str, str, bytes]], on: dt.date) -> None:
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        for url, media_type, body in replies:
            headers = StatusAndHeaders("200 OK", [("Content-Type", media_type)], protocol="HTTP/1.1")
            writer.write_record(
                writer.create_warc_record(
                    url,
                    "response",
                    payload=io.BytesIO(body),
                    http_headers=headers,
                    warc_headers_dict={"WARC-Date": f"{on}T12:00:00Z"},
                )
            )
