"""The pages as a reader's browser gets them: whole, linked, agreeing with the database, harmless."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import httpx
import pytest
from lxml import html
from sqlalchemy import Engine

from tests.tracker import analysts
from tests.tracker.web import sites
from tests.tracker.web.conftest import Serve
from tracker.cleaning import visible
from tracker.db import reading
from tracker.history import read_bill
from tracker.search import Query, search

BILL = "/bill/tx/89R/HB%2012"
PAGES = [
    "/",
    "/search",
    "/search?q=tax+credit&state=tx&sort=newest",
    "/search?q=nosuchword",
    "/strategies",
    "/strategies/tax_credits",
    "/strategies/agency_rules",
    BILL,
    f"{BILL}?as_of=2026-02-10",
    "/bill/oh/136/SB%20120",
    "/bill/oh/136/SB%20120/compare",
    "/bill/us/119/HR%209",
    "/bill/tx/89R/HB%20666",
    "/spread?q=apprentice",
    "/spread",
    "/sql?sql=SELECT+bill_key,+title+FROM+v_bills+LIMIT+5",
    "/docs",
    "/freshness",
    "/admin",
    "/admin/runs",
    "/admin/held",
    "/admin/actions",
]


@pytest.fixture
def site(sqlite: Engine, serve: Serve) -> Iterator[httpx.Client]:
    """A client of the whole app over the filled database."""
    sites.fill(sqlite)
    with httpx.Client(base_url=serve(sqlite), timeout=20) as web:
        yield web


def tree(web: httpx.Client, address: str, status: int = 200) -> Any:
    reply = web.get(address, headers={"Accept": "text/html"})
    assert reply.status_code == status, (address, reply.status_code)
    return html.fromstring(reply.text)


def words(element: Any) -> str:
    return " ".join(element.text_content().split())


def test_every_page_is_whole_on_both_databases_and_every_link_leads_somewhere(engine: Engine, serve: Serve) -> None:
    sites.fill(engine)
    with httpx.Client(base_url=serve(engine), timeout=20, headers={"Accept": "text/html"}) as web:
        due, seen = [*PAGES], set[str]()
        while due and len(seen) < 90:
            address = due.pop(0)
            if address in seen:
                continue
            seen.add(address)
            reply = web.get(address, follow_redirects=True)
            assert reply.status_code == 200, address
            if "html" not in reply.headers["content-type"]:
                continue
            page = html.fromstring(reply.text)
            _is_whole(page, address)
            for link in page.xpath("//a/@href"):
                parts = urlsplit(urljoin(address, link))
                if not parts.netloc:
                    due.append(parts.path + (f"?{parts.query}" if parts.query else ""))
        assert len(seen) > 60


def _is_whole(page: Any, address: str) -> None:
    assert page.get("lang") == "en" and page.findtext(".//title")
    assert len(page.xpath("//main")) == 1 and len(page.xpath("//h1")) == 1, address
    assert not page.xpath("//style | //script[not(@src)] | //*[@style] | //*[@*[starts-with(name(), 'on')]]"), address
    for field in page.xpath("//input[not(@type='hidden')] | //select"):
        labelled = field.xpath("ancestor::label") or page.xpath(f"//label[@for='{field.get('id')}']")
        assert labelled, (address, field.get("name"))
    ids = page.xpath("//*/@id")
    assert len(ids) == len(set(ids)), address
    for svg in page.xpath("//*[local-name()='svg'][not(@aria-hidden)]"):
        assert svg.xpath("./*[local-name()='title']"), address


def test_the_bill_page_says_what_the_database_says(sqlite: Engine, site: httpx.Client) -> None:
    page = tree(site, BILL)
    with reading(sqlite) as connection:
        bill = read_bill(connection, "tx/89R/HB 12")
    shown = words(page)
    assert bill["title"] in words(page.xpath("//h1")[0])
    for text in ("Murphy, Carol A.", "Ways & Means", "E2.010", "Watch the fiscal note", "Support.", "Apprenticeship"):
        assert text in shown
    assert "SB 7" in words(page.xpath("//aside")[0]) and page.xpath("//aside//a[@href='/bill/tx/89R/SB%207']")
    assert [words(step) for step in page.xpath("//ol[@class='track']/li[@aria-current]")] == ["Introduced"]
    tag = next(tag for tag in bill["tags"] if tag["strategy"] == "tax_credits")
    assert [words(mark) for mark in page.xpath("//article[@class='tag']//mark")] == [tag["evidence"][0]["quote"]]
    assert f"{tag['score']:.2f}" in words(page.xpath("//article[@class='tag']")[0])
    assert len(page.xpath("//section[@aria-labelledby='seen']//tbody/tr")) == len(bill["events"])


def test_a_page_of_a_day_shows_what_we_knew_then(site: httpx.Client) -> None:
    then = tree(site, "/bill/tx/89R/SB%207?as_of=2026-02-11")
    assert words(then.xpath("//h1")[0]) == "Relating to tax credits for apprenticeship programs."
    assert "what we knew at the end of 11 Feb 2026" in words(then)
    now = tree(site, "/bill/tx/89R/SB%207")
    assert "registered" in words(now.xpath("//h1")[0]) and "End" not in words(now.xpath("//h1")[0])
    tree(site, "/bill/tx/89R/SB%207?as_of=2025-01-01", 404)
    tree(site, "/bill/tx/89R/SB%207?as_of=yesterday", 404)


def test_other_spellings_and_the_mails_links_lead_to_the_page(site: httpx.Client) -> None:
    for address in ("/bill/TX/89R/hb12", "/bill/tx/89R/H.B.%200012"):
        reply = site.get(address)
        assert reply.status_code == 308 and reply.headers["location"] == BILL
    reply = site.get("/bills/tx/89R/HB%2012", headers={"Accept": "text/html"})
    assert reply.status_code == 302 and reply.headers["location"] == BILL
    sentence = words(tree(site, "/bill/tx/89R/HB%209999", 404).xpath("//main")[0])
    assert "There is no bill tx/89R/HB 9999 in the database." in sentence


def test_evidence_is_marked_in_the_whole_text(sqlite: Engine, serve: Serve) -> None:
    class TextTagger(analysts.PhraseTagger):
        """Finds its words in the text."""

        version = "test-p1/m2/1"

        def tag(self, bills: Any) -> Any:
            for content in bills:
                at = content["text"].find("district for a work-based")
                quote_ = content["text"][at : at + 25]
                evidence = [{"field": "text", "start": at, "end": at + 25, "quote": quote_}] if at >= 0 else []
                tag = {"strategy": "flexibility", "score": 0.8, "value": at >= 0, "evidence": evidence}
                yield {"in_scope": {"score": 0.9, "value": at >= 0}, "tags": [tag]}

    analysts.fill(sqlite)
    analysts.tag(sqlite, sites.LATER, TextTagger())
    with httpx.Client(base_url=serve(sqlite)) as web:
        page = tree(web, "/bill/oh/136/SB%20120")
        (quote_,) = page.xpath("//article[@class='tag']//blockquote")
        assert words(quote_.xpath(".//mark")[0]) == "district for a work-based"
        assert words(quote_).startswith("… SECTION 1. The career") or words(quote_).startswith("… The career")
        (link,) = page.xpath("//article[@class='tag']//a[contains(@href, '/text/')]/@href")
        path, _, place = link.partition("#")
        text = tree(web, path)
        (mark,) = text.xpath(f"//*[@id='{place}']")
        assert words(mark) == "district for a work-based"
        assert text.xpath("//div[@class='law']")[0].text_content() == analysts.TEXT
        tree(web, f"{BILL}/text/{path.rpartition('/')[2]}", 404)


def test_two_versions_stand_side_by_side(site: httpx.Client) -> None:
    page = tree(site, "/bill/oh/136/SB%20120/compare")
    assert "not" in words(page.xpath("//del")[1])
    put_in = [words(one) for one in page.xpath("//table//ins")]
    assert "for five years" in " ".join(put_in) and "SECTION 3. The department adopts rules." in put_in[-1]
    options = page.xpath("//select[@name='old']/option/@value")
    same = tree(site, f"/bill/oh/136/SB%20120/compare?old={options[0]}&new={options[0]}")
    assert "Not a word was changed." in words(same)
    tree(site, "/bill/us/119/HR%209/compare", 404)


def test_search_shows_what_search_finds(sqlite: Engine, site: httpx.Client) -> None:
    page = tree(site, "/search?q=tax+credit&state=tx&state=md")
    with reading(sqlite) as connection:
        found = search(connection, Query("tax credit", states=["tx", "md"]))
    assert [int(n) for n in re.findall(r"^(\d+) bills", words(page.xpath("//*[@role='status']")[0]))] == [found.total]
    assert [words(h) for h in page.xpath("//ol[@class='bills']//h3")][:2] == [hit.title for hit in found.hits][:2]
    assert page.xpath("//mark") and page.xpath("//input[@name='state'][@value='tx'][@checked]")
    without = page.xpath("//p[@class='removable']/a/@href")
    assert len(without) == 2 and without[0] == "/search?q=tax+credit&state=md"
    # The other states stay to be chosen, with what they would bring.
    assert page.xpath("//input[@name='state'][@value='oh']") == []
    wide = tree(site, "/search?q=credit&state=tx")
    assert words(wide.xpath("//input[@name='state'][@value='oh']/..")[0]) == "Ohio 2"


@pytest.mark.parametrize(
    "address",
    [
        "/search?q=%22open",
        "/search?q=of+the",
        "/search?page=0",
        "/search?page=x",
        "/search?action_since=soon",
        "/search?min_score=7",
        "/search?subject=the",
        "/spread?q=%28",
    ],
)
def test_what_cannot_be_read_is_one_sentence(sqlite: Engine, serve: Serve, address: str) -> None:
    with httpx.Client(base_url=serve(sqlite)) as web:
        page = tree(web, address, 400)
        (sentence,) = page.xpath("//*[@role='alert']")
        assert words(sentence).endswith(".") and len(words(sentence)) < 200
        assert not re.search("syntax|fts5|tsquery|Traceback", words(sentence))


def test_pages_of_hits_follow_each_other(sqlite: Engine, serve: Serve) -> None:
    records = [analysts.bill("nj", "222", f"A {n}", f"Concerns water {n}.") for n in range(1, 46)]
    analysts.load(sqlite, records)
    with httpx.Client(base_url=serve(sqlite)) as web:
        address, seen = "/search?q=water&state=nj", []
        for _ in range(3):
            page = tree(web, address)
            seen += [words(h) for h in page.xpath("//ol[@class='bills']//h3")]
            address = (page.xpath("//a[@rel='next']/@href") or [""])[0]
        assert address == "" and len(seen) == len(set(seen)) == 45


def test_a_provision_is_followed_through_the_states(site: httpx.Client) -> None:
    page = tree(site, "/spread?q=apprentic*")
    rows = [words(row) for row in page.xpath("//section[@aria-labelledby='first']//tbody/tr")]
    assert [re.search("Texas|Ohio|Maryland", row)[0] for row in rows] == ["Texas", "Ohio", "Maryland"]  # type: ignore[index]
    linked = page.xpath("//*[local-name()='svg']//*[local-name()='a']/@href")
    assert linked == [f"/search?q=apprentic%2A&state={code}" for code in ("oh", "md", "tx")]
    bill = tree(site, "/bill/oh/136/SB%20120")
    assert bill.xpath("//h1")
    assert "No bill has these words." in words(tree(site, "/spread?q=zebra"))


def test_what_states_write_is_shown_and_does_nothing(site: httpx.Client) -> None:
    hostile = "/bill/tx/89R/HB%20666"
    addresses = [
        hostile,
        "/search?q=tax",
        "/spread?q=tax",
        "/strategies/tax_credits",
        "/admin/held",
        "/admin/actions",
        "/",
    ]
    addresses += tree(site, hostile).xpath("//a[contains(@href, '/text/')]/@href")
    for address in addresses:
        reply = site.get(address)
        assert reply.status_code == 200
        page = html.fromstring(reply.text)
        assert not page.xpath("//script[not(@src='/static/vendor/htmx.min.js')] | //img | //b//script"), address
        assert not [h for h in page.xpath("//@href | //@src | //@action") if "script:" in h.lower()], address
        assert visible(reply.text) == reply.text, address
        assert "49" not in words(page.xpath("//h1")[0])
    shown = tree(site, hostile)
    assert "<script>alert('x')</script>" in words(shown.xpath("//h1")[0])
    assert len(words(shown.xpath("//h1")[0])) < 400 and "W" * 10_000 in words(shown)
    for question in (sites.SCRIPT, '"><svg onload=alert(1)>', "{{7*7}}", "\u202e"):
        page = html.fromstring(site.get("/search", params={"q": question, "state": question}).text)
        assert not page.xpath("//*[@onload] | //script[not(@src)]")


def test_admins_only(sqlite: Engine, serve: Serve) -> None:
    sites.fill(sqlite)
    key = "an-admin-key-of-some-length"
    with httpx.Client(base_url=serve(sqlite)) as web:
        assert web.get("/admin").status_code == 200
        for headers in (
            {"Host": "bills.example"},
            {"X-Forwarded-For": "203.0.113.9"},
            {"Forwarded": "for=203.0.113.9"},
        ):
            assert web.get("/admin/held", headers=headers).status_code == 403, headers
        assert web.get("/admin", auth=("me", key)).status_code == 403
    with httpx.Client(base_url=serve(sqlite, admin_key=key), headers={"Host": "bills.example"}) as web:
        reply = web.get("/admin/runs")
        assert reply.status_code == 401 and reply.headers["www-authenticate"].startswith("Basic ")
        assert web.get("/admin/runs", auth=("me", "wrong")).status_code == 401
        assert web.get("/admin/runs", auth=("me", key + "é")).status_code == 401
        reply = web.get("/admin/runs", auth=("me", key))
        assert reply.status_code == 200 and reply.headers["cache-control"] == "no-store"
        assert web.post("/admin/runs", auth=("me", key)).status_code == 405


def test_admins_see_what_was_held_back_and_what_nobody_knows(site: httpx.Client) -> None:
    held = tree(site, "/admin/held")
    assert "bills fell from 900 to 3" in words(held) and "not yet good" in words(held)
    (run,) = held.xpath("//tbody/tr/td[1]/a/@href")
    assert "Laid upon the" in words(tree(site, run))
    assert "41" in words(tree(site, "/admin/actions?state=oh"))
    assert words(tree(site, "/admin/actions?state=va").xpath("//main")[0]).endswith("Every action text is known.")
    assert "Ohio" in words(tree(site, "/admin")) and "No such run." in words(tree(site, "/admin/runs?status=failed"))
    tree(site, "/admin/runs/999", 404)


def test_freshness_is_the_surveys(site: httpx.Client) -> None:
    page = tree(site, "/freshness")
    rows = {words(row.xpath("./th")[0]): words(row) for row in page.xpath("//tbody/tr")}
    assert len(rows) == 56
    assert "failing" in rows["Ohio"] and "bills fell" in rows["Ohio"] and "unseen" in rows["Guam"]
    assert next(iter(rows)) == "Ohio"


def test_what_is_remembered_follows_the_data(sqlite: Engine, site: httpx.Client) -> None:
    def bills() -> str:
        return words(tree(site, "/strategies/tax_credits").xpath("//dl[@class='figures']/div[1]/dd")[0])

    assert (bills(), bills()) == ("3", "3")
    analysts.load(sqlite, [analysts.bill("va", "2026", "HB 77", "A tax credit for all.")], sites.LATER)
    analysts.tag(sqlite, sites.LATER + dt.timedelta(hours=1))
    assert bills() == "4"


def test_a_passage_leads_to_where_else_it_stands(sqlite: Engine, serve: Serve) -> None:
    title = "A credit against tax liability for employers who hire graduates of registered career academies"
    analysts.load(
        sqlite, [analysts.bill("tx", "89R", "HB 1", f"{title} tax credit"), analysts.bill("oh", "136", "HB 2", title)]
    )

    class TitleTagger(analysts.PhraseTagger):
        """Its evidence is the whole title."""

        def tag(self, bills: Any) -> Any:
            contents = list(bills)
            for content, found in zip(contents, super().tag(contents), strict=True):
                for tag in found["tags"]:
                    if tag["value"]:
                        whole = content["title"]
                        tag["evidence"] = [{"field": "title", "start": 0, "end": len(whole), "quote": whole}]
                yield found

    analysts.tag(sqlite, tagger=TitleTagger())
    with httpx.Client(base_url=serve(sqlite)) as web:
        page = tree(web, "/bill/tx/89R/HB%201")
        (link,) = page.xpath("//a[contains(@href, '/spread')][contains(text(), 'where else')]/@href")
        spread = tree(web, link)
        assert len(spread.xpath("//section[@aria-labelledby='first']//tbody/tr")) == 2
        assert quote("HB 2") in "".join(spread.xpath("//tbody//a/@href"))
