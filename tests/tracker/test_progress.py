"""A long job shows progress: on a terminal, in a pipe, and to others by `schedule list` while it runs."""

from __future__ import annotations

import datetime as dt
import json
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apscheduler.triggers.cron import CronTrigger

from tests.tracker.analysts import bill
from tracker import console, crawling, jobs, schedule, texts
from tracker.db import make_engine
from tracker.settings import Settings

NOW = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)
COMMAND = [sys.executable, "-m", "tracker.cli"]


@pytest.fixture
def place(tmp_path: Path, var: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation with an empty database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BILLTRACKER_HOME", str(var))
    return Settings()


class Slow:
    """A file of bills that is as slow as a site: it has no end before it is told."""

    def __init__(self, path: Path) -> None:
        self.path, self.over = path, threading.Event()
        os.mkfifo(path)
        self.writer = threading.Thread(target=self._write, daemon=True)
        self.writer.start()

    def _write(self) -> None:
        with self.path.open("w", encoding="utf-8") as file:
            for number in range(1, 40_000):
                file.write(json.dumps(bill("tx", "89R", f"HB {number}", "A bill")) + "\n")
                if number % 2_000 == 0:
                    file.flush()
                    if self.over.wait(0.3):
                        return


def until(question: Callable[[], Any], seconds: float = 40) -> Any:
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.2)
    return answer


def test_a_running_job_says_how_far_it_is(place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_NOTE_SECONDS", 0.5)
    slow, engine, shown = Slow(tmp_path / "bills.jsonl"), make_engine(place.url), list[str]()
    trigger = CronTrigger.from_crontab("0 0 1 1 *")
    job = schedule.Job("tags", "", ("ingest", str(slow.path)), trigger, "tags", 1)
    runner = threading.Thread(target=lambda: jobs.run(engine, place, job, show=shown.append))
    runner.start()

    def running() -> str:
        # a process of its own: within this one the job's log lines could stand in what the command prints
        listed = subprocess.run([*COMMAND, "schedule", "list", "--json"], capture_output=True, check=True)
        rows = json.loads(listed.stdout)["jobs"]
        row = next(row for row in rows if row["job"] == "tags")
        return str(row["message"]) if row["state"] == "running" else ""

    try:
        said = until(running)
    finally:
        slow.over.set()
        runner.join(60)
    assert said.startswith("loading bills.jsonl: ") and int(said.split()[-1].replace(",", "")) % 2_000 == 0
    assert said in shown, "whoever ran it by hand saw it, too"
    assert jobs.latest(engine)["tags"].status == "done"
    engine.dispose()


def test_a_terminal_sees_a_bar(place: Settings, tmp_path: Path) -> None:
    slow = Slow(tmp_path / "bills.jsonl")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*COMMAND, "ingest", str(slow.path)], stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    seen = b""

    def bar() -> bool:
        nonlocal seen
        seen += os.read(ours, 4096)
        return b"2000/" in seen or b"4000/" in seen

    try:
        until(bar)
        assert b"loading bills.jsonl" in seen
        reader = threading.Thread(target=_drain, args=(ours,))
        reader.start()
    finally:
        slow.over.set()
    assert process.wait(60) == 0
    reader.join(10)
    os.close(ours)


def _drain(handle: int) -> None:
    try:
        while os.read(handle, 4096):
            pass
    except OSError:
        pass


def test_a_pipe_gets_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("BILLTRACKER_PARENT", raising=False)
    with console.progress("loading", 10) as update:
        update(1)
    assert capsys.readouterr() == ("", ""), "what is short says nothing"
    monkeypatch.setattr(console, "PIPE_SECONDS", 0.0)
    with console.progress("  loading", 10) as update:
        update(1_000)
        update(2_000, 3_000)
    with console.progress("loading", 10, quiet=True) as update:
        update(5)
    assert capsys.readouterr() == ("", "loading: 1,000 of 10\nloading: 2,000 of 3,000\n")


def test_crawls_and_texts_say_how_far_they_are(place: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, told = make_engine(place.url), list[int]()
    plan = next(p for p in crawling.recordings(crawling.sample(place, NOW)) if p.jurisdiction == "va")
    done = crawling.crawl(plan, place, engine, now=NOW, progress=told.append)
    assert told == sorted(told) and told[-1] == done.manifest["bills"] > 0
    crawling.publish(engine, done, now=NOW)
    said: list[str] = []
    monkeypatch.setattr(console, "note", said.append)
    monkeypatch.setattr(console, "PIPE_SECONDS", 0.0)
    report = texts.fetch(engine, place, ["va"], replays=[plan.replay] if plan.replay else [], now=NOW)
    assert report.ok > 0
    assert f"texts: fetching: {report.fetched:,} of {report.wanted:,}" in said
    assert f"texts: reading: {report.fetched:,} of {report.wanted:,}" in said
    engine.dispose()
