"""New Jersey: the nightly archive of the legislature's database, tables as text.

Source: https://pub.njleg.gov/leg-databases/{year}data/DB{year}_TEXT.zip, no key (until 2025 on
pub.njleg.state.nj.us, where the documents still are). Terms: public download; it times out from outside the US.
Sessions: the site names the two years by the first, 2026; Open States counts legislatures, 222.
Oddities: windows-1252, with quotes and line ends inside texts that break single rows; actions are codes, which
nj.toml spells out, and end with a committee's code; a synopsis may be blank; documents are listed as Word files
with a path of the legislature's own machine, and are published as HTM and PDF.
History: 2026-11 written on the facts, and the action texts on 10,640 bills as Open States has them.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crawlers import archives, dates, tables
from crawlers.spider import BulkSpider
from tracker.records import normalise_identifier

WORDS = tomllib.loads(Path(__file__).with_name("nj.toml").read_text("utf-8"))
HOUSES = {"A": "Assembly", "S": "Senate"}
CHAMBERS = {"A": "lower", "S": "upper", "G": "executive"}
KINDS = {"": "bill", "R": "resolution", "JR": "joint resolution", "CR": "concurrent resolution"}
STATUS = {"scheduled": "confirmed", "canceled": "cancelled", "cancelled": "cancelled", "not meeting": "cancelled"}
NUMBER = re.compile(r"\b([AS](?:CR|JR|R)?)[ -]?0*(\d+)\b")
DAY = re.compile(r"\b\d{1,2}/\d{1,2}/\d{2,4}\b")
# The tables of a bill, the columns they must have, and how a row begins.
BILL = r'^"?[AS](?:CR|JR|R)? *"? *, *"? *\d'
TABLES = {
    "BILLHIST": ("action",),
    "BILLSPON": ("sponsor", "type"),
    "BILLWP": ("document", "doctype"),
    "BILLSUBJ": ("subjectkey",),
}
CODES = {
    code.format(h=letter): words.format(house=house)
    for letter, house in HOUSES.items()
    for code, words in WORDS["codes"].items()
}


class Spider(BulkSpider):
    """One record a row of MAINBILL.TXT, with what the other tables say of it."""

    files = {  # noqa: RUF012 - declarative
        "DB_TEXT.zip": "https://pub.njleg.gov/leg-databases/{session}data/DB{session}_TEXT.zip"
    }
    session_url = r"(?i)/leg-databases/(\d{4})data/"

    def rows(self, files: Mapping[str, bytes]) -> Iterable[Any]:
        self.tables = {
            name.rpartition("/")[2].upper().removesuffix(".TXT"): body
            for name, body in archives.members(files["DB_TEXT.zip"], r"(?i)\.txt$")
        }
        if "MAINBILL" not in self.tables:
            raise ValueError(f"there is no MAINBILL.TXT; there are {', '.join(sorted(self.tables))[:200]}")
        self.of = {name: self.by_bill(name, need) for name, need in TABLES.items()}
        self.committees = {
            row["code"]: f"{HOUSES.get(row.get('house', ''), '')} {row.get('description', '')} Committee".strip()
            for row in self.table("COMMITTEE", ("code", "description"), r"")
        }
        headings = [
            list(row.values()) for row in self.table("SUBJHEADINGS", (), r"") or self.table("SUBJHEAD", (), r"")
        ]
        self.subjects = {values[0]: values[1] for values in headings if len(values) > 1}
        agendas = self.table("AGENDAS", ("commhouse", "date", "time"), r"")
        self.agendas = {(row["commhouse"], row["date"], row["time"]): row for row in agendas}
        self.meetings = defaultdict(list)
        for row in self.table("BAGENDA", ("commhouse", "date", "time", "billtype", "billnumber"), r""):
            self.meetings[key_of(row)].append(row)
        return self.table("MAINBILL", ("billtype", "billnumber", "synopsis"), BILL)

    def table(self, name: str, need: tuple[str, ...], begins: str) -> list[dict[str, str]]:
        """A table's rows; how many are broken, and that it is missing, is reported."""
        if name not in self.tables:
            return []
        rows, lost = tables.mended_rows(self.tables[name], need, begins)
        if lost:
            self.account.issue("broken_rows", "", f"{name}.TXT: {lost:,} rows cannot be read")
        return rows

    def by_bill(self, name: str, need: tuple[str, ...]) -> dict[str, list[dict[str, str]]]:
        """A table's rows by bill, in the order of their Sequence."""
        if name not in self.tables:
            self.account.issue("file", f"{name}.TXT", "is not in the archive")
        grouped = defaultdict(list)
        for row in self.table(name, ("billtype", "billnumber", *need), BILL):
            grouped[key_of(row)].append(row)
        for rows in grouped.values():
            rows.sort(key=lambda row: float(s) if (s := row.get("sequence", "")).replace(".", "", 1).isdigit() else 0)
        return grouped

    def name_of(self, row: Any) -> str:
        return key_of(row)

    def record(self, row: Any) -> dict[str, Any] | None:
        key = key_of(row)
        letters, _, number = key.partition(" ")
        if letters[:1] not in HOUSES or letters[1:] not in KINDS or not number.isdigit():
            raise ValueError(f"{key[:40]!r} is no bill number")
        abstract = row.get("abstract", "")
        return {
            "identifier": key,
            "title": row["synopsis"] or abstract or f"{key} (no synopsis yet)",
            "chamber": CHAMBERS[letters[0]],
            "classification": [KINDS[letters[1:]]],
            "subject": list(
                dict.fromkeys(self.subjects.get(s["subjectkey"], s["subjectkey"]) for s in self.of["BILLSUBJ"][key])
            ),
            "abstracts": [{"abstract": abstract, "note": "Abstract"}] if abstract and row["synopsis"] else [],
            "actions": [self.action(h) for h in self.of["BILLHIST"][key]],
            "sponsorships": [sponsor(s) for s in self.of["BILLSPON"][key] if s["sponsor"]],
            "versions": self.texts(key, "versions", day(row.get("introdate", ""))),
            "documents": self.texts(key, "documents", ""),
            "related_bills": self.related(row),
            "hearings": [h for h in map(self.hearing, self.meetings[key]) if h],
            "sources": [{"url": f"https://www.njleg.state.nj.us/bill-search/{self.site_session()}/{letters}{number}"}],
        }

    def action(self, row: Mapping[str, str]) -> dict[str, str]:
        """A line of the history: the code's words, the committee, the comment."""
        words = f"{self.spelled(row['action'])} {row.get('comment', '')}".strip()
        on = day(row.get("dateaction") or row.get("date", ""))
        return {"date": on, "description": words, "chamber": CHAMBERS.get(row.get("house", ""), "legislature")}

    def spelled(self, code: str) -> str:
        """A code in words; one that is not known stays as it is."""
        parts = code.upper().split()
        for at in range(len(parts), 0, -1):
            words = CODES.get(" ".join(parts[:at]))
            rest = [self.committees.get(part, part) for part in parts[at:]]
            if words and (at == len(parts) or parts[at] in self.committees or words.endswith("to")):
                return " ".join([words, *rest])
        return code

    def texts(self, key: str, sort: str, introduced: str) -> list[dict[str, Any]]:
        """The bill's texts or the documents beside them; a kind that is not known is a document."""
        made = []
        for row in self.of["BILLWP"][key]:
            kind, comment = row["doctype"].upper(), row.get("comment", "")
            if (kind in WORDS["versions"]) != (sort == "versions") or not row["document"]:
                continue
            path = "/".join(re.split(r"[\\/]", row["document"])[-2:])
            base, _, ending = path.rpartition(".")
            endings = ("HTM", "PDF") if ending.upper() in ("DOC", "DOCX") else (ending,)
            url = f"https://pub.njleg.state.nj.us/Bills/{self.site_session()}/{base}"
            kinds = {"HTM": "text/html", "PDF": "application/pdf"}
            on = DAY.search(comment)
            made.append(
                {
                    "note": f"{WORDS[sort].get(kind, kind)} {comment}".strip(),
                    "date": day(on[0]) if on else introduced if kind == "I" else "",
                    "links": [{"url": f"{url}.{end}", "media_type": kinds.get(end.upper(), "")} for end in endings],
                }
            )
        return made

    def related(self, row: Mapping[str, str]) -> list[dict[str, str]]:
        """The identical bill of the other house, and the same bill in the session before."""
        same = [(n, self.session, "companion") for n in numbers(row.get("identicalbillnumber", ""))]
        before = str(int(self.session) - 1) if self.session.isdigit() else ""
        old = [(n, before, "prior-session") for n in numbers(row.get("lastsessionfullbillnumber", ""))]
        return [{"identifier": n, "legislative_session": s, "relation_type": kind} for n, s, kind in [*same, *old[:1]]]

    def hearing(self, row: Mapping[str, str]) -> dict[str, str] | None:
        """A committee meeting with the bill on its agenda; sittings of a house are none."""
        code = row["commhouse"]
        if code in HOUSES or not row["date"]:
            return None
        agenda = self.agendas.get((code, row["date"], row["time"]), {})
        return {
            "date": day(row["date"]),
            "time": dates.clock(row["time"]),
            "timezone": self.place.time_zone,
            "committee": self.committees.get(code, code),
            "location": agenda.get("location", ""),
            "status": STATUS.get(agenda.get("status", "").lower(), "confirmed"),
        }


def key_of(row: Mapping[str, str]) -> str:
    """The bill a row is about; numbers may come as decimals."""
    return normalise_identifier(f"{row['billtype']} {re.sub(r'[.]0+$', '', row['billnumber'])}")


def numbers(text: str) -> list[str]:
    """Bill numbers in a text such as ``S1116 (1R)``."""
    return list(dict.fromkeys(f"{found[1]} {found[2]}" for found in NUMBER.finditer(text)))


def sponsor(row: Mapping[str, str]) -> dict[str, Any]:
    """A sponsor; P is a primary one."""
    primary = row["type"].upper().startswith("P")
    return {"name": row["sponsor"], "classification": "primary" if primary else "cosponsor", "primary": primary}


def day(text: str) -> str:
    """The day of ``1/13/2026 0:00:00``, ``01/13/26`` or an ISO date; "" for nothing. Raises ValueError."""
    return dates.day(text.split()[0], "%m/%d/%Y", "%m/%d/%y") if text.strip() else ""
