"""Listings of folders, of FTP servers and of web servers: what is there, and what changes when a file does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple
from urllib.parse import quote, unquote

from crawlers.tables import decode

# "06-22-25  02:05AM       <DIR>          HB00001_HB00099", as Windows servers write it.
_WINDOWS = re.compile(r"^(\d\d-\d\d-(?:\d\d)?\d\d +\d\d:\d\d[AP]M) +(<DIR>|\d+) +(.+)$")
# "-rw-r--r--  1 ftp ftp  2045 Jun 22 02:05 HB 1.xml", as all the others do.
_UNIX = re.compile(r"^([-d])[-rwxstST]{9}\S* +\d+ +\S+ +\S+ +(\d+) +(\w{3} +\d+ +[\d:]+) (.+)$")


# " 6/22/2025  2:05 AM        2045 <A HREF="/Legislation/104/HB/10400HB0001.xml">10400HB0001.xml</A><br>", a web page.
_PAGE = re.compile(
    r"(\d{1,2}/\d{1,2}/\d{4} +\d{1,2}:\d\d [AP]M) +(<dir>|&lt;dir&gt;|\d+) +<a href=\"([^\"]+)\"", re.IGNORECASE
)
_LINK = re.compile(r"()()<a href=\"([^\"?#]+)\"", re.IGNORECASE)


class Entry(NamedTuple):
    """A line of a listing: the name as it stands in an address, and what changes when the file does."""

    path: str
    folder: bool
    stamp: str


def entries(body: bytes) -> Iterator[Entry]:
    """The files and folders of a listing; without stamps where a page does not say when files changed.

    Raises ValueError when no line of it is one.
    """
    text = decode(body)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = list(_links(text)) or [entry for line in lines if (entry := _entry(line))]
    if lines and not found:
        raise ValueError(f"this is no listing: {lines[0][:80]!r}")
    yield from found


def _entry(line: str) -> Entry | None:
    if windows := _WINDOWS.match(line):
        when, size, name = windows.groups()
        folder = size == "<DIR>"
    elif unix := _UNIX.match(line):
        kind, size, when, name = unix.groups()
        folder = kind == "d"
    else:
        return None
    if name in (".", "..") or "/" in name:
        return None
    return Entry(quote(name), folder, "" if folder else f"{' '.join(when.split())} {size}")


def _links(page: str) -> Iterator[Entry]:
    for when, size, target in _PAGE.findall(page) or _LINK.findall(page):
        name = unquote(unescape(target)).rstrip("/").rpartition("/")[2]
        folder = target.endswith("/") or (bool(size) and not size.isdigit())
        if name and name != "..":
            yield Entry(quote(name), folder, "" if folder else f"{' '.join(when.split())} {size}".strip())
