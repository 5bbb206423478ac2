"""The pages behind a mail's links: looking changes nothing, a link is good for one thing, consent is double."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import Engine, select, text

from alerts import subscriptions, tokens
from alerts.sending import send
from alerts.subscriptions import Reader, find
from tests.alerts.data import HASHER, NOW, bill, load, reader, settings
from tests.conftest import browser
from tracker.db import reading, writing
from tracker.models.readers import FeedbackRow
from tracker.settings import Settings
from tracker.web.application import create_app
from tracker.web.dependencies import clock

DAY = dt.timedelta(days=1)


class Web:
    """Asks the app as a browser would; follows no redirect."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def request(self, method: str, url: str, data: Any = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                return await client.request(method, url, data=data)

        return asyncio.run(ask())

    def get(self, url: str) -> httpx.Response:
        return self.request("GET", url)

    def post(self, url: str, data: Any = None) -> httpx.Response:
        return self.request("POST", url, data)


class Site:
    """The whole app over a test's database, at a moment that can be moved."""

    def __init__(self, engine: Engine, folder: Path, **more: Any) -> None:
        self.settings: Settings = settings(folder, database_url=str(engine.url), **more)
        self.app = create_app(self.settings)
        self.now = NOW
        self.app.dependency_overrides[clock] = lambda: self.now
        self.web = Web(self.app)
        self.engine = engine

    def state(self) -> list[Any]:
        """Everything that a page could change."""
        tables = ("subscriber", "subscription", "suppression", "feedback", "digest_issue", "delivery")
        with reading(self.engine) as connection:
            return [connection.execute(text(f"SELECT * FROM {name} ORDER BY id")).all() for name in tables]

    def mails(self) -> list[Any]:
        """The mails written so far, oldest first."""
        files = sorted(self.settings.outbox.glob("*.eml"), key=lambda f: f.stat().st_mtime_ns)
        return [message_from_bytes(f.read_bytes(), policy=policy.default) for f in files]


@pytest.fixture
def site(sqlite: Engine, tmp_path: Path) -> Iterator[Site]:
    made = Site(sqlite, tmp_path)
    yield made
    made.app.state.engine.dispose()


def issued(site: Site, **wishes: Any) -> tuple[Reader, dict[str, str], str]:
    """A reader who got a digest: the links in it by purpose, and its HTML."""
    load(site.engine, [bill("HB 1"), bill("HB 2", title="A grant")])
    who = reader(site.engine, **wishes)
    assert len(send(site.engine, site.settings, now=NOW).mails) == 1
    html = site.mails()[-1].get_body(("html",)).get_content()
    return who, {m[1]: m[0] for m in re.findall(r'href="(http://[^"/]+/(\w+)/[^"?]+)"', html)}, html


def link_in(mail: Any) -> str:
    found = re.search(r"http://\S+", mail.get_body(("plain",)).get_content())
    assert found
    return found.group()


# ---------------------------------------------------------------- joining and leaving


def test_double_opt_in_by_post(site: Site) -> None:
    assert site.web.get("/subscribe").status_code == 200
    form = {"email": "new@example.org", "states": "tx", "strategies": ["tax_credits"], "timezone": "America/Chicago"}
    assert "Look into your mailbox" in site.web.post("/subscribe", data=form).text
    load(site.engine, [bill("HB 1")])
    assert send(site.engine, site.settings, now=NOW).mails == []
    (letter,) = site.mails()
    assert letter["Subject"] == "Please confirm your bill digest" and "List-Unsubscribe" not in letter
    url = link_in(letter)
    before = site.state()
    assert "Yes, send it" in site.web.get(url).text
    assert site.state() == before and not find(site.engine, "new@example.org").confirmed
    assert "is confirmed" in site.web.post(url).text
    assert find(site.engine, "new@example.org").states == ("tx",)
    assert [m["to"] for m in send(site.engine, site.settings, now=NOW).mails] == ["new@example.org"]


def test_a_confirmation_expires_and_is_good_for_nothing_else(site: Site) -> None:
    site.web.post("/subscribe", data={"email": "new@example.org"})
    url = link_in(site.mails()[0])
    assert site.web.get(url.replace("/confirm/", "/preferences/")).status_code == 404
    assert site.web.post(url.replace("/confirm/", "/unsubscribe/")).status_code == 404
    site.now = NOW + 8 * DAY
    assert site.web.post(url).status_code == 404
    assert not find(site.engine, "new@example.org").confirmed


def test_the_form_tells_nobody_who_is_subscribed_and_floods_nobody(site: Site) -> None:
    known = reader(site.engine, "known@example.org", states=["oh"])
    answers = {
        site.web.post("/subscribe", data={"email": address, "states": "tx"}).text
        for address in ("known@example.org", "new@example.org", "known@example.org", "new@example.org")
    }
    assert len(answers) == 1
    assert sorted(m["Subject"] for m in site.mails()) == [
        "Please confirm your bill digest",
        "Your bill digest: preferences",
    ]
    assert find(site.engine, known.email).states == ("oh",)
    for hour in range(1, 30):
        site.now = NOW + hour * dt.timedelta(hours=1)
        site.web.post("/subscribe", data={"email": "new@example.org"})
    assert sum(m["To"] == "new@example.org" for m in site.mails()) <= 6


def test_who_left_may_come_back_by_themselves_and_who_complained_hears_nothing(site: Site) -> None:
    for name, reason in (("left", "unsubscribed"), ("angry", "complaint")):
        subscriptions.unsubscribe(
            site.engine, reader(site.engine, f"{name}@example.org"), hasher=HASHER, now=NOW, reason=reason
        )
        subscriptions.remove(site.engine, f"{name}@example.org")
        site.web.post("/subscribe", data={"email": f"{name}@example.org"})
    (letter,) = site.mails()
    assert letter["To"] == "left@example.org"
    assert find(site.engine, "left@example.org").suppressed
    site.web.post(link_in(letter))
    assert not find(site.engine, "left@example.org").suppressed


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"email": "nobody"}, "is not an e-mail address"),
        ({"email": "a@example.org", "states": "zz"}, "no jurisdiction"),
    ],
)
def test_mistakes_in_the_form_are_said(site: Site, given: dict[str, str], says: str) -> None:
    answer = site.web.post("/subscribe", data=given)
    assert answer.status_code == 422 and says in answer.text and site.mails() == []


def test_the_sign_up_can_be_closed(sqlite: Engine, tmp_path: Path) -> None:
    closed = Site(sqlite, tmp_path, open_signup=False)
    assert closed.web.get("/subscribe").status_code == 404
    assert closed.web.post("/subscribe", data={"email": "a@example.org"}).status_code == 404
    closed.app.state.engine.dispose()


def test_one_click_answers_at_once_without_a_redirect_and_years_later(site: Site) -> None:
    who, links, _ = issued(site)
    url = links["unsubscribe"]
    before = site.state()
    assert '<form method="post">' in site.web.get(url).text and site.state() == before
    site.now = NOW + 3000 * DAY
    answer = site.web.post(url, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.text, answer.history) == (200, "Unsubscribed.\n", [])
    assert answer.elapsed < dt.timedelta(seconds=1)
    assert find(site.engine, who.email).suppressed == "unsubscribed"
    assert send(site.engine, site.settings, now=NOW + 7 * DAY).mails == []


def test_each_link_is_good_for_its_purpose_only_and_not_when_changed(site: Site) -> None:
    _, links, _ = issued(site)
    assert set(links) == {"bills", "digest", "feedback", "preferences", "unsubscribe"}
    before = site.state()
    for purpose in ("digest", "feedback", "preferences", "unsubscribe"):
        token = links[purpose].rpartition("/")[2]
        for other in ("digest", "feedback", "preferences", "unsubscribe", "confirm"):
            changed = token if other != purpose else token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
            for method in ("GET", "POST"):
                assert site.web.request(method, f"/{other}/{changed}").status_code in (404, 405)
    assert site.state() == before


def test_links_of_a_forwarded_mail_change_nothing(site: Site) -> None:
    """What stands before the private part can be given away: none of its links changes anything."""
    _, _, html = issued(site)
    shared = html.partition("Only for you")[0]
    before = site.state()
    for url in set(re.findall(r'href="(http://127[^"]+)"', shared)):
        site.web.get(url)
        site.web.post(url)
    assert site.state() == before


# ---------------------------------------------------------------- preferences


def test_preferences_are_shown_checked_and_stored(site: Site) -> None:
    who, links, _ = issued(site, states=["tx"], searches=[{"name": "n", "text": "x", "states": ["oh"]}])
    url = links["preferences"]
    before = site.state()
    page = site.web.get(url).text
    assert "In the last 30 days" in page and site.state() == before
    form = {
        "states": "oh, tx", "strategies": ["incentives", "tax_credits"], "keywords": "welding\nrobots",
        "searches": 'apprentice* "tax credit"', "bills": "tx/89R/hb 1", "sponsors": "Ruiz", "cadence": "daily",
        "weekday": "3", "hour": "18", "timezone": "America/Chicago", "daily_cap": "7", "min_score": "0.7",
        "paused": "yes",
    }  # fmt: skip
    assert "Saved." in site.web.post(url, data=form).text
    now = find(site.engine, who.email)
    assert (now.states, now.keywords, now.bills) == (("oh", "tx"), ("welding", "robots"), ("tx/89R/HB 1",))
    assert (now.cadence, now.weekday, now.hour, now.daily_cap) == ("daily", 3, 18, 7)
    assert (now.min_score, now.paused, now.empty_weeks) == (0.7, True, False)
    assert [s["text"] for s in now.searches] == ['apprentice* "tax credit"', "x"]
    wrong = site.web.post(url, data={**form, "timezone": "Moon/Base"})
    assert wrong.status_code == 422 and "is not a time zone" in wrong.text
    assert find(site.engine, who.email) == now


def test_an_old_link_changes_nothing_but_a_fresh_one_can_be_mailed(site: Site) -> None:
    who, links, _ = issued(site)
    site.now = NOW + 31 * DAY
    answer = site.web.get(links["preferences"])
    assert answer.status_code == 410 and links["unsubscribe"] in answer.text
    before = find(site.engine, who.email)
    assert site.web.post(links["preferences"], data={"states": "tx"}).status_code == 410
    assert find(site.engine, who.email) == before
    assert "fresh link" in site.web.post(links["preferences"] + "/link").text
    assert site.web.get(link_in(site.mails()[-1])).status_code == 200


def test_the_trade_off_counts_what_each_minimum_costs(sqlite: Engine) -> None:
    from alerts.tradeoff import table

    load(sqlite, [bill("HB 1"), bill("HB 2"), bill("SB 1", state="oh")])
    who = reader(sqlite, states=["tx"])
    with writing(sqlite) as connection:
        connection.execute(text("UPDATE tag SET score = 0.55 WHERE applied AND bill_id = 1"))
        connection.execute(
            text(
                "INSERT INTO feedback (bill_id, strategy, verdict, at) "
                "VALUES (1, 'tax_credits', 'relevant', '2025-03-03T00:00:00.000000Z')"
            )
        )
    found = {step.minimum: (step.bills, step.missed, step.known) for step in table(sqlite, who, now=NOW)}
    assert found[0.5] == (2, 0, 1) and found[0.6] == (1, 1, 1)


def test_a_preview_in_the_browser_sends_and_notes_nothing(site: Site) -> None:
    _, links, _ = issued(site)
    load(site.engine, [bill("HB 9")])
    before = site.state()
    assert "HB 9" in site.web.get(links["preferences"] + "/preview").text
    assert site.state() == before


# ---------------------------------------------------------------- issues and feedback


def test_the_archived_issue_is_what_was_sent_without_the_private_part(site: Site) -> None:
    _, links, sent = issued(site)
    page = site.web.get(links["digest"])
    before, after = page.text[:-20], page.text[-20:]
    at = before.index("Read or share this digest in the browser")
    end = before.index("</p>", at) + len("</p>")
    mail = sent.replace("\r\n", "\n")
    assert mail.startswith(page.text[:end]) and mail.rstrip().endswith(after.rstrip())
    assert mail[end:].partition("Only for you")[0].count("href") == 0
    assert page.headers["X-Robots-Tag"] == "noindex" and "no-store" in page.headers["Cache-Control"]


def test_all_bills_of_an_issue_are_behind_the_link(site: Site) -> None:
    load(site.engine, [bill(f"HB {n}") for n in range(1, 301)])
    reader(site.engine)
    send(site.engine, site.settings, now=NOW)
    html = site.mails()[-1].get_body(("html",)).get_content()
    (url,) = set(re.findall(r'href="([^"]+\?all=1)"', html))
    assert site.web.get(url).text.count("<h4") == 300 > html.count("<h4")


def test_the_public_archive_is_off_unless_switched_on(sqlite: Engine, tmp_path: Path) -> None:
    plain = Site(sqlite, tmp_path)
    _, links, _ = issued(plain)
    assert plain.web.get("/archive").status_code == 404
    shown = Site(sqlite, tmp_path, public_archive="ann@example.org")
    page = shown.web.get("/archive").text
    assert f"{NOW.day} {NOW:%b %Y}: <a" in page
    assert links["digest"] in page and "CTE bills, week 10: 2 new" in page and "ann@example.org" not in page
    for one in (plain, shown):
        one.app.state.engine.dispose()


def test_every_page_of_the_site_links_to_what_is_open(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    usual = Site(sqlite, tmp_path)
    more = Site(sqlite, tmp_path, public_archive="ann@example.org")
    less = Site(sqlite, tmp_path, open_signup=False)
    for address in ("/", "/strategies", "/bill/tx/89R/HB%201", "/sql", "/docs", "/nothing"):
        assert _linked(usual, address) == ["/subscribe"], address
        assert _linked(more, address) == ["/subscribe", "/archive"], address
        assert _linked(less, address) == [], address
    assert [more.web.get(one).status_code for one in ("/subscribe", "/archive")] == [200, 200]
    assert less.web.get("/subscribe").status_code == 404
    for one in (usual, more, less):
        one.app.state.engine.dispose()


def _linked(site: Site, address: str) -> list[str]:
    html = site.web.get(address).text
    assert "</nav>" in html and "Bill tracker" in html
    return re.findall(r'<a href="(/subscribe|/archive)"', html)


def test_feedback_by_form_stores_one_row_an_answer_with_what_was_judged(site: Site) -> None:
    who, links, _ = issued(site)
    url = links["feedback"]
    before = site.state()
    page = site.web.get(url).text
    assert 'name="tx/89R/HB 1|tax_credits"' in page and site.state() == before
    answers = {"tx/89R/HB 1|tax_credits": "relevant", "tx/89R/HB 2|incentives": "not_relevant"}
    for _ in range(2):
        assert "2 answers are kept" in site.web.post(url, data=answers).text
    foreign = {"tx/89R/HB 1|flexibility": "relevant", "oh/136/HB 1|tax_credits": "relevant"}
    site.web.post(url, data={**foreign, "tx/89R/HB 1|tax_credits": "nonsense"})
    with reading(site.engine) as connection:
        rows = connection.execute(select(FeedbackRow).order_by(FeedbackRow.strategy)).all()
    assert [(r.strategy, r.verdict, r.subscriber_id) for r in rows] == [
        ("incentives", "not_relevant", who.id),
        ("tax_credits", "relevant", who.id),
    ]
    assert all(r.issue_id and r.classifier_id for r in rows)
    assert re.search(r'value="relevant" checked', site.web.get(url).text)


def test_pages_carry_the_policy_and_no_script_or_style(site: Site) -> None:
    _, links, _ = issued(site)
    for path in ("/subscribe", links["preferences"], links["feedback"], links["unsubscribe"], "/digest/nonsense"):
        page = site.web.get(path)
        assert "style-src 'self'" in page.headers["Content-Security-Policy"]
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page.text)
    assert "'unsafe-inline'" not in site.web.get(links["digest"]).headers["Content-Security-Policy"]


@pytest.mark.browser
def test_a_browser_shows_the_pages_with_their_styles(site: Site) -> None:
    _, links, _ = issued(site)
    server = uvicorn.Server(uvicorn.Config(site.app, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.05)
    base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        with browser() as running:
            page = running.new_page(viewport={"width": 320, "height": 800}, color_scheme="dark")
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            for purpose in ("digest", "preferences", "feedback"):
                page.goto(links[purpose].replace("http://127.0.0.1:8000", base))
                assert page.evaluate("document.documentElement.scrollWidth") <= 320, purpose
                back = page.evaluate("getComputedStyle(document.querySelector('.in') || document.body).backgroundColor")
                assert back == "rgb(26, 34, 40)", purpose
            assert [words for words in complaints if "Security Policy" in words or "style.css" in words] == []
    finally:
        server.should_exit = True
        thread.join()


def test_scanners_that_fetch_every_link_change_nothing(site: Site) -> None:
    _, _, html = issued(site)
    before = site.state()
    for url in re.findall(r'href="(http://127[^"]+)"', html):
        for method in ("GET", "HEAD", "OPTIONS"):
            site.web.request(method, url)
    assert site.state() == before


def test_tokens_hold_nothing_that_steers_us() -> None:
    assert tokens.read("digest", "x" * 501, "k") is None
    assert tokens.read("digest", "W10.", "k") is None
    with pytest.raises(ValueError, match="not a purpose"):
        tokens.sign("admin", 1, "k")
