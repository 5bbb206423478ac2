"""A small, fixed set of bills for the tests of search, SQL, exports and history: own words, made-up states' facts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import Engine, insert, select, update

from tracker import tagging
from tracker.db import writing
from tracker.ingest import Report, Run, ingest
from tracker.models.bills import BillRow, BillTextRow, VersionRow

NOW = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)


def bill(code: str, session: str, identifier: str, title: str, **more: Any) -> dict[str, Any]:
    """A record with what every bill has."""
    day = more.pop("day", "2026-01-15")
    return {
        "jurisdiction": code,
        "legislative_session": session,
        "identifier": identifier,
        "title": title,
        "chamber": "lower" if identifier.startswith("H") else "upper",
        "actions": [{"date": day, "description": "Introduced", "chamber": "lower"}],
        "sources": [{"url": f"https://legislature.example/{code}/{identifier.replace(' ', '')}"}],
        **more,
    }


BILLS = [
    bill(
        "tx",
        "89R",
        "HB 12",
        "Relating to a franchise tax credit for employers of apprentices.",
        subject=["Taxation", "Labor, Apprenticeship"],
        sponsorships=[{"name": "Murphy, Carol A."}, {"name": "Ortiz", "primary": False}],
        abstracts=[
            {
                "abstract": "Gives employers a credit against the franchise tax for each apprentice.",
                "note": "s",
            }
        ],
        versions=[
            {
                "note": "Introduced",
                "date": "2026-01-15",
                "links": [{"url": "https://legislature.example/tx/HB12I.htm", "media_type": "text/html"}],
            },
            {
                "note": "Engrossed",
                "date": "2026-02-01",
                "links": [{"url": "https://legislature.example/tx/HB12E.pdf", "media_type": "application/pdf"}],
            },
        ],
        documents=[{"note": "Fiscal note", "links": [{"url": "https://legislature.example/tx/HB12F.pdf"}]}],
        related_bills=[{"identifier": "SB 7", "legislative_session": "89R", "relation_type": "companion"}],
        hearings=[
            {
                "date": "2026-02-20",
                "time": "09:00",
                "timezone": "America/Chicago",
                "committee": "Ways & Means",
                "location": "E2.010",
            }
        ],
        extras={"chapter": 7, "note": "=1+1"},
        day="2026-02-01",
    ),
    bill("tx", "89R", "SB 7", "Relating to tax credits for apprenticeship programs.", day="2026-01-20"),
    bill("oh", "136", "HB 12", "Regards credit for prior learning and dual enrollment", day="2026-01-10"),
    bill(
        "oh",
        "136",
        "SB 120",
        "To create the career-technical education flexibility waiver",
        subject=["Education"],
        versions=[{"note": "Introduced", "links": [{"url": "https://legislature.example/oh/SB120.htm"}]}],
        sponsorships=[{"name": "Carol Smith"}, {"name": "John Murphy"}],
        day="2026-02-05",
    ),
    bill("va", "2026", "HB 1201", "Career education and technical training; a study of charter schools."),
    bill(
        "va",
        "2026",
        "HJ 5",
        "Commending José Peña and the teachers’ association",
        classification=["resolution"],
    ),
    bill(
        "co",
        "2026A",
        "HB 26-1001",
        "=cmd|' /C calc'!A0 concerning policies on school boards",
        day="2026-01-31",
    ),
    bill("md", "2026", "SB 44", "+1 Income Tax - Subtraction - Apprenticeship Wages", day="2026-02-09"),
    bill("us", "119", "HR 9", "To amend Title 9 and for other purposes.", actions=[]),
]

TEXT = (
    "SECTION 1. The career and technical education fund pays each school district for a work-based learning "
    "coordinator. SECTION 2. A taxpayer's credit may not be carried forward. An apprentice is a person in a "
    "registered apprenticeship program. The amount is $1,500 for each apprentice."
)


def load(engine: Engine, records: list[dict[str, Any]] | None = None, now: dt.datetime = NOW) -> Report:
    """Ingest the bills."""
    return ingest(engine, BILLS if records is None else records, Run("file"), now=now)


def add_text(engine: Engine, identifier: str, text: str, now: dt.datetime = NOW, note: str = "") -> None:
    """Store a version's text; a version is made where the bill has none."""
    with writing(engine) as connection:
        bill_id = connection.execute(select(BillRow.id).where(BillRow.identifier == identifier)).scalars().first()
        version = (
            connection.execute(
                select(VersionRow.id)
                .where(VersionRow.bill_id == bill_id, VersionRow.note.like(f"{note}%"))
                .order_by(VersionRow.ordinal.desc())
            )
            .scalars()
            .first()
        )
        if version is None:
            version = connection.execute(
                insert(VersionRow)
                .values(bill_id=bill_id, ordinal=0, note=note or "Introduced", first_seen_at=now)
                .returning(VersionRow.id)
            ).scalar_one()
        connection.execute(
            insert(BillTextRow).values(
                bill_id=bill_id,
                version_id=version,
                url="https://legislature.example/text",
                media_type="text/html",
                status="ok",
                reason="",
                extractor="test",
                sha256=str(abs(hash(text)))[:64],
                text=text,
                struck=[],
                added=[],
                words=len(text.split()),
                fetched_at=now,
            )
        )
        connection.execute(update(BillRow).where(BillRow.id == bill_id).values(last_changed_at=now))
        from tracker import events

        events.append(
            connection,
            [events.Event(bill_id, events.EventKind.TEXT, None, {"version": note, "words": 1, "status": "ok"})],
            seen_at=tagging.stamp(now),
            run_id=None,
        )


class PhraseTagger:
    """A real, if small, tagger: one strategy per phrase, with the phrase itself as evidence."""

    version = "test-p1/m1/1"
    phrases = (("tax_credits", "tax credit"), ("flexibility", "flexibility"))

    def tag(self, bills: Any) -> Any:
        """Findings in the order of the bills."""
        for content in bills:
            tags = []
            for strategy, phrase in self.phrases:
                at = content["title"].lower().find(phrase)
                quote = content["title"][at : at + len(phrase)]
                evidence = [{"field": "title", "start": at, "end": at + len(phrase), "quote": quote}]
                score = 0.9 if at >= 0 else 0.2
                tags.append(
                    {
                        "strategy": strategy,
                        "score": score,
                        "value": at >= 0,
                        "evidence": evidence if at >= 0 else [],
                    }
                )
            applied = any(t["value"] for t in tags)
            yield {"in_scope": {"score": 0.9 if applied else 0.1, "value": applied}, "tags": tags}


def tag(engine: Engine, now: dt.datetime = NOW, tagger: Any = None) -> None:
    """Tag every bill that is due."""
    tagging.tag_bills(engine, tagger or PhraseTagger(), now=now)


def fill(engine: Engine) -> None:
    """Bills, a text and tags."""
    load(engine)
    add_text(engine, "SB 120", TEXT)
    tag(engine)
