"""What the service leaves in its home folder over the years, by kind, and how much of each may stay.

Each kind has bounds from the settings: days, number or size. What is past them is deleted, oldest first, by
``billtracker clean`` (each night, by the clock) and by every worker for its own machine. What changed within the last
day is never touched: somebody may be writing it. Files of other names, links and folders are left alone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, delete, select
from sqlalchemy import func as sql

from tracker import record_files
from tracker.db import writing
from tracker.models.jobs import JobRunRow
from tracker.settings import Settings

YOUNG = dt.timedelta(days=1)
#: A copy that was never finished, because its process was killed.
UNFINISHED_DAYS = 2
#: Since a crawl last used the bundle of certificates that it made.
CERTIFICATE_DAYS = 30


@dataclass(frozen=True)
class Kind:
    """Files of one kind: in ``folder`` (and below it when ``deep``) with names that ``pattern`` finds.

    ``days``, ``megabytes`` and ``keep`` (the newest so many) bound them; 0 is no bound.
    """

    name: str
    folder: Path
    pattern: re.Pattern[str]
    days: int = 0
    megabytes: int = 0
    keep: int = 0
    deep: bool = False

    @property
    def bound(self) -> str:
        """The bounds in words."""
        said = [f"{self.days} days"] if self.days else []
        said += [f"{self.megabytes:,} MB"] if self.megabytes else []
        said += [f"the newest {self.keep}"] if self.keep else []
        return ", ".join(said) or "all are kept"

    def files(self) -> list[tuple[float, int, Path]]:
        """(modified, bytes, path), the oldest first."""
        found = []
        if self.folder.is_dir():
            for path in self.folder.rglob("*") if self.deep else self.folder.iterdir():
                with suppress(FileNotFoundError):
                    if self.pattern.search(path.name) and path.is_file() and not path.is_symlink():
                        stat = path.stat()
                        found.append((stat.st_mtime, stat.st_size, path))
        return sorted(found)

    def surplus(self, now: dt.datetime) -> list[Path]:
        """What is past the bounds, the oldest first."""
        files = self.files()
        total = sum(size for _, size, _ in files)
        gone = []
        for at, (changed, size, path) in enumerate(files):
            old = self.days and changed < now.timestamp() - self.days * 86_400
            many = self.keep and at < len(files) - self.keep
            large = self.megabytes and total > self.megabytes * 1_000_000
            if (old or many or large) and changed < (now - YOUNG).timestamp():
                gone.append(path)
                total -= size
        return gone


def kinds(settings: Settings) -> list[Kind]:
    """Everything that grows in the home folder beside the database itself."""
    home, backups = settings.home, settings.home / "backups"
    copy = re.compile(r"\.(partial|restoring)$")
    replaced = re.compile(r"\.before-\d{8}T\d+|^before-")
    return [
        Kind("logs", home / "logs", re.compile(r"\.(log|json)$"), settings.logs_days, settings.logs_mb, deep=True),
        Kind("records", settings.records, record_files.KEPT, settings.records_days),
        Kind("outbox", settings.outbox, re.compile(r"\.eml$"), settings.outbox_days),
        Kind("backups", backups, re.compile(r"^billtracker-2\d{7}T\d+\.(db|dump)$"), keep=settings.backups_kept),
        Kind("replaced databases", home, replaced, settings.replaced_days),
        Kind("replaced databases", backups, replaced, settings.replaced_days),
        Kind("certificates", home / "certificates" / "bundles", re.compile(r"\.(pem|partial)$"), CERTIFICATE_DAYS),
        *(Kind("unfinished copies", at, copy, UNFINISHED_DAYS) for at in (home, backups, home / "snapshots")),
    ]


def survey(settings: Settings, now: dt.datetime) -> Iterator[dict[str, object]]:
    """A row a kind that has files: how many, how large, its bound, and what is past it."""
    for kind in kinds(settings):
        files = kind.files()
        if files:
            yield {
                "kind": kind.name,
                "folder": str(kind.folder),
                "files": len(files),
                "bytes": sum(size for _, size, _ in files),
                "oldest": dt.datetime.fromtimestamp(files[0][0], dt.UTC).date().isoformat(),
                "kept": kind.bound,
                "past": len(kind.surplus(now)),
            }


def clean(settings: Settings, now: dt.datetime) -> dict[str, int]:
    """Delete what is past its bounds on this machine; returns how many files of each kind went."""
    gone: dict[str, int] = {}
    for kind in kinds(settings):
        for path in kind.surplus(now):
            with suppress(FileNotFoundError):
                path.unlink()
                gone[kind.name] = gone.get(kind.name, 0) + 1
    return gone


def forget_runs(engine: Engine, days: int, now: dt.datetime) -> int:
    """Delete accounts of jobs (``job_run``) that are older than so many days, never a job's newest; 0 keeps all."""
    if not days:
        return 0
    newest = select(sql.max(JobRunRow.id)).group_by(JobRunRow.job)
    old = JobRunRow.started_at < now - dt.timedelta(days=days)
    with writing(engine) as connection:
        done = connection.execute(delete(JobRunRow).where(old, JobRunRow.id.not_in(newest)))
    return int(done.rowcount)


class Daily:
    """Cleans once a day, for a process that lives for long on a machine where no clock does it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.last: dt.datetime | None = None

    def look(self, now: dt.datetime | None = None) -> dict[str, int]:
        """Clean if it is time."""
        now = now or dt.datetime.now(dt.UTC)
        if self.last is not None and now - self.last < YOUNG:
            return {}
        self.last = now
        return clean(self.settings, now)
