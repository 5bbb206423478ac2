"""The jobs of the clock as data: a crawl for each jurisdiction by its calendar, and ``schedule.toml``."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from tracker import jurisdictions
from tracker.crawling import CRAWL_HOURS
from tracker.rhythm import Rhythm
from tracker.settings import Settings

PATH = Path(__file__).with_name("schedule.toml")
OFF = "off"


class ScheduleError(ValueError):
    """A job that is not there, or a time that cannot be read; one sentence."""


@dataclass(frozen=True)
class Job:
    """One job: ``billtracker`` and ``command``, at the moments of ``trigger``, ``hours`` at most.

    Jobs with the same ``lock`` never run at the same time. ``retries``: how often a worker tries again when a
    run failed. ``here``: the clock does it itself, so that it is done when no worker takes anything.
    """

    name: str
    about: str
    command: tuple[str, ...]
    trigger: BaseTrigger
    lock: str
    hours: float
    retries: int = 4
    here: bool = False

    def words(self, settings: Settings, now: dt.datetime) -> list[str]:
        """The command's words with ``{home}``, ``{day}`` and ``{backups}`` filled in."""
        day = now.astimezone(zone()).date().isoformat()
        said = {"{home}": str(settings.home), "{day}": day, "{backups}": str(settings.backups_kept)}
        words = list(self.command)
        for mark, value in said.items():
            words = [word.replace(mark, value) for word in words]
        return words


def jobs(settings: Settings) -> dict[str, Job]:
    """All jobs of this installation by name: crawls first, in the order of their codes.

    Raises :class:`ScheduleError` for a time or a jurisdiction that the settings name and nobody knows.
    """
    data = _data()
    found = {f"crawl-{code}": _crawl(code, settings) for code in _codes(settings)}
    for name, entry in data.items():
        found[name] = Job(
            name=name,
            about=entry["about"],
            command=tuple(entry["command"]),
            trigger=_cron(name, entry["when"]),
            lock=entry.get("lock", name),
            hours=entry["hours"],
            here=entry.get("here", False),
        )
    for name, when in settings.jobs.items():
        if name not in found:
            raise ScheduleError(f"setting jobs: there is no job {name[:60]!r}; there are {', '.join(sorted(found))}")
        if when.strip() == OFF:
            del found[name]
        else:
            found[name] = Job(**{**found[name].__dict__, "trigger": _cron(name, when)})
    return found


def job(settings: Settings, name: str) -> Job:
    """The job of this name, or :class:`ScheduleError`. A crawl of any jurisdiction is one, scheduled or not."""
    known = jobs(settings)
    if name in known:
        return known[name]
    code = name.removeprefix("crawl-")
    if code != name and code in jurisdictions.load():
        return _crawl(code, settings)
    raise ScheduleError(f"there is no job {name[:60]!r}: `billtracker schedule list` names them")


def zone() -> ZoneInfo:
    """The time zone of the crontab lines."""
    return ZoneInfo(tomllib.loads(PATH.read_text("utf-8"))["zone"])


def _data() -> dict[str, Any]:
    data = tomllib.loads(PATH.read_text("utf-8"))
    del data["zone"]
    return data


def _codes(settings: Settings) -> list[str]:
    places = jurisdictions.load()
    wanted = settings.scheduled_states or settings.starter_states
    try:
        return sorted(places) if wanted == ["all"] else sorted({places.get(code).code for code in wanted})
    except KeyError as error:
        raise ScheduleError(f"setting scheduled_states: {error.args[0]}") from error


def _crawl(code: str, settings: Settings) -> Job:
    return Job(
        name=f"crawl-{code}",
        about=f"crawl and load {jurisdictions.load().get(code).name}",
        command=("crawl", code, "--publish"),
        trigger=Rhythm(code, settings.sources.get(code, "")),
        lock=f"crawl-{code}",
        hours=CRAWL_HOURS + 1,
    )


def _cron(name: str, when: str) -> CronTrigger:
    try:
        return CronTrigger.from_crontab(when, timezone=zone())
    except (ValueError, KeyError) as error:
        raise ScheduleError(f"job {name}: {when[:60]!r} is not a crontab line ({error})") from error
