"""What a run's numbers must look like before it is published, beside the jurisdiction's own past.

Pure: numbers in, a verdict out. A run that fails is held back whole; the last good data stay.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_DROP = 0.05
MAX_COVERAGE_DROP = 0.25
MAX_ACTIONS_DROP = 0.10
MAX_SAME_TITLE = 0.5
OUTSIDE_DAYS = 400
SILENT_DAYS = 21
# Below this many bills a share means nothing.
ENOUGH = 20


@dataclass
class Verdict:
    """``reasons`` keep a run from being published; ``warnings`` only want a look."""

    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def publish(self) -> bool:
        """Whether the run may be published."""
        return not self.reasons

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {"publish": self.publish, "reasons": self.reasons, "warnings": self.warnings}


def judge(
    manifest: Mapping[str, Any],
    history: Mapping[str, Any],
    period: tuple[dt.date, dt.date] | None,
) -> Verdict:
    """Judge a run's manifest.

    ``history``: runs (manifests of the last published runs, newest first), today (ISO), sitting.
    ``period``: the session's first and last day, where known.
    """
    verdict = Verdict()
    bills = _seen(manifest)
    if manifest.get("outcome") in ("failed", "unchanged"):
        return verdict
    past = [
        run
        for run in history.get("runs") or ()
        if run.get("session") == manifest.get("session") and run.get("complete") and _seen(run)
    ]
    if bills == 0 and manifest.get("complete"):
        if past or history.get("sitting") == "sitting":
            verdict.reasons.append("no bills at all, where there must be some")
        else:
            verdict.warnings.append("no bills yet")
        return verdict
    rejected = int(manifest.get("rejected_count") or 0)
    if rejected > max(3, 0.2 * (bills + rejected)):
        verdict.reasons.append(f"{rejected:,} of {bills + rejected:,} records could not be read")
    if past and manifest.get("complete"):
        _against_past(manifest, past[0], bills, verdict)
    _dates(manifest, history, period, verdict)
    title, times = (manifest.get("commonest_title") or ["", 0])[:2]
    if bills >= ENOUGH and times > MAX_SAME_TITLE * bills:
        verdict.reasons.append(f"{times:,} of {bills:,} bills have the same title: {str(title)[:80]}")
    return verdict


def _seen(manifest: Mapping[str, Any]) -> int:
    """Bills that a run saw: those it read and those whose document was the one of last time."""
    return int(manifest.get("bills") or 0) + int(manifest.get("present_count") or 0)


def _against_past(manifest: Mapping[str, Any], last: Mapping[str, Any], bills: int, verdict: Verdict) -> None:
    before = _seen(last)
    if before >= ENOUGH and bills < before * (1 - MAX_DROP):
        verdict.reasons.append(f"{bills:,} bills, where the last good run had {before:,}")
        return
    actions, actions_before = int(manifest.get("actions") or 0), int(last.get("actions") or 0)
    if before >= ENOUGH and actions < actions_before * (1 - MAX_ACTIONS_DROP):
        verdict.reasons.append(f"{actions:,} actions, where the last good run had {actions_before:,}")
    for name, count in (last.get("fields") or {}).items():
        share_before = count / before
        share = (manifest.get("fields") or {}).get(name, 0) / max(bills, 1)
        if before >= ENOUGH and share < share_before - MAX_COVERAGE_DROP:
            verdict.reasons.append(f"{name} on {share:.0%} of the bills, where it was on {share_before:.0%}")


def _dates(
    manifest: Mapping[str, Any],
    history: Mapping[str, Any],
    period: tuple[dt.date, dt.date] | None,
    verdict: Verdict,
) -> None:
    newest, oldest = str(manifest.get("newest_action") or ""), str(manifest.get("oldest_action") or "")
    if not newest or not manifest.get("complete"):
        return
    if period is not None:
        first = (period[0] - dt.timedelta(days=OUTSIDE_DAYS)).isoformat()
        last = (period[1] + dt.timedelta(days=OUTSIDE_DAYS)).isoformat()
        for day in (oldest, newest):
            if not first <= day <= last:
                verdict.warnings.append(f"an action of {day} lies far outside the session")
    today = history.get("today")
    if today and not manifest.get("replayed") and history.get("sitting") == "sitting":
        silent = (dt.date.fromisoformat(today) - dt.date.fromisoformat(newest)).days
        if silent > SILENT_DAYS:
            verdict.warnings.append(f"in session, but the newest action is {silent} days old")


def period_of(sessions: Sequence[Any], identifier: str) -> tuple[dt.date, dt.date] | None:
    """First and last day of a session in the data; None when it is not there or only approximate."""
    found = next((s for s in sessions if s.identifier == identifier), None)
    return (found.start, found.end) if found is not None and found.dates == "known" else None
