"""Recordings made in memory, and a spider of any class run on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crawlers import dry_run, modules, recordings
from crawlers.account import Account
from crawlers.base import BillSpider
from crawlers.recording import Recording
from tracker import jurisdictions


def in_memory(replies: Mapping[str, bytes | str | Any], status: int = 200) -> Recording:
    """A recording of these replies by address: bytes as they are, (status, bytes), anything else as JSON."""
    recording = Recording.__new__(Recording)
    recording.path, recording.damage, recording.recorded_at = Path("memory"), "", ""
    recording.replies = {}
    for url, body in replies.items():
        said, whole = body if isinstance(body, tuple) else (status, body)
        whole = whole if isinstance(whole, bytes) else json.dumps(whole).encode()
        recording.replies[url] = (said, [("Content-Type", "text/plain")], whole)
    return recording


def crawl(
    spider: type[BillSpider],
    code: str,
    replies: Mapping[str, Any],
    out: Path,
    *,
    session: str | None = None,
    source: str = "",
    live: bool = False,
    **more: Any,
) -> tuple[Account, list[dict[str, Any]]]:
    """Run a spider class on replies; returns its account and its records.

    ``live``: the spider has no recording, and asks the replies as it would ask the site.
    """
    place = jurisdictions.load().get(code)
    chosen = jurisdictions.load().sources_for(code, source)[0]
    session = place.sessions[-1].identifier if session is None else session
    there = in_memory(replies)
    made = spider(place=place, source=chosen, session=session, out=out, recording=None if live else there, **more)
    account = dry_run.run(made, there)
    return account, [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def real(recording: Recording, code: str, out: Path) -> tuple[Account, list[dict[str, Any]]]:
    """Run a jurisdiction's own spider on a real recording."""
    spider = modules.spider(code)
    assert spider is not None
    made = spider(
        place=jurisdictions.load().get(code),
        source=jurisdictions.load().sources_for(code)[0],
        session=recordings.session_of(code, recording),
        out=out,
        recording=recording,
    )
    account = dry_run.run(made)
    return account, [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def unknown_sessions(account: Account) -> list[str]:
    """Sessions that a crawl met and the data do not have."""
    return [name for kind, name, _ in account.issues if kind == "unknown_session"]
