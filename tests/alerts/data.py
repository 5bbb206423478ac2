"""Bills and a reader for the tests, loaded as crawls load them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, insert, select, update

from alerts import subscriptions
from alerts.subscriptions import Wishes
from alerts.suppressions import Hasher
from tracker import events
from tracker.db import writing
from tracker.events import Event, EventKind
from tracker.ingest import Run, ingest
from tracker.models.base import stamp
from tracker.models.bills import BillRow, BillTextRow, VersionRow
from tracker.settings import Settings
from tracker.tagging import tag_bills

NOW = dt.datetime(2025, 3, 3, 15, tzinfo=dt.UTC)
CAREER = "A bill relating to a tax credit for employers of apprentices"
FIRST_WORDS = "a tax credit"


class WordTagger:
    """Tags a bill by one word of its text or title."""

    def __init__(self, version: str = "words-0/none/1", **words: str) -> None:
        self.version = version
        self.words = words or {"tax_credits": "tax credit", "incentives": "grant", "flexibility": "waiver"}

    def tag(self, bills: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """One finding a bill."""
        for bill in bills:
            tags = [self._one(bill, strategy, word) for strategy, word in self.words.items()]
            yield {"in_scope": {"score": 0.9, "value": any(t["value"] for t in tags)}, "tags": tags}

    def _one(self, bill: Mapping[str, Any], strategy: str, word: str) -> dict[str, Any]:
        for field in ("text", "title"):
            at = bill[field].lower().find(word)
            if at >= 0:
                end = at + len(word)
                quote = {"field": field, "start": at, "end": end, "quote": bill[field][at:end]}
                return {"strategy": strategy, "score": 0.91, "value": True, "evidence": [quote]}
        return {"strategy": strategy, "score": 0.02, "value": False, "evidence": []}


def bill(identifier: str, title: str = CAREER, state: str = "tx", **more: Any) -> dict[str, Any]:
    """A bill filed a few days ago."""
    actions = more.pop("actions", [("2025-02-27", "Filed", ["filing"])])
    return {
        "jurisdiction": state,
        "legislative_session": {"tx": "89R", "oh": "136", "va": "20251"}[state],
        "identifier": identifier,
        "title": title,
        "chamber": "lower",
        "classification": ["bill"],
        "actions": [
            {"date": day, "description": words, "chamber": "lower", "classification": classes}
            for day, words, classes in actions
        ],
        "sources": [{"url": f"https://legislature.example/{identifier.replace(' ', '')}"}],
        **more,
    }


FILED = ("2025-02-27", "Filed", ["filing"])
PASSED = ("2025-03-09", "Passed", ["passage"])
REPORTED = ("2025-03-08", "Reported favorably", ["committee-passage-favorable"])
SIGNED = ("2025-03-09", "Signed by the Governor", ["executive-signature", "became-law"])


def load(
    engine: Engine,
    bills: Iterable[dict[str, Any]],
    now: dt.datetime = NOW,
    *,
    texts: Mapping[tuple[str, str], str] | None = None,
    **words: str,
) -> None:
    """Load, read texts (by bill and version) and tag, as one run of the main job would."""
    report = ingest(engine, bills, Run("test"), now=now)
    assert not report.rejected
    for (identifier, note), text in (texts or {}).items():
        _read(engine, identifier, note, text, now)
    tag_bills(engine, WordTagger(**words), now=now)


def _read(engine: Engine, identifier: str, note: str, text: str, now: dt.datetime) -> None:
    with writing(engine) as connection:
        bill_id, version = connection.execute(
            select(BillRow.id, VersionRow.id)
            .join(VersionRow, VersionRow.bill_id == BillRow.id)
            .where(BillRow.identifier == identifier, VersionRow.note == note)
        ).one()
        values = {"bill_id": bill_id, "version_id": version, "url": "https://legislature.example/t", "status": "ok"}
        values |= {"media_type": "text/plain", "reason": "", "extractor": "test", "text": text, "struck": []}
        values |= {"added": [], "words": len(text.split()), "fetched_at": now}
        values["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        connection.execute(insert(BillTextRow).values(**values))
        connection.execute(update(BillRow).where(BillRow.id == bill_id).values(last_changed_at=now))
        happened = Event(bill_id, EventKind.TEXT, None, {"version": note, "words": values["words"], "status": "ok"})
        events.append(connection, [happened], seen_at=stamp(now), run_id=None)


def version(note: str, date: str, name: str) -> dict[str, Any]:
    """A published version of a bill."""
    link = {"url": f"https://legislature.example/text/{name}", "media_type": "text/html"}
    return {"note": note, "date": date, "links": [link]}


def settings(tmp_path: Path, **more: Any) -> Settings:
    """Settings of a small installation."""
    values = {"home": tmp_path / "home", "secret_key": SecretStr("k" * 32), **more}
    return Settings(**values)


HASHER = Hasher("k" * 32)


def reader(
    engine: Engine, email: str = "ann@example.org", *, again: bool = False, confirmed: bool = True, **wishes: Any
) -> subscriptions.Reader:
    """A confirmed reader."""
    asked = Wishes(**{k: tuple(v) if isinstance(v, list) else v for k, v in wishes.items()})
    return subscriptions.add(engine, email, asked, hasher=HASHER, now=NOW, confirmed=confirmed, again=again)
