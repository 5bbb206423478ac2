"""Commands of the clock and the workers: ``schedule`` and ``worker``."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer

from tracker import console

Json = Annotated[bool, typer.Option("--json", help="One JSON value on standard output.")]
Name = Annotated[str, typer.Argument(metavar="JOB", help="As `schedule list` names it.")]

schedule = typer.Typer(help="The clock: runs every job at its time. One for a database.", invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(schedule, name="schedule")
    app.command()(worker)


@schedule.callback()
def run_clock(context: typer.Context) -> None:
    """Run the clock until told to end; jobs are processes, or go to workers on PostgreSQL."""
    if context.invoked_subcommand:
        return
    from tracker import clock
    from tracker.schedule import ScheduleError

    settings = console.load_settings()
    engine = console.open_database(settings)
    try:
        clock.run(engine, settings)
    except ScheduleError as error:
        console.fail(str(error))
    except clock.ClockError as error:
        console.fail(str(error), console.NEEDS_A_LOOK)


@schedule.command("list")
def list_(as_json: Json = False) -> None:
    """All jobs: when next, how the last run ended, what a running one says. Ends with 1 when the clock is silent."""
    from tracker import signs

    settings = console.load_settings()
    engine = console.open_database(settings)
    rows = _rows(engine, settings)
    now = dt.datetime.now(dt.UTC)
    beat = signs.last(engine)
    silent = beat is not None and signs.is_silent(beat, now)
    if as_json:
        seen = beat.seen_at.isoformat() if beat else None
        console.emit({"clock": {"last_seen": seen, "runner": beat and beat.runner, "silent": silent}, "jobs": rows})
    else:
        shown = ["job", "next", "state", "finished", "seconds", "message"]
        console.table([{**row, **{k: (row[k] or "")[:16] for k in ("next", "finished")}} for row in rows], shown)
        typer.echo(
            "The clock has never run: start it with `billtracker schedule`."
            if beat is None
            else f"The clock was last seen {beat.seen_at.isoformat()[:16]} ({beat.runner})"
            + (": it stands still." if silent else ".")
        )
    raise typer.Exit(int(silent))


def _rows(engine: Any, settings: Any) -> list[dict[str, Any]]:
    from tracker import clock, jobs
    from tracker.schedule import ScheduleError
    from tracker.schedule import jobs as defined

    try:
        wanted = defined(settings)
    except ScheduleError as error:
        console.fail(str(error))
    last = jobs.latest(engine)
    now = dt.datetime.now(dt.UTC)
    with clock.opened(engine) as scheduler:
        stored = clock.stored(scheduler)
    rows = []
    for name, job in wanted.items():
        kept, run = stored.get(name), last.get(name)
        due = kept.next_run_time if kept else job.trigger.get_next_fire_time(None, now)
        rows.append(
            {
                "job": name,
                "about": job.about,
                "when": str(job.trigger),
                "paused": kept is not None and due is None,
                "next": due.astimezone(dt.UTC).isoformat() if due else None,
                "state": "paused" if kept and due is None else run.status if run else "never run",
                "started": run.started_at.isoformat() if run else None,
                "finished": run.finished_at.isoformat() if run and run.finished_at else None,
                "seconds": run.seconds if run else None,
                "attempt": run.attempt if run else None,
                "exit_code": run.exit_code if run else None,
                "message": run.message if run else "",
                "result": run.result if run else None,
            }
        )
    return rows


@schedule.command("run")
def run_(
    name: Name,
    here: Annotated[bool, typer.Option("--here", help="Now, in this process, where a queue would take it.")] = False,
    as_json: Json = False,
) -> None:
    """Run a job now and wait for it; with PostgreSQL, put it into the queue. Ends as the job ends."""
    from tracker import clock, queue
    from tracker import schedule as data

    settings = console.load_settings()
    engine = console.open_database(settings)
    try:
        job = data.job(settings, name)
    except data.ScheduleError as error:
        console.fail(str(error))
    if engine.dialect.name == "postgresql" and not (here or job.here):
        queue.prepare(settings)
        added = queue.enqueue(settings, job)
        sentence = "waits for a worker" if added else "is in the queue already"
        console.emit({"job": name, "queued": added} if as_json else f"{name} {sentence}", as_json)
        return
    outcome = clock.run_here(engine, settings, job, show=lambda line: console.note(f"  {line}"))
    if outcome is None:
        console.fail(f"{name} runs already", console.NEEDS_A_LOOK)
    done = {"job": name, "status": outcome.status, "exit_code": outcome.exit_code, "message": outcome.message}
    console.emit(done if as_json else f"{name}: {outcome.status} {outcome.message}".rstrip(), as_json)
    raise typer.Exit(0 if outcome.status == "done" else 1)


@schedule.command("pause")
def pause(name: Name) -> None:
    """Leave a job out until it is resumed."""
    with _stored(name) as scheduler:
        scheduler.pause_job(name, "default")
    typer.echo(f"{name} is paused")


@schedule.command("resume")
def resume(name: Name) -> None:
    """Run a paused job at its times again."""
    with _stored(name) as scheduler:
        job = scheduler.resume_job(name, "default")
    typer.echo(f"{name} runs next at {job.next_run_time.astimezone(dt.UTC).isoformat()[:16]} UTC")


def _stored(name: str) -> Any:
    """The scheduler with this job in its store, for a ``with`` block."""
    from contextlib import contextmanager

    from tracker import clock
    from tracker.schedule import ScheduleError, jobs

    settings = console.load_settings()
    engine = console.open_database(settings)
    try:
        wanted = jobs(settings)
    except ScheduleError as error:
        console.fail(str(error))
    if name not in wanted:
        console.fail(f"there is no job {name[:60]!r}: `billtracker schedule list` names them")

    @contextmanager
    def opened() -> Any:
        with clock.opened(engine) as scheduler:
            if name not in clock.stored(scheduler):
                clock.align(scheduler, wanted)
            yield scheduler

    return opened()


def worker(
    at_once: Annotated[int, typer.Option("--at-once", min=1, max=32, help="Jobs at the same time.")] = 2,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when nothing is waiting.")] = False,
    dead_after: Annotated[
        float, typer.Option(min=1, help="Seconds of silence after which another worker's jobs are taken over.")
    ] = 30,
) -> None:
    """Do the clock's jobs, on any number of machines (PostgreSQL only)."""
    from tracker import queue
    from tracker.leftovers import Daily
    from tracker.watch import Watch

    settings = console.load_settings()
    engine = console.open_database(settings)
    # The clock may stand still, and this machine has files of its own.
    errands = (Watch(engine, settings).look, Daily(settings).look)
    try:
        queue.work(settings, at_once=at_once, until_idle=until_idle, dead_seconds=dead_after, errands=errands)
    except queue.QueueError as error:
        console.fail(str(error))
