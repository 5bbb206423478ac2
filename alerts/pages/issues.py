"""Issues in the browser: the copy that may be shared, the public archive, and the form for feedback."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import Engine, select

from alerts import feedback, tokens
from alerts.outbox import links_of
from alerts.pages import reply
from alerts.pages.forms import Filled
from alerts.render import MARK, addressed, render
from alerts.subscriptions import Reader, of_seed
from tracker.cleaning import day
from tracker.db import reading
from tracker.models.readers import DeliveryRow, DigestIssueRow, SubscriberRow
from tracker.records import ocd_bill_id
from tracker.settings import Settings
from tracker.web.dependencies import AppSettings, Database, Now

router = APIRouter()
_NO_LIMIT = 50_000_000


@router.get("/digest/{token}")
def show(token: str, engine: Database, settings: AppSettings, *, all: bool = False) -> Response:
    """An issue as it was sent, without the reader's own links; ``all`` shows the bills that did not fit the mail."""
    number = tokens.read("digest", token, settings.signing_key())
    row = _issue(engine, number) if isinstance(number, int) else None
    if row is None:
        return reply.unknown()
    html = row.html
    if all:
        content = {k: v for k, v in row.snapshot.items() if k != "shown"}
        parts = render(content, subject=row.subject, public_url=settings.public_url, limit=_NO_LIMIT)
        html, _ = addressed(parts.html, "", links_of(settings).issue(row.id))
    return reply.mail_body(html.replace(MARK, ""))


@router.get("/archive")
def archive(engine: Database, settings: AppSettings) -> Response:
    """The issues of the reader whom the settings make public, newest first."""
    if not settings.public_archive:
        return reply.message("No public archive", "This installation does not show its digests.", status=404)
    with reading(engine) as connection:
        rows = connection.execute(
            select(DigestIssueRow.id, DigestIssueRow.planned_at, DigestIssueRow.subject)
            .join(SubscriberRow, SubscriberRow.id == DigestIssueRow.subscriber_id)
            .join(DeliveryRow, DeliveryRow.issue_id == DigestIssueRow.id)
            .where(
                SubscriberRow.email == settings.public_archive.strip().lower(),
                DigestIssueRow.kind == "digest",
                DeliveryRow.state == "accepted",
            )
            .order_by(DigestIssueRow.id.desc())
            .limit(200)
        ).all()
    links = links_of(settings)
    found = reply.page(
        "archive.html",
        issues=[{"at": day(r.planned_at.date()), "subject": r.subject, "url": links.issue(r.id)} for r in rows],
    )
    found.headers["Cache-Control"] = "public, max-age=300"
    del found.headers["X-Robots-Tag"]
    return found


def _issue(engine: Engine, number: int) -> Any:
    with reading(engine) as connection:
        return connection.execute(
            select(DigestIssueRow.id, DigestIssueRow.html, DigestIssueRow.snapshot, DigestIssueRow.subject).where(
                DigestIssueRow.id == number, DigestIssueRow.kind == "digest"
            )
        ).first()


@router.get("/feedback/{token}")
def ask(token: str, engine: Database, settings: AppSettings) -> Response:
    """The form: each bill of the issue, each strategy, relevant or not. Nothing is stored by looking."""
    reader, issue = _asked(engine, token, settings)
    return reply.unknown() if reader is None else _form(engine, reader, issue)


@router.post("/feedback/{token}")
def answer(token: str, form: Filled, engine: Database, settings: AppSettings, now: Now) -> Response:
    """Keep the answers."""
    reader, issue = _asked(engine, token, settings)
    if reader is None:
        return reply.unknown()
    answers = {}
    for name, value in form.items():
        key, _, strategy = name.rpartition("|")
        if isinstance(value, str):
            answers[key, strategy] = value
    done = feedback.store(engine, reader.id, issue, answers, now=now)
    return _form(engine, reader, issue, said=f"Thank you: {done} answers are kept.")


def _asked(engine: Engine, token: str, settings: Settings) -> tuple[Reader | None, Any]:
    payload = tokens.read("feedback", token, settings.signing_key())
    if not isinstance(payload, list) or len(payload) != 2:
        return None, None
    reader = of_seed(engine, str(payload[0]))
    issue = feedback.issue_of(engine, reader.id, int(payload[1])) if reader is not None else None
    return (reader, issue) if issue is not None else (None, None)


def _form(engine: Engine, reader: Reader, issue: Any, said: str = "") -> Response:
    before = feedback.given(engine, reader.id, issue.id)
    cards = feedback.questions(issue.snapshot)
    for card in cards:
        ocd_id = ocd_bill_id(*card["key"].split("/", 2))
        for tag in card["asked"]:
            tag["verdict"] = before.get((ocd_id, tag["key"]), "")
    return reply.page("feedback.html", cards=cards, subject=issue.subject, said=said)
