"""Bills and a reader for the tests, loaded as crawls load them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine

from alerts import subscriptions
from alerts.subscriptions import Wishes
from alerts.suppressions import Hasher
from tracker.ingest import Run, ingest
from tracker.settings import Settings
from tracker.tagging import tag_bills

NOW = dt.datetime(2025, 3, 3, 15, tzinfo=dt.UTC)
CAREER = "A bill relating to a tax credit for employers of apprentices"


class WordTagger:
    """Tags a bill by one word of its title."""

    version = "words-0/none/1"

    def __init__(self, **words: str) -> None:
        self.words = words or {"tax_credits": "tax credit", "incentives": "grant", "flexibility": "waiver"}

    def tag(self, bills: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """One finding a bill."""
        for bill in bills:
            tags = []
            for strategy, word in self.words.items():
                at = bill["title"].lower().find(word)
                quote = {"field": "title", "start": at, "end": at + len(word)}
                quote["quote"] = bill["title"][at : at + len(word)]
                tags.append(
                    {
                        "strategy": strategy,
                        "score": 0.91 if at >= 0 else 0.02,
                        "value": at >= 0,
                        "evidence": [quote] if at >= 0 else [],
                    }
                )
            yield {"in_scope": {"score": 0.9, "value": any(t["value"] for t in tags)}, "tags": tags}


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


def load(engine: Engine, bills: Iterable[dict[str, Any]], now: dt.datetime = NOW, **words: str) -> None:
    """Load and tag, as one run of the main job would."""
    report = ingest(engine, bills, Run("test"), now=now)
    assert not report.rejected
    tag_bills(engine, WordTagger(**words), now=now)


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
