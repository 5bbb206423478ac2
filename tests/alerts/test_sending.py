"""Sending: frozen first, never twice, and honest about what a server said."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, select, update

from alerts import subscriptions
from alerts.outbox import frozen_mail
from alerts.sending import send
from alerts.tokens import Links
from alerts.transport import Outcome, Ready, Smtp, TransportError, at_once
from tests.alerts.data import HASHER, NOW, bill, load, reader, settings
from tests.alerts.servers import Server, smtp_server
from tracker.db import reading, writing
from tracker.models.readers import DeliveryRow
from tracker.web.application import create_app

WEEK = dt.timedelta(days=7)


@pytest.fixture
def server() -> Iterator[tuple[Server, str]]:
    with smtp_server() as running:
        yield running


def state(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(DeliveryRow.state).order_by(DeliveryRow.id)).scalars())


def test_a_second_run_sends_nothing_and_a_replay_gives_the_same_bytes(engine: Engine, tmp_path: Path) -> None:
    load(engine, [bill("HB 1")])
    reader(engine)
    reader(engine, "new@example.org", confirmed=False)
    first = send(engine, settings(tmp_path), now=NOW)
    assert [m["to"] for m in first.mails] == ["ann@example.org"] and not first.errors
    written = Path(first.mails[0]["file"]).read_bytes()
    assert send(engine, settings(tmp_path), now=NOW + dt.timedelta(hours=1)).mails == []
    assert frozen_mail(engine, first.mails[0]["issue"]) == written
    assert len(list((tmp_path / "home" / "outbox").iterdir())) == 1
    assert [m["bills"] for m in send(engine, settings(tmp_path), now=NOW + WEEK).mails] == [0]


def test_headers_let_mail_programs_unsubscribe(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    reader(sqlite)
    far = settings(tmp_path, public_url="https://bills.policy-institute.example.org/tracker")
    path = send(sqlite, far, now=NOW).mails[0]["file"]
    # As it stands in the bytes: mail programs do not decode this header.
    assert (
        b"\r\nList-Unsubscribe: <https://bills.policy-institute.example.org/tracker/unsubscribe/"
        in Path(path).read_bytes()
    )
    mail = message_from_bytes(Path(path).read_bytes(), policy=SMTP)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<https://[^<>\s]+>", mail["List-Unsubscribe"])
    assert mail["Auto-Submitted"] == "auto-generated" and mail["List-Id"] and mail["Message-ID"]
    assert [p.get_content_type() for p in mail.iter_parts()] == ["text/plain", "text/html"]


def test_a_real_server_takes_defers_and_refuses(sqlite: Engine, tmp_path: Path, server: tuple[Server, str]) -> None:
    handler, url = server
    load(sqlite, [bill("HB 1")])
    for name in ("a", "b", "c"):
        reader(sqlite, f"{name}@example.org")
    handler.answers = {"b@example.org": "451 later", "c@example.org": "550 nobody here"}
    by_smtp = settings(tmp_path, smtp_url=SecretStr(url))
    report = send(sqlite, by_smtp, now=NOW)
    assert [m["state"] for m in report.mails] == ["accepted", "deferred", "failed"]
    assert len(report.errors) == 2 and state(sqlite) == ["accepted", "deferred", "failed"]
    handler.answers = {}
    again = send(sqlite, by_smtp, now=NOW + dt.timedelta(minutes=30))
    assert [(m["to"], m["state"]) for m in again.mails] == [("b@example.org", "accepted")]
    assert [to for to, _ in handler.mails] == ["a@example.org", "b@example.org"]
    assert frozen_mail(sqlite, 1) == handler.mails[0][1]


class Dies:
    """A way out that ends the process in the middle."""

    repeatable = False

    def send(self, mail: bytes, sender: str, to: str, name: str, *, ready: Ready = at_once) -> Outcome:
        raise KeyboardInterrupt

    def close(self) -> None:
        pass


def test_a_mail_that_was_being_handed_over_goes_again_and_is_marked(
    sqlite: Engine, tmp_path: Path, server: tuple[Server, str]
) -> None:
    handler, url = server
    load(sqlite, [bill("HB 1")])
    reader(sqlite)
    with pytest.raises(KeyboardInterrupt):
        send(sqlite, settings(tmp_path), now=NOW, transport=Dies())
    report = send(sqlite, settings(tmp_path, smtp_url=SecretStr(url)), now=NOW + dt.timedelta(hours=1))
    assert state(sqlite) == ["accepted"] and len(handler.mails) == 1
    assert "may arrive twice" in report.errors[0]
    with reading(sqlite) as connection:
        assert connection.execute(select(DeliveryRow.maybe_repeated)).scalar() is True


def test_a_run_killed_before_sending_is_finished_by_the_next(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    reader(sqlite)
    with pytest.raises(KeyboardInterrupt):
        send(sqlite, settings(tmp_path), now=NOW, transport=Dies())
    with writing(sqlite) as connection:
        connection.execute(update(DeliveryRow).values(state="planned"))
    assert len(send(sqlite, settings(tmp_path), now=NOW).mails) == 1
    assert len(list((tmp_path / "home" / "outbox").iterdir())) == 1


def test_a_dry_run_changes_nothing(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    before = reader(sqlite)
    assert send(sqlite, settings(tmp_path), now=NOW, dry_run=True).mails[0]["state"] == "dry run"
    assert subscriptions.find(sqlite, before.email) == before and state(sqlite) == []


def test_a_dead_server_blocks(tmp_path: Path) -> None:
    assert Smtp("smtp://127.0.0.1:1").send(b"", "a@b", "c@d", "x").state == "blocked"
    with pytest.raises(TransportError):
        Smtp("http://example.org")


def test_looking_changes_nothing_and_one_click_unsubscribes(sqlite: Engine, tmp_path: Path) -> None:
    load(sqlite, [bill("HB 1")])
    ann = reader(sqlite)
    app = create_app(settings(tmp_path, database_url=str(sqlite.url)))
    url = Links("", "k" * 32).unsubscribe(ann)

    async def visit() -> None:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://reader") as web:
            asked = await web.get(url)
            assert asked.status_code == 200 and '<form method="post">' in asked.text
            assert not subscriptions.find(sqlite, ann.email).suppressed
            assert (await web.get(url + "x")).status_code == 404
            assert (await web.post("/unsubscribe/x")).status_code == 404
            one_click = await web.post(url, data={"List-Unsubscribe": "One-Click"})
            assert one_click.text == "Unsubscribed.\n"
            assert "no further digests" in (await web.post(url)).text

    asyncio.run(visit())
    assert subscriptions.find(sqlite, ann.email).suppressed
    assert send(sqlite, settings(tmp_path), now=NOW).mails == []
    subscriptions.remove(sqlite, ann.email)
    with pytest.raises(subscriptions.SubscriptionError, match="unsubscribed"):
        reader(sqlite)
    assert not reader(sqlite, again=True).suppressed


def test_readers_survive_export_and_import(sqlite: Engine, tmp_path: Path) -> None:
    reader(sqlite, states=["tx", "oh"], keywords=["welding"], cadence="daily", timezone="America/Chicago")
    before = subscriptions.everyone(sqlite)[0].to_json()
    path = tmp_path / "readers.csv"
    assert subscriptions.export_csv(sqlite, path) == 1
    subscriptions.remove(sqlite, "ann@example.org")
    path.write_text(path.read_text() + "not an address,,,,,,,,\n")
    done, errors = subscriptions.import_csv(sqlite, path, hasher=HASHER, now=NOW)
    assert done == 1 and "line 3" in errors[0]
    assert subscriptions.everyone(sqlite)[0].to_json() == before


def test_the_signing_key_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    made = settings(tmp_path, secret_key=SecretStr(""))
    assert made.signing_key() == made.signing_key() != ""
    assert (made.home / "secret-key").stat().st_mode & 0o077 == 0
