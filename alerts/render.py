"""Turns a digest's contents into the mail's two parts, which always list the same bills.

Mail programs cut long mails off, so the HTML stays under a limit: what does not fit is counted.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

MAX_HTML = 90_000
_FIRST_TRY = 120


class Parts(NamedTuple):
    """Both parts of a mail, and the keys of the bills they list."""

    html: str
    text: str
    shown: list[str]


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


def render(content: dict[str, Any], *, subject: str, unsubscribe: str, public_url: str) -> Parts:
    """The digest as HTML under the size limit and as text, the weightiest bills first."""
    from css_inline import CSSInliner

    inliner = CSSInliner(load_remote_stylesheets=False)
    shown = min(content["bills"], _FIRST_TRY)
    values = {
        "subject": subject,
        "unsubscribe": unsubscribe,
        "public_url": public_url,
        "lead": _lead(content),
        "dull": _dull(content["dull"]),
        "notes": _notes(content),
    }
    while True:
        cut = _first(content, shown)
        html = inliner.inline(environment().get_template("digest.html").render(d=cut, **values))
        size = len(html.encode())
        if size < MAX_HTML or not shown:
            break
        shown = min(shown - 1, int(shown * MAX_HTML / size))
    text = environment().get_template("digest.txt").render(d=cut, **values)
    keys = [bill["key"] for s in cut["sections"] for g in s["groups"] for bill in g["bills"]]
    return Parts(html, text, keys)


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
