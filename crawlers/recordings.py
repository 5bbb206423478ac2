"""Which crawls a folder of recordings holds: WARC files by their names, mirrors' archives by theirs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from crawlers.jurisdictions import us, va
from crawlers.recording import Recording, RecordingError
from tracker import jurisdictions

# What an address in a recording says of the session, by jurisdiction: the site's own id.
SESSIONS: dict[str, re.Pattern[str]] = {
    "va": re.compile(r"/lisfiles/([^/]+)/"),
    "us": us.DETAIL,
}
MODULES = {"va": va, "us": us}
_WARC = re.compile(r"^([a-z]{2})-.*\.warc(\.gz)?$")
_GOVBOT = re.compile(r"^([a-z]{2})-legislation\.tar\.gz$")


def find(path: Path) -> list[dict[str, Any]]:
    """Crawls in a folder (or one file), those of one jurisdiction in the order of their names, which are days."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    found = []
    for file in files:
        warc, archive = _WARC.match(file.name), _GOVBOT.match(file.name)
        if warc and warc[1] in MODULES:
            found.append({"jurisdiction": warc[1], "source": "", "session": "", "file": str(file)})
        elif archive and archive[1] in jurisdictions.load():
            found.append({"jurisdiction": archive[1], "source": "govbot", "session": "", "file": str(file)})
    return sorted(found, key=lambda entry: (entry["source"] != "", Path(entry["file"]).name))


def session_of(code: str, recording: Recording) -> str:
    """The session that a recording is of, in our terms. Raises :class:`RecordingError`."""
    pattern = SESSIONS.get(code)
    for url in recording.urls():
        match = pattern.search(url) if pattern else None
        if match:
            known = jurisdictions.load().session(code, match[1])
            return known.identifier if known else match[1]
    raise RecordingError(f"{recording.path.name} holds nothing of {code} that a session can be read from")
