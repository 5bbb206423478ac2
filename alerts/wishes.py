"""What a reader wants to hear of, and when: checked values, the same for command line, CSV and pages."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tracker import history, jurisdictions, playbook, query
from tracker.records import bill_key
from tracker.search_sql import Query

CADENCES = ("weekly", "daily", "immediate")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MAX_WORDS, MAX_SEARCHES, MAX_BILLS, MAX_SPONSORS = 50, 50, 500, 100
_FILTERS = ("states", "sessions", "chambers", "classifications", "subjects", "sponsors", "stages", "strategies")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")


class SubscriptionError(ValueError):
    """A subscription that cannot be; the message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """Empty ``states`` means all; empty ``strategies`` the playbook's first group, in the reader's order else.

    ``searches`` are saved searches: name, text, and lists for the filters of :class:`tracker.search_sql.Query`.
    ``bills`` are keys of followed bills, ``sponsors`` names. ``weekday`` counts from Monday, 0.
    """

    states: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    searches: tuple[Mapping[str, Any], ...] = ()
    bills: tuple[str, ...] = ()
    sponsors: tuple[str, ...] = ()
    cadence: str = "weekly"
    timezone: str = "America/New_York"
    weekday: int = 0
    hour: int = 7
    daily_cap: int = 5
    empty_weeks: bool = True
    min_score: float = 0.0

    @property
    def wanted(self) -> tuple[str, ...]:
        """The strategies that count: the chosen ones, or the playbook's first group."""
        return self.strategies or default_strategies()

    def checked(self) -> Wishes:
        """The same in normal spelling; raises :class:`SubscriptionError` for what cannot be."""
        if self.cadence not in CADENCES:
            raise SubscriptionError(f"cadence {self.cadence!r} is not one of {', '.join(CADENCES)}")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise SubscriptionError(f"{self.timezone!r} is not a time zone such as America/Chicago") from error
        for name, low, high in (("min_score", 0, 1), ("weekday", 0, 6), ("hour", 0, 23), ("daily_cap", 1, 50)):
            if not low <= getattr(self, name) <= high:
                raise SubscriptionError(f"{name} {getattr(self, name)} is not between {low} and {high}")
        return dataclasses.replace(
            self,
            states=_states(self.states),
            strategies=_strategies(self.strategies),
            keywords=_words(self.keywords, MAX_WORDS, "keywords"),
            sponsors=_words(self.sponsors, MAX_SPONSORS, "sponsors"),
            bills=_bills(self.bills),
            searches=_searches(self.searches),
        )

    def stored(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The columns of ``subscriber`` and of ``subscription``."""
        lists = ("states", "strategies", "keywords", "searches", "bills", "sponsors")
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(Wishes)}
        own = {name: [dict(v) if isinstance(v, Mapping) else v for v in values.pop(name)] for name in lists}
        return values, own


def search_of(saved: Mapping[str, Any]) -> Query:
    """A saved search as the search takes it."""
    filters: dict[str, Any] = {name: tuple(saved.get(name) or ()) for name in _FILTERS}
    return Query(text=str(saved.get("text") or ""), min_score=saved.get("min_score"), **filters)


@lru_cache(maxsize=1)
def default_strategies() -> tuple[str, ...]:
    """The strategies of the playbook's first group: what a reader gets who names none."""
    strategies = playbook.load().strategy
    return tuple(s.key for s in strategies if s.group == strategies[0].group)


def check_email(email: str) -> str:
    """The address in lower case; raises :class:`SubscriptionError` for what is not one."""
    email = email.strip().lower()
    if not _ADDRESS.fullmatch(email) or len(email) > 254:
        raise SubscriptionError(f"{email[:80]!r} is not an e-mail address")
    return email


def _words(given: Sequence[str], most: int, what: str) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(" ".join(k.split())[:120] for k in given if k.strip()))
    if len(words) > most:
        raise SubscriptionError(f"{len(words)} {what} are too many; at most {most}")
    return words


def _states(codes: Sequence[str]) -> tuple[str, ...]:
    places = jurisdictions.load()
    try:
        return tuple(sorted({places.get(code).code for code in codes if code.strip()}))
    except KeyError as error:
        raise SubscriptionError(str(error.args[0])) from error


def _strategies(keys: Sequence[str]) -> tuple[str, ...]:
    known = playbook.load().strategies
    asked = [k.strip() for k in keys if k.strip()]
    for key in asked:
        if key not in known:
            raise SubscriptionError(f"there is no strategy {key!r}; the playbook has {', '.join(known)}")
    return tuple(dict.fromkeys(asked))


def _bills(keys: Sequence[str]) -> tuple[str, ...]:
    try:
        found = tuple(dict.fromkeys(bill_key(*history.split_key(key)) for key in keys if key.strip()))
    except history.NoBill as error:
        raise SubscriptionError(str(error)) from error
    if len(found) > MAX_BILLS:
        raise SubscriptionError(f"{len(found)} followed bills are too many; at most {MAX_BILLS}")
    return found


def _searches(saved: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    if len(saved) > MAX_SEARCHES:
        raise SubscriptionError(f"{len(saved)} saved searches are too many; at most {MAX_SEARCHES}")
    found: list[dict[str, Any]] = []
    for search in saved:
        if not isinstance(search, Mapping) or not set(search) <= {"name", "text", "min_score", *_FILTERS}:
            raise SubscriptionError(f"a saved search has name, text and the filters {', '.join(_FILTERS)}, no more")
        clean = {k: v for k, v in search.items() if v not in (None, "", [], ())}
        text = str(clean.get("text", "")).strip()
        if not text and set(clean) <= {"name", "text"}:
            raise SubscriptionError("a saved search needs words or a filter")
        for name in _FILTERS:
            values = clean.get(name, [])
            if not isinstance(values, list | tuple) or not all(isinstance(v, str) for v in values):
                raise SubscriptionError(f"the filter {name} of a saved search is a list of words")
        try:
            query.parse(text)
        except query.QueryError as error:
            raise SubscriptionError(f"the saved search {text[:80]!r} cannot be read: {error}") from error
        clean["text"] = text
        clean["name"] = " ".join(str(clean.get("name") or text).split())[:120]
        found.append(clean)
    return tuple(found)
