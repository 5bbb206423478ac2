"""A crawl's account of itself: what it saw, what it could not use and why. Written as a manifest at the end."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path
from typing import IO, Any

from pydantic_core import to_json
from scrapy import signals
from scrapy.exceptions import CloseSpider, DropItem

from crawlers import blocked
from crawlers.scrubbing import scrub
from tracker.records import BillRecord, RecordError, parse_record

MAX_ISSUES = 500
COUNTED = (
    "title",
    "abstracts",
    "subject",
    "actions",
    "sponsorships",
    "versions",
    "hearings",
    "related_bills",
)


class Account:
    """Numbers and notes of one crawl; ``to_json`` is the manifest that the tracker reads."""

    def __init__(self, jurisdiction: str, source: str, session: str, *, replayed: bool) -> None:
        self.jurisdiction, self.source, self.session = jurisdiction, source, session
        self.replayed = replayed
        self.started_at = dt.datetime.now(dt.UTC)
        # When a replayed recording was made (ISO moment); "" for a live crawl.
        self.recorded_at = ""
        self.complete = False
        # Only what changed was asked for (a feed): the rest is there, though nobody looked.
        self.partial = False
        # Bills ("session/identifier") that the site shows and whose document is the one of last time.
        self.present: set[str] = set()
        self.outcome = "ok"
        self.reason = ""
        # Why the crawl ended before its time; what it read until then is good.
        self.stopped = ""
        # Documents that a killed crawl had done already.
        self.resumed = 0
        # Requests that went out, repeated and refused ones too.
        self.queries = 0
        self.requests = self.bytes = self.not_modified = self.bills = 0
        self.rejected: list[dict[str, str]] = []
        self.rejected_count = 0
        self.issues: Counter[tuple[str, str, str]] = Counter()
        self.validators: dict[str, dict[str, str]] = {}
        self.fields: Counter[str] = Counter()
        self.actions = 0
        self.newest_action = self.oldest_action = ""
        self.titles: Counter[str] = Counter()
        # Actions by month ("2026-01"), and by bill ("session/identifier"): what shrinks or strays shows in them.
        self.months: Counter[str] = Counter()
        self.action_counts: dict[str, int] = {}
        self.boilerplate = 0
        # Documents whose bill is on its way to the records file, by bill.
        self.addresses: dict[str, list[str]] = {}

    def issue(self, kind: str, identifier: str, detail: str) -> None:
        """Note something an admin should know; the same again is counted."""
        key = (kind, identifier[:100], scrub(detail)[:500])
        if key in self.issues or len(self.issues) < MAX_ISSUES:
            self.issues[key] += 1

    def stop(self, reason: str) -> None:
        """The crawl ends early: what was read is good, but it is not everything."""
        self.complete = False
        if not self.stopped:
            self.stopped = reason[:1000]
            self.issue("stopped", "", reason)

    def fail(self, reason: str) -> None:
        """The crawl as a whole is worthless; the first reason is the one that counts."""
        if self.outcome != "failed":
            self.outcome, self.reason = "failed", scrub(reason)[:1000]

    def reject(self, identifier: str, field: str, problem: str) -> None:
        """One record cannot be used; the rest goes on."""
        self.rejected_count += 1
        if len(self.rejected) < MAX_ISSUES:
            self.rejected.append({"identifier": identifier[:100], "field": field, "problem": problem[:500]})

    def forget(self, bill: str) -> None:
        """Ask for a bill's document again next time: what came of it was not taken."""
        for url in [url for url, said in self.validators.items() if said.get("bill") == bill]:
            del self.validators[url]

    def count(self, record: BillRecord) -> None:
        """Take a good record into the numbers that the run is judged by."""
        self.bills += 1
        self.actions += len(record.actions)
        for name in COUNTED:
            self.fields[name] += bool(getattr(record, name))
        self.titles[record.title] += 1
        self.action_counts[f"{record.legislative_session}/{record.identifier}"] = len(record.actions)
        if record.legislative_session == self.session:
            # A source may bring bills of other sessions too; they are no measure of this one's dates.
            self.months.update(action.date[:7] for action in record.actions)
        for action in record.actions:
            self.newest_action = max(self.newest_action, action.date)
            self.oldest_action = min(self.oldest_action or action.date, action.date)

    def to_json(self) -> dict[str, Any]:
        """The manifest."""
        common = self.titles.most_common(1)
        return {
            "jurisdiction": self.jurisdiction,
            "session": self.session,
            "source": self.source,
            "replayed": self.replayed,
            "recorded_at": self.recorded_at,
            "complete": self.complete and self.outcome != "failed" and not self.stopped,
            "stopped": self.stopped,
            "partial": self.partial,
            "resumed": self.resumed,
            "present": sorted(self.present),
            "present_count": len(self.present),
            "outcome": self.outcome,
            "reason": self.reason,
            "started_at": self.started_at.isoformat(),
            "finished_at": dt.datetime.now(dt.UTC).isoformat(),
            "requests": self.requests,
            "queries": self.queries,
            "bytes": self.bytes,
            "not_modified": self.not_modified,
            "bills": self.bills,
            "actions": self.actions,
            "newest_action": self.newest_action,
            "oldest_action": self.oldest_action,
            "commonest_title": list(common[0]) if common else ["", 0],
            "fields": dict(self.fields),
            "months": dict(sorted(self.months.items())),
            "boilerplate": self.boilerplate,
            "rejected": self.rejected,
            "rejected_count": self.rejected_count,
            "issues": [
                {"kind": kind, "identifier": identifier, "detail": detail, "count": count}
                for (kind, identifier, detail), count in self.issues.items()
            ],
            "validators": self.validators,
        }


class RecordPipeline:
    """Validates what a spider yields and writes it, one record a line; a bad one costs only itself."""

    @classmethod
    def from_crawler(cls, crawler: Any) -> RecordPipeline:
        made = cls()
        crawler.signals.connect(made.opened, signals.spider_opened)
        crawler.signals.connect(made.closed, signals.spider_closed)
        return made

    def opened(self, spider: Any) -> None:
        self.spider = spider
        self.seen: set[str] = set()
        for line in spider.journal.records():
            record = parse_record(line)
            self.seen.add(record.key)
            spider.account.count(record)
        self.file: IO[bytes] = Path(spider.out).open("ab", buffering=0)  # noqa: SIM115 - open until the spider closes

    def closed(self, spider: Any) -> None:
        self.file.close()
        spider.journal.close()

    def process_item(self, item: Any) -> Any:
        account: Account = self.spider.account
        if 0 < self.spider.limit <= account.bills:
            account.complete = False
            raise CloseSpider("limit")
        try:
            record = parse_record(item)
        except RecordError as error:
            account.forget(f"{item.get('legislative_session')}/{error.identifier}")
            account.reject(error.identifier, error.field, error.problem)
            raise DropItem(str(error)) from error
        if blocked.is_boilerplate(record.title):
            account.boilerplate += 1
            account.forget(f"{record.legislative_session}/{record.identifier}")
            account.reject(record.identifier, "title", f"is a web page's words, not a bill's: {record.title[:80]}")
            raise DropItem("boiler-plate title")
        if record.key in self.seen:
            account.issue("duplicate", record.identifier, "the source shows this bill more than once")
            raise DropItem("duplicate")
        self.seen.add(record.key)
        account.count(record)
        self.file.write(to_json(record.model_dump(mode="json", exclude_defaults=True)) + b"\n")
        bill = f"{record.legislative_session}/{record.identifier}"
        for url in account.addresses.pop(bill, ()):
            self.spider.journal.note(url, account.validators.get(url) or {})
        return item
