"""Makes what legislatures and readers wrote harmless: no control, bidirectional or invisible characters."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from urllib.parse import quote, urlsplit

# Cc without line breaks and tabs, Cf and surrogates; a test holds it to Unicode's table.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e"
    "\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f]"
)


def visible(text: object) -> str:
    """Text of any length with its line breaks, without characters that hide or turn what stands beside them."""
    return _INVISIBLE.sub("", str(text or "").replace("\r\n", "\n").replace("\r", "\n"))


def clean(text: object) -> str:
    """One line of visible text. Control and format characters (Cc, Cf), surrogates and unassigned go."""
    raw = str(text or "")
    if raw.isascii():
        return " ".join(_INVISIBLE.sub("", " ".join(raw.split())).split())
    raw = unicodedata.normalize("NFC", raw)
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


def bill_path(jurisdiction: str, session: str, identifier: str) -> str:
    """The path of our own page of a bill."""
    return "/bill/" + _path(jurisdiction, session, identifier)


def bill_page(public_url: str, jurisdiction: str, session: str, identifier: str) -> str:
    """Our own address of a bill: programs get the record there, browsers are led to its page."""
    return f"{public_url.rstrip('/')}/bills/{_path(jurisdiction, session, identifier)}"


def _path(*parts: str) -> str:
    return "/".join(quote(clean(part), safe="") for part in parts)


def day(value: dt.date | str | None) -> str:
    """A date as people read it: 3 Mar 2026; nothing where there is none."""
    if isinstance(value, str):
        try:
            value = dt.date.fromisoformat(value[:10])
        except ValueError:
            return ""
    return f"{value.day} {value:%b %Y}" if value else ""
