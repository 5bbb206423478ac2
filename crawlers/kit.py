"""Begins a new crawler and adds recordings: ``python -m crawlers.kit new-state|record …``, one JSON value out.

Everything goes where the tests look for it, in the checkout that this package lies in: the module, the entry
in ``tracker/jurisdictions.toml`` and recordings under ``tests/crawlers/recordings/CODE/``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from string import Template
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_core import from_json
from scrapy.http import Request, Response
from warcio.statusandheaders import StatusAndHeaders

from crawlers import live, tables, tls
from crawlers.base import BillSpider
from crawlers.recording import Recording, RecordingError, write_reply, writer
from crawlers.scrubbing import scrub
from tracker import jurisdictions
from tracker.jurisdictions import Jurisdiction, JurisdictionError, Source

ROOT = Path(__file__).resolve().parent.parent
Kind = Literal["api", "bulk", "detail"]
LOOKS_WIDTH, LOOKS_LINES = 110, 12


class KitError(ValueError):
    """What the command ends with: one sentence."""


class LookSpider(BillSpider):
    """Asks for one address, as politely as any crawl, and records the reply."""

    async def start(self) -> AsyncIterator[Any]:
        yield Request(self.source.url, self.got, errback=self.lost, dont_filter=True)

    def got(self, response: Response) -> None:
        problem = self.usable(response)
        if problem:
            self.account.fail(problem)

    def lost(self, failure: Any) -> None:
        self.account.fail(tls.no_reply(failure))


def new_state(code: str, url: str, kind: str = "", reply: Path | None = None) -> dict[str, Any]:
    """Begin a jurisdiction's crawler: recording, data entry, module. Returns the paths made.

    ``reply`` is a file saved by hand, for sites that answer a browser only; without it ``url`` is asked once.
    Raises :class:`KitError`.
    """
    place = _place(code)
    module = ROOT / f"crawlers/jurisdictions/{place.code}.py"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise KitError(f"--url {url[:80]!r} is no http or https address")
    if module.exists() or place.sources:
        raise KitError(f"{place.code} has a crawler or a source already: edit {module.relative_to(ROOT)}")
    day = dt.datetime.now(dt.UTC).date()
    session = jurisdictions.load().session_for(place.code, day)
    try:
        source = Source(
            name=re.sub(r"[^a-z0-9]+", "-", parts.hostname.removeprefix("www.").lower()),
            kind="official",
            proof="recorded",
            module=place.code,
            url=url,
            hosts=(parts.hostname,),
            politeness=place.politeness,
        )
    except ValidationError as error:
        raise KitError(f"{url[:80]!r} cannot be entered as a source: {error.errors()[0]['msg']}") from error
    recording = folder(place.code) / f"{place.code}-{day.isoformat()}.warc.gz"
    recording.parent.mkdir(parents=True, exist_ok=True)
    if reply is not None:
        _write(recording, {url: reply})
    else:
        problem = _look(place, source, recording)
        if problem:
            recording.unlink(missing_ok=True)
            raise KitError(f"{url} gave nothing to begin with: {problem}. Save a reply by hand and give it as --reply.")
    body = Recording(recording).replies[scrub(url)][2]
    chosen = kind or kind_of(body)
    data = ROOT / "tracker/jurisdictions.toml"
    data.write_text(with_source(data.read_text("utf-8"), place.code, source, session.site_id), "utf-8")
    module.write_text(_module(chosen, place, source, session, body), "utf-8")
    made = [module, data, recording]
    return {
        "jurisdiction": place.code,
        "kind": chosen,
        "session": session.identifier,
        "files": [_shown(p) for p in made],
    }


def _look(place: Jurisdiction, source: Source, recording: Path) -> str:
    """Ask for the source's address and record the reply; returns why that failed."""
    out = recording.with_suffix(".jsonl")
    account = live.run(LookSpider, source, place=place, session="", out=out, record_to=recording, full=True)
    out.unlink(missing_ok=True)
    return account.reason


def kind_of(body: bytes) -> Kind:
    """Which kind of source a first reply speaks for."""
    start = body[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] in (b"{", b"["):
        return "api"
    if start.startswith(b"<"):
        return "detail"
    return "bulk"


def _module(kind: str, place: Jurisdiction, source: Source, session: Any, body: bytes) -> str:
    parts = urlsplit(source.url)
    site = session.site_id
    address = source.url.replace("{", "{{").replace("}", "}}").replace(site, "{session}")
    before, found, after = source.url.partition(site)
    pattern = f"{re.escape(before)}([^/?&]+){re.escape(after)}" if found else ""
    first = tables.decode(body[:65_536]).lstrip()
    template = (ROOT / f"crawlers/templates/{kind}.txt").read_text("utf-8")
    made = Template(template).substitute(
        name=place.name,
        code=place.code,
        host=parts.hostname,
        host_pattern=re.escape(parts.hostname or ""),
        url=source.url,
        address=address,
        pattern=pattern,
        session=session.identifier,
        site=site,
        month=f"{dt.datetime.now(dt.UTC):%Y-%m}",
        looks=looks(body),
        expected="xml" if first.startswith("<?xml") else "html",
        delimiter=max(",|;\t", key=first.partition("\n")[0].count).replace("\t", "\\t"),
    )
    return made if pattern else re.sub(r'    session_url = r""\n', "", made)


def looks(body: bytes) -> str:
    """The beginning of a reply as lines for a docstring: a list's first entry, a file's first rows."""
    try:
        data = from_json(body)
        while isinstance(data, dict) and (inner := next((v for v in data.values() if isinstance(v, list) and v), None)):
            data = inner
        shown = json.dumps(data[0] if isinstance(data, list) and data else data, indent=1, ensure_ascii=True)
    except ValueError:
        shown = tables.decode(body[:4096]).replace("\x00", "")
    lines = [line.rstrip()[:LOOKS_WIDTH] for line in shown.splitlines() if line.strip()]
    clean = "\n".join(f"    {line}" for line in lines[:LOOKS_LINES])
    return clean.encode("ascii", "replace").decode().replace("\\", "/").replace('"""', "'''")


def with_source(text: str, code: str, source: Source, site: str) -> str:
    """The data file's text with a source entered at the end of the jurisdiction's part."""
    lines = text.splitlines(keepends=True)
    start = lines.index(f"[{code}]\n")
    another = re.compile(rf"\[[a-z]|\[\[(?!{code}\.)|# -")
    end = next((at for at in range(start + 1, len(lines)) if another.match(lines[at])), len(lines))
    while not lines[end - 1].strip():
        end -= 1
    entry = [
        f"[[{code}.sources]]\n",
        f'name = "{source.name}"\n',
        f'proof = "{source.proof}"\n',
        f'module = "{source.module}"\n',
        f"url = {json.dumps(source.url.replace(site, '{site}'))}\n",
        f"hosts = {json.dumps(list(source.hosts))}\n",
    ]
    return "".join([*lines[:end], *entry, *lines[end:]])


def add_recording(code: str, name: str, replies: dict[str, Path]) -> dict[str, Any]:
    """Add replies saved by hand as a recording. Raises :class:`KitError`."""
    place = _place(code)
    target = target_of(place.code, name)
    _write(target, replies)
    return {"jurisdiction": place.code, "file": _shown(target), "replies": len(replies)}


def target_of(code: str, name: str) -> Path:
    """Where a recording of that name belongs; the day is its name when none is given."""
    name = name or f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    if not re.fullmatch(r"[A-Za-z0-9._-]+", name):
        raise KitError(f"--name {name[:40]!r}: letters, digits, dot, dash and underscore only")
    target = folder(code) / f"{code}-{name}.warc.gz"
    if target.exists():
        raise KitError(f"{_shown(target)} is there already: give another --name")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def folder(code: str) -> Path:
    """Where a jurisdiction's recordings are kept for the tests. Raises :class:`KitError` outside a checkout."""
    if not (ROOT / "tests/crawlers").is_dir():
        raise KitError("this is no checkout of the project: clone it, and run this there")
    return ROOT / "tests/crawlers/recordings" / code


def _write(target: Path, replies: dict[str, Path]) -> None:
    kinds = {"api": "application/json", "detail": "text/html", "bulk": "application/octet-stream"}
    with target.open("wb") as file:
        records = writer(file, gzip=True)
        for url, path in replies.items():
            try:
                body = path.read_bytes()
            except OSError as error:
                raise KitError(f"{path} cannot be read: {error.strerror}") from error
            headers = StatusAndHeaders("200 OK", [("Content-Type", kinds[kind_of(body)])], protocol="HTTP/1.1")
            write_reply(records, url, headers, body)


def _place(code: str) -> Jurisdiction:
    try:
        return jurisdictions.load().get(code)
    except (KeyError, JurisdictionError) as error:
        raise KitError(str(error.args[0])) from error


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say: 0 done, 2 with one sentence on standard error."""
    parser = argparse.ArgumentParser("python -m crawlers.kit", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    begin = actions.add_parser("new-state")
    begin.add_argument("code")
    begin.add_argument("--url", required=True)
    begin.add_argument("--kind", choices=["api", "bulk", "detail"], default="")
    begin.add_argument("--reply", type=Path)
    record = actions.add_parser("record")
    record.add_argument("code")
    record.add_argument("--name", default="")
    record.add_argument("--reply", action="append", default=[], metavar="URL=FILE")
    options = parser.parse_args(arguments)
    try:
        if options.action == "new-state":
            made = new_state(options.code, options.url, options.kind, options.reply)
        elif options.reply:
            pairs = dict(reply.rsplit("=", 1) for reply in options.reply if "=" in reply)
            made = add_recording(options.code, options.name, {url: Path(path) for url, path in pairs.items()})
        else:
            made = {"file": str(target_of(_place(options.code).code, options.name))}
    except (KitError, RecordingError) as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
