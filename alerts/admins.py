"""Tells the admins when a jurisdiction's crawls fail, once, and once more when it is well again.

A jurisdiction is in trouble when its runs failed or were held back as often in a row as the settings say, or when
its data are stale though its runs are good: silence is the failure that nobody notices.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from alerts.mail import sender_of
from alerts.transport import Transport
from tracker.cleaning import clean
from tracker.db import reading, writing
from tracker.freshness import survey
from tracker.models.runs import CrawlAlertRow
from tracker.settings import Settings


def notify(engine: Engine, settings: Settings, transport: Transport, *, now: dt.datetime) -> dict[str, Any]:
    """Send what the admins have not been told. Returns codes in trouble and well, and what became of the mails.

    A mail that no server took is tried again by the next run: the admins count as told once one has it.
    """
    rows = {row["code"]: row for row in survey(engine, now=now)}
    with reading(engine) as connection:
        told = {row.jurisdiction: row for row in connection.execute(select(CrawlAlertRow))}
    bad = {code: row for code, row in rows.items() if in_trouble(row["freshness"], settings.alert_after_failures)}
    new = [row for code, row in bad.items() if code not in told]
    # Well means good again, not only less often bad: one failure after three good runs is still none.
    well = [rows[code] for code in told if code in rows and rows[code]["freshness"]["state"] in ("fresh", "quiet")]
    report: dict[str, Any] = {
        "trouble": [row["code"] for row in new],
        "well": [row["code"] for row in well],
        "told": [],
        "errors": [],
    }
    if not (new or well):
        return report
    if not settings.admins:
        report["errors"].append("nobody is told: set BILLTRACKER_ADMINS")
        return report
    for to in settings.admins:
        mail = message(settings, to, new, well, now)
        name = f"admins-{now:%Y%m%dT%H%M%S}-{to.partition('@')[0][:40]}"
        outcome = transport.send(mail, sender_of(settings.mail_from)[1], to, name)
        if outcome.state == "accepted":
            report["told"].append(to)
        else:
            report["errors"].append(f"{to}: {outcome.state}: {outcome.error}")
    if report["told"]:
        _remember(engine, new, well, now)
    return report


def in_trouble(freshness: dict[str, Any], failures: int) -> bool:
    """Whether a jurisdiction's state is one to wake somebody for."""
    return int(freshness["failures"]) >= failures or freshness["state"] == "stale"


def message(
    settings: Settings, to: str, new: Sequence[dict[str, Any]], well: Sequence[dict[str, Any]], now: dt.datetime
) -> bytes:
    """The mail: what is wrong, since when, what to do; then what is well again."""
    name, address = sender_of(settings.mail_from)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=to)
    parts = []
    if new:
        parts.append("crawls fail: " + ", ".join(row["name"] for row in new))
    if well:
        parts.append("well again: " + ", ".join(row["name"] for row in well))
    mail["Subject"] = clean("; ".join(parts))[:200]
    mail["Date"] = format_datetime(now.astimezone(dt.UTC))
    mail["Auto-Submitted"] = "auto-generated"
    lines = []
    for row in new:
        said = row["freshness"]
        lines += [
            f"{row['name']} ({row['code']}): {clean(said['reason'])}",
            f"  last good run: {said['last_good_run'] or 'never'}",
            f"  last real change: {said['last_real_change'] or 'never'}",
            f"  The last good data stay. To look: billtracker check {row['code']} --live",
            "",
        ]
    lines += [f"{row['name']} ({row['code']}) is well again." for row in well]
    lines += ["", f"{settings.public_url} · billtracker health"]
    mail.set_content("\n".join(lines), cte="quoted-printable")
    return mail.as_bytes()


def _remember(engine: Engine, new: Sequence[dict[str, Any]], well: Sequence[dict[str, Any]], now: dt.datetime) -> None:
    with writing(engine) as connection:
        for row in new:
            said = row["freshness"]
            connection.execute(
                insert(CrawlAlertRow).values(
                    jurisdiction=row["code"], reason=said["reason"], failures=said["failures"], told_at=now
                )
            )
        codes = [row["code"] for row in well]
        connection.execute(delete(CrawlAlertRow).where(CrawlAlertRow.jurisdiction.in_(codes)))
