"""Pages that come in place of a bill: blocks, JavaScript shells, logins, errors.

The table is `signatures.toml`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from tracker.text.sniffing import HTML, TEXT, XML, decode, media_type


@dataclass(frozen=True, slots=True)
class Signature:
    """What tells one kind of page: `longest` is the most visible text, in characters, such a page has."""

    name: str
    reason: str
    patterns: tuple[re.Pattern[str], ...]
    longest: int


@cache
def signatures() -> tuple[Signature, ...]:
    """The table, in its order."""
    rows = tomllib.loads(resources.files("tracker.text").joinpath("signatures.toml").read_text("utf-8"))
    return tuple(
        Signature(
            row["name"],
            row["reason"],
            tuple(re.compile(p, re.I | re.S) for p in row["patterns"]),
            row["longest"],
        )
        for row in rows["signature"]
    )


_HIDDEN = re.compile(r"<(script|style|noscript|head)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>", re.I | re.S)


def match(markup: str) -> Signature | None:
    """The first signature a decoded page carries, or None. Looks at 200,000 characters."""
    head = markup[:200_000]
    hits = [row for row in signatures() if any(pattern.search(head) for pattern in row.patterns)]
    if not hits:
        return None
    visible = len(" ".join(_HIDDEN.sub(" ", head).split()))
    return next((row for row in hits if visible <= row.longest), None)


def blocked(body: bytes) -> str | None:
    """One sentence when `body` is a block page, shell, login or error page and not a document; else None."""
    if media_type(body) not in (HTML, TEXT, XML):
        return None
    found = match(decode(body[:400_000]))
    return found.reason if found else None
