"""How the pages show things: dates, names, addresses, and foreign text cut into marked pieces.

The templates know these as filters and functions. Whatever a state wrote goes through ``visible``, ``clean``
or ``shorten``, and is escaped by the templates.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tracker import jurisdictions, playbook
from tracker.cleaning import bill_path, clean, day, shorten, visible, web_address
from tracker.vocabulary import FINAL_STAGES, ActionClass, Stage, importance

_WAY = (
    Stage.INTRODUCED,
    Stage.IN_COMMITTEE,
    Stage.PASSED_ONE_CHAMBER,
    Stage.PASSED_LEGISLATURE,
    Stage.SENT_TO_EXECUTIVE,
    Stage.BECAME_LAW,
)
_REACHED = {
    ActionClass.REFERRAL_COMMITTEE: Stage.IN_COMMITTEE,
    ActionClass.COMMITTEE_PASSAGE: Stage.IN_COMMITTEE,
    ActionClass.COMMITTEE_FAILURE: Stage.IN_COMMITTEE,
    ActionClass.PASSAGE: Stage.PASSED_ONE_CHAMBER,
    ActionClass.ENROLLED: Stage.PASSED_LEGISLATURE,
    ActionClass.EXECUTIVE_RECEIPT: Stage.SENT_TO_EXECUTIVE,
    ActionClass.EXECUTIVE_VETO: Stage.SENT_TO_EXECUTIVE,
}


# A passage is looked for by so many runs of so many words.
RUN, RUNS = 7, 6


class Step(NamedTuple):
    """A station of a bill's way; ``place`` is done, here, bad (it ended here) or nothing (still ahead)."""

    label: str
    place: str


class Piece(NamedTuple):
    """A stretch of text; ``kind`` is plain, mark, ins or del; ``number`` counts marks from 1, else 0."""

    text: str
    kind: str
    number: int = 0


def way(bill: dict[str, Any]) -> list[Step]:
    """The stations of a bill, up to the end that it has found."""
    stage = Stage(bill["stage"])
    if stage in _WAY:
        at = _WAY.index(stage)
        return [
            Step(stage_label(s, bill["jurisdiction"]), "done" if n < at else "here" if n == at else "")
            for n, s in enumerate(_WAY)
        ]
    classes = {name for action in bill["actions"] for name in action["classification"]}
    furthest = max((s for name, s in _REACHED.items() if name in classes), key=_WAY.index, default=Stage.INTRODUCED)
    done = [Step(stage_label(s, bill["jurisdiction"]), "done") for s in _WAY[: _WAY.index(furthest) + 1]]
    return [*done, Step(stage_label(stage, bill["jurisdiction"]), "here bad" if stage in FINAL_STAGES else "here")]


def stage_label(stage: str, code: str = "") -> str:
    """The stage as people read it, with the executive's own title."""
    try:
        label = Stage(stage).label
    except ValueError:
        return clean(stage)
    if stage == Stage.SENT_TO_EXECUTIVE and code:
        return label.replace("the governor", {"us": "the President", "dc": "the Mayor"}.get(code, "the governor"))
    return label


def place_name(code: str) -> str:
    """Texas for ``tx``."""
    places = jurisdictions.load()
    return places[code].name if code in places else code.upper()


def chamber_name(chamber: str, code: str = "") -> str:
    """Senate for ``upper``, in the jurisdiction's own word."""
    places = jurisdictions.load()
    if code in places:
        return places[code].chamber_name(chamber)
    return {"upper": "Upper chamber", "lower": "Lower chamber", "legislature": "Legislature"}.get(chamber, chamber)


@lru_cache(maxsize=1)
def strategies() -> dict[str, playbook.Strategy]:
    """The strategies of the playbook in use, in its order."""
    return playbook.load().strategies


def strategy_name(key: str) -> str:
    """Tax credits for ``tax_credits``; a strategy that the playbook no longer has keeps its key."""
    known = strategies()
    return known[key].name if key in known else "In scope" if key == "in_scope" else key.replace("_", " ").capitalize()


def moment(value: dt.datetime | str | None) -> str:
    """A moment as people read it: 3 Mar 2026, 14:05 UTC."""
    if not value:
        return ""
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    return f"{day(value.date())}, {value:%H:%M} UTC"


def iso(value: dt.date | dt.datetime | str | None) -> str:
    """For ``<time datetime>``."""
    return "" if value is None else value if isinstance(value, str) else value.isoformat()


def field_name(field: str) -> str:
    """Where evidence or a snippet stands, in words."""
    if field.startswith("abstract"):
        return "Summary"
    return {"title": "Title", "text": "Text of the bill"}.get(field, field)


def address(path: str, given: Sequence[tuple[str, Any]] | dict[str, Any]) -> str:
    """A path with a query string; empty values are left out."""
    pairs = given.items() if isinstance(given, dict) else given
    query = urlencode([(name, value) for name, value in pairs if value not in (None, "", False)])
    return f"{path}?{query}" if query else path


def spread_address(forms: Sequence[str]) -> str:
    """The page that shows where else a passage stands: a few runs of its words, any of which will do."""
    runs = [forms[at : at + RUN] for at in range(0, len(forms) - RUN + 1, RUN)] or ([forms] if forms else [])
    step = max(len(runs) // RUNS, 1)
    return address("/spread", {"q": " OR ".join(f'"{" ".join(run)}"' for run in runs[::step][:RUNS])})


def count(number: int, noun: str = "", many: str = "") -> str:
    """1,204 bills."""
    if not noun:
        return f"{number:,}"
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def percent(share: float) -> str:
    """62 % of 0.62; no bill shares 100 % unless every word does."""
    return f"{int(share * 100)}\u202f%"


def news(event: dict[str, Any]) -> str:
    """What an event of the log says, in some words; its kind is shown beside it."""
    before, after = event["before"], event["after"]
    told = after if after is not None else before
    if isinstance(told, list):
        return ", ".join(map(str, [*(f"+ {v}" for v in after or ()), *(f"− {v}" for v in before or ())]))
    if not isinstance(told, dict):
        return "" if told is None else str(told)
    if event["kind"] == "stage":
        return (
            f"{stage_label(before['stage'])} → {stage_label(after['stage'])}" if before else stage_label(told["stage"])
        )
    if "strategy" in told or (isinstance(before, dict) and "strategy" in before):
        named = told if "strategy" in told else before
        return f"{strategy_name(named['strategy'])}, score {named['score']:.2f}"
    for name in ("title", "description", "name", "note", "abstract", "committee", "identifier", "version"):
        if told.get(name):
            return str(told[name])
    return ", ".join(str(value) for value in told.values() if isinstance(value, str | int | float) and value != "")


def media(kind: str) -> str:
    """PDF for ``application/pdf``; "file" where nobody says."""
    names = {"pdf": "PDF", "html": "web page", "xml": "XML", "plain": "text", "rtf": "RTF", "msword": "Word"}
    last = kind.rpartition("/")[2].partition(";")[0].strip().lower()
    return names.get(last, "Word" if "word" in last else "file")


def pieces(text: str, marks: Iterable[tuple[int, int]], start: int = 0, end: int | None = None) -> list[Piece]:
    """A stretch of a text with some spans marked (code points; they may touch or overlap)."""
    end = len(text) if end is None else end
    found: list[Piece] = []
    at = start
    for number, (left, right) in enumerate(joined(marks), 1):
        left, right = max(left, at), min(right, end)
        if left >= right:
            continue
        if left > at:
            found.append(Piece(visible(text[at:left]), "plain"))
        found.append(Piece(visible(text[left:right]), "mark", number))
        at = right
    if at < end:
        found.append(Piece(visible(text[at:end]), "plain"))
    return found


def cut(marked: Sequence[tuple[str, bool]], room: int) -> list[tuple[str, bool]]:
    """Marked pieces of at most ``room`` characters together, with an ellipsis where they were cut."""
    kept: list[tuple[str, bool]] = []
    for text, hit in marked:
        text = visible(text).replace("\n", " ")
        if len(text) > room:
            kept.append((text[: max(room - 1, 0)].rstrip() + "…", hit))
            break
        kept.append((text, hit))
        room -= len(text)
    return kept


def joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that overlap made one."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if kept and start < kept[-1][1]:
            kept[-1] = (kept[-1][0], max(end, kept[-1][1]))
        else:
            kept.append((start, end))
    return kept


def law_pieces(
    text: str, marks: Iterable[tuple[int, int]], added: Iterable[tuple[int, int]], struck: Iterable[tuple[int, str]]
) -> Iterator[Piece]:
    """A whole text: evidence marked, new language inserted, struck language put back where it stood."""
    marked, inserted = joined(marks), joined(added)
    gone: dict[int, list[str]] = {}
    for position, words in struck:
        gone.setdefault(min(max(position, 0), len(text)), []).append(words)
    borders = {0, len(text), *gone, *(place for span in (*marked, *inserted) for place in span if place < len(text))}
    places = sorted(borders)
    for start, end in zip(places, [*places[1:], len(text)], strict=True):
        for words in gone.get(start, ()):
            yield Piece(visible(words), "del")
        if start < end:
            number = _within(marked, start)
            kind = "mark" if number else "ins" if _within(inserted, start) else "plain"
            yield Piece(visible(text[start:end]), kind, number)


def _within(spans: Sequence[tuple[int, int]], place: int) -> int:
    """The number (from 1) of the span that holds the place, else 0."""
    at = bisect_right(spans, (place, 1 << 62))
    return at if at and place < spans[at - 1][1] else 0


FILTERS = {
    "address": address,
    "clean": clean,
    "count": count,
    "cut": cut,
    "day": day,
    "field": field_name,
    "iso": iso,
    "media": media,
    "moment": moment,
    "news": news,
    "percent": percent,
    "shorten": shorten,
    "visible": visible,
    "web": web_address,
    "stage_name": stage_label,
    "strategy": strategy_name,
    "place": place_name,
}
FUNCTIONS = {"bill_path": bill_path, "chamber": chamber_name, "address": address, "weight": importance}
