"""Turns a digest's contents into the mail's two parts, which always list the same bills.

Mail programs cut long mails off, so the HTML stays under a limit: what does not fit is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

MAX_HTML = 90_000
# Room for the reader's own links, which come in when an issue is frozen.
_PRIVATE_ROOM = 3_000
_FIRST_TRY = 120
MARK = "<!--only-for-you-->"


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
    archive: str


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates; what ends in .html is escaped, .txt is laid out by lines."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=lambda name: bool(name and name.endswith(".html")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=False,
        keep_trailing_newline=True,
    )


def render(content: dict[str, Any], *, subject: str, public_url: str) -> Parts:
    """The digest as HTML under the size limit and as text, the weightiest bills first; nothing private is in it."""
    shown = min(content["bills"], _FIRST_TRY)
    values = {
        "subject": subject,
        "public_url": public_url,
        "lead": _lead(content),
        "dull": _dull(content["dull"]),
        "notes": _notes(content),
    }
    while True:
        cut = _first(content, shown)
        html = _inliner().inline(environment().get_template("digest.html").render(d=cut, **values))
        size = len(html.encode())
        if size < MAX_HTML - _PRIVATE_ROOM or not shown:
            break
        shown = min(shown - 1, int(shown * (MAX_HTML - _PRIVATE_ROOM) / size))
    text = environment().get_template("digest.txt").render(d=cut, **values)
    keys = [bill["key"] for s in cut["sections"] for g in s["groups"] for bill in g["bills"]]
    return Parts(html, text, keys)


@lru_cache(maxsize=1)
def _inliner() -> Any:
    from css_inline import CSSInliner

    return CSSInliner(load_remote_stylesheets=False)


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


def page(title: str, words: str, *, form: bool = False) -> str:
    """One of the few pages a mail leads to."""
    return environment().get_template("page.html").render(title=title, words=words, form=form)


def _first(content: dict[str, Any], room: int) -> dict[str, Any]:
    """The contents with only the first ``room`` bills, and in each section the number of the others."""
    sections = []
    for section in content["sections"]:
        groups, more = [], 0
        for group in section["groups"]:
            bills = group["bills"][:room]
            room -= len(bills)
            more += len(group["bills"]) - len(bills)
            groups.append({**group, "bills": bills})
        sections.append({**section, "groups": groups, "more": more})
    return {**content, "sections": sections}


def _lead(content: dict[str, Any]) -> str:
    bills = content["bills"]
    if not bills:
        return "Nothing happened to the bills you follow. What was checked is below."
    many = f"{bills:,} bills have" if bills != 1 else "One bill has"
    parts = [f"{s['title'].lower()}: {content['counts'][s['key']]:,}" for s in content["sections"]]
    return f"{many} news. " + "; ".join(parts).capitalize() + "."


def _dull(dull: dict[str, int]) -> str:
    bills, events = dull["bills"], dull["events"]
    return (
        f"{bills:,} more bill{'' if bills == 1 else 's'} changed only in small things "
        f"({events:,} such as sponsors or subjects)"
    )


def _notes(content: dict[str, Any]) -> list[str]:
    checked = content["checked"]
    states = ", ".join(checked["states"]) or "all states"
    lines = [
        f"What was checked: {checked['events']:,} changes in {states}, for bills tagged "
        f"{', '.join(checked['strategies'])}"
        + (f" or with {', '.join(checked['keywords'])} in the title" if checked["keywords"] else "")
        + "."
    ]
    if content["unseen"]:
        lines.append(f"Not checked yet, so nothing here covers them: {', '.join(content['unseen'])}.")
    if checked["left_out"]:
        lines.append(f"{checked['left_out']:,} changes older than {checked['days']} days are left out of this digest.")
    lines.append(f"State of the data: change number {content['to_seq']:,}, {content['moment']}.")
    return lines
