"""Never lost, never twice: states, retries, the brake, the lock, the cut line, and who must get nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select, update

from alerts import brake, sending, states, subscriptions, suppressions
from alerts.due import is_due, slot
from alerts.sending import Busy, alone, send
from alerts.states import FOLLOWERS, OPEN, State
from alerts.suppressions import Hasher, KeyChanged
from alerts.transport import WITHDRAWN, Outcome, Ready, Smtp, at_once
from tests.alerts.data import HASHER, NOW, bill, load, reader, settings
from tests.alerts.servers import Server, smtp_server
from tracker.db import reading, writing
from tracker.models.readers import DeliveryRow, DigestIssueRow, SubscriberRow, SuppressionRow

HOUR, DAY, WEEK = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(days=7)


@pytest.fixture
def server() -> Iterator[tuple[Server, str]]:
    with smtp_server() as running:
        yield running


def rows(engine: Engine) -> list[Any]:
    with reading(engine) as connection:
        return list(connection.execute(select(DeliveryRow).order_by(DeliveryRow.id)).all())


def names(engine: Engine) -> list[str]:
    return [row.state for row in rows(engine)]


def by_smtp(tmp_path: Path, url: str, **more: Any) -> Any:
    return settings(tmp_path, smtp_url=SecretStr(url), **more)


def test_the_states_form_one_machine() -> None:
    assert set(FOLLOWERS) == set(State)
    reached = {State.PLANNED}
    for _ in State:
        reached |= {after for before in reached for after in FOLLOWERS[before]}
    assert reached == set(State)
    assert all(FOLLOWERS[state] for state in State)
    assert frozenset(State) - OPEN == {State.ACCEPTED, State.FAILED, State.CANCELLED}
    with pytest.raises(ValueError, match="accepted cannot become planned"):
        states.check("accepted", "planned")


def test_waits_grow_to_a_day_and_the_last_attempt_is_final() -> None:
    minutes = [states.wait(n) / dt.timedelta(minutes=1) for n in range(1, 8)]
    assert minutes == [5, 15, 45, 135, 405, 1215, 1440]
    assert states.after_attempt("deferred", 7) is State.DEFERRED
    assert states.after_attempt("deferred", 8) is State.FAILED
    assert states.after_attempt("accepted", 8) is State.ACCEPTED


def test_a_deferred_mail_waits_then_goes_and_gives_up_at_last(
    engine: Engine, tmp_path: Path, server: tuple[Server, str]
) -> None:
    handler, url = server
    load(engine, [bill("HB 1")])
    reader(engine)
    chosen = by_smtp(tmp_path, url)
    handler.answers = {"ann@example.org": "450 4.2.1 greylisted"}
    now, tried = NOW, 0
    while names(engine) in ([], ["deferred"]):
        tried += len(send(engine, chosen, now=now).mails)
        assert send(engine, chosen, now=now).mails == []
        now = rows(engine)[0].next_attempt_at or now
    assert (names(engine), tried) == (["failed"], states.MAX_ATTEMPTS)
    assert dt.timedelta(days=1) < now - NOW < dt.timedelta(days=5)
    handler.answers = {}
    assert sending.retry(engine, [rows(engine)[0].issue_id]) == 1
    assert [m["state"] for m in send(engine, chosen, now=now).mails] == ["accepted"]


def test_one_connection_carries_many_mails(sqlite: Engine, tmp_path: Path, server: tuple[Server, str]) -> None:
    handler, url = server
    load(sqlite, [bill("HB 1")])
    for n in range(12):
        reader(sqlite, f"r{n:02}@example.org")
    handler.answers = {"r05@example.org": "550 no"}
    assert len(send(sqlite, by_smtp(tmp_path, url), now=NOW).mails) == 12
    assert handler.connections == 1 and len(handler.mails) == 11


def test_a_line_cut_before_the_answer_repeats_that_mail_marked(
    engine: Engine, tmp_path: Path, server: tuple[Server, str]
) -> None:
    handler, url = server
    load(engine, [bill("HB 1")])
    for name in ("a", "b"):
        reader(engine, f"{name}@example.org")
    handler.cut_after_data = 1
    chosen = by_smtp(tmp_path, url)
    assert [m["state"] for m in send(engine, chosen, now=NOW).mails] == ["unknown", "accepted"]
    assert [m["state"] for m in send(engine, chosen, now=NOW + HOUR).mails] == ["accepted"]
    assert [(row.state, row.maybe_repeated) for row in rows(engine)] == [("accepted", True), ("accepted", False)]
    assert [to for to, _ in handler.mails] == ["a@example.org", "b@example.org", "a@example.org"]
    assert handler.mails[0][1] == handler.mails[2][1]


@pytest.mark.parametrize("answer", ["451 4.7.0 too many mails, wait", "550 5.7.1 sender not allowed"])
def test_a_server_that_refuses_us_costs_no_reader_a_mail(
    sqlite: Engine, tmp_path: Path, server: tuple[Server, str], answer: str
) -> None:
    handler, url = server
    load(sqlite, [bill("HB 1")])
    for n in range(30):
        reader(sqlite, f"r{n:02}@example.org")
    handler.sender = answer
    report = send(sqlite, by_smtp(tmp_path, url), now=NOW)
    assert report.mails == [] and len(report.errors) == 1 and answer[:3] in report.errors[0]
    assert set(names(sqlite)) == {"planned"} and {row.attempts for row in rows(sqlite)} == {0}
    handler.sender = ""
    assert len(send(sqlite, by_smtp(tmp_path, url), now=NOW).mails) == 30


def test_too_many_errors_in_a_row_stop_all_sending_and_tell_the_admins(
    sqlite: Engine, tmp_path: Path, server: tuple[Server, str]
) -> None:
    handler, url = server
    load(sqlite, [bill("HB 1")])
    for n in range(30):
        reader(sqlite, f"r{n:02}@example.org")
    handler.answers = {f"r{n:02}@example.org": "554 5.7.1 looks like spam" for n in range(30)}
    chosen = by_smtp(tmp_path, url, admins=["admin@example.org"])
    report = send(sqlite, chosen, now=NOW)
    assert len(report.mails) == brake.ERRORS_IN_A_ROW and "all sending is stopped" in report.errors[-1]
    assert [to for to, _ in handler.mails] == ["admin@example.org"]
    handler.answers = {}
    assert send(sqlite, chosen, now=NOW + HOUR).mails == []
    assert brake.release(sqlite, now=NOW + HOUR) == 1
    failed = [row.issue_id for row in rows(sqlite) if row.state == "failed"]
    assert sending.retry(sqlite, failed) == brake.ERRORS_IN_A_ROW
    assert len(send(sqlite, chosen, now=NOW + HOUR).mails) == 30
    assert set(names(sqlite)) == {"accepted"}


def test_the_brake_stops_the_eleventh_mail(engine: Engine, tmp_path: Path) -> None:
    load(engine, [bill("HB 1")])
    for n in range(11):
        reader(engine, f"r{n:02}@example.org")
    small = settings(tmp_path, mail_limit=10)
    report = send(engine, small, now=NOW)
    assert len(report.mails) == 10 and names(engine).count("planned") == 1
    assert "all sending is stopped: 10 mails or more in 24 hours" in report.errors[-1]
    assert list((tmp_path / "home" / "outbox").glob("alert-*.eml"))
    assert send(engine, small, now=NOW + HOUR).mails == []
    brake.release(engine, now=NOW + HOUR)
    assert len(send(engine, small, now=NOW + HOUR).mails) == 1
    # A list that has grown normally may send twice what it sent before.
    assert brake.room(engine, 10, now=NOW + WEEK) == 22


def test_one_run_at_a_time(engine: Engine, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    with alone(engine, chosen), pytest.raises(Busy, match="another"), alone(engine, chosen):
        pass
    elsewhere = settings(tmp_path / "elsewhere")
    if engine.dialect.name == "postgresql":
        with alone(engine, chosen), pytest.raises(Busy, match="another machine"), alone(engine, elsewhere):
            pass
    with alone(engine, chosen):
        pass


def test_the_lock_ends_with_a_killed_process(sqlite: Engine, tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\nfrom alerts.sending import alone\nfrom tracker.db import make_engine\n"
        "from tracker.settings import Settings\n"
        f"with alone(make_engine('sqlite://'), Settings(home=pathlib.Path({str(tmp_path / 'home')!r}))):\n"
        " print('held', flush=True)\n time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(Busy):
            send(sqlite, settings(tmp_path), now=NOW)
        other.kill()
    assert send(sqlite, settings(tmp_path), now=NOW).errors == []


def test_who_leaves_between_planning_and_sending_gets_nothing(engine: Engine, tmp_path: Path) -> None:
    load(engine, [bill("HB 1")])
    readers = [reader(engine, f"{name}@example.org") for name in ("ann", "bob", "cid")]

    class Later:
        """Somebody unsubscribes while the first mail is under way."""

        repeatable = True

        def send(self, mail: bytes, sender: str, to: str, name: str, *, ready: Ready = at_once) -> Outcome:
            if not ready():
                return WITHDRAWN
            if to.startswith("ann"):
                subscriptions.unsubscribe(engine, readers[1], hasher=HASHER, now=NOW)
            return Outcome("accepted")

        def close(self) -> None:
            pass

    report = send(engine, settings(tmp_path), now=NOW, transport=Later())
    # Bob's mail was claimed together with the note on Ann's or later: it must not have gone either way.
    assert [m["to"] for m in report.mails] == ["ann@example.org", "cid@example.org"]
    assert names(engine) == ["accepted", "cancelled", "accepted"]


def test_a_broken_subscription_stops_nobody_else(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    for name in ("ann", "bob", "cid"):
        reader(sqlite, f"{name}@example.org")
    with writing(sqlite) as connection:
        broken = update(SubscriberRow).where(SubscriberRow.email == "bob@example.org")
        connection.execute(broken.values(timezone="Nowhere/Never"))
    report = send(sqlite, settings(tmp_path), now=NOW)
    assert [m["to"] for m in report.mails] == ["ann@example.org", "cid@example.org"]
    assert report.errors[0].startswith("bob@example.org: ")


def test_what_happens_between_two_runs_is_told_once_whatever_its_date(engine: Engine, tmp_path: Path) -> None:
    """An action posted late, rows that come while a digest is made, a clock that goes back."""
    chosen = settings(tmp_path)
    load(engine, [bill("HB 1")])
    reader(engine)
    send(engine, chosen, now=NOW)
    old = ("2025-02-20", "Reported favorably", ["committee-passage-favorable"])
    load(engine, [bill("HB 1", actions=[old, ("2025-02-27", "Filed", ["filing"])])], now=NOW - DAY)
    (mail,) = send(engine, chosen, now=NOW + WEEK).mails
    assert mail["bills"] == 1
    assert "posted late" in Path(mail["file"]).read_text("utf-8")
    assert send(engine, chosen, now=NOW + 2 * WEEK).mails[0]["bills"] == 0
    with reading(engine) as connection:
        spans = connection.execute(
            select(DigestIssueRow.from_seq, DigestIssueRow.to_seq).order_by(DigestIssueRow.id)
        ).all()
    assert spans[0][0] == 0 and all(a[1] == b[0] for a, b in pairwise(spans))


# ---------------------------------------------------------------- when


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("wishes", "now", "expected"),
    [
        ({"timezone": "America/Chicago"}, "2025-03-03T06:59-06:00", "2025-02-24T07:00-06:00"),
        ({"timezone": "America/Chicago"}, "2025-03-03T07:00-06:00", "2025-03-03T07:00-06:00"),
        ({"timezone": "Pacific/Guam", "weekday": 4, "hour": 18}, "2025-03-07T19:00+10:00", "2025-03-07T18:00+10:00"),
        # Clocks change on 9 March: seven o'clock stays seven o'clock.
        ({"timezone": "America/New_York"}, "2025-03-10T08:00-04:00", "2025-03-10T07:00-04:00"),
        ({"timezone": "America/New_York"}, "2025-03-10T06:30-04:00", "2025-03-03T07:00-05:00"),
        ({"cadence": "daily", "hour": 22}, "2025-03-04T21:00-05:00", "2025-03-03T22:00-05:00"),
    ],
)
def test_slots_are_the_readers_own_time(sqlite: Engine, wishes: dict[str, Any], now: str, expected: str) -> None:
    assert slot(reader(sqlite, **wishes), at(now)) == at(expected)


def test_a_year_of_hourly_runs_gives_one_mail_a_week_and_never_the_wrong_day(sqlite: Engine) -> None:
    someone = reader(sqlite, timezone="America/Denver", weekday=2, hour=6)
    last, planned = None, []
    for hour in range(24 * 365):
        now = NOW + hour * HOUR
        if is_due(someone, last, now, today=0):
            last = now
            planned.append(now.astimezone(slot(someone, now).tzinfo))
    from zoneinfo import ZoneInfo

    local = [moment.astimezone(ZoneInfo("America/Denver")) for moment in planned[1:]]
    assert len(local) == 52 and {(m.weekday(), m.hour) for m in local} == {(2, 6)}


def test_after_three_weeks_away_one_digest_of_at_most_two_weeks(sqlite: Engine, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    load(sqlite, [bill("HB 1")])
    reader(sqlite)
    send(sqlite, chosen, now=NOW)
    for week in range(3):
        load(sqlite, [bill(f"HB {week + 2}")], now=NOW + DAY + week * WEEK)
    later = NOW + 3 * WEEK
    (mail,) = send(sqlite, chosen, now=later).mails
    assert mail["bills"] == 2
    assert "older than 14 days are left out" in Path(mail["file"]).read_text("utf-8").replace("=\n", "")
    assert send(sqlite, chosen, now=later + HOUR).mails == []


def test_daily_mails_are_never_empty_and_immediate_ones_have_a_cap(sqlite: Engine, tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    reader(sqlite, "daily@example.org", cadence="daily")
    reader(sqlite, "now@example.org", cadence="immediate", daily_cap=2)
    sent: dict[str, list[int]] = {"daily@example.org": [], "now@example.org": []}
    number = 0
    for hour in range(0, 7 * 24, 4):
        now = NOW + hour * HOUR
        if hour % 48 < 16:
            number += 1
            load(sqlite, [bill(f"HB {number}")], now=now)
        for mail in send(sqlite, chosen, now=now).mails:
            sent[mail["to"]].append(mail["bills"])
    assert 3 <= len(sent["daily@example.org"]) <= 8 and 0 not in sent["daily@example.org"]
    assert len(sent["now@example.org"]) <= 2 * 8 and 0 not in sent["now@example.org"]
    assert sum(sent["daily@example.org"]) == sum(sent["now@example.org"]) == number


# ---------------------------------------------------------------- who must get nothing


def test_the_suppression_list_is_keyed_and_survives_deletion_and_import(engine: Engine, tmp_path: Path) -> None:
    ann = reader(engine)
    path = tmp_path / "readers.csv"
    subscriptions.export_csv(engine, path)
    subscriptions.unsubscribe(engine, ann, hasher=HASHER, now=NOW)
    subscriptions.remove(engine, ann.email)
    done, errors = subscriptions.import_csv(engine, path, hasher=HASHER, now=NOW)
    assert done == 0 and "unsubscribed" in errors[0]
    with reading(engine) as connection:
        (kept,) = connection.execute(select(SuppressionRow.email_hash)).scalars()
    assert kept != hashlib.sha256(b"ann@example.org").hexdigest()
    assert kept == HASHER("Ann@example.org ") != Hasher("another")("ann@example.org")


def test_a_list_without_a_key_is_brought_under_it(engine: Engine, tmp_path: Path) -> None:
    load(engine, [bill("HB 1")])
    reader(engine)
    plain = hashlib.sha256(b"ann@example.org").hexdigest()
    with writing(engine) as connection:
        connection.execute(insert(SuppressionRow).values(email_hash=plain, reason="unsubscribed", at=NOW))
        connection.execute(update(SubscriberRow).values(address_hash=""))
    assert send(engine, settings(tmp_path), now=NOW).mails == []
    assert subscriptions.find(engine, "ann@example.org").suppressed == suppressions.UNSUBSCRIBED
    with reading(engine) as connection:
        assert connection.execute(select(SuppressionRow.email_hash)).scalar() == HASHER("ann@example.org")


def test_with_another_key_nothing_is_sent(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    subscriptions.unsubscribe(sqlite, reader(sqlite), hasher=HASHER, now=NOW)
    changed = settings(tmp_path, secret_key=SecretStr("n" * 32))
    with pytest.raises(KeyChanged, match="BILLTRACKER_SUPPRESSION_KEY"):
        send(sqlite, changed, now=NOW)
    kept = settings(tmp_path, secret_key=SecretStr("n" * 32), suppression_key=SecretStr("k" * 32))
    assert send(sqlite, kept, now=NOW).mails == []


def test_a_refused_address_is_not_mailed_again(sqlite: Engine, tmp_path: Path, server: tuple[Server, str]) -> None:
    handler, url = server
    load(sqlite, [bill("HB 1")])
    reader(sqlite)
    handler.answers = {"ann@example.org": "550 5.1.1 no such user"}
    send(sqlite, by_smtp(tmp_path, url), now=NOW)
    handler.answers = {}
    assert subscriptions.find(sqlite, "ann@example.org").suppressed == "no such address"
    assert send(sqlite, by_smtp(tmp_path, url), now=NOW + WEEK).mails == []


def test_lines_that_begin_with_dots_arrive_as_they_are(tmp_path: Path, server: tuple[Server, str]) -> None:
    handler, url = server
    mail = b"Subject: x\r\n\r\n.\r\n..two\r\n.three\r\nend"
    with Smtp(url) as way:
        assert way.send(mail, "a@example.org", "b@example.org", "x").state == "accepted"
    assert handler.mails[0][1].rstrip(b"\r\n") == mail


def test_a_server_that_hangs_up_between_mails_is_called_again(tmp_path: Path) -> None:
    with smtp_server() as (handler, url), Smtp(url) as way:
        assert way.send(b"one\r\n", "a@example.org", "b@example.org", "x").state == "accepted"
        assert way._server is not None and way._server.sock is not None
        way._server.sock.shutdown(socket.SHUT_RDWR)
        assert way.send(b"two\r\n", "a@example.org", "b@example.org", "x").state == "accepted"
        assert len(handler.mails) == 2
