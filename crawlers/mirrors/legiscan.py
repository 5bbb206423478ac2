"""LegiScan: a mirror of 50 states, DC and Congress, with a hash for every bill.

Source: https://api.legiscan.com/, free key in LEGISCAN_API_KEY. Terms: CC BY 4.0, name LegiScan.
Sessions: numbers of their own; matched to ours by years and by being special or not.
Oddities: queries are counted by the month. So: one for the list of datasets, one a session for all bills' hashes;
the session's dataset (a zip, made once a week) when its hash changed, and single bills whose hash it does not have
yet; when the allowance is used up, the rest waits. A title may be cut, the long one is in ``description``. Datasets
taken by hand, as JSON or as CSV, are replayed.
History: 2026-11 written on a dataset of Georgia, one of Michigan in CSV and a list of datasets of November 2025.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pydantic_core import from_json
from scrapy.http import Request, Response

from crawlers import archives
from crawlers.base import UNREADABLE
from crawlers.mirrors import legiscan_tables
from crawlers.spider import DetailSpider
from tracker.records import normalise_identifier

API = "https://api.legiscan.com/"
_TABLES = re.compile(r"_CSV\.zip$")
BILL = r"/bill/[^/]+\.json$"
CHAMBERS = {"H": "lower", "A": "lower", "S": "upper"}
KINDS = {
    "B": "bill",
    "R": "resolution",
    "CR": "concurrent resolution",
    "JR": "joint resolution",
    "JRCA": "constitutional amendment",
    "CA": "constitutional amendment",
    "M": "memorial",
    "CM": "concurrent memorial",
    "JM": "joint memorial",
    "EO": "executive order",
}
SPONSORS = {0: "sponsor", 1: "primary", 2: "cosponsor", 3: "cosponsor"}
RELATED = {1: "companion", 2: "related", 3: "replaced-by", 4: "replaces", 5: "companion", 6: "related", 7: "related"}


class Spider(DetailSpider):
    """Hashes first, then as few documents as they allow."""

    expected = "json"

    def __init__(self, *, archive: Path | None = None, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.archive = archive
        self.account.replayed = archive is not None or self.account.replayed
        self.sessions: dict[int, str] = {}

    async def start(self) -> AsyncIterator[Any]:
        if self.archive is None:
            yield self._ask(self.got_datasets, "getDatasetList", state=self.place.code.upper())
            return
        self.account.complete = not self.limit
        made_of = self._of_tables if _TABLES.search(self.archive.name) else self._of_zip
        for made in made_of(self.archive, {}):
            yield made

    def _ask(self, callback: Any, op: str, *, carry: Mapping[str, Any] | None = None, **asked: Any) -> Request:
        key = os.environ.get(self.source.requires_key, "")
        return Request(
            f"{API}?{urlencode({'key': key, 'op': op, **asked})}",
            callback,
            errback=self.failed,
            cb_kwargs=dict(carry or {}),
            meta={"unconditional": True},
            dont_filter=True,
        )

    def got_datasets(self, response: Response) -> Iterator[Any]:
        data = self._answer(response, "datasetlist")
        if data is None:
            return
        year = self.account.started_at.year
        wanted = [d for d in data if d["year_end"] >= year and not d.get("prior")]
        wanted = wanted or sorted(data, key=lambda d: (d["year_end"], d["session_id"]))[-1:]
        self.account.complete = not self.limit
        for dataset in wanted:
            name = self.session_of(dataset)
            if self.session in ("", name):
                yield self._ask(
                    self.got_hashes, "getMasterListRaw", carry={"dataset": dataset}, id=dataset["session_id"]
                )

    def session_of(self, said: Mapping[str, Any]) -> str:
        """Our identifier of a session of theirs; their name, reported, where our data have none."""
        number = int(said["session_id"])
        if number not in self.sessions:
            special = bool(said.get("special"))
            same = [
                session
                for session in self.place.sessions
                if (session.classification == "special") is special
                and session.start.year in (said["year_start"], said["year_start"] - 1)
                and session.end.year >= said["year_start"]
            ]
            exact = [s for s in same if s.start.year == said["year_start"]] or same
            found = exact[0].identifier if len(exact) == 1 else str(said["session_name"])
            self.sessions[number] = found
            self.check_session(found)
        return self.sessions[number]

    def got_hashes(self, response: Response, dataset: Mapping[str, Any]) -> Iterator[Any]:
        data = self._answer(response, "masterlist")
        if data is None:
            return
        hashes = {int(b["bill_id"]): str(b["change_hash"]) for name, b in data.items() if name != "session"}
        changed = {bill: said for bill, said in hashes.items() if not self.unchanged(_address(bill), said)}
        stamp = self.known.get(_address(dataset["session_id"], "dataset")) or {}
        if changed and (self.full or stamp.get("stamp") != dataset["dataset_hash"]):
            asked = {"id": dataset["session_id"], "access_key": dataset["access_key"]}
            carry = {"dataset": dataset, "changed": changed}
            yield self._ask(self.got_dataset, "getDatasetRaw", carry=carry, **asked)
        else:
            self.account.validators[_address(dataset["session_id"], "dataset")] = dict(stamp)
            yield from self._single(changed)

    def got_dataset(self, response: Response, dataset: Mapping[str, Any], changed: dict[int, str]) -> Iterator[Any]:
        problem = f"status {response.status}" if response.status != 200 else ""
        problem = problem or ("" if response.body.startswith(b"PK") else "the dataset is no zip")
        if problem:
            self.account.issue("file", "dataset", problem)
        else:
            yield from self._of_zip(response.body, changed)
            stamp = {"stamp": str(dataset["dataset_hash"])}
            self.account.validators[_address(dataset["session_id"], "dataset")] = stamp
        yield from self._single(changed)

    def _of_zip(self, source: bytes | Path, changed: dict[int, str]) -> Iterator[dict[str, Any]]:
        """Bills of a dataset; those in ``changed`` with another hash are left for a single query."""
        try:
            for name, body in archives.members(source, BILL, limit=16 << 20):
                try:
                    bill = from_json(body)["bill"]
                    number, said = int(bill["bill_id"]), str(bill["change_hash"])
                except UNREADABLE as error:
                    self.account.reject(name.rsplit("/", 1)[-1], "bill", str(error))
                    continue
                if self.archive is None and changed.get(number) != said:
                    continue
                changed.pop(number, None)
                yield from self.noted(_address(number), said, self.records([bill]))
        except ValueError as error:
            self.account.fail(str(error))

    def _of_tables(self, source: Path, _: dict[int, str]) -> Iterator[dict[str, Any]]:
        """Bills of a dataset as CSV, which is offered for taking by hand and holds no hashes."""
        self.account.issue("file", source.name, "a CSV dataset: no subjects, companions or hearings in it")
        try:
            yield from self.records(legiscan_tables.bills(source))
        except UNREADABLE as error:
            self.account.fail(f"{type(error).__name__}: {error}")

    def _single(self, changed: Mapping[int, str]) -> Iterator[Request]:
        for number, said in changed.items():
            if self.enough():
                return
            yield self._ask(self.got_bill, "getBill", carry={"number": number, "stamp": said}, id=number)

    def got_bill(self, response: Response, number: int, stamp: str) -> Iterator[Any]:
        bill = self._answer(response, "bill", whole=False)
        if bill is not None:
            yield from self.noted(_address(number), stamp, self.records([bill]))

    def _answer(self, response: Response, name: str, *, whole: bool = True) -> Any:
        """What a reply holds under a name; None, with the failure noted, when it holds an error."""
        problem = self.usable(response)
        try:
            data = {} if problem else from_json(response.body)
            if not problem and data.get("status") != "OK":
                problem = str((data.get("alert") or {}).get("message") or "the site answers with an error")
            found = None if problem else data[name]
        except UNREADABLE as error:
            problem, found = f"{type(error).__name__}: {error}", None
        if problem and whole:
            self.account.fail(f"{name}: {problem}")
        elif problem:
            self.account.reject(name, "reply", problem)
        return found

    def record(self, row: Any) -> dict[str, Any]:
        title, description = str(row["title"]), str(row.get("description") or "")
        page = row.get("state_link") or row["url"]
        return {
            "legislative_session": self.session_of(row["session"]),
            "identifier": row["bill_number"],
            "title": title,
            "chamber": CHAMBERS.get(row["body"], "legislature"),
            "classification": [KINDS.get(row["bill_type"], "bill")],
            "subject": [subject["subject_name"] for subject in row.get("subjects") or ()],
            "abstracts": [{"abstract": description}] if description and description != title else [],
            "actions": [
                {"date": a["date"], "description": a["action"], "chamber": CHAMBERS.get(a["chamber"], "")}
                for a in row["history"]
            ],
            "sponsorships": [
                {
                    "name": s["name"],
                    "classification": SPONSORS.get(int(s["sponsor_type_id"]), "sponsor"),
                    "primary": int(s["sponsor_type_id"]) in (0, 1),
                    "entity_type": "organization" if s.get("committee_sponsor") else "person",
                }
                for s in row["sponsors"]
            ],
            "versions": [document(text, text["type"]) for text in row["texts"]],
            "documents": [document(x, x.get("title") or x["type"]) for x in row.get("supplements") or ()],
            "related_bills": [
                {
                    "identifier": normalise_identifier(same["sast_bill_number"]),
                    "relation_type": RELATED.get(int(same["type_id"]), "related"),
                }
                for same in row.get("sasts") or ()
            ],
            "hearings": [
                {
                    "date": h["date"],
                    "time": h.get("time") or "",
                    "timezone": self.place.time_zone,
                    "committee": h.get("description") or h.get("type") or "",
                    "location": h.get("location") or "",
                }
                for h in row.get("calendar") or ()
            ],
            "sources": [{"url": page}, {"url": row["url"], "note": "LegiScan"}],
        }

    def name_of(self, row: Any) -> str:
        return str(row.get("bill_number", "")) if isinstance(row, dict) else ""


def document(said: Mapping[str, Any], note: str) -> dict[str, Any]:
    """A text or supplement, by the state's own address where there is one."""
    url = said.get("state_link") or said["url"]
    return {"note": note, "date": day(said.get("date")), "links": [{"url": url, "media_type": said.get("mime") or ""}]}


def day(text: Any) -> str:
    """Their date; zeros stand for one that they do not know."""
    return "" if not text or str(text).startswith("0000") else str(text)


def _address(number: Any, what: str = "bill") -> str:
    """Under which name a bill's or dataset's hash is kept; there is no key in it."""
    return f"legiscan:{what}/{number}"
