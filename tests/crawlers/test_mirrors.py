"""The mirrors: how few queries they take, and that every jurisdiction has a source that works."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from crawlers import dry_run, modules, plans, recordings
from crawlers.mirrors import legiscan, openstates
from crawlers.scrubbing import scrub
from tests.crawlers.replies import crawl, in_memory
from tracker import jurisdictions

API = "https://api.legiscan.com/"
SESSION = {"session_id": 77, "year_start": 2026, "year_end": 2026, "special": 0, "prior": 0}
SESSION |= {"session_name": "2026 Regular Session"}
TEXT = {"type": "Introduced", "date": "2026-01-14", "mime": "application/pdf", "url": "https://legiscan.com/t/1"}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEGISCAN_API_KEY", "a-secret-key-of-32-letters")
    monkeypatch.setenv("OPENSTATES_API_KEY", "another-secret-key")


def bill(number: int, said: str, *more: dict[str, str]) -> dict[str, Any]:
    history = [{"date": "2026-01-14", "action": "Referred to Committee on Finance", "chamber": "H"}, *more]
    return {
        "bill_id": number,
        "change_hash": said,
        "session": SESSION,
        "url": f"https://legiscan.com/VA/bill/HB{number}/2026",
        "state_link": f"https://lis.virginia.gov/bill-details/20261/HB{number}",
        "bill_number": f"HB{number}",
        "bill_type": "B",
        "body": "H",
        "title": f"A made-up bill number {number}",
        "description": f"A made-up bill number {number}; it goes on.",
        "history": history,
        "sponsors": [{"name": "Avery Sample", "sponsor_type_id": 1, "committee_sponsor": 0}],
        "texts": [TEXT],
        "subjects": [{"subject_name": "Education"}],
        "sasts": [{"type_id": 1, "sast_bill_number": "SB 9"}],
        "calendar": [{"date": "2026-02-01", "time": "09:00", "description": "House Finance", "location": "Room 1"}],
        "supplements": [],
    }


def site(bills: list[dict[str, Any]], dataset: list[dict[str, Any]], said: str) -> dict[str, Any]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for entry in dataset:
            file.writestr(f"VA/2026/bill/{entry['bill_number']}.json", json.dumps({"bill": entry}))
    hashes: dict[str, Any] = {"session": SESSION}
    hashes |= {str(at): {k: b[k] for k in ("bill_id", "change_hash")} for at, b in enumerate(bills)}
    listed = {**SESSION, "dataset_hash": said, "access_key": "k"}
    old = {**listed, "session_id": 5, "year_start": 2020, "year_end": 2020, "prior": 1}
    replies: dict[str, Any] = {
        address("getDatasetList", state="VA"): {"status": "OK", "datasetlist": [listed, old]},
        address("getMasterListRaw", id=77): {"status": "OK", "masterlist": hashes},
        address("getDatasetRaw", id=77, access_key="k"): packed.getvalue(),
    }
    return replies | {address("getBill", id=b["bill_id"]): {"status": "OK", "bill": b} for b in bills}


def address(op: str, **asked: Any) -> str:
    return f"{API}?{urlencode({'key': 'KEY', 'op': op, **asked})}"


def ask(replies: dict[str, Any], out: Path, **more: Any) -> Any:
    return crawl(legiscan.Spider, "va", replies, out, session="", source="legiscan", **more)


def test_legiscan_takes_a_dataset_then_single_bills(tmp_path: Path) -> None:
    stale = [bill(1, "a"), bill(2, "b"), bill(3, "c")]
    moved = bill(3, "c2", {"date": "2026-01-20", "action": "Reported from Finance", "chamber": "H"})
    first, bills = ask(site([*stale[:2], moved], stale, "w1"), tmp_path / "a.jsonl")
    # The list, the hashes, the dataset, and the bill that moved after the dataset was made.
    assert (first.outcome, first.complete, first.requests, len(bills)) == ("ok", True, 4, 3)
    assert [len(b["actions"]) for b in sorted(bills, key=lambda b: str(b["identifier"]))] == [1, 1, 2]
    assert bills[0]["legislative_session"] == "2026"
    assert bills[0]["related_bills"] == [{"identifier": "SB 9", "relation_type": "companion"}]

    same, bills = ask(site([*stale[:2], moved], stale, "w1"), tmp_path / "b.jsonl", known=first.validators)
    assert (same.requests, bills, same.complete) == (2, [], True)
    assert same.present == {"2026/HB 1", "2026/HB 2", "2026/HB 3"}

    news = [bill(1, "a2"), stale[1], moved]
    third, bills = ask(site(news, stale, "w1"), tmp_path / "c.jsonl", known=same.validators)
    assert ([b["identifier"] for b in bills], third.requests) == (["HB 1"], 3)

    weekly, bills = ask(site([bill(1, "a3"), stale[1], moved], [bill(1, "a3")], "w2"), tmp_path / "d.jsonl",
                        known=third.validators)  # fmt: skip
    assert ([b["identifier"] for b in bills], weekly.requests) == (["HB 1"], 3)


def test_legiscan_keeps_its_key_to_itself(tmp_path: Path) -> None:
    account, _ = ask(site([bill(1, "a")], [], "w1"), tmp_path / "a.jsonl")
    failed, _ = ask({}, tmp_path / "b.jsonl")
    said = json.dumps([account.to_json(), failed.to_json()])
    assert "secret" not in said and "legiscan:bill/1" in account.validators
    assert scrub("GET https://x/?key=abc&op=getBill> failed") == "GET https://x/?key=KEY&op=getBill> failed"


@pytest.mark.parametrize(
    "reply",
    [{"status": "ERROR", "alert": {"message": "Invalid API key"}}, b"<html>Request Rejected</html>", b'{"status'],
)
def test_legiscans_errors_fail_the_crawl(tmp_path: Path, reply: Any) -> None:
    replies = {**site([bill(1, "a")], [], "w1"), address("getDatasetList", state="VA"): reply}
    account, bills = ask(replies, tmp_path / "a.jsonl")
    assert account.outcome == "failed" and bills == []


def test_a_real_dataset_is_read_whole(shared: Path, tmp_path: Path) -> None:
    file = shared / "recordings/legiscan/GA_2023-2024_Regular_Session_JSON.zip"
    entry = next(e for e in recordings.find(file.parent) if e["file"] == str(file))
    assert (entry["jurisdiction"], entry["source"]) == ("ga", "legiscan")
    place = jurisdictions.load()["ga"]
    source = jurisdictions.load().sources_for("ga", "legiscan")[0]
    spider = legiscan.Spider(place=place, source=source, session="", out=tmp_path / "o.jsonl", archive=file)
    account = dry_run.run(spider)
    assert (account.outcome, account.bills, account.rejected) == ("ok", 119, [])
    assert account.fields["actions"] == account.fields["sponsorships"] == 119 and account.fields["versions"] == 117
    lines = (tmp_path / "o.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["legislative_session"] for line in lines} == {"2023_24"}


def test_a_real_list_of_datasets_names_sessions_once_each(shared: Path, tmp_path: Path) -> None:
    listed = json.loads((shared / "recordings/legiscan/getDatasetList.json").read_text("utf-8"))["datasetlist"]
    assert len(listed) > 900
    for code in ("va", "ga", "tx", "ca", "ny"):
        place = jurisdictions.load()[code]
        source = jurisdictions.load().sources_for(code, "legiscan")[0]
        out = tmp_path / "o.jsonl"
        spider = legiscan.Spider(place=place, source=source, session="", out=out, recording=in_memory({}))
        names = [spider.session_of(d) for d in listed if d["year_end"] >= 2025 and not d["special"] and
                 base_state(d["state_id"]) == code]  # fmt: skip
        assert len(names) == len(set(names))


def base_state(number: int) -> str:
    """The few of LegiScan's numbers for states that the test needs; they are alphabetical."""
    return {5: "ca", 10: "ga", 32: "ny", 43: "tx", 46: "va"}.get(number, "")


def openstates_bill(number: int, updated: str) -> dict[str, Any]:
    return {
        "id": f"ocd-bill/{number}",
        "session": "2026",
        "jurisdiction": {"id": "ocd-jurisdiction/country:us/state:va/government", "name": "Virginia"},
        "from_organization": {"id": "x", "name": "House", "classification": "lower"},
        "identifier": f"HB {number}",
        "title": f"A made-up bill number {number}",
        "classification": ["bill"],
        "subject": [],
        "updated_at": updated,
        "actions": [
            {
                "description": "Introduced",
                "date": "2026-01-15T04:00:00+00:00",
                "organization": {"classification": "lower"},
                "classification": ["introduction"],
            }
        ],
        "sponsorships": [
            {"name": "Avery Sample", "classification": "primary", "primary": True, "entity_type": "person"}
        ],
        "sources": [{"url": "https://lis.virginia.gov/"}],
        "versions": [{"note": "Introduced", "date": "", "links": [{"url": "https://lis.virginia.gov/x"}]}],
    }


def page(bills: list[Any], number: int, last: int, since: str = "") -> tuple[str, Any]:
    asked = [("jurisdiction", "ocd-jurisdiction/country:us/state:va/government"), ("session", "2026")]
    asked += [("sort", "updated_asc"), ("per_page", "20"), ("page", str(number))]
    asked += [("include", name) for name in openstates.INCLUDE] + ([("updated_since", since)] if since else [])
    data = {"results": bills, "pagination": {"per_page": 20, "page": number, "max_page": last}}
    return f"https://v3.openstates.org/bills?{urlencode(asked)}", data


def test_openstates_goes_on_from_the_last_change_it_saw(tmp_path: Path) -> None:
    early, late = openstates_bill(1, "2026-01-20T01:00:00+00:00"), openstates_bill(2, "2026-01-21T02:00:00+00:00")
    replies = dict([page([early], 1, 2), page([late], 2, 2)])
    options: dict[str, Any] = {"session": "2026", "source": "openstates"}
    first, bills = crawl(openstates.Spider, "va", replies, tmp_path / "a.jsonl", **options)
    assert (first.outcome, first.complete, len(bills), first.requests) == ("ok", True, 2, 2)
    # Four in the morning in UTC is the evening before in Virginia.
    action = {"date": "2026-01-14", "description": "Introduced", "chamber": "lower", "classification": ["introduction"]}
    assert bills[0]["actions"] == [action]
    replies = dict([page([late], 1, 1, since=late["updated_at"])])
    again, bills = crawl(openstates.Spider, "va", replies, tmp_path / "b.jsonl", known=first.validators, **options)
    assert (again.outcome, again.complete, again.partial, len(bills)) == ("ok", False, True, 1)


def test_every_jurisdiction_has_a_source_that_works() -> None:
    places = jurisdictions.load()
    assert len(places) == 56
    for code in places:
        assert plans.source_of(places[code], "").name
        for source in places.sources_for(code):
            if source.kind == "mirror":
                assert modules.spider(source.module) is not None
                # An admin's one line.
                assert (
                    plans.of([code], places[code].sessions[-1].start, {code: source.name})[0]["source"] == source.name
                )


def test_govbot_is_asked_for_the_right_archive() -> None:
    address = jurisdictions.load().sources_for("us", "govbot")[0].url
    assert address.endswith("/usa-legislation/archive/refs/heads/main.tar.gz")


# ---------------------------------------------------------------- LegiScan's datasets as CSV

CSV = {
    "bills": "bill_id,session_id,bill_number,title,description,url,state_link\n"
    '7,77,SB0012,"Made-up matters","Made-up matters, at length",https://legiscan.com/MI/bill/SB0012/2025,\n'
    "8,77,HJRA,An amendment,An amendment,https://legiscan.com/MI/bill/HJRA/2025,https://legislature.mi.gov/x\n",
    "history": "bill_id,date,chamber,sequence,action\n"
    '7,2025-01-09,Senate,2,"Referred To Committee On Education"\n'
    '7,2025-01-08,Senate,1,"Introduced By Senator Sample"\n',
    "documents": "bill_id,document_id,document_type,document_size,document_mime,document_desc,url,state_link\n"
    "7,1,text,1,text/html,Introduced,https://legiscan.com/t/1,https://legislature.mi.gov/1.htm\n"
    "7,2,supplement,1,application/pdf,Fiscal Note,https://legiscan.com/s/2,\n",
    "sponsors": "bill_id,people_id,position\n7,2,2\n7,1,1\n7,3,3\n",
    "people": "people_id,name,committee_id\n1,Avery Sample,0\n2,Blake Muster,0\n3,Committee on Finance,55\n",
}


def packed_tables(path: Path, *, without: str = "", folder: str = "2025-2026_103rd_Legislature") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, rows in CSV.items():
            if name != without:
                file.writestr(f"MI/{folder}/csv/{name}.csv", rows)
    return path


def replayed(archive: Path, out: Path) -> Any:
    place = jurisdictions.load()["mi"]
    source = jurisdictions.load().sources_for("mi", "legiscan")[0]
    spider = legiscan.Spider(archive=archive, place=place, source=source, session="", out=out)
    account = dry_run.run(spider, in_memory({}))
    return account, [json.loads(line) for line in out.read_text().splitlines()]


def test_legiscans_tables_are_put_together(tmp_path: Path) -> None:
    archive = packed_tables(tmp_path / "MI_2025-2026_Regular_Session_CSV.zip")
    assert recordings.find(tmp_path)[0]["source"] == "legiscan"
    account, (bill, amendment) = replayed(archive, tmp_path / "o.jsonl")
    assert (account.outcome, account.rejected) == ("ok", [])
    assert (bill["legislative_session"], bill["identifier"], bill["chamber"]) == ("2025-2026", "SB 12", "upper")
    assert [a["description"] for a in bill["actions"]] == [
        "Introduced By Senator Sample",
        "Referred To Committee On Education",
    ]
    assert [(s["name"], s.get("entity_type", "person")) for s in bill["sponsorships"]] == [
        ("Avery Sample", "person"),
        ("Blake Muster", "person"),
        ("Committee on Finance", "organization"),
    ]
    assert bill["versions"][0]["links"][0]["url"] == "https://legislature.mi.gov/1.htm"
    assert [d["note"] for d in bill["documents"]] == ["Fiscal Note"]
    assert amendment["classification"] == ["joint resolution"] and amendment["sources"][0]["url"].endswith("gov/x")


@pytest.mark.parametrize(("without", "folder"), [("bills", "2025-2026_103rd_Legislature"), ("", "csv_files")])
def test_a_folder_of_other_tables_fails_with_its_reason(tmp_path: Path, without: str, folder: str) -> None:
    archive = packed_tables(tmp_path / "MI_CSV.zip", without=without, folder=folder)
    account, bills = replayed(archive, tmp_path / "o.jsonl")
    assert account.outcome == "failed" and bills == []
    assert "bills.csv" in account.reason or "names no session" in account.reason


def test_a_real_dataset_as_tables(shared: Path, tmp_path: Path) -> None:
    (archive,) = (shared / "recordings/legiscan").glob("MI_*_CSV.zip")
    account, bills = replayed(archive, tmp_path / "o.jsonl")
    assert (account.outcome, len(bills), account.actions, account.rejected) == ("ok", 1400, 7588, [])
    assert all(bill["versions"] and bill["title"] for bill in bills)
