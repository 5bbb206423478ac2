"""Plans and sends what is due, so that a run killed anywhere is finished by the next.

Before a mail's first byte goes out its delivery is ``sending`` (``alerts/handover.py``). One run at a time: a
lock that ends with the process.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, or_, select, update
from sqlalchemy import func as sql

from alerts import brake, states, suppressions
from alerts.handover import Handover, Report
from alerts.outbox import plan, refusal
from alerts.snapshot import take
from alerts.states import State
from alerts.subscriptions import Reader, everyone
from alerts.suppressions import Hasher
from alerts.transport import Files, Smtp, Transport
from tracker.db import EVENT_LOCK, reading, writing
from tracker.models.readers import DeliveryRow
from tracker.settings import Settings

__all__ = ["Busy", "Report", "alone", "deliver", "retry", "send", "transport_of"]


class Busy(RuntimeError):
    """Another run is sending; the message says so."""


def transport_of(settings: Settings) -> Transport:
    """The SMTP server of the settings, or the outbox folder."""
    url = settings.smtp_url.get_secret_value()
    return Smtp(url) if url else Files(settings.outbox)


@contextlib.contextmanager
def alone(engine: Engine, settings: Settings) -> Iterator[None]:
    """The right to send; raises :class:`Busy` while another process has it. Ends with the process, however it ends."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "sending.lock").open("a") as file, contextlib.ExitStack() as stack:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Busy("another run is sending mail; it does what is due") from error
        if engine.dialect.name == "postgresql":
            # Machines that share the database share no file.
            connection = stack.enter_context(engine.connect())
            if not connection.execute(select(sql.pg_try_advisory_lock(EVENT_LOCK + 1))).scalar_one():
                raise Busy("another machine is sending mail; it does what is due")
            connection.commit()
            stack.callback(_unlock, connection)
        yield


def _unlock(connection: Connection) -> None:
    connection.execute(select(sql.pg_advisory_unlock(EVENT_LOCK + 1)))
    connection.commit()


def send(
    engine: Engine,
    settings: Settings,
    *,
    now: dt.datetime,
    only: Sequence[Reader] | None = None,
    dry_run: bool = False,
    transport: Transport | None = None,
) -> Report:
    """Plan and send what is due, and send what an earlier run left. ``only``: these readers, due or not.

    Raises :class:`Busy` while another run sends, :class:`alerts.suppressions.KeyChanged` when the list of
    suppressed addresses cannot be read with this key.
    """
    report = Report()
    if dry_run:
        _plan_all(engine, settings, report, only, now, dry_run=True)
        return report
    with alone(engine, settings):
        with writing(engine) as connection:
            suppressions.prepare(connection, Hasher.of(settings))
            stopped = brake.standing(connection)
        if stopped is not None:
            report.errors.append(_stopped(stopped))
            return report
        _plan_all(engine, settings, report, only, now, dry_run=False)
        wanted = None if only is None else {reader.id for reader in only}
        deliver(engine, settings, report, transport=transport, now=now, wanted=wanted)
    return report


def _stopped(stop: Any) -> str:
    return (
        f"all sending is stopped since {stop.at:%Y-%m-%d %H:%M} UTC: {stop.reason}; "
        "when it is mended: billtracker digest resume"
    )


def _plan_all(
    engine: Engine,
    settings: Settings,
    report: Report,
    only: Sequence[Reader] | None,
    now: dt.datetime,
    *,
    dry_run: bool,
) -> None:
    readers = []
    for reader in everyone(engine) if only is None else only:
        why_not = refusal(reader, now)
        if not why_not:
            readers.append(reader)
        elif only is not None:
            report.errors.append(f"{reader.email} gets no mail: {why_not}")
    if not readers:
        return
    with take(engine, readers, now=now) as snapshot:
        for reader in readers:
            try:
                made = plan(engine, snapshot, settings, reader, forced=only is not None, dry_run=dry_run)
            except Exception as error:
                # One reader's trouble must not cost the others their digest; the run ends with a look needed.
                report.errors.append(f"{reader.email}: {type(error).__name__}: {error}"[:300])
                continue
            if made is not None and dry_run:
                report.line(reader.email, made.subject, made.content["bills"], state="dry run")


def deliver(
    engine: Engine,
    settings: Settings,
    report: Report,
    *,
    now: dt.datetime,
    transport: Transport | None = None,
    wanted: set[int] | None = None,
) -> None:
    """Send planned mails, oldest first (of the ``wanted`` readers). The caller is :func:`alone`."""
    _pick_up(engine, report, now)
    with reading(engine) as connection:
        query = select(DeliveryRow.id, DeliveryRow.subscriber_id).where(
            DeliveryRow.state.in_((State.PLANNED, State.DEFERRED, State.UNKNOWN)),
            or_(DeliveryRow.next_attempt_at.is_(None), DeliveryRow.next_attempt_at <= now),
        )
        rows = connection.execute(query.order_by(DeliveryRow.id)).all()
    waiting = [row.id for row in rows if wanted is None or row.subscriber_id in wanted]
    if not waiting:
        return
    way = transport or transport_of(settings)
    try:
        Handover(engine, settings, way, report, now).go(waiting)
    finally:
        way.close()


def _pick_up(engine: Engine, report: Report, now: dt.datetime) -> None:
    """What a killed run left half done. Its mail may have been accepted: it goes again, marked."""
    left = (DeliveryRow.state == State.SENDING,)
    with reading(engine) as connection:
        ids = connection.execute(select(DeliveryRow.id, DeliveryRow.attempts).where(*left)).all()
    for row in ids:
        after = states.after_attempt(State.UNKNOWN, row.attempts)
        with writing(engine) as connection:
            connection.execute(
                update(DeliveryRow)
                .where(DeliveryRow.id == row.id, *left)
                .values(
                    state=states.check(State.SENDING, after),
                    last_error="the run ended while this mail was handed over",
                    finished_at=now if after is State.FAILED else None,
                    next_attempt_at=None,
                )
            )
        report.errors.append(f"mail {row.id}: a run ended while it was handed over; it may arrive twice")


def retry(engine: Engine, issues: Sequence[int]) -> int:
    """Plan failed or cancelled mails again, at a person's word; returns how many."""
    with writing(engine) as connection:
        return connection.execute(
            update(DeliveryRow)
            .where(DeliveryRow.issue_id.in_(issues), DeliveryRow.state.in_((State.FAILED, State.CANCELLED)))
            .values(state=State.PLANNED, attempts=0, next_attempt_at=None, finished_at=None)
        ).rowcount
