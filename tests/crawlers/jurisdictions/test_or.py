"""Oregon: real measures where they are there, made-up replies of all entities always."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crawlers import modules
from crawlers.recording import Recording
from tests.crawlers.replies import crawl, real, unknown_sessions

ROOT = "https://api.oregonlegislature.gov/odata/odataservice.svc"
SESSION = f"{ROOT}/LegislativeSessions('2025R1')"
FLAT = f"{ROOT}/Measures?$filter=SessionKey%20eq%20'2025R1'&$format=json"
Spider: Any = modules.spider("or")


def measure(prefix: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "SessionKey": "2025R1",
        "MeasurePrefix": prefix,
        "MeasureNumber": number,
        "RelatingTo": "Relating to made-up matters.",
        "RelatingToFull": "\n\t",
        "CatchLine": "Makes up matters.",
        "MeasureSummary": "\tDigest: Made up. \n\t\t<i>Directs a study.</i>] <b>Creates a grant.</b>",
        "AtTheRequestOf": None,
        "ModifiedDate": "2025-03-01T10:00:00",
        **more,
    }


HISTORY = [
    {
        "MeasureHistoryId": 2,
        "ActionDate": "2025-01-14T09:00:00",
        "Chamber": "H",
        "ActionText": "Referred to Education.",
    },
    {
        "MeasureHistoryId": 1,
        "ActionDate": "2025-01-13T23:30:00",
        "Chamber": "H",
        "ActionText": "First reading. Referred to Speaker's desk.",
    },
    {
        "MeasureHistoryId": 3,
        "ActionDate": "2025-04-01T11:00:00",
        "Chamber": "S",
        "ActionText": "Third reading. Carried by Sample. Passed.",
        "VoteText": "Ayes, 28; Nays, 1.",
    },
    {"MeasureHistoryId": 4, "ActionDate": "2025-05-01T00:00:00", "Chamber": "H", "ActionText": "Governor signed."},
]
SPONSORS = [
    {"SponsorType": "Committee", "CommitteeCode": "HED", "SponsorLevel": "Regular", "PrintOrder": 2},
    {"SponsorType": "Member", "LegislatoreCode": "Rep Sample", "SponsorLevel": "Chief", "PrintOrder": 1},
    {"SponsorType": "Presession", "LegislatoreCode": None, "CommitteeCode": None, "PrintOrder": 0},
]
DOCUMENTS = [
    {"VersionDescription": "Introduced", "DocumentUrl": "https://olis.oregonlegislature.gov/a b.pdf"},
    {"VersionDescription": "House Amendments to Introduced", "DocumentUrl": "https://olis.oregonlegislature.gov/c"},
]
AGENDA = [
    {
        "CommitteCode": "HED",
        "MeetingDate": "2025-02-03T08:00:00",
        "CommitteeProposedAmendments": [
            {
                "AmendmentNumber": "-1",
                "Meaning": "Proposed",
                "ProposedAmendmentUrl": "https://olis.oregonlegislature.gov/d",
            }
        ],
    }
]


def whole() -> dict[str, Any]:
    return measure(
        "HB",
        2001,
        MeasureHistoryActions=HISTORY,
        MeasureSponsors=SPONSORS,
        MeasureDocuments=DOCUMENTS,
        CommitteeAgendaItems=AGENDA,
    )


def site(*measures: Any) -> dict[str, Any]:
    """A session in one page, with names and a meeting to come."""
    expand = "MeasureSponsors,MeasureDocuments,MeasureHistoryActions,CommitteeAgendaItems/CommitteeProposedAmendments"
    meeting = {
        "MeetingGuid": "x",
        "CommitteeCode": "HED",
        "MeetingDate": "2026-12-01T13:00:00",
        "Location": "HR F",
        "MeetingStatusCode": "CANCELLED",
        "AgendaUrl": "https://olis.oregonlegislature.gov/agenda",
        "CommitteeAgendaItems": [{"MeasurePrefix": "HB", "MeasureNumber": 2001}, {"Comments": "no measure"}],
    }
    legislator = {"LegislatorCode": "Rep Sample", "FirstName": "Avery", "LastName": "Sample"}
    sessions = [
        {"SessionKey": "2099R1", "SessionName": "2099 Regular Session", "BeginDate": "2099-01-15T00:00:00"},
        {"SessionKey": "2098R9", "SessionName": "Mock Session", "BeginDate": "2098-01-15T00:00:00"},
        {"SessionKey": "2007R1", "SessionName": "2007 Regular Session", "BeginDate": "2007-01-15T00:00:00"},
    ]
    return {
        f"{ROOT}/LegislativeSessions?$format=json": {"value": sessions},
        f"{SESSION}/Measures?$expand={expand}&$top=500&$skip=0&$format=json": {"value": list(measures)},
        f"{SESSION}/Legislators?$format=json": {"value": [legislator]},
        f"{SESSION}/Committees?$format=json": {"value": [{"CommitteeCode": "HED", "CommitteeName": "House Education"}]},
        f"{ROOT}/CommitteeMeetings?$expand=CommitteeAgendaItems": {"value": [meeting]},
    }


def test_all_entities_make_a_bill(tmp_path: Path) -> None:
    account, (bill,) = crawl(Spider, "or", site(whole()), tmp_path / "o.jsonl", session="2025R1")
    assert (account.outcome, account.complete, account.rejected) == ("ok", True, [])
    assert unknown_sessions(account) == ["2099R1"]
    assert [a["description"] for a in bill["actions"]] == [
        "First reading. Referred to Speaker's desk.",
        "Referred to Education.",
        "Third reading. Carried by Sample. Passed. Ayes, 28; Nays, 1.",
        "Governor signed.",
    ]
    # Late in the evening, local time without a zone: still that day.
    assert (bill["actions"][0]["date"], bill["actions"][0]["chamber"]) == ("2025-01-13", "lower")
    assert [a["chamber"] for a in bill["actions"]][2:] == ["upper", "executive"]
    assert [(s["name"], s.get("entity_type", "person")) for s in bill["sponsorships"]] == [
        ("Avery Sample", "person"),
        ("House Education", "organization"),
    ]
    assert bill["versions"] == [
        {
            "note": "Introduced",
            "links": [{"url": "https://olis.oregonlegislature.gov/a%20b.pdf", "media_type": "application/pdf"}],
        }
    ]
    assert [d["note"] for d in bill["documents"]] == [
        "House Amendments to Introduced",
        "proposed amendment -1 Proposed",
    ]
    assert bill["abstracts"][0]["abstract"] == "Digest: Made up. Creates a grant."
    assert [(h["date"], h["time"], h.get("status"), h["committee"]) for h in bill["hearings"]] == [
        ("2025-02-03", "08:00", None, "House Education"),
        ("2026-12-01", "13:00", "cancelled", "House Education"),
    ]


def test_entities_read_by_themselves_are_joined(tmp_path: Path) -> None:
    of = {"SessionKey": "2025R1", "MeasurePrefix": "HB", "MeasureNumber": 2001}
    flat = {
        FLAT: {"value": [measure("HB", 2001), measure("SJM", 2)]},
        f"{ROOT}/MeasureHistoryActions?$format=json": {"value": [{**of, **row} for row in HISTORY]},
        f"{ROOT}/MeasureSponsors?$format=json": {"d": {"results": [{**of, **row} for row in SPONSORS]}},
        f"{ROOT}/MeasureDocuments?$format=json": {"value": [{**of, **row} for row in DOCUMENTS]},
    }
    _, bills = crawl(Spider, "or", flat, tmp_path / "o.jsonl", session="2025R1")
    assert [b["identifier"] for b in bills] == ["HB 2001", "SJM 2"]
    assert len(bills[0]["actions"]) == 4 and bills[0]["sponsorships"][0]["name"] == "Rep Sample"
    assert bills[1]["classification"] == ["joint memorial"] and not bills[1].get("actions")


@pytest.mark.parametrize(
    "odd",
    [None, [], {}, {"MeasurePrefix": "HB"}, measure("XX", 5), measure("HB", 5, RelatingTo=None, CatchLine=None)],
)
def test_an_odd_measure_costs_only_itself(tmp_path: Path, odd: Any) -> None:
    account, bills = crawl(
        Spider, "or", {FLAT: {"value": [odd, measure("HB", 1)]}}, tmp_path / "o.jsonl", session="2025R1"
    )
    assert [b["identifier"] for b in bills] == ["HB 1"]
    assert account.rejected_count == 1


def test_pages_follow_until_one_is_not_full(tmp_path: Path) -> None:
    replies = site(*(measure("HB", n) for n in range(1, 501)))
    second = next(url for url in replies if "$skip=0" in url).replace("$skip=0", "$skip=500")
    replies[second] = {"value": [measure("SB", 1)]}
    account, bills = crawl(Spider, "or", replies, tmp_path / "o.jsonl", session="2025R1", live=True)
    assert (len(bills), account.complete, account.outcome) == (501, True, "ok")
    del replies[second]
    account, bills = crawl(Spider, "or", replies, tmp_path / "o.jsonl", session="2025R1", live=True)
    assert (account.outcome, bills) == ("failed", [])


@pytest.mark.parametrize(("name", "session"), [("or-2023R1", "2023R1"), ("or-2026R1", "2026R1")])
def test_real_measures_are_read_whole(shared: Path, tmp_path: Path, name: str, session: str) -> None:
    recording = Recording(shared / f"recordings/{name}.warc.gz")
    rows = json.loads(recording.replies[recording.urls()[0]][2])["value"]
    account, bills = real(recording, "or", tmp_path / "o.jsonl")
    assert (account.outcome, account.rejected, account.issues) == ("ok", [], {})
    assert [(b["identifier"], b["title"], b["legislative_session"]) for b in bills] == [
        (f"{r['MeasurePrefix']} {r['MeasureNumber']}", " ".join(r["RelatingTo"].split()), session) for r in rows
    ]
    kinds = {b["identifier"].split()[0]: b.get("classification", ["bill"])[0] for b in bills}
    assert {prefix: kinds[prefix] for prefix in ("HB", "SCR", "HJR") if prefix in kinds} == {
        prefix: kind
        for prefix, kind in {"HB": "bill", "SCR": "concurrent resolution", "HJR": "joint resolution"}.items()
        if prefix in kinds
    }
    assert not any(mark in b["abstracts"][0]["abstract"] for b in bills for mark in ("<i>", "<b>"))
