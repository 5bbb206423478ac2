"""Turns a digest's contents into the mail's two parts, which always list the same bills.

Mail programs cut long mails off, so the HTML stays under a limit: what does not fit is counted, and linked to
the issue's page. What a part says that only its reader may have is put in last (:func:`whole`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from alerts import amendments, tilemap
from tracker.cleaning import shorten
from tracker.text.difference import Change

MAX_HTML = 90_000
# Room for the reader's own links, which come in when an issue is frozen.
_PRIVATE_ROOM = 3_000
_FIRST_TRY = 120
MARK = "<!--only-for-you-->"
# What cannot stand in style attributes comes in when those are made.
_STYLES = "<!--styles-->"
# Stands for the issue's own address until the issue has its number.
ISSUE = "https://issue.invalid/"
_TEMPLATES = Path(__file__).with_name("templates")


class Parts(NamedTuple):
    """Both parts of a mail, and the keys of the bills they list."""

    html: str
    text: str
    shown: list[str]


class Private(NamedTuple):
    """A reader's own links. They stand in one part at the end, so that the rest can be forwarded."""

    unsubscribe: str
    preferences: str
    feedback: str


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates; what ends in .html is escaped, .txt is laid out by lines."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=False,
        keep_trailing_newline=True,
    )
    made.globals |= {
        "changed_html": lambda line: Markup(amendments.as_html(_line(line))),
        "changed_text": lambda line: amendments.as_text(_line(line)),
        "map_html": lambda counts: Markup(tilemap.table(counts)),
        "map_words": tilemap.words,
        "dark_css": Markup(tilemap.CSS + amendments.CSS),
        "issue": ISSUE,
        "mark": Markup(MARK),
        "styles": Markup(_STYLES),
    }
    return made


@lru_cache(maxsize=1)
def templates_hash() -> str:
    """Twelve hexadecimal digits that change with any template."""
    files = sorted(_TEMPLATES.iterdir())
    return hashlib.sha256(b"\0".join(f.name.encode() + b"\0" + f.read_bytes() for f in files)).hexdigest()[:12]


def render(content: dict[str, Any], *, subject: str, public_url: str, limit: int = MAX_HTML) -> Parts:
    """The digest as HTML under the size limit and as text, the weightiest bills first; nothing private is in it."""
    whole_number = sum(len(g["bills"]) for s in content["sections"] for g in s["groups"])
    shown = min(whole_number, _FIRST_TRY) if limit == MAX_HTML else whole_number
    room = limit - _PRIVATE_ROOM
    values = {
        "subject": subject,
        "public_url": public_url,
        "preheader": _preheader(content),
        "lead": _lead(content),
        "dull": _dull(content["dull"]),
        "notes": _notes(content),
    }
    while True:
        cut = _first(content, shown)
        html = _inliner().inline(environment().get_template("digest.html").render(d=cut, **values))
        html = html.replace(_STYLES, environment().get_template("dark.css.html").render(), 1)
        size = len(html.encode())
        if size < room or not shown:
            break
        shown = min(shown - 1, int(shown * room / size))
    text = environment().get_template("digest.txt").render(d=cut, **values)
    cards = [bill for s in cut["sections"] for g in s["groups"] for bill in g["bills"]]
    return Parts(html, text, [key for c in cards for key in (c["key"], *(a["key"] for a in c["also"]))])


@lru_cache(maxsize=1)
def _inliner() -> Any:
    from css_inline import CSSInliner

    return CSSInliner(load_remote_stylesheets=False)


def addressed(html: str, text: str, issue_url: str) -> tuple[str, str]:
    """Both parts with the issue's own address in place."""
    return html.replace(ISSUE, issue_url), text.replace(ISSUE, issue_url)


def whole(html: str, text: str, private: Private) -> tuple[str, str]:
    """Both parts of the mail with the reader's own links in them."""
    return (
        html.replace(MARK, environment().get_template("private.html").render(p=private)),
        text + environment().get_template("private.txt").render(p=private),
    )


def letter(title: str, words: Sequence[str], url: str) -> tuple[str, str]:
    """A short mail with one link, as HTML and as text."""
    values = {"title": title, "words": words, "url": url}
    html = environment().get_template("letter.html").render(values)
    return html, environment().get_template("letter.txt").render(values)


def _line(line: Sequence[Sequence[str]]) -> tuple[Change, ...]:
    return tuple(Change(kind, text) for kind, text in line)  # type: ignore[arg-type]


def _first(content: dict[str, Any], room: int) -> dict[str, Any]:
    """The contents with only the first ``room`` cards, and in each section the number of the other bills."""
    sections = []
    for section in content["sections"]:
        groups, more = [], 0
        for group in section["groups"]:
            bills = group["bills"][:room]
            room -= len(bills)
            more += sum(1 + len(b["also"]) for b in group["bills"][len(bills) :])
            groups.append({**group, "bills": bills})
        sections.append({**section, "groups": groups, "more": more})
    return {**content, "sections": sections}


def _preheader(content: dict[str, Any]) -> str:
    """What mail programs show beside the subject: the most important item, in 90 characters."""
    if content["top"]:
        first = content["top"][0]
        return shorten(f"{first['words']}: {first['title']}", 90)
    return shorten(f"Checked {content['checked']['events']:,} changes to {content['checked']['bills']:,} bills.", 90)


def _lead(content: dict[str, Any]) -> str:
    checked = content["checked"]
    before = f"Your first digest: what is new of the last {checked['days']} days. " if checked["first"] else ""
    bills = content["bills"]
    if not bills:
        return before + (
            f"Nothing happened to the bills you follow. We checked {checked['events']:,} changes to "
            f"{checked['bills']:,} bills; what was checked is below."
        )
    many = f"{bills:,} bills have" if bills != 1 else "One bill has"
    parts = [f"{s['title'].lower()}: {content['counts'][s['key']]:,}" for s in content["sections"]]
    return before + f"{many} news. " + "; ".join(parts).capitalize() + "."


def _dull(dull: dict[str, int]) -> str:
    bills, events = dull["bills"], dull["events"]
    return (
        f"{bills:,} more bill{'' if bills == 1 else 's'} changed only in small things "
        f"({events:,} such as sponsors, subjects or printing)"
    )


def _notes(content: dict[str, Any]) -> list[str]:
    checked = content["checked"]
    states = ", ".join(checked["states"]) or "all states"
    wishes = f"bills tagged {', '.join(checked['strategies'])}"
    if checked["min_score"]:
        wishes += f" with at least {checked['min_score']:.0%} confidence"
    for words, names in (
        ("with {} in the title", checked["keywords"]),
        ("found by {}", checked["searches"]),
        ("sponsored by {}", checked["sponsors"]),
    ):
        if names:
            wishes += ", or " + words.format(", ".join(names))
    if checked["followed"]:
        wishes += f", or among the {checked['followed']:,} you follow"
    lines = [
        f"What was checked: {checked['events']:,} changes to {checked['bills']:,} bills in {states}, for {wishes}."
    ]
    if checked["unreadable"]:
        lines.append(
            f"{checked['unreadable']:,} of these bills have no text that we could read: they were judged by title "
            "and summary alone."
        )
    lines += [f"Your saved search could not be run. {error}." for error in checked["errors"]]
    if content["unseen"]:
        lines.append(f"Not checked yet, so nothing here covers them: {', '.join(content['unseen'])}.")
    if checked["left_out"]:
        lines.append(f"{checked['left_out']:,} changes older than {checked['days']} days are left out of this digest.")
    lines.append(
        f"State of the data: changes {content['from_seq'] + 1:,} to {content['to_seq']:,}, {content['moment']}; "
        f"playbook {content['versions']['playbook']}, classifier {content['versions']['classifier'] or 'none yet'}."
    )
    return lines
