"""Is this reply what we asked for? Block pages, JavaScript shells and empty bodies come with status 200 too.

A block is never read as a changed page layout: it is reported as a block, and the last good data stay.
"""

from __future__ import annotations

import re
from typing import Literal

Expected = Literal["csv", "json", "xml", "html", "pdf", "any"]

# Words of pages that are no content, seen on legislatures' sites and in front of them.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"request rejected", "the site's firewall rejected the request"),
    (b"automated request", "the site refuses automated requests"),
    (b"access denied", "the site denies access"),
    (b"attention required! | cloudflare", "a Cloudflare challenge"),
    (b"just a moment...", "a Cloudflare challenge"),
    (b"cf-chl-", "a Cloudflare challenge"),
    (b"incapsula incident", "an Incapsula block"),
    (b"you need to enable javascript", "a JavaScript shell without content"),
    (b"enable javascript to run this app", "a JavaScript shell without content"),
    (b"please enable javascript", "a JavaScript shell without content"),
    (b"unusual traffic", "the site suspects a robot"),
    (b"are you a human", "a captcha"),
)
# Titles that are no bill's: what is left when a page's frame is read instead of its content.
_BOILERPLATE = re.compile(
    r"^(?:page not found|not found|error\b.{0,40}|404\b.{0,40}|access denied|forbidden|untitled|null|none|n/?a|title|"
    r"loading\W*|just a moment\W*|bill (?:status|details?|information|search|history)|legislation details?|"
    r"(?:service )?(?:temporarily )?unavailable|maintenance|home|search results?)\W*$"
    r"|(?:please|need to|must) enable javascript|javascript (?:is|must be) (?:disabled|enabled|required)"
    r"|request rejected|automated request|unusual traffic",
    re.IGNORECASE,
)
_LOOKED_AT = 20_000


def signature(body: bytes) -> str:
    """What kind of refusal a web page is, by its words; "" for anything else."""
    head = body[:_LOOKED_AT].lower()
    start = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start[:500]:
        return next((meaning for words, meaning in SIGNATURES if words in head), "")
    return ""


def is_boilerplate(title: str) -> bool:
    """Whether a title is the words of a page's frame, not a bill's."""
    return bool(_BOILERPLATE.search(title[:300]))


def why(body: bytes, expected: Expected = "any") -> str:
    """Why this body is not what was asked for; empty when it may be."""
    head = body[:_LOOKED_AT].lower()
    start = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")
    if not start:
        return "the body is empty"
    markup = start.startswith((b"<!doctype html", b"<html")) or b"<html" in start[:500]
    if found := signature(body):
        return found
    if expected in ("csv", "json", "pdf") and markup:
        return f"a web page came instead of {expected.upper()}"
    if expected == "xml" and markup:
        return "a web page came instead of XML"
    if expected == "json" and start[:1] not in b'{["0123456789tfn-':
        return "the body is no JSON"
    if expected == "xml" and not start.startswith(b"<") and b"\x00" not in body[:40]:
        return "the body is no XML"
    if expected == "pdf" and b"%pdf" not in head[:1024]:
        return "the body is no PDF"
    return ""
