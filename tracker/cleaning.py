"""Makes what legislatures and readers wrote harmless: no control, bidirectional or invisible characters."""

from __future__ import annotations

import datetime as dt
import unicodedata
from urllib.parse import quote, urlsplit


def clean(text: object) -> str:
    """One line of visible text. Control and format characters (Cc, Cf), surrogates and unassigned go."""
    raw = unicodedata.normalize("NFC", str(text or ""))
    kept = (" " if c.isspace() else c for c in raw)
    visible = (c for c in kept if c == " " or not unicodedata.category(c).startswith("C"))
    return " ".join("".join(visible).split())


def shorten(text: object, room: int) -> str:
    """Clean text of at most ``room`` characters, cut between words, with an ellipsis where it was cut."""
    whole = clean(text)
    if len(whole) <= room:
        return whole
    cut = whole[: room - 1]
    head, _, _ = cut.rpartition(" ")
    return (head if len(head) > room // 2 else cut).rstrip(" ,;:") + "…"


def web_address(url: object) -> str:
    """The address if a reader may follow it (http or https, a host, no odd characters), else nothing."""
    text = str(url or "").strip()
    if not text or clean(text) != text or any(c in text for c in " \"'<>\\`") or len(text) > 1500:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme.lower() in ("http", "https") and parts.hostname else ""


def bill_page(public_url: str, jurisdiction: str, session: str, identifier: str) -> str:
    """Our own page of a bill."""
    path = "/".join(quote(clean(part), safe="") for part in (jurisdiction, session, identifier))
    return f"{public_url.rstrip('/')}/bills/{path}"


def day(value: dt.date | str | None) -> str:
    """A date as people read it: 3 Mar 2026; nothing where there is none."""
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value[:10])
        except ValueError:
            return ""
    return f"{value.day} {value:%b %Y}" if value else ""
