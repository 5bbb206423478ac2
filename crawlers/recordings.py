"""Which crawls a folder of recordings holds: WARC files by their names or hosts, mirrors' archives by their names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from crawlers import modules
from crawlers.recording import Recording, RecordingError
from tracker import jurisdictions

_WARC = re.compile(r"\.warc(\.gz)?$")
_CODE = re.compile(r"^([a-z]{2})[-_.]")
_GOVBOT = re.compile(r"^([a-z]{2})-legislation\.tar\.gz$")
_LEGISCAN = re.compile(r"^([A-Z]{2})_.*_(?:JSON|CSV)\.zip$")
# Addresses looked at to tell whose recording it is: robots.txt and redirects may come first.
_LOOKED_AT = 20


def find(path: Path) -> list[dict[str, Any]]:
    """Crawls in a folder (or one file), those of one jurisdiction in the order of their names, which are days."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    found = []
    for file in files:
        archive = _GOVBOT.match(file.name)
        if archive and archive[1] in jurisdictions.load():
            found.append({"jurisdiction": archive[1], "source": "govbot", "session": "", "file": str(file)})
        elif (dataset := _LEGISCAN.match(file.name)) and dataset[1].lower() in jurisdictions.load():
            code = dataset[1].lower()
            found.append({"jurisdiction": code, "source": "legiscan", "session": "", "file": str(file)})
        elif _WARC.search(file.name) and (code := _whose(file)):
            found.append({"jurisdiction": code, "source": "", "session": "", "file": str(file)})
    return sorted(found, key=lambda entry: (entry["source"] != "", Path(entry["file"]).name))


def _whose(file: Path) -> str:
    """The jurisdiction of a recording, by its name or else by its hosts; "" when no crawler reads it."""
    named, there = _CODE.match(file.name), modules.official()
    if named and named[1] in there:
        return named[1]
    hosts = {host: code for code in there for source in jurisdictions.load()[code].sources for host in source.hosts}
    try:
        with file.open("rb") as stream:
            for at, record in enumerate(ArchiveIterator(stream)):
                host = urlsplit(record.rec_headers.get_header("WARC-Target-URI") or "").hostname or ""
                if host in hosts:
                    return hosts[host]
                if at >= _LOOKED_AT:
                    break
    except (ArchiveLoadFailed, OSError, EOFError, ValueError):
        return ""
    return ""


def session_of(code: str, recording: Recording) -> str:
    """The session that a recording is of, in our terms. Raises :class:`RecordingError`."""
    spider = modules.spider(code)
    site = spider.session_in(recording) if spider else ""
    if not site:
        raise RecordingError(f"{recording.path.name} holds nothing of {code} that a session can be read from")
    known = jurisdictions.load().session(code, site)
    return known.identifier if known else site
