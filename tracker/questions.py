"""Questions that analysts ask, with the SQL that answers them: on the SQL page, in docs/querying.md, in the snapshot.

Each runs unchanged on SQLite and PostgreSQL: days are compared as 'YYYY-MM-DD', lists of words as text.
"""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """A short name, the question in words, and its SQL over the documented views."""

    name: str
    words: str
    sql: str


QUESTIONS = (
    Question(
        "tagged",
        "Which bills use a strategy, and which of their words show it?",
        """SELECT b.bill_key, b.title, t.score, t.field, t.quote, b.stage, b.url
FROM v_tags t JOIN v_bills b ON b.bill_id = t.bill_id
WHERE t.applied AND t.strategy = 'tax_credits'
ORDER BY t.score DESC, b.bill_key, t.evidence_ordinal""",
    ),
    Question(
        "states",
        "How many bills of each strategy does each state have?",
        """SELECT strategy, jurisdiction, count(DISTINCT bill_id) AS bills
FROM v_tags
WHERE applied AND strategy <> 'in_scope'
GROUP BY strategy, jurisdiction
ORDER BY strategy, bills DESC, jurisdiction""",
    ),
    Question(
        "law",
        "Which tagged bills became law?",
        """SELECT DISTINCT b.bill_key, b.title, b.stage_date, b.url
FROM v_bills b JOIN v_tags t ON t.bill_id = b.bill_id
WHERE t.applied AND t.strategy <> 'in_scope' AND b.stage = 'became_law'
ORDER BY b.stage_date DESC, b.bill_key""",
    ),
    Question(
        "how_far",
        "How far do the bills of each strategy get?",
        """SELECT t.strategy, b.stage, count(DISTINCT b.bill_id) AS bills
FROM v_bills b JOIN v_tags t ON t.bill_id = b.bill_id
WHERE t.applied AND t.strategy <> 'in_scope'
GROUP BY t.strategy, b.stage
ORDER BY t.strategy, bills DESC, b.stage""",
    ),
    Question(
        "new",
        "Which tagged bills did we see for the first time since a day?",
        """SELECT DISTINCT b.first_seen, b.bill_key, b.title, b.url
FROM v_bills b JOIN v_tags t ON t.bill_id = b.bill_id
WHERE t.applied AND t.strategy <> 'in_scope' AND b.first_seen >= '2026-01-01'
ORDER BY b.first_seen DESC, b.bill_key""",
    ),
    Question(
        "moved",
        "Which tagged bills changed their stage since a day, as we saw it?",
        """SELECT c.seq, c.seen_at, c.jurisdiction, c.identifier, c.title, c.before, c.after
FROM v_changes c
WHERE c.kind = 'stage' AND c.seen_at >= '2026-01-01'
  AND c.bill_id IN (SELECT bill_id FROM v_tags WHERE applied AND strategy <> 'in_scope')
ORDER BY c.seq DESC""",
    ),
    Question(
        "feed",
        "What happened after a sequence number?",
        """SELECT seq, kind, jurisdiction, session, identifier, before, after, occurred_on, seen_at
FROM v_changes
WHERE seq > 0
ORDER BY seq
LIMIT 1000""",
    ),
    Question(
        "hearings",
        "Where are tagged bills heard from a day on?",
        """SELECT h.date, h.time, h.timezone, h.jurisdiction, h.identifier, h.title, h.committee, h.location, h.status
FROM v_hearings h
WHERE h.date >= '2026-01-01'
  AND h.bill_id IN (SELECT bill_id FROM v_tags WHERE applied AND strategy <> 'in_scope')
ORDER BY h.date, h.time, h.jurisdiction""",
    ),
    Question(
        "late",
        "Which actions were posted well after their own date?",
        """SELECT first_seen, jurisdiction, session, identifier, date, description
FROM v_actions
WHERE late
ORDER BY first_seen DESC, date""",
    ),
    Question(
        "sponsors",
        "Who sponsors most tagged bills?",
        """SELECT s.jurisdiction, s.name, count(DISTINCT s.bill_id) AS bills
FROM v_sponsors s
WHERE s.bill_id IN (SELECT bill_id FROM v_tags WHERE applied AND strategy <> 'in_scope')
GROUP BY s.jurisdiction, s.name
ORDER BY bills DESC, s.jurisdiction, s.name
LIMIT 100""",
    ),
    Question(
        "subjects",
        "Under which subjects do sources file tagged bills?",
        """SELECT s.jurisdiction, s.subject, count(DISTINCT s.bill_id) AS bills
FROM v_subjects s
WHERE s.bill_id IN (SELECT bill_id FROM v_tags WHERE applied AND strategy <> 'in_scope')
GROUP BY s.jurisdiction, s.subject
ORDER BY bills DESC, s.jurisdiction, s.subject
LIMIT 100""",
    ),
    Question(
        "companions",
        "Which bills have a companion that we have, too?",
        """SELECT r.jurisdiction, r.session, r.identifier, b.identifier AS companion, b.stage, b.title
FROM v_related r
JOIN v_bills b ON b.jurisdiction = r.jurisdiction AND b.session = r.related_session
              AND b.identifier = r.related_identifier
WHERE r.relation_type = 'companion'
ORDER BY r.jurisdiction, r.session, r.identifier""",
    ),
    Question(
        "gained",
        "When did tags come, month by month?",
        """SELECT substr(CAST(seen_at AS text), 1, 7) AS month, jurisdiction, count(*) AS tags
FROM v_changes
WHERE kind = 'tag_gained'
GROUP BY substr(CAST(seen_at AS text), 1, 7), jurisdiction
ORDER BY month, jurisdiction""",
    ),
    Question(
        "lost",
        "Which tags ended, and on what words had they stood?",
        """SELECT ended, jurisdiction, session, identifier, strategy, score, quote
FROM v_evidence
WHERE applied AND ended IS NOT NULL
ORDER BY ended DESC, jurisdiction, identifier""",
    ),
    Question(
        "doubtful",
        "Which bills did the classifier leave out by a little?",
        """SELECT DISTINCT t.score, t.strategy, b.bill_key, b.title, b.url
FROM v_tags t JOIN v_bills b ON b.bill_id = t.bill_id
WHERE NOT t.applied AND t.strategy <> 'in_scope' AND t.score >= 0.2
ORDER BY t.score DESC, b.bill_key
LIMIT 100""",
    ),
    Question(
        "retitled",
        "Which bills got another title?",
        """SELECT seen_at, jurisdiction, session, identifier, before, after
FROM v_changes
WHERE kind = 'title'
ORDER BY seq DESC""",
    ),
    Question(
        "unreadable",
        "Which versions could not be read, and why?",
        """SELECT jurisdiction, session, identifier, version, status, reason, url
FROM v_texts
WHERE status <> 'ok'
ORDER BY jurisdiction, session, identifier""",
    ),
    Question(
        "unknown",
        "Which action texts does no rule know?",
        """SELECT jurisdiction, description, count(*) AS times
FROM v_actions
WHERE CAST(classification AS text) = '[]'
GROUP BY jurisdiction, description
ORDER BY times DESC, jurisdiction, description
LIMIT 100""",
    ),
    Question(
        "watched",
        "Where do the bills on our watch lists stand, and what is our stance?",
        """SELECT w.watch_list, b.bill_key, b.title, b.stage, b.latest_action_date, b.latest_action, n.stance, n.note
FROM v_watch w
JOIN v_bills b ON b.bill_id = w.bill_id
LEFT JOIN v_notes n ON n.bill_id = w.bill_id
ORDER BY w.watch_list, b.bill_key""",
    ),
    Question(
        "freshness",
        "How fresh is each state, and what did its last runs bring?",
        """SELECT f.jurisdiction, f.bills, f.last_good_run, f.newest_action_date,
       r.source, r.status, r.new_bills, r.reason
FROM v_freshness f
LEFT JOIN v_runs r ON r.run_id = (SELECT max(run_id) FROM v_runs WHERE v_runs.jurisdiction = f.jurisdiction)
ORDER BY f.last_good_run, f.jurisdiction""",
    ),
)
