"""Calendar and Atom feeds: they parse, come without a key, and hold what the database holds."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from lxml import etree
from sqlalchemy import Engine

from tests.tracker import analysts
from tests.tracker.web.conftest import Serve
from tracker.web.dependencies import clock


@pytest.fixture
def web(engine: Engine, serve: Serve) -> Iterator[httpx.Client]:
    analysts.fill(engine)
    with httpx.Client(base_url=serve(engine, replaced={clock: lambda: analysts.NOW}), timeout=20) as client:
        yield client


def test_hearings_as_a_calendar(web: httpx.Client, engine: Engine) -> None:
    reply = web.get("/feeds/hearings.ics", params={"state": "tx", "strategy": "tax_credits"})
    assert reply.status_code == 200 and reply.headers["content-type"].startswith("text/calendar")
    (event,) = Calendar.from_ical(reply.text).walk("VEVENT")
    assert str(event["summary"]) == "TX Ways & Means: HB 12"
    assert event["dtstart"].dt == dt.datetime(2026, 2, 20, 15, tzinfo=dt.UTC)
    assert event["dtend"].dt - event["dtstart"].dt == dt.timedelta(hours=1)
    assert str(event["status"]) == "CONFIRMED" and str(event["location"]) == "E2.010"
    assert "http://127.0.0.1:8000/bills/tx/89R/HB%2012" in str(event["description"])
    for empty in ({"state": "oh"}, {"strategy": "flexibility"}):
        assert not Calendar.from_ical(web.get("/feeds/hearings.ics", params=empty).text).walk("VEVENT")
    again = web.get("/feeds/hearings.ics", params={"state": "TX"}, headers={"If-None-Match": reply.headers["etag"]})
    assert again.status_code == 304
    bill = copy.deepcopy(analysts.BILLS[0])
    bill["hearings"] = [{**bill["hearings"][0], "time": "upon adjournment", "location": "Line\nbreak; and, more"}]
    analysts.load(engine, [bill], analysts.NOW + dt.timedelta(days=1))
    (moved,) = Calendar.from_ical(web.get("/feeds/hearings.ics").text).walk("VEVENT")
    assert moved["dtstart"].dt == dt.date(2026, 2, 20) and "upon adjournment" in str(moved["description"])
    bill["hearings"] = []
    analysts.load(engine, [bill], analysts.NOW + dt.timedelta(days=2))
    (gone,) = Calendar.from_ical(web.get("/feeds/hearings.ics").text).walk("VEVENT")
    assert str(gone["status"]) == "CANCELLED" and gone["uid"] == moved["uid"]


ATOM = "{http://www.w3.org/2005/Atom}"


def entries(web: httpx.Client, path: str, **params: Any) -> list[dict[str, str]]:
    reply = web.get(path, params=params or None)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("application/atom+xml")
    feed = etree.fromstring(reply.content)
    # What the format (RFC 4287) asks of a feed and of each entry.
    for name in ("id", "title", "updated", "author"):
        assert len(feed.findall(f"{ATOM}{name}")) == 1, name
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links["self"].endswith(str(reply.url)[len(str(web.base_url)) :])
    found = []
    for entry in feed.findall(f"{ATOM}entry"):
        plain = {name: entry.findtext(f"{ATOM}{name}", "") for name in ("id", "title", "updated", "summary")}
        assert all(plain.values())
        assert dt.datetime.fromisoformat(plain["updated"]).tzinfo
        (link,) = entry.findall(f"{ATOM}link")
        found.append({**plain, "link": link.get("href", "")})
    assert len({entry["id"] for entry in found}) == len(found)
    return found


def test_a_strategy_as_a_feed(web: httpx.Client, engine: Engine) -> None:
    first = entries(web, "/feeds/strategy/tax_credits.atom")
    titles = [entry["title"] for entry in first]
    assert "Texas HB 12: tagged Tax credits" in titles and "Texas HB 12: new bill" in titles
    (tagged,) = [entry for entry in first if entry["title"] == "Texas HB 12: tagged Tax credits"]
    assert "“tax credit”" in tagged["summary"] and tagged["link"].endswith("/bill/tx/89R/HB%2012")
    assert {entry["title"].split(":")[0] for entry in first} == {"Texas HB 12", "Texas SB 7"}
    assert entries(web, "/feeds/strategy/tax_credits.atom", state="oh") == []
    passed = copy.deepcopy(analysts.BILLS[1])
    passed["actions"].append({"date": "2026-01-02", "description": "Signed by the Governor", "chamber": "executive"})
    analysts.load(engine, [passed], analysts.NOW + dt.timedelta(days=1))
    second = entries(web, "/feeds/strategy/tax_credits.atom", state="tx")
    # Back-dated by its legislature, and still on top, once; what was there keeps its id.
    assert second[0]["title"] == "Texas SB 7: Became law"
    assert [entry["id"] for entry in second[1:]] == [entry["id"] for entry in first]
    assert web.get("/feeds/strategy/bribes.atom").status_code == 404
    assert "/feeds/strategy/tax_credits.atom" in web.get("/strategies/tax_credits").text


def test_a_search_as_a_feed(web: httpx.Client) -> None:
    found = entries(web, "/feeds/search.atom", q='"tax credit" -franchise', state="tx")
    assert {entry["title"].split(":")[0] for entry in found} == {"Texas SB 7"}
    assert len(entries(web, "/feeds/search.atom")) >= 9
    page = etree.HTML(web.get("/search", params={"q": '"tax credit"', "state": "tx"}).text)
    (address,) = page.xpath("//link[@type='application/atom+xml']/@href")
    assert {entry["title"].split(":")[0] for entry in entries(web, address)} == {"Texas HB 12", "Texas SB 7"}
    (formula,) = [e for e in entries(web, "/feeds/search.atom", state="co") if "new bill" in e["title"]]
    assert formula["summary"].startswith("=cmd|")
    assert web.get("/feeds/search.atom", params={"q": '"open'}).status_code == 400


def test_any_title_makes_a_feed_that_parses(sqlite: Engine, serve: Serve) -> None:
    nasty = "A\x0bct & <b>\x1b[31m \u202e\ufffe\ud7ff ]]> on tax credit"
    analysts.load(sqlite, [analysts.bill("tx", "89R", "HB 1", nasty)])
    with httpx.Client(base_url=serve(sqlite)) as web:
        (entry,) = entries(web, "/feeds/search.atom", q="credit")
        assert "& <b>" in entry["summary"] and "\x1b" not in entry["summary"]
