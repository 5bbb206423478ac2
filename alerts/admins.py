"""Tells the admins when a jurisdiction's crawls fail or nothing happens any more, once, and once when it is well again.

A jurisdiction is in trouble when its runs failed or were held back as often in a row as the settings say, or when its
data are stale though its runs are good: silence is the failure that nobody notices. The whole service is in trouble
when :mod:`tracker.pulse` says so: a clock or workers that stand still, no crawl that brought anything, mail that
waits, jobs that ended badly.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from alerts.mail import sender_of
from alerts.transport import Transport
from tracker import pulse
from tracker.cleaning import clean
from tracker.db import reading, writing
from tracker.freshness import survey
from tracker.models.runs import CrawlAlertRow, ServiceAlertRow
from tracker.settings import Settings

_OVER = {
    "clock": "the clock runs again",
    "crawls": "crawls bring bills again",
    "events": "bills change again",
    "mail": "no mail waits any more",
    "overdue": "every due job was begun",
    "workers": "workers take jobs again",
}


@dataclass(frozen=True)
class _News:
    """What the admins have not been told: jurisdictions in trouble and well, the service's troubles by kind."""

    bad: list[dict[str, Any]]
    well: list[dict[str, Any]]
    silent: dict[str, str]
    over: list[str]

    def __bool__(self) -> bool:
        return bool(self.bad or self.well or self.silent or self.over)


def notify(engine: Engine, settings: Settings, transport: Transport, *, now: dt.datetime) -> dict[str, Any]:
    """Send what the admins have not been told. Returns what is in trouble and well, and what became of the mails.

    A mail that no server took is tried again by the next run: the admins count as told once one has it.
    """
    news = _news(engine, settings, now)
    report: dict[str, Any] = {
        "trouble": [row["code"] for row in news.bad],
        "well": [row["code"] for row in news.well],
        "service": sorted(set(news.silent.values())),
        "service_well": news.over,
        "told": [],
        "errors": [],
    }
    if not news:
        return report
    if not settings.admins:
        report["errors"].append("nobody is told: set BILLTRACKER_ADMINS")
        return report
    for to in settings.admins:
        mail = message(settings, to, news, now)
        name = f"admins-{now:%Y%m%dT%H%M%S}-{to.partition('@')[0][:40]}"
        outcome = transport.send(mail, sender_of(settings.mail_from)[1], to, name)
        if outcome.state == "accepted":
            report["told"].append(to)
        else:
            report["errors"].append(f"{to}: {outcome.state}: {outcome.error}")
    if report["told"]:
        _remember(engine, news, now)
    return report


def _news(engine: Engine, settings: Settings, now: dt.datetime) -> _News:
    rows = {row["code"]: row for row in survey(engine, now=now)}
    found = pulse.feel(engine, now=now, hours=settings.silence_hours).kinds
    with reading(engine) as connection:
        told = {row.jurisdiction: row for row in connection.execute(select(CrawlAlertRow))}
        known = set(connection.execute(select(ServiceAlertRow.kind)).scalars())
    bad = {code: row for code, row in rows.items() if in_trouble(row["freshness"], settings.alert_after_failures)}
    return _News(
        bad=[row for code, row in bad.items() if code not in told],
        # Well means good again, not only less often bad: one failure after three good runs is still none.
        well=[rows[code] for code in told if code in rows and rows[code]["freshness"]["state"] in ("fresh", "quiet")],
        silent={kind: sentence for kind, sentence in found.items() if kind not in known},
        over=sorted(known - found.keys()),
    )


def in_trouble(freshness: dict[str, Any], failures: int) -> bool:
    """Whether a jurisdiction's state is one to wake somebody for."""
    return int(freshness["failures"]) >= failures or freshness["state"] == "stale"


def message(settings: Settings, to: str, news: _News, now: dt.datetime) -> bytes:
    """The mail: what is wrong, since when, what to do; then what is well again."""
    name, address = sender_of(settings.mail_from)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=to)
    parts = []
    if news.silent:
        parts.append("the service needs you: " + ", ".join(news.silent))
    if news.bad:
        parts.append("crawls fail: " + ", ".join(row["name"] for row in news.bad))
    if news.well or news.over:
        parts.append("well again: " + ", ".join([*(row["name"] for row in news.well), *news.over]))
    mail["Subject"] = clean("; ".join(parts))[:200]
    mail["Date"] = format_datetime(now.astimezone(dt.UTC))
    mail["Auto-Submitted"] = "auto-generated"
    lines = [clean(sentence) for sentence in dict.fromkeys(news.silent.values())]
    lines += [""] if lines else []
    for row in news.bad:
        said = row["freshness"]
        lines += [
            f"{row['name']} ({row['code']}): {clean(said['reason'])}",
            f"  last good run: {said['last_good_run'] or 'never'}",
            f"  last real change: {said['last_real_change'] or 'never'}",
            f"  The last good data stay. To look: billtracker check {row['code']} --live",
            "",
        ]
    lines += [f"{row['name']} ({row['code']}) is well again." for row in news.well]
    lines += [f"Over: {_OVER.get(kind, kind)}." for kind in news.over]
    lines += ["", f"{settings.public_url} · billtracker morning says everything on one page"]
    mail.set_content("\n".join(lines), cte="quoted-printable")
    return mail.as_bytes()


def _remember(engine: Engine, news: _News, now: dt.datetime) -> None:
    with writing(engine) as connection:
        for row in news.bad:
            said = row["freshness"]
            connection.execute(
                insert(CrawlAlertRow).values(
                    jurisdiction=row["code"], reason=said["reason"], failures=said["failures"], told_at=now
                )
            )
        for kind, sentence in news.silent.items():
            connection.execute(insert(ServiceAlertRow).values(kind=kind[:80], message=sentence, told_at=now))
        codes = [row["code"] for row in news.well]
        connection.execute(delete(CrawlAlertRow).where(CrawlAlertRow.jurisdiction.in_(codes)))
        connection.execute(delete(ServiceAlertRow).where(ServiceAlertRow.kind.in_(news.over)))
