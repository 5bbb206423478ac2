"""What the pages are tested on: the analysts' bills with everything a page can show, and hostile ones."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Engine, insert

from tests.tracker import analysts
from tracker.db import writing
from tracker.ingest import Run
from tracker.models.runs import CrawlIssueRow
from tracker.notes import add_note, watch
from tracker.runs import hold
from tracker.search_index import catch_up

LATER = analysts.NOW + dt.timedelta(days=3)
ENGROSSED = analysts.TEXT.replace("may not be carried forward", "may be carried forward for five years") + (
    "\n\nSECTION 3. The department adopts rules."
)
SCRIPT = "<script>alert('x')</script>"
BIDI = "a\u202egnihsif\u202c\u2066b\u2069\u200b\x00\x1b[31m"
HOSTILE = [
    analysts.bill(
        "tx",
        "89R",
        "HB 666",
        f'{SCRIPT} tax credit "><img src=x onerror=alert(1)> {{{{ 7*7 }}}} {BIDI} ' + "W" * 10_000,
        abstracts=[{"abstract": f"{SCRIPT} javascript:alert(1) {BIDI}", "note": SCRIPT}],
        subject=[f"{SCRIPT}", "javascript:alert(1)"],
        sponsorships=[{"name": f"</a>{SCRIPT}{BIDI}"}],
        versions=[
            {
                "note": f"<b>{SCRIPT}",
                "links": [{"url": "https://x.example/a?b=%22%3E%3Cscript%3E", "media_type": SCRIPT}],
            }
        ],
        hearings=[{"date": "2030-01-01", "time": SCRIPT[:30], "committee": SCRIPT, "location": BIDI}],
        actions=[{"date": "2026-02-03", "description": f"</p></li>{SCRIPT}{BIDI}", "chamber": "lower"}],
    )
]


def fill(engine: Engine) -> None:
    """Bills, two texts, tags, notes, a crawl that was held back, action texts that nobody knows, hostile bills."""
    analysts.fill(engine)
    analysts.add_text(engine, "HB 12", "A credit is allowed for each apprentice.", note="Introduced")
    note = "Engrossed with the amendments of the Committee on Higher Education"
    analysts.add_text(engine, "SB 120", ENGROSSED, note=note)
    analysts.load(engine, HOSTILE)
    analysts.add_text(engine, "HB 666", f"{SCRIPT}{BIDI[:-6]} the tax credit\n\n</div>{SCRIPT}", note="<b>")
    changed = dict(analysts.BILLS[1], title="Relating to tax credits for registered apprenticeship programs.")
    analysts.load(engine, [changed], LATER)
    analysts.tag(engine, LATER)
    with writing(engine) as connection:
        add_note(connection, "tx/89R/HB 12", author="ana", note="Watch the fiscal note", stance="support", now=LATER)
        watch(connection, "tx/89R/HB 12", "Apprenticeship", by="ana", now=LATER)
        run_id = hold(connection, "oh", Run("govbot"), f"bills fell from 900 to 3 {SCRIPT}", LATER, "held")
        connection.execute(
            insert(CrawlIssueRow).values(
                run_id=run_id,
                jurisdiction="oh",
                kind="unknown_action",
                identifier="",
                field="actions",
                detail=f"Laid upon the {SCRIPT}",
                count=41,
                seen_at=LATER,
            )
        )
    catch_up(engine)
