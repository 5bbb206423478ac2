"""What each view holds, column by column: its kind and what it means. docs/querying.md prints this list.

Kinds: text, int, float, bool, date, moment (UTC) and json. SQLite keeps dates, moments and JSON as text.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from tracker.models.base import stamp

_BILL = {
    "bill_id": ("int", "The bill's number in this database; joins the views."),
    "jurisdiction": ("text", "Postal code in lower case: tx, us, dc."),
    "session": ("text", "Legislative session as the jurisdiction names it: 89R, 2026."),
    "identifier": ("text", "The bill's number in one spelling: HB 120."),
}
_FIRST_SEEN = {"first_seen": ("moment", "When we first saw this row.")}
_TITLE = {"title": ("text", "The bill's title as it stands now.")}

VIEWS: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "v_bills": (
        "One row a bill, as it stands now.",
        {
            "bill_id": _BILL["bill_id"],
            "ocd_id": ("text", "Public id, the same on every machine: ocd-bill/…"),
            "jurisdiction": _BILL["jurisdiction"],
            "session": _BILL["session"],
            "identifier": _BILL["identifier"],
            "bill_key": ("text", "Readable key, as commands take it: tx/89R/HB 120."),
            **_TITLE,
            "chamber": ("text", "Where it began: upper, lower, legislature, or empty."),
            "classification": ("json", 'Kinds of measure, such as ["bill"].'),
            "stage": ("text", "How far it has come: introduced, in_committee … became_law, vetoed, failed."),
            "stage_date": ("date", "The legislature's date of that stage."),
            "latest_action": ("text", "Words of the latest action."),
            "latest_action_date": ("date", "Its date."),
            "first_action_date": ("date", "Date of the first action."),
            "first_seen": ("moment", "When we first saw the bill."),
            "last_changed": ("moment", "When something of it last changed, as we saw it."),
            "last_seen": ("moment", "When a crawl last showed it, changed or not."),
            "vanished": ("moment", "When its source had not shown it for several complete crawls; else empty."),
            "url": ("text", "The official page."),
        },
    ),
    "v_actions": (
        "One row an action, without those that sources took back.",
        {
            **_BILL,
            "ordinal": ("int", "Place in the source's own order, from 0."),
            "date": ("date", "The legislature's date."),
            "description": ("text", "The action in the source's words."),
            "chamber": ("text", "Who acted: upper, lower, legislature, executive, or empty."),
            "classification": ("json", 'Classes such as ["passage"]; empty for texts that no rule knows.'),
            "late": ("bool", "Posted well after its own date."),
            **_FIRST_SEEN,
        },
    ),
    "v_tags": (
        "Tags in force, one row a piece of evidence (one row with empty evidence where there is none).",
        {
            **_BILL,
            **_TITLE,
            "strategy": ("text", "Strategy of the playbook, or in_scope."),
            "score": ("float", "From 0 to 1."),
            "applied": ("bool", "Whether the tag is on the bill; others are shown for their score."),
            "evidence_ordinal": ("int", "Place of the evidence, from 0."),
            "field": ("text", "Where it stands: title, abstract:0, text."),
            "start_offset": ("int", "Where it starts in that field, in Unicode code points."),
            "end_offset": ("int", "Where it ends."),
            "quote": ("text", "The bill's own words there."),
            "classifier": ("text", "Version of the classifier that said so."),
            "tagged": ("moment", "Since when."),
        },
    ),
    "v_changes": (
        "Everything that happened, in the order in which we saw it.",
        {
            "seq": ("int", "Sequence number; keep the last one you saw."),
            "kind": ("text", "new_bill, action, stage, title, tag_gained …"),
            **_BILL,
            **_TITLE,
            "before": ("json", "What was, where there was something."),
            "after": ("json", "What is now."),
            "occurred_on": ("date", "The legislature's date of it."),
            "seen_at": ("moment", "When we saw it."),
        },
    ),
    "v_freshness": (
        "One row a jurisdiction that has bills.",
        {
            "jurisdiction": _BILL["jurisdiction"],
            "name": ("text", "Its name."),
            "bills": ("int", "Bills we have."),
            "last_good_run": ("moment", "End of the last crawl that was published."),
            "last_real_change": ("moment", "When a bill last changed."),
            "newest_action_date": ("date", "Date of its newest action."),
        },
    ),
    "v_texts": (
        "Texts read from versions; also those that could not be read, with the reason.",
        {
            "text_id": ("int", "The text's number in this database."),
            **_BILL,
            "version": ("text", "Label of the version: Introduced, Engrossed."),
            "date": ("date", "Its date."),
            "status": ("text", "ok, or why there is no text: scanned, unfetched …"),
            "reason": ("text", "The same in a sentence."),
            "url": ("text", "The document."),
            "media_type": ("text", "Its form, such as application/pdf."),
            "extractor": ("text", "What read it."),
            "words": ("int", "Number of words."),
            "text": ("text", "The text as the law would be: struck words are left out."),
            "sha256": ("text", "Hash of the document."),
            "fetched": ("moment", "When it was fetched."),
        },
    ),
    "v_hearings": (
        "Hearings as announced.",
        {
            **_BILL,
            **_TITLE,
            "date": ("date", "Local day."),
            "time": ("text", "Local time as announced."),
            "timezone": ("text", "IANA time zone of that time."),
            "committee": ("text", "Committee."),
            "location": ("text", "Room or address."),
            "status": ("text", "confirmed, tentative, cancelled, passed."),
            "url": ("text", "Its page."),
            **_FIRST_SEEN,
        },
    ),
    "v_sponsors": (
        "Sponsors as printed.",
        {
            **_BILL,
            "ordinal": ("int", "Place in the source's order."),
            "name": ("text", "Name as printed."),
            "classification": ("text", "primary, cosponsor or the state's own word."),
            "is_primary": ("bool", "Whether a main sponsor."),
            "entity_type": ("text", "person, organization, or empty."),
            **_FIRST_SEEN,
        },
    ),
    "v_subjects": (
        "Subject headings of the sources.",
        {**_BILL, "subject": ("text", "The heading."), **_FIRST_SEEN},
    ),
    "v_abstracts": (
        "Summaries that the sources publish.",
        {
            **_BILL,
            "ordinal": ("int", "Its number in evidence: abstract:0."),
            "abstract": ("text", "The summary."),
            "note": ("text", "Which kind."),
            **_FIRST_SEEN,
        },
    ),
    "v_versions": (
        "Published versions, one row a document (one row with an empty url where there is none).",
        {
            "version_id": ("int", "The version's number in this database."),
            **_BILL,
            "ordinal": ("int", "Place in the source's order."),
            "note": ("text", "Label: Introduced, Engrossed."),
            "date": ("date", "Its date."),
            "url": ("text", "The document."),
            "media_type": ("text", "Its form, such as application/pdf."),
            **_FIRST_SEEN,
        },
    ),
    "v_related": (
        "Other bills that a bill names.",
        {
            **_BILL,
            "relation_type": ("text", "companion, prior-session, replaced-by, replaces, related."),
            "related_identifier": ("text", "The other bill's number."),
            "related_session": ("text", "Its session."),
            **_FIRST_SEEN,
        },
    ),
    "v_evidence": (
        "Every quote that any tag ever stood on, also of tags that ended.",
        {
            **_BILL,
            "strategy": ("text", "Strategy of the playbook."),
            "score": ("float", "From 0 to 1."),
            "applied": ("bool", "Whether the tag was on the bill."),
            "ordinal": ("int", "Place of the quote, from 0."),
            "field": ("text", "Where it stands: title, abstract:0, text."),
            "start_offset": ("int", "Where it starts in that field, in Unicode code points."),
            "end_offset": ("int", "Where it ends."),
            "quote": ("text", "The bill's own words there."),
            "classifier": ("text", "Version of the classifier that said so."),
            "tagged": ("moment", "From when."),
            "ended": ("moment", "Until when; empty while in force."),
        },
    ),
    "v_runs": (
        "Crawls and loads, and what became of them.",
        {
            "run_id": ("int", "The run's number."),
            "jurisdiction": _BILL["jurisdiction"],
            "session": ("text", "Session crawled, where one was named."),
            "source": ("text", "Where the bills came from."),
            "status": ("text", "running, published, held or failed."),
            "reason": ("text", "Why held or failed."),
            "replayed": ("bool", "From a recording, not live."),
            "complete": ("bool", "Showed the whole session."),
            "started": ("moment", "Begin."),
            "finished": ("moment", "End."),
            "bills": ("int", "Bills seen."),
            "new_bills": ("int", "New ones."),
            "changed": ("int", "Changed ones."),
            "unchanged": ("int", "Unchanged ones."),
            "rejected": ("int", "Records that could not be used."),
            "events": ("int", "Events written."),
            "newest_action": ("text", "Newest action date seen."),
        },
    ),
    "v_notes": (
        "What the organisation's analysts noted.",
        {
            **_BILL,
            **_TITLE,
            "author": ("text", "Who."),
            "note": ("text", "What."),
            "stance": ("text", "support, oppose, neutral, watch, or empty."),
            "created": ("moment", "When."),
        },
    ),
    "v_watch": (
        "Bills on the analysts' watch lists.",
        {
            **_BILL,
            **_TITLE,
            "watch_list": ("text", "Name of the list."),
            "added_by": ("text", "Who put it there."),
            "added": ("moment", "When."),
        },
    ),
}


def plain(value: Any, kind: str) -> Any:
    """A column's value in the form SQLite keeps it, whichever database it came from: text, number or None."""
    if kind == "json" and value is not None:
        value = json.loads(value) if isinstance(value, str) else value
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    if value is None or isinstance(value, str):
        return value
    if kind == "bool":
        return int(value)
    if isinstance(value, dt.datetime):
        return stamp(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value
