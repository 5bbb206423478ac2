"""Sends what is planned, each step noted before the next, so that a run killed anywhere is finished by the next.

Before a mail's first byte goes out its delivery is ``sending``; one transaction notes what became of a mail
and claims the next. One run at a time: a lock that ends with the process.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Executable, bindparam, or_, select, update
from sqlalchemy import func as sql

from alerts import bounces, brake, notices, states, suppressions
from alerts.mail import sender_of
from alerts.outbox import opened, plan, refusal
from alerts.snapshot import take
from alerts.states import State
from alerts.subscriptions import Reader, everyone
from alerts.suppressions import Hasher
from alerts.transport import Files, Outcome, Smtp, Transport
from tracker.db import EVENT_LOCK, reading, writing
from tracker.models.readers import (
    DeliveryRow,
    DigestIssueRow,
    SubscriberRow,
    SuppressionRow,
)
from tracker.settings import Settings


class Busy(RuntimeError):
    """Another run is sending; the message says so."""


@dataclass
class Report:
    """What a sending run did: a line a mail, and a sentence for each thing that went wrong."""

    mails: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


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
                report.mails.append(_line(reader.email, made.subject, made.content) | {"state": "dry run"})


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
        _Run(engine, settings, way, report, now).go(waiting)
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


class _Run:
    """One pass over the waiting mails."""

    def __init__(self, engine: Engine, settings: Settings, way: Transport, report: Report, now: dt.datetime) -> None:
        self.engine, self.settings, self.way, self.report, self.now = engine, settings, way, report, now
        self.hasher = Hasher.of(settings)
        self.sender = settings.bounce_address or sender_of(settings.mail_from)[1]
        self.errors_in_a_row = 0

    def go(self, waiting: Sequence[int]) -> None:
        room = brake.room(self.engine, self.settings.mail_limit, now=self.now)
        queue = iter(waiting)
        with self._transaction() as connection:
            current = self._claim(connection, queue, room > 0)
        while current is not None:
            outcome = self._hand_over(current)
            if outcome.state == "blocked":
                self._take_back(current, outcome)
                return
            room -= outcome.state == State.ACCEPTED
            stop = self._judge(current, outcome)
            with self._transaction() as connection:
                self._note(connection, current, outcome)
                current = self._claim(connection, queue, room > 0 and not stop)
            if stop:
                self._stop(stop)
                return
        if room <= 0 and next(queue, None) is not None:
            self._stop(
                f"{self.settings.mail_limit:,} mails or more in 24 hours (BILLTRACKER_MAIL_LIMIT); more are waiting"
            )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Writes no events, so it need not wait for a crawl that is being loaded on PostgreSQL."""
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            yield connection

    def _claim(self, connection: Connection, queue: Iterator[int], allowed: bool) -> Any:
        """The next mail that may go, noted as ``sending``; None at the end or when no more is allowed."""
        if not allowed:
            return None
        for delivery in queue:
            row = connection.execute(_FULL, {"delivery": delivery}).first()
            if row is None or row.state not in (State.PLANNED, State.DEFERRED, State.UNKNOWN):
                continue
            why_not = self._refusal(row)
            if why_not:
                self._cancel(connection, row, why_not)
                continue
            repeated = row.maybe_repeated or (row.state == State.UNKNOWN and not self.way.repeatable)
            connection.execute(
                update(DeliveryRow)
                .where(DeliveryRow.id == delivery)
                .values(
                    state=states.check(row.state, State.SENDING),
                    attempts=row.attempts + 1,
                    attempted_at=self.now,
                    maybe_repeated=repeated,
                )
            )
            return row
        return None

    def _refusal(self, row: Any) -> str:
        """Why this mail must not go, as things stand at this moment."""
        if row.kind == "digest":
            if row.suppressed or not row.confirmed or row.paused:
                return row.suppressed or ("paused" if row.confirmed else "not confirmed")
            return ""
        return "" if row.suppressed in (None, suppressions.UNSUBSCRIBED) else row.suppressed

    def _cancel(self, connection: Connection, row: Any, why: str) -> None:
        connection.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id == row.id)
            .values(state=states.check(row.state, State.CANCELLED), last_error=why, finished_at=self.now)
        )

    def _hand_over(self, row: Any) -> Outcome:
        name = f"{row.planned_at:%Y-%m-%d}-{row.issue_id:06d}-{row.message_id.split('.')[2][:8]}"
        return self.way.send(opened(row.mail), self.sender, row.email, name)

    def _note(self, connection: Connection, row: Any, outcome: Outcome) -> None:
        attempts = row.attempts + 1
        after = states.check(State.SENDING, states.after_attempt(outcome.state, attempts))
        final = after in (State.ACCEPTED, State.FAILED)
        connection.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id == row.id)
            .values(
                state=after,
                last_error=outcome.error,
                finished_at=self.now if final else None,
                next_attempt_at=None if final else self.now + states.wait(attempts),
            )
        )
        if outcome.state == State.FAILED and bounces.kind_of(outcome.error) is bounces.Kind.HARD:
            suppressions.suppress(connection, self.hasher, row.email, "no such address", now=self.now)
        line = _line(row.email, row.subject, {"bills": row.bills}) | {"issue": row.issue_id}
        self.report.mails.append(line | ({"file": outcome.file} if outcome.file else {"state": str(after)}))
        if after is not State.ACCEPTED:
            self.report.errors.append(f"{row.email}: {after}: {outcome.error}")

    def _judge(self, row: Any, outcome: Outcome) -> str:
        """Why all sending should stop now, or an empty string."""
        self.errors_in_a_row = 0 if outcome.state == State.ACCEPTED else self.errors_in_a_row + 1
        if self.errors_in_a_row < brake.ERRORS_IN_A_ROW:
            return ""
        return f"{self.errors_in_a_row} mails in a row were not taken, the last with: {outcome.error}"

    def _take_back(self, row: Any, outcome: Outcome) -> None:
        """The server takes nothing now. This mail was not tried, and no other need be."""
        with self._transaction() as connection:
            connection.execute(
                update(DeliveryRow)
                .where(DeliveryRow.id == row.id)
                .values(
                    state=states.check(State.SENDING, row.state),
                    attempts=row.attempts,
                    maybe_repeated=row.maybe_repeated,
                    last_error=outcome.error,
                )
            )
        self.report.errors.append(f"no mail can go out now, the next run tries again: {outcome.error}")

    def _stop(self, reason: str) -> None:
        brake.stop(self.engine, reason, now=self.now)
        self.report.errors.append(f"all sending is stopped: {reason}; when it is mended: billtracker digest resume")
        notices.alert(self.settings, "All sending is stopped", self.report.errors[-1], now=self.now)


def _full() -> Executable:
    return (
        select(
            DeliveryRow.id,
            DeliveryRow.state,
            DeliveryRow.attempts,
            DeliveryRow.maybe_repeated,
            DeliveryRow.message_id,
            DeliveryRow.issue_id,
            DeliveryRow.subscriber_id,
            DigestIssueRow.kind,
            DigestIssueRow.planned_at,
            DigestIssueRow.subject,
            DigestIssueRow.bills,
            DigestIssueRow.mail,
            SubscriberRow.email,
            SubscriberRow.confirmed,
            SubscriberRow.paused,
            SuppressionRow.reason.label("suppressed"),
        )
        .join(DigestIssueRow, DigestIssueRow.id == DeliveryRow.issue_id)
        .join(SubscriberRow, SubscriberRow.id == DeliveryRow.subscriber_id)
        .outerjoin(SuppressionRow, SuppressionRow.email_hash == SubscriberRow.address_hash)
        .where(DeliveryRow.id == bindparam("delivery"))
    )


_FULL = _full()


def _line(to: str, subject: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"to": to, "subject": subject, "bills": content.get("bills", 0)}


def retry(engine: Engine, issues: Sequence[int]) -> int:
    """Plan failed or cancelled mails again, at a person's word; returns how many."""
    with writing(engine) as connection:
        return connection.execute(
            update(DeliveryRow)
            .where(DeliveryRow.issue_id.in_(issues), DeliveryRow.state.in_((State.FAILED, State.CANCELLED)))
            .values(state=State.PLANNED, attempts=0, next_attempt_at=None, finished_at=None)
        ).rowcount
