"""One pass over the waiting mails: each is claimed, handed to the server, and its fate noted, in that order.

While the server is greeted with the next mail's addresses, a clerk in a thread of its own notes what became of
the last one and claims this one, in one transaction. The mail itself goes out only when that stands in the
database: wherever a run is killed, one mail at most may have been accepted without a note of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Executable, bindparam, exists, select, update

from alerts import bounces, brake, notices, states, suppressions
from alerts.mail import sender_of
from alerts.outbox import opened
from alerts.states import State
from alerts.suppressions import Hasher
from alerts.transport import Outcome, Transport
from tracker.models.readers import DeliveryRow, DigestIssueRow, SubscriberRow, SuppressionRow
from tracker.settings import Settings

_PART = 20


@dataclass
class Report:
    """What a sending run did: a line a mail, and a sentence for each thing that went wrong."""

    mails: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def line(self, to: str, subject: str, bills: int, **more: Any) -> None:
        """Add the line of a mail."""
        self.mails.append({"to": to, "subject": subject, "bills": bills, **more})


class Letter(NamedTuple):
    """What goes to the server for one delivery, and the delivery as it stood when this was read."""

    row: Any
    name: str
    mail: bytes


class Handover:
    """A pass. ``way`` takes the mails; the caller has the right to send (``alerts.sending.alone``)."""

    def __init__(self, engine: Engine, settings: Settings, way: Transport, report: Report, now: dt.datetime) -> None:
        self.engine, self.settings, self.way, self.report, self.now = engine, settings, way, report, now
        self.hasher = Hasher.of(settings)
        self.sender = settings.bounce_address or sender_of(settings.mail_from)[1]
        self.errors_in_a_row = 0

    def go(self, waiting: Sequence[int]) -> None:
        """Send the deliveries of these ids, in this order, until the volume's bound or a stop."""
        room = brake.room(self.engine, self.settings.mail_limit, now=self.now)
        if room <= 0:
            self._stop(self._full())
            return
        # Writes no events, so it need not wait for a crawl that is being loaded on PostgreSQL.
        with (
            self.engine.connect().execution_options(writes=True) as connection,
            ThreadPoolExecutor(1, thread_name_prefix="clerk") as clerk,
        ):
            self._talk(connection, clerk, waiting, room)

    def _talk(self, connection: Connection, clerk: ThreadPoolExecutor, waiting: Sequence[int], room: int) -> None:
        letters = self._letters(connection, waiting)
        upcoming = clerk.submit(next, letters, None)
        last: tuple[Any, Outcome] | None = None
        stop = ""
        while room > 0 and not stop and (letter := upcoming.result()) is not None:
            claimed = clerk.submit(self._turn, connection, last, letter.row)
            upcoming = clerk.submit(next, letters, None)
            outcome, last = self._hand_over(letter, claimed), None
            row = claimed.result()
            if outcome.state == "blocked":
                clerk.submit(self._take_back, connection, row, outcome).result()
                return
            if row is None:
                continue
            room -= outcome.state == State.ACCEPTED
            stop = self._judge(outcome)
            last = row, outcome
        more = upcoming.result()
        if last is not None:
            clerk.submit(self._turn, connection, last, None).result()
        if not stop and room <= 0 and more is not None:
            stop = self._full()
        if stop:
            self._stop(stop)

    def _letters(self, connection: Connection, waiting: Sequence[int]) -> Iterator[Letter]:
        """The mails of these deliveries, a part read at a time."""
        for start in range(0, len(waiting), _PART):
            part = waiting[start : start + _PART]
            with connection.begin():
                rows = {row.id: row for row in connection.execute(_LETTERS, {"deliveries": part})}
            for delivery in part:
                # A reader who was removed meanwhile has no mails any more.
                if row := rows.get(delivery):
                    name = f"{row.planned_at:%Y-%m-%d}-{row.issue_id:06d}-{row.message_id.split('.')[2][:8]}"
                    yield Letter(row, name, opened(row.mail))

    def _hand_over(self, letter: Letter, claimed: Future[Any]) -> Outcome:
        return self.way.send(
            letter.mail, self.sender, letter.row.email, letter.name, ready=lambda: claimed.result() is not None
        )

    def _turn(self, connection: Connection, last: tuple[Any, Outcome] | None, row: Any) -> Any:
        """Note what became of the last mail and claim the next, in one transaction; None when it must not go."""
        with connection.begin():
            if last is not None:
                self._note(connection, *last)
            return None if row is None else self._claim(connection, row)

    def _claim(self, connection: Connection, row: Any) -> Any:
        values = {
            "id_": row.id,
            "before": row.state,
            "state": states.check(row.state, State.SENDING),
            "attempts": row.attempts + 1,
            "now": self.now,
            "repeated": row.maybe_repeated or (row.state == State.UNKNOWN and not self.way.repeatable),
        }
        if row.kind == "digest" and connection.execute(_CLAIMED_AT_ONCE, values).rowcount:
            return row
        now = connection.execute(_STANDING, {"delivery": row.id}).first()
        if now is None or now.state != row.state:
            return None
        why_not = _refusal(now)
        if why_not:
            cancelled = states.check(row.state, State.CANCELLED)
            connection.execute(_CANCELLED, {"id_": row.id, "state": cancelled, "why": why_not, "now": self.now})
            return None
        connection.execute(_CLAIMED, values)
        return row

    def _note(self, connection: Connection, row: Any, outcome: Outcome) -> None:
        attempts = row.attempts + 1
        after = states.check(State.SENDING, states.after_attempt(outcome.state, attempts))
        final = after in (State.ACCEPTED, State.FAILED)
        values = {
            "id_": row.id,
            "state": after,
            "error": outcome.error,
            "finished": self.now if final else None,
            "next": None if final else self.now + states.wait(attempts),
        }
        connection.execute(_NOTED, values)
        if outcome.state == State.FAILED and bounces.kind_of(outcome.error) is bounces.Kind.HARD:
            suppressions.suppress(connection, self.hasher, row.email, "no such address", now=self.now)
        place = {"file": outcome.file} if outcome.file else {"state": str(after)}
        self.report.line(row.email, row.subject, row.bills, issue=row.issue_id, **place)
        if after is not State.ACCEPTED:
            self.report.errors.append(f"{row.email}: {after}: {outcome.error}")

    def _judge(self, outcome: Outcome) -> str:
        """Why all sending should stop now, or an empty string."""
        self.errors_in_a_row = 0 if outcome.state == State.ACCEPTED else self.errors_in_a_row + 1
        if self.errors_in_a_row < brake.ERRORS_IN_A_ROW:
            return ""
        return f"{self.errors_in_a_row} mails in a row were not taken, the last with: {outcome.error}"

    def _take_back(self, connection: Connection, row: Any, outcome: Outcome) -> None:
        """The server takes nothing now. This mail was not tried, and no other need be."""
        if row is not None:
            values = {
                "id_": row.id,
                "state": states.check(State.SENDING, row.state),
                "attempts": row.attempts,
                "repeated": row.maybe_repeated,
                "error": outcome.error,
            }
            with connection.begin():
                connection.execute(_TAKEN_BACK, values)
        self.report.errors.append(f"no mail can go out now, the next run tries again: {outcome.error}")

    def _full(self) -> str:
        return f"{self.settings.mail_limit:,} mails or more in 24 hours (BILLTRACKER_MAIL_LIMIT); more are waiting"

    def _stop(self, reason: str) -> None:
        brake.stop(self.engine, reason, now=self.now)
        self.report.errors.append(f"all sending is stopped: {reason}; when it is mended: billtracker digest resume")
        notices.alert(self.settings, "All sending is stopped", self.report.errors[-1], now=self.now)


def _refusal(row: Any) -> str:
    """Why this mail must not go, as things stand at this moment."""
    if row.kind == "digest":
        if row.suppressed or not row.confirmed or row.paused:
            return row.suppressed or ("paused" if row.confirmed else "not confirmed")
        return ""
    return "" if row.suppressed in (None, suppressions.UNSUBSCRIBED) else row.suppressed


_WHO = (SubscriberRow.confirmed, SubscriberRow.paused, SuppressionRow.reason.label("suppressed"))


def _of(columns: Sequence[Any], *where: Any) -> Executable:
    return (
        select(DeliveryRow.id, DeliveryRow.state, DigestIssueRow.kind, *columns)
        .join(DigestIssueRow, DigestIssueRow.id == DeliveryRow.issue_id)
        .join(SubscriberRow, SubscriberRow.id == DeliveryRow.subscriber_id)
        .outerjoin(SuppressionRow, SuppressionRow.email_hash == SubscriberRow.address_hash)
        .where(*where)
    )


# Made once: each runs for every mail, or for every part.
_LETTERS = _of(
    (
        DeliveryRow.issue_id,
        DeliveryRow.message_id,
        DeliveryRow.attempts,
        DeliveryRow.maybe_repeated,
        DigestIssueRow.planned_at,
        DigestIssueRow.subject,
        DigestIssueRow.bills,
        DigestIssueRow.mail,
        SubscriberRow.email,
    ),
    DeliveryRow.id.in_(bindparam("deliveries", expanding=True)),
)
_STANDING = _of(_WHO, DeliveryRow.id == bindparam("delivery"))
_THIS = update(DeliveryRow).where(DeliveryRow.id == bindparam("id_"))
_CLAIMED = _THIS.values(
    state=bindparam("state"),
    attempts=bindparam("attempts"),
    attempted_at=bindparam("now"),
    maybe_repeated=bindparam("repeated"),
)
# The usual case in one statement: it stands as it was read, and its reader still wants it.
_CLAIMED_AT_ONCE = _CLAIMED.where(
    DeliveryRow.state == bindparam("before"),
    exists().where(
        SubscriberRow.id == DeliveryRow.subscriber_id,
        SubscriberRow.confirmed.is_(True),
        SubscriberRow.paused.is_(False),
        ~exists().where(SuppressionRow.email_hash == SubscriberRow.address_hash),
    ),
)
_TAKEN_BACK = _THIS.values(
    state=bindparam("state"),
    attempts=bindparam("attempts"),
    maybe_repeated=bindparam("repeated"),
    last_error=bindparam("error"),
)
_CANCELLED = _THIS.values(state=bindparam("state"), last_error=bindparam("why"), finished_at=bindparam("now"))
_NOTED = _THIS.values(
    state=bindparam("state"),
    last_error=bindparam("error"),
    finished_at=bindparam("finished"),
    next_attempt_at=bindparam("next"),
)
