"""One crawl, one process: ``python -m crawlers CODE --out FILE.jsonl``. Writes FILE.run.json beside it.

Ends with 0 (done or unchanged), 1 (failed, the manifest says why) or 2 (wrong use).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

from crawlers import health, live, modules, plans, recordings, sample
from crawlers.account import Account
from crawlers.politeness import quiet_now
from crawlers.recording import Recording, RecordingError
from crawlers.texts import fetch
from tracker import jurisdictions, parent
from tracker.jurisdictions import Jurisdiction, Source


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say."""
    options = _options(arguments)
    live.limit_memory()
    if options.recordings:
        print(json.dumps(recordings.find(options.recordings)))
        return 0
    if options.plans:
        return _plans(options)
    if options.sample:
        sample.write(options.sample, dt.date.fromisoformat(options.today))
        return 0
    if options.texts:
        fetch(options.texts, options.out, options.replay)
        return 0
    try:
        place = jurisdictions.load().get(options.code)
        source = plans.source_of(place, options.source)
    except (KeyError, ValueError) as error:
        print(error.args[0], file=sys.stderr)
        return 2
    account = _crawl(place, source, options)
    manifest = account.to_json()
    history = _json(options.history)
    period = health.period_of(place.sessions, account.session)
    manifest["verdict"] = health.judge(manifest, history, period, account.action_counts).to_json()
    target = options.out.with_suffix(".run.json")
    temporary = target.with_suffix(".tmp")
    temporary.write_text(json.dumps(manifest), "utf-8")
    temporary.replace(target)
    shown = {k: v for k, v in manifest.items() if k not in ("validators", "rejected", "issues", "present")}
    print(json.dumps(shown))
    return int(account.outcome == "failed")


def _plans(options: argparse.Namespace) -> int:
    today, preferred = dt.date.fromisoformat(options.today), json.loads(options.sources)
    try:
        print(json.dumps(plans.of(options.plans.split(","), today, preferred)))
    except (KeyError, ValueError) as error:
        print(error.args[0], file=sys.stderr)
        return 2
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m crawlers", description=__doc__)
    parser.add_argument("code", nargs="?", default="")
    parser.add_argument("--source", default="")
    parser.add_argument("--session", default="")
    parser.add_argument("--replay", type=Path)
    parser.add_argument("--record", type=Path)
    parser.add_argument("--known", type=Path, help="validators of earlier crawls, JSON")
    parser.add_argument("--history", type=Path, help="what judging needs of the past, JSON")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--resume", action="store_true", help="go on where a killed crawl into the same file was")
    parser.add_argument("--queries", type=int, help="how many the source may be asked, where its key counts them")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("records.jsonl"))
    parser.add_argument("--recordings", type=Path, help="list the crawls in a folder of recordings")
    parser.add_argument("--plans", default="", help="list the crawls that these jurisdictions (va,us) need now")
    parser.add_argument("--sources", default="{}", help="sources to prefer, by jurisdiction, JSON")
    parser.add_argument("--texts", type=Path, help="fetch the documents that this file asks for")
    parser.add_argument("--sample", type=Path, help="write the made-up sample recordings into this folder")
    today = dt.date.today().isoformat()
    parser.add_argument("--today", default=today, help="the plans' day; the sample's second")
    return parser.parse_args(arguments)


def _crawl(place: Jurisdiction, source: Source, options: argparse.Namespace) -> Account:
    account = Account(place.code, source.name, options.session, replayed=options.replay is not None)
    keywords: dict[str, Any] = {}
    if options.replay is not None and options.replay.name.endswith((".tar.gz", ".tgz", ".zip")):
        keywords["archive"] = options.replay
        session = options.session
    elif options.replay is not None:
        try:
            keywords["recording"] = Recording(options.replay)
            session = options.session or recordings.session_of(place.code, keywords["recording"])
        except RecordingError as error:
            account.fail(str(error))
            return account
    else:
        problem = quiet_now(place, source, dt.datetime.now(dt.UTC))
        if not problem and source.requires_key and not os.environ.get(source.requires_key):
            problem = f"{source.name} needs a key in {source.requires_key}"
        if not problem and (source.queries_a_day or source.queries_a_month) and not options.queries:
            problem = f"the queries that {source.name} allows are used up, or none were given"
        if problem:
            account.fail(problem)
            return account
        session = options.session
        if not session and source.kind == "official":
            session = jurisdictions.load().session_for(place.code, dt.datetime.now(place.zone).date()).identifier
    spider = modules.spider(source.module)
    assert spider is not None
    return live.run(
        spider,
        source,
        place=place,
        session=session,
        out=options.out,
        record_to=options.record,
        known=_json(options.known),
        full=options.full,
        limit=options.limit,
        resume=options.resume,
        queries=options.queries,
        **keywords,
    )


def _json(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    found = json.loads(path.read_text("utf-8"))
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    parent.follow()
    sys.exit(main())
