"""Virginia: the Legislative Information System's public files.

Source: CSV files at https://lis.blob.core.windows.net/lisfiles/{session}/, refreshed through the day, no key,
an ETag each. Terms: the portal offers these files to the public for data from 2025 on.
Sessions: the site says 20261 for the regular session of 2026, 20252 for the first special one of 2025.
Oddities: file names are case-sensitive; identifiers are padded in some files (HB0001) and not in others; a
history line begins with the chamber's letter, the governor's with none; patrons' types are written outside
the quotes; HISTORY.CSV may lag BILLS.CSV by a day or more, so the last actions that BILLS.CSV names are added;
the web pages are JavaScript shells, so texts do not come from there; a docket lists committee and
day but no hour.
History: 2026-11 written on the recordings of January 2020.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from crawlers import tables
from crawlers.spider import BulkSpider
from tracker.records import normalise_identifier

KINDS = {"B": ["bill"], "R": ["resolution"], "JR": ["joint resolution"]}
CHAMBERS = {"H": "lower", "S": "upper"}
LAST_ACTIONS = {"house": "lower", "senate": "upper", "conference": "legislature", "governor": "executive"}
VERSION_NOTES = ("Introduced", "Version 2", "Version 3", "Version 4", "Version 5", "Version 6")


class Spider(BulkSpider):
    """One record a row of BILLS.CSV, with what the other files say of it."""

    expected = "csv"
    session_url = r"/lisfiles/([^/]+)/"
    files = {  # noqa: RUF012 - declarative
        name: f"https://lis.blob.core.windows.net/lisfiles/{{session}}/{name}"
        for name in (
            "BILLS.CSV",
            "HISTORY.CSV",
            "Sponsors.csv",
            "Summaries.csv",
            "DOCKET.CSV",
            "Committees.csv",
        )
    }
    optional = frozenset({"Sponsors.csv", "Summaries.csv", "DOCKET.CSV", "Committees.csv"})

    def rows(self, files: Mapping[str, bytes]) -> Iterable[Any]:
        self.history = self.by_bill(files, "HISTORY.CSV", "billid", "historydate", "historydescription")
        self.through = max((readable_day(h["historydate"]) for rows in self.history.values() for h in rows), default="")
        self.sponsors = self.by_bill(files, "Sponsors.csv", "billnumber", "membername", "patrontype")
        self.summaries = self.by_bill(files, "Summaries.csv", "sumbilno", "summarytype", "summarytext")
        self.dockets = self.by_bill(files, "DOCKET.CSV", "billno", "comno", "docdate")
        committees = tables.rows(files.get("Committees.csv") or b"com_comno,com_name", ["comcomno", "comname"])
        self.committees = {row["comcomno"]: row.get("comname", "") for row in committees}
        return list(tables.rows(files["BILLS.CSV"], ["billid", "billdescription"]))

    def by_bill(self, files: Mapping[str, bytes], file: str, key: str, *need: str) -> dict[str, list[Any]]:
        """The rows of a file by bill; an optional file that cannot be read is reported and left out."""
        grouped: dict[str, list[Any]] = defaultdict(list)
        if file not in files:
            return grouped
        try:
            for row in tables.rows(files[file], [key, *need]):
                grouped[normalise_identifier(row.get(key, ""))].append(row)
        except ValueError as error:
            if file not in self.optional:
                raise ValueError(f"{file}: {error}") from error
            self.account.issue("file", file, str(error))
        return grouped

    def name_of(self, row: Any) -> str:
        return str(row.get("billid", ""))

    def record(self, row: Any) -> dict[str, Any] | None:
        identifier = normalise_identifier(row["billid"])
        letters, _, number = identifier.partition(" ")
        if not number or letters[:1] not in CHAMBERS:
            raise ValueError(f"{row['billid'][:40]!r} is no bill number")
        compact = f"{letters}{number}"
        page = f"https://lis.virginia.gov/bill-details/{self.site_session()}/{compact}"
        return {
            "identifier": identifier,
            "title": row["billdescription"],
            "chamber": CHAMBERS[letters[0]],
            "classification": KINDS.get(letters[1:], ["bill"]),
            "abstracts": [
                {"abstract": tables.plain(s["summarytext"]), "note": s["summarytype"]}
                for s in self.summaries[identifier]
                if s.get("summarytext")
            ],
            **self.actions(identifier, row),
            "sponsorships": [sponsor(s) for s in self.sponsors[identifier]] or patron(row),
            "versions": [
                {
                    "note": note,
                    "date": day(row.get(f"fulltextdate{n}", "")),
                    "links": [{"url": f"{page}/text/{row[f'fulltextdoc{n}']}", "media_type": "text/html"}],
                }
                for n, note in enumerate(VERSION_NOTES, 1)
                if row.get(f"fulltextdoc{n}")
            ],
            "hearings": [
                {
                    "date": day(d["docdate"]),
                    "timezone": self.place.time_zone,
                    "committee": self.committees.get(d["comno"], d["comno"]),
                }
                for d in self.dockets[identifier]
            ],
            "sources": [{"url": page}],
        }

    def actions(self, identifier: str, row: Mapping[str, str]) -> dict[str, Any]:
        """The history, with the last actions that it does not have yet."""
        actions = [self.action(h) for h in self.history[identifier]]
        there = {(a["date"], a["description"]) for a in actions}
        late = [
            {"date": date, "description": text, "chamber": chamber}
            for name, chamber in LAST_ACTIONS.items()
            if (text := row.get(f"last{name}action", ""))
            and (date := day(row.get(f"last{name}actiondate", "")))
            and (date, text) not in there
        ]
        late.sort(key=lambda a: a["date"])
        return {"actions": actions + late, "extras": {"history_through": self.through} if late else {}}

    def action(self, row: Mapping[str, str]) -> dict[str, Any]:
        """One history line; the letter before the first blank says whose it is."""
        text = row["historydescription"]
        letter, _, rest = text.partition(" ")
        if letter in CHAMBERS and rest:
            return {"date": day(row["historydate"]), "description": rest, "chamber": CHAMBERS[letter]}
        chamber = "executive" if "governor" in text.lower() else "legislature"
        return {"date": day(row["historydate"]), "description": text, "chamber": chamber}


def sponsor(row: Mapping[str, str]) -> dict[str, Any]:
    """A row of Sponsors.csv; the type reads ``1001 - Chief Patron`` or just ``Chief Patron``."""
    kind = row["patrontype"].rsplit(" - ", 1)[-1].strip('" ')
    return {
        "name": row["membername"],
        "classification": kind.lower(),
        "primary": kind.startswith("Chief Patron"),
    }


def patron(row: Mapping[str, str]) -> list[dict[str, Any]]:
    """Bills of a single patron have been missing from Sponsors.csv; BILLS.CSV names him."""
    name = row.get("patronname", "")
    return [{"name": name, "classification": "chief patron", "primary": True}] if name else []


def day(text: str) -> str:
    """``01/13/20`` or ``2020-01-13`` as an ISO date; "" for nothing. Raises ValueError for anything else."""
    if not text:
        return ""
    for form in ("%m/%d/%y", "%m/%d/%Y", "%Y-%m-%d"):
        try:
            return dt.datetime.strptime(text[:10], form).date().isoformat()
        except ValueError:
            continue
    raise ValueError(f"{text[:20]!r} is no date")


def readable_day(text: str) -> str:
    """As :func:`day`, with "" for what is no date: one bad line must not cost all bills."""
    try:
        return day(text)
    except ValueError:
        return ""
