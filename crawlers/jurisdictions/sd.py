"""South Dakota: the JSON interface behind sdlegislature.gov, whose pages are JavaScript shells.

Source: https://sdlegislature.gov/api/, no key: a list of a session's bills, two documents a bill.
Terms: public; nobody noted a rule against automated use. Sessions: the site numbers them, 71 is 2026.
Oddities: the list shows no action, so a few bills are probed at each crawl, and all once one has moved; an action's
sentence is put together in the browser from a status, a description, a committee and a vote, any of which may be null.
History: 2026-11 begun with `billtracker new-state`, on replies written from the facts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from crawlers import tables
from crawlers.api import ApiSpider

BASE = "https://sdlegislature.gov/api"
DOCUMENT = "https://mylrc.sdlegislature.gov/api/Documents"
KINDS = {"B": "bill", "CR": "concurrent resolution", "JR": "joint resolution", "C": "commemoration", "R": "resolution"}
CHAMBERS = {"H": "lower", "S": "upper"}


class Spider(ApiSpider):
    """One record an entry of the list."""

    lists_at = (f"{BASE}/Bills/Session/Light/{{session}}",)
    documents = {"bill": f"{BASE}/Bills/{{BillId}}", "log": f"{BASE}/Bills/ActionLog/{{BillId}}"}  # noqa: RUF012
    session_url = r"/Bills/Session/Light/(\d+)"
    sessions_url = f"{BASE}/Sessions/"

    def site_sessions(self, response: Any) -> Iterable[str]:
        return [str(session["SessionId"]) for session in response.json()]

    def record(self, row: Any) -> dict[str, Any]:
        entry, bill = row["entry"], row["bill"]
        names = [f"{s['Member']['FirstName']} {s['Member']['LastName']}" for s in bill["BillSponsor"] or ()]
        return {
            "identifier": f"{entry['BillType']} {entry['BillNumberOnly']}",
            "title": bill["Title"],
            "chamber": CHAMBERS[entry["BillType"][0]],
            "classification": [KINDS[entry["BillType"][1:]]],
            "subject": [keyword["Keyword"] for keyword in bill["Keywords"] or ()],
            "actions": [action(line) for line in row["log"]],
            "sponsorships": tables.sponsors(names, tables.plain(bill["BillCommitteeSponsor"] or "")),
            "versions": [
                tables.version(d["BillVersion"], d["DocumentDate"], f"{DOCUMENT}/{d['DocumentId']}", "html", "pdf")
                for d in bill["Documents"] or ()
            ],
            "sources": [{"url": f"https://sdlegislature.gov/Session/Bill/{bill['BillId']}"}],
        }


def action(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the log as the site's own page words it."""
    committee = (line["AssignedCommittee"] or {}).get("FullName") if line["ShowCommitteeName"] else ""
    result = "Passed" if line["ShowPassed"] else "Failed" if line["ShowFailed"] else ""
    vote = "YEAS {Yeas}, NAYS {Nays}".format(**line["Vote"]) if line["Vote"] else ""
    words = ", ".join(filter(None, (line["StatusText"], line["Description"], committee, result, vote)))
    who = "executive" if "Governor" in words else CHAMBERS.get((line["ActionCommittee"] or {}).get("Body", ""), "")
    return {"date": line["ActionDate"][:10], "description": words.replace("to, ", "to "), "chamber": who}
