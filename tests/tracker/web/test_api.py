"""API v3 on a live local server: Open States' surface, its errors, its client, and what is ours."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, text

from tests.tracker import analysts
from tests.tracker.web.conftest import Serve
from tracker.api_keys import add_key, list_keys, revoke_key
from tracker.db import reading, writing
from tracker.history import end_of, read_bill
from tracker.search import Query, search

TX = "ocd-jurisdiction/country:us/state:tx/government"
DAY = dt.timedelta(days=1)


def key_for(engine: Engine, name: str = "tests", **limits: int) -> str:
    with writing(engine) as connection:
        return add_key(connection, name, now=analysts.NOW, **({"per_minute": 10_000} | limits))


@pytest.fixture
def api(engine: Engine, serve: Serve) -> Iterator[httpx.Client]:
    analysts.fill(engine)
    key = key_for(engine)
    with httpx.Client(base_url=serve(engine), headers={"X-API-KEY": key}, timeout=20) as client:
        yield client


@pytest.fixture
def small(sqlite: Engine, serve: Serve) -> Iterator[httpx.Client]:
    """The same on SQLite alone, for what no database has a part in."""
    analysts.load(sqlite)
    key = key_for(sqlite)
    with httpx.Client(base_url=serve(sqlite), headers={"X-API-KEY": key}, timeout=20) as client:
        yield client


def get(api: httpx.Client, path: str, status: int = 200, **params: Any) -> Any:
    reply = api.get(path, params=params)
    assert reply.status_code == status, (reply.url, reply.text[:300])
    return reply.json()


def keys_of(found: dict[str, Any]) -> list[str]:
    return [bill["key"] for bill in found["results"]]


def test_jurisdictions(api: httpx.Client) -> None:
    first = get(api, "/jurisdictions")
    assert first["pagination"] == {"per_page": 52, "page": 1, "max_page": 2, "total_items": 56}
    names = [p["name"] for p in first["results"]]
    assert names == sorted(names)
    (country,) = get(api, "/jurisdictions", classification="country")["results"]
    assert country["id"] == "ocd-jurisdiction/country:us/government"
    parts = {"include": ["organizations", "legislative_sessions", "latest_runs"]}
    for name in ("tx", "Texas", TX, "TX"):
        texas = get(api, f"/jurisdictions/{name}", **parts)
        assert (texas["id"], texas["name"], texas["classification"]) == (TX, "Texas", "state")
    assert texas["division_id"] == "ocd-division/country:us/state:tx"
    assert texas["latest_bill_update"].startswith("2026-02-10T12")
    assert {o["classification"] for o in texas["organizations"]} == {"legislature", "upper", "lower", "executive"}
    assert "89R" in [s["identifier"] for s in texas["legislative_sessions"]]
    assert texas["latest_runs"][0]["success"] is True
    for prefix in ("", "/api/v3"):
        sessions = get(api, f"{prefix}/jurisdictions/tx", include="legislative_sessions")["legislative_sessions"]
        (listed,) = [session["downloads"] for session in sessions if session["downloads"]]
        archive = api.get(listed[0]["url"])
        assert archive.status_code == 200 and archive.headers["content-type"] == "application/zip"
    for missing in ("/downloads/csv/tx/89R.zip", "/downloads/csv/tx/1_2.zip", "/downloads/csv/xx/89R_2.zip"):
        assert api.get(missing).status_code == 404
    assert "organizations" not in get(api, "/jurisdictions/oh")
    assert get(api, "/jurisdictions/atlantis", 404) == {"detail": "No such Jurisdiction."}


def test_one_bill_in_every_spelling(api: httpx.Client) -> None:
    bill = get(api, "/bills/tx/89R/HB 12")
    assert get(api, f"/bills/{bill['id']}") == bill
    for path in ("/bills/TX/89R/hb12", "/bills/Texas/89R/HB0012", "/api/v3/bills/tx/89R/HB 12/"):
        assert get(api, path) == bill
    assert bill["title"].startswith("Relating to a franchise tax credit")
    assert bill["jurisdiction"] == {"id": TX, "name": "Texas", "classification": "state"}
    assert bill["from_organization"]["classification"] == "lower"
    assert bill["subject"] == ["Taxation", "Labor, Apprenticeship"] and bill["classification"] == ["bill"]
    assert bill["latest_action_date"] == "2026-02-01" == bill["first_action_date"]
    assert "sponsorships" not in bill and "latest_passage_date" not in bill
    assert bill["openstates_url"] == "http://127.0.0.1:8000/bill/tx/89R/HB%2012"
    for missing in ("/bills/tx/89R/HB 999", "/bills/tx/1/HB 12", "/bills/xx/1/HB 12", "/bills/ocd-bill/x"):
        assert get(api, missing, 404) == {"detail": "No such Bill."}


def test_parts_come_when_asked_for(api: httpx.Client) -> None:
    parts = ["sponsorships", "abstracts", "other_titles", "other_identifiers", "actions", "sources", "documents"]
    parts += ["versions", "votes", "related_bills", "tags", "hearings"]
    bill = get(api, "/bills/tx/89R/HB 12", include=parts)
    assert [s["name"] for s in bill["sponsorships"]] == ["Murphy, Carol A.", "Ortiz"]
    assert bill["sponsorships"][1]["primary"] is False
    (action,) = bill["actions"]
    assert (action["date"], action["order"], action["classification"]) == ("2026-02-01", 0, ["introduction"])
    assert action["organization"]["name"] == "House of Representatives"
    assert [v["note"] for v in bill["versions"]] == ["Introduced", "Engrossed"]
    assert bill["versions"][1]["links"][0]["media_type"] == "application/pdf"
    assert bill["documents"][0]["note"] == "Fiscal note" and bill["votes"] == [] == bill["other_identifiers"]
    assert bill["related_bills"] == [{"identifier": "SB 7", "legislative_session": "89R", "relation_type": "companion"}]
    applied = {tag["strategy"]: tag for tag in bill["tags"] if tag["applied"]}
    evidence = applied["tax_credits"]["evidence"][0]
    assert evidence["quote"] == bill["title"][evidence["start"] : evidence["end"]] == "tax credit"
    assert bill["hearings"][0]["committee"] == "Ways & Means"
    assert get(api, "/bills/tx/89R/HB 12", include=parts) == bill
    assert get(api, "/bills/tx/89R/HB 12", 422, include="everything")["detail"][0]["loc"]


def test_filters(api: httpx.Client) -> None:
    def found(**params: Any) -> set[str]:
        return set(keys_of(get(api, "/bills", per_page=20, **params)))

    texas = {"tx/89R/HB 12", "tx/89R/SB 7"}
    assert found(jurisdiction="tx") == found(jurisdiction="Texas", session="89R") == texas
    assert found(jurisdiction=TX, chamber="upper") == {"tx/89R/SB 7"}
    assert found(jurisdiction="tx", identifier=["hb12", "H.B. 012", "SB 999"]) == {"tx/89R/HB 12"}
    assert found(jurisdiction="va", classification="resolution") == {"va/2026/HJ 5"}
    assert found(jurisdiction="tx", subject=["taxation", "Labor, Apprenticeship"]) == {"tx/89R/HB 12"}
    assert found(jurisdiction="tx", subject=["Taxation", "Education"]) == set()
    assert found(jurisdiction="tx", action_since="2026-01-25") == {"tx/89R/HB 12"}
    assert found(jurisdiction="tx", updated_since="2026-02-10T11:00:00", created_since="2026-02-10") == texas
    assert found(jurisdiction="tx", updated_since="2026-02-10T13:00:00+00:00") == set()
    assert found(jurisdiction="tx", sponsor="murphy") == {"tx/89R/HB 12"}
    assert found(jurisdiction="tx", sponsor="Ortiz", sponsor_classification="primary") == {"tx/89R/HB 12"}
    assert found(jurisdiction="tx", sponsor="Ortiz", sponsor_classification="cosponsor") == set()
    assert found(q="HB 12") == {"tx/89R/HB 12", "oh/136/HB 12"}
    assert found(q='"tax credit') == found(q="tax credit") >= texas
    assert found(jurisdiction="t\x00x") == texas
    assert found(q='"tax credit" -franchise') == {"tx/89R/SB 7"}
    assert found(q="apprentice*", jurisdiction="tx", session="89R", chamber="upper") == {"tx/89R/SB 7"}
    assert found(strategy="tax_credits") == texas
    assert found(strategy=["tax_credits", "flexibility"]) == {*texas, "oh/136/SB 120"}
    assert found(strategy="flexibility", min_score=0.1, jurisdiction="tx") == texas
    assert found(strategy="flexibility", min_score=0.5, jurisdiction="tx") == set()
    assert found(jurisdiction="us", stage="introduced") <= {"us/119/HR 9"}
    assert found(jurisdiction="Atlantis") == set()


def test_a_score_means_the_same_in_api_search_and_sql(api: httpx.Client, engine: Engine) -> None:
    with reading(engine) as connection:
        for score in (0.0, 0.2, 0.5, 0.9, 0.95):
            for strategy in ("tax_credits", "flexibility"):
                sql = text(
                    "SELECT DISTINCT b.bill_key FROM v_bills b JOIN v_tags t ON t.bill_id = b.bill_id"
                    " WHERE t.strategy = :strategy AND t.score >= :score"
                )
                asked = set(connection.execute(sql, {"strategy": strategy, "score": score}).scalars())
                found = get(api, "/bills", strategy=strategy, min_score=score, per_page=20)
                hits = search(connection, Query(strategies=[strategy], min_score=score)).hits
                assert set(keys_of(found)) == asked == {hit.key for hit in hits}, (score, strategy)


def test_order_and_pages(api: httpx.Client) -> None:
    by_action = keys_of(get(api, "/bills", q="credit OR apprenticeship OR career", sort="latest_action_desc"))
    assert by_action[0] == "md/2026/SB 44" and len(by_action) == 6
    backwards = get(api, "/bills", q="credit OR apprenticeship OR career", sort="latest_action_asc")
    assert keys_of(backwards)[-1] == "md/2026/SB 44"
    pages = [get(api, "/bills", jurisdiction="tx", per_page=1, page=n, sort="first_action_asc") for n in (1, 2)]
    assert [keys_of(p) for p in pages] == [["tx/89R/SB 7"], ["tx/89R/HB 12"]]
    assert pages[1]["pagination"] == {"per_page": 1, "page": 2, "max_page": 2, "total_items": 2}
    assert get(api, "/bills", jurisdiction="tx")["pagination"]["per_page"] == 10
    assert get(api, "/bills", jurisdiction="tx", sort="updated_asc")["pagination"]["total_items"] == 2


ERRORS: list[tuple[str, dict[str, Any], int]] = [
    ("/bills", {}, 400),
    ("/bills", {"jurisdiction": "tx", "per_page": 21}, 400),
    ("/bills", {"jurisdiction": "tx", "per_page": 0}, 400),
    ("/bills", {"jurisdiction": "tx", "page": 2}, 404),
    ("/bills", {"jurisdiction": "tx", "page": 0}, 404),
    ("/bills", {"jurisdiction": "tx", "page": 10**30}, 404),
    ("/bills", {"jurisdiction": "tx", "page": "x"}, 422),
    ("/bills", {"session": "89R", "q": "tax"}, 400),
    ("/bills", {"jurisdiction": "tx", "identifier": [f"HB {n}" for n in range(21)]}, 400),
    ("/bills", {"jurisdiction": "tx", "updated_since": "soon"}, 400),
    ("/bills", {"jurisdiction": "tx", "action_since": "2026-13-01"}, 400),
    ("/bills", {"jurisdiction": "tx", "sponsor_classification": "primary"}, 400),
    ("/bills", {"jurisdiction": "tx", "sort": "title"}, 422),
    ("/bills", {"q": "of the"}, 400),
    ("/bills", {"strategy": "bribes"}, 400),
    ("/bills", {"strategy": "tax_credits", "min_score": 2}, 422),
    ("/people", {}, 400),
    ("/people", {"district": "1", "name": "x"}, 400),
    ("/people", {"jurisdiction": "tx", "per_page": 51}, 400),
    ("/people.geo", {"lat": "x", "lng": 1}, 422),
    ("/committees/ocd-organization/x", {}, 404),
    ("/committees", {"per_page": 21}, 400),
    ("/events", {}, 400),
    ("/events", {"jurisdiction": "tx", "after": "soon"}, 400),
    ("/events/ocd-event/x", {}, 404),
    ("/jurisdictions", {"per_page": 53}, 400),
    ("/jurisdictions", {"classification": "planet"}, 422),
    ("/changes", {"after": -1}, 422),
    ("/changes", {"kind": "gossip"}, 422),
    ("/changes", {"jurisdiction": "Atlantis"}, 400),
    ("/bills/tx/89R/HB 12", {"as_of": "soon"}, 400),
    ("/bills/tx/89R", {}, 404),
]


def test_errors(api: httpx.Client) -> None:
    for path, params, status in ERRORS:
        reply = api.get(path, params=params)
        assert reply.status_code == status, (reply.url, reply.text)
        if reply.headers["content-type"] == "application/json":
            detail = reply.json()["detail"]
            assert detail and (isinstance(detail, list) == (status == 422))


def test_nobody_is_known(small: httpx.Client) -> None:
    for path, params in (
        ("/people", {"jurisdiction": "tx"}),
        ("/people", {"name": "Murphy"}),
        ("/people.geo", {"lat": 30.2, "lng": -97.7}),
        ("/committees", {"jurisdiction": "tx"}),
    ):
        found = get(small, path, **params)
        assert found["results"] == [] and found["pagination"]["total_items"] == 0


def test_events_are_meetings(api: httpx.Client, engine: Engine) -> None:
    parts = {"include": ["agenda", "participants", "links", "sources", "media", "documents"]}
    found = get(api, "/events", jurisdiction="tx", **parts)
    (event,) = found["results"]
    assert found["pagination"]["total_items"] == 1
    assert event["start_date"] == "2026-02-20T09:00:00-06:00" and not event["all_day"]
    assert (event["name"], event["status"], event["deleted"]) == ("Ways & Means", "confirmed", False)
    assert event["location"]["name"] == "E2.010"
    (item,) = event["agenda"]
    assert item["related_entities"][0]["bill"]["identifier"] == "HB 12"
    assert get(api, f"/events/{event['id']}", **parts) == event
    assert get(api, "/events", jurisdiction="tx", after="2026-02-20", before="2026-02-21")["results"]
    for outside in ({"after": "2026-02-21"}, {"before": "2026-02-20"}, {"deleted": True}):
        assert get(api, "/events", jurisdiction="tx", **outside)["results"] == []
    assert get(api, "/events", jurisdiction="oh", require_bills=True)["results"] == []
    bill = copy.deepcopy(analysts.BILLS[0])
    bill["hearings"] = []
    analysts.load(engine, [bill], analysts.NOW + DAY)
    assert get(api, "/events", jurisdiction="tx")["results"] == []
    (gone,) = get(api, "/events", jurisdiction="tx", deleted=True)["results"]
    assert gone["id"] == event["id"] and gone["deleted"]


def test_changes_by_sequence_number(api: httpx.Client, engine: Engine) -> None:
    whole = get(api, "/changes", limit=1000)
    seqs = [row["seq"] for row in whole["results"]]
    assert seqs == sorted(set(seqs)) and whole["last_seq"] == seqs[-1] and not whole["more"]
    paged: list[int] = []
    after, more = 0, True
    while more:
        page = get(api, "/changes", after=after, limit=4)
        paged += [row["seq"] for row in page["results"]]
        after, more = page["last_seq"], page["more"]
    assert paged == seqs
    ohio = get(api, "/changes", jurisdiction="Ohio", kind=["new_bill", "tag_gained"])
    assert {(r["jurisdiction"], r["kind"]) for r in ohio["results"]} == {("oh", "new_bill"), ("oh", "tag_gained")}
    assert ohio["last_seq"] == seqs[-1]
    assert get(api, "/changes", after=after) == {"results": [], "last_seq": after, "more": False}
    analysts.load(engine, [dict(analysts.BILLS[1], title="Another title")], analysts.NOW + DAY)
    (news,) = get(api, "/changes", after=after)["results"]
    assert (news["key"], news["kind"], news["before"]["title"]) == ("tx/89R/SB 7", "title", analysts.BILLS[1]["title"])


def test_as_of_is_what_show_says(api: httpx.Client, engine: Engine) -> None:
    later = copy.deepcopy(analysts.BILLS[0])
    later["title"] = "Relating to something else."
    later["actions"].append({"date": "2026-02-11", "description": "Passed the House", "chamber": "lower"})
    analysts.load(engine, [later], analysts.NOW + DAY)
    analysts.tag(engine, analysts.NOW + DAY)
    now = get(api, "/bills/tx/89R/HB 12", include=["tags", "actions"])
    assert now["title"] == later["title"] and len(now["actions"]) == 2
    assert not [t for t in now["tags"] if t["strategy"] == "tax_credits" and t["applied"]]
    for then in (
        get(api, "/bills/tx/89R/HB 12", as_of="2026-02-10", include=["tags", "actions"]),
        get(api, "/bills", jurisdiction="tx", session="89R", identifier="HB 12", as_of="2026-02-10",
            include=["tags", "actions"])["results"][0],
    ):  # fmt: skip
        with reading(engine) as connection:
            shown = read_bill(connection, "tx/89R/HB 12", end_of(dt.date(2026, 2, 10)))
        assert then["title"] == shown["title"] == analysts.BILLS[0]["title"]
        assert then["stage"] == shown["stage"] and then["latest_action_date"] == "2026-02-01"
        assert [a["description"] for a in then["actions"]] == [a["description"] for a in shown["actions"]]
        tags = [(t["strategy"], t["score"]) for t in then["tags"] if t["applied"]]
        assert tags == [(t["strategy"], t["score"]) for t in shown["tags"] if t["applied"]] and tags
    assert "first seen 2026-02-10" in get(api, "/bills/tx/89R/HB 12", 404, as_of="2026-02-09")["detail"]
    assert get(api, "/bills", jurisdiction="tx", as_of="2026-02-09")["results"] == []
    other = get(api, "/bills/tx/89R/HB 12", include="other_titles")
    assert [t["title"] for t in other["other_titles"]] == [analysts.BILLS[0]["title"]]


def test_keys_and_limits(sqlite: Engine, serve: Serve) -> None:
    analysts.load(sqlite)
    small = key_for(sqlite, "small", per_minute=3)
    daily = key_for(sqlite, "daily", per_day=2)
    with httpx.Client(base_url=serve(sqlite)) as web:
        assert web.get("/jurisdictions").status_code == 403
        for wrong in (small + "x", "x", "é"):
            assert web.get("/jurisdictions", params={"apikey": wrong}).status_code == 401
        by_address = web.get("/jurisdictions/tx", params={"apikey": daily})
        assert by_address.status_code == 200
        assert web.get("/jurisdictions/tx", headers={"X-API-KEY": daily}).status_code == 200
        over = web.get("/jurisdictions/tx", headers={"X-API-KEY": daily})
        assert over.status_code == 429 and over.json() == {"detail": "exceeded limit of 2/day: 3"}
        assert 1 <= int(over.headers["retry-after"]) <= 86_400
        replies = [web.get("/jurisdictions/tx", headers={"x-api-key": small}) for _ in range(8)]
        codes = [reply.status_code for reply in replies]
        # A minute may turn while they run.
        assert codes[0] == 200 and 429 in codes and codes.count(200) <= 6
        over = replies[codes.index(429)]
        assert over.json()["detail"] == "exceeded limit of 3/min: 4" and 1 <= int(over.headers["retry-after"]) <= 60
        with writing(sqlite) as connection:
            revoke_key(connection, "daily", now=analysts.NOW)
        assert web.get("/jurisdictions/tx", headers={"X-API-KEY": daily}).status_code == 401
        assert web.get("/openapi.json").status_code == 200


def test_servers_of_one_database_share_a_limit(engine: Engine, serve: Serve) -> None:
    analysts.load(engine)
    headers = {"X-API-KEY": key_for(engine, "both", per_day=3)}
    one, other = serve(engine), serve(engine)
    codes = [httpx.get(f"{at}/jurisdictions/tx", headers=headers).status_code for at in (one, other, other, one, other)]
    assert codes == [200, 200, 200, 429, 429]


def test_use_of_keys_is_noted(sqlite: Engine, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.web.upkeep.SECONDS", 0.05)
    key = key_for(sqlite)
    address = serve(sqlite)
    assert httpx.get(f"{address}/jurisdictions/tx", headers={"X-API-KEY": key}).status_code == 200
    deadline = dt.datetime.now() + dt.timedelta(seconds=10)
    while dt.datetime.now() < deadline:
        with reading(sqlite) as connection:
            if list_keys(connection)[0]["last_used"]:
                return
    raise AssertionError("the key's use was not noted")


def test_an_unchanged_reply_is_not_sent_again(api: httpx.Client, engine: Engine) -> None:
    first = api.get("/bills", params={"jurisdiction": "tx"})
    tag = first.headers["etag"]
    again = api.get("/bills", params={"jurisdiction": "tx"}, headers={"If-None-Match": tag})
    assert again.status_code == 304 and again.content == b"" and again.headers["etag"] == tag
    assert api.get("/bills", params={"jurisdiction": "oh"}, headers={"If-None-Match": tag}).status_code == 200
    analysts.load(engine, [dict(analysts.BILLS[1], title="Another title")], analysts.NOW + DAY)
    assert api.get("/bills", params={"jurisdiction": "tx"}, headers={"If-None-Match": tag}).status_code == 200


def test_other_sites_may_read_the_api_and_nothing_else(small: httpx.Client) -> None:
    there = {"Origin": "https://elsewhere.example"}
    asked = {**there, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-api-key"}
    for path in ("/bills", "/api/v3/bills"):
        first = httpx.options(f"{small.base_url}{path}", headers=asked)
        assert first.status_code == 200 and first.headers["access-control-allow-origin"] == "*"
        reply = small.get(path, params={"jurisdiction": "tx"}, headers=there)
        assert reply.status_code == 200 and reply.headers["access-control-allow-origin"] == "*"
        assert httpx.get(f"{small.base_url}{path}", headers=there).status_code == 403
    assert "access-control-allow-origin" not in small.get("/sql", headers=there).headers


def test_browsers_are_led_to_the_page(small: httpx.Client) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = httpx.get(f"{small.base_url}/bills/tx/89R/HB%2012", headers=browser)
    assert page.status_code == 302 and page.headers["location"] == "/bill/tx/89R/HB%2012"
    assert small.get("/bills/tx/89R/HB 12", headers=browser).status_code == 200


Client = Callable[..., Any]


def _whole_sessions(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The client's download of a session, of each kind of file."""
    from pyopenstates import downloads

    monkeypatch.setattr(downloads, "TEMP_PATH", folder)

    def rows(kind: downloads.FileType, state: str = "tx", session: str = "89R") -> list[dict[str, str]]:
        return list(downloads.load_csv(state, session, kind))

    kinds = downloads.FileType
    bills = {row["identifier"]: row for row in rows(kinds.Bills)}
    assert set(bills) == {"HB 12", "SB 7"} and bills["SB 7"]["title"] == analysts.BILLS[1]["title"]
    assert rows(kinds.Actions)[0]["bill_id"] == bills["HB 12"]["id"]
    assert [row["name"] for row in rows(kinds.Sponsorships)] == ["Murphy, Carol A.", "Ortiz"]
    versions = {row["id"]: row["note"] for row in rows(kinds.Versions)}
    assert [versions[row["version_id"]] for row in rows(kinds.VersionLinks)] == ["Introduced", "Engrossed"]
    assert len(rows(kinds.Sources)) == 2 and rows(kinds.Votes) == [] == rows(kinds.VotePeople)
    assert {row["classification"] for row in rows(kinds.Organizations)} >= {"upper", "lower"}
    assert len(rows(kinds.Bills, "nv", "83")) == 25
    assert rows(kinds.Bills, "co", "2026A")[0]["title"].startswith("'=cmd|")
    with pytest.raises(ValueError, match="invalid session"):
        rows(kinds.Bills, "tx", "1")


def test_the_public_client_works_unchanged(
    engine: Engine, serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    analysts.fill(engine)
    many = [analysts.bill("nv", "83", f"AB {n}", f"An act, number {n}") for n in range(1, 26)]
    analysts.load(engine, many)
    monkeypatch.setenv("OPENSTATES_API_KEY", "set below")
    from pyopenstates import core

    monkeypatch.setattr(core, "API_ROOT", serve(engine))
    monkeypatch.setattr(core, "sleep", lambda seconds: None)
    core.set_api_key(key_for(engine))
    try:
        states = core.get_metadata()
        assert len(states) == 52 and isinstance(states[0]["name"], str)
        texas = core.get_metadata("TX", include="legislative_sessions")
        assert texas["id"] == TX and isinstance(texas["latest_bill_update"], dt.datetime)
        assert core.get_metadata("dc", fields=["name"]) == {"name": "District of Columbia"}
        assert {o["classification"] for o in core.get_organizations("ne")} == {"legislature", "executive"}
        assert core.search_districts("tx", "upper") == []
        bills = core.search_bills(state="nv")
        assert len(bills) == 25 and len({bill["id"] for bill in bills}) == 25
        assert isinstance(bills[0]["updated_at"], dt.datetime)
        assert len(core.search_bills(state="nv", per_page=7, page=2, all_pages=False)) == 7
        (found,) = core.search_bills(q='"tax credit"', state="Texas", chamber="upper", include="abstracts")
        bill = core.get_bill(found["id"], include=["actions", "sponsorships", "versions"])
        assert bill["identifier"] == "SB 7" and bill["actions"]
        assert core.get_bill(state="TX", session="89R", bill_id="SB 7", include=["actions"])["id"] == found["id"]
        assert core.search_legislators(jurisdiction="tx") == []
        assert core.locate_legislators(30.2, -97.7) == []
        with pytest.raises(core.NotFound):
            core.get_bill(state="tx", session="89R", bill_id="HB 4711")
        _whole_sessions(monkeypatch, tmp_path)
        with pytest.raises(core.APIError):
            core.search_bills(session="89R")
    finally:
        core.session.headers.pop("X-Api-Key", None)
        core.session.close()
