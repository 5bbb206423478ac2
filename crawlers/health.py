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
MAX_SHRUNK = 0.05
MAX_SAME_TITLE = 0.5
MAX_BOILERPLATE = 0.01
MAX_OUTSIDE = 0.02
OUTSIDE_DAYS = 400
# A sitting legislature that is silent for so long wants a look; for so long, it is not what we see.
SILENT_DAYS, HOLD_SILENT_DAYS = 21, 45
# Sites correct their newest action's date; a step back of more than this is an old copy.
STEP_BACK_DAYS = 7
# Below this many bills a share means nothing.
ENOUGH = 20
# What changed lately has these more often than the rest: no measure of a run that read only that.
_LIVELY = frozenset({"hearings", "related_bills"})


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
    action_counts: Mapping[str, int] | None = None,
) -> Verdict:
    """Judge a run's manifest.

    ``history``: runs (manifests of the last published runs, newest first), actions (how many each bill has,
    by "session/identifier"), today (ISO), sitting. ``period``: the session's first and last day, where known.
    ``action_counts``: the run's own, by bill.
    """
    verdict = Verdict()
    bills = _seen(manifest)
    if manifest.get("outcome") in ("failed", "unchanged"):
        return verdict
    past = [
        run
        for run in history.get("runs") or ()
        if run.get("session") == manifest.get("session")
        and run.get("complete")
        and _seen(run)
        # Another source has other habits: it is not compared.
        and run.get("source") == manifest.get("source")
    ]
    if bills == 0 and manifest.get("complete"):
        if past or history.get("sitting") == "sitting":
            verdict.reasons.append("no bills at all, where there must be some")
        else:
            verdict.warnings.append("no bills yet")
        return verdict
    _refused(manifest, bills, verdict)
    if past and manifest.get("complete"):
        _against_past(manifest, past, bills, verdict)
    if any(run.get("source") == manifest.get("source") for run in history.get("runs") or ()):
        _shrunk(action_counts or {}, history.get("actions") or {}, verdict)
    _outside(manifest, period, verdict)
    _newest(manifest, history, past, verdict)
    return verdict


def _seen(manifest: Mapping[str, Any]) -> int:
    """Bills that a run saw: those it read and those whose document was the one of last time."""
    return int(manifest.get("bills") or 0) + int(manifest.get("present_count") or 0)


def _refused(manifest: Mapping[str, Any], bills: int, verdict: Verdict) -> None:
    """Records that could not be read, and titles that are no bill's."""
    rejected = int(manifest.get("rejected_count") or 0)
    if rejected > max(3, 0.2 * (bills + rejected)):
        verdict.reasons.append(f"{rejected:,} of {bills + rejected:,} records could not be read")
    odd = int(manifest.get("boilerplate") or 0)
    if odd > max(1, MAX_BOILERPLATE * (bills + odd)):
        verdict.reasons.append(f"{odd:,} of {bills + odd:,} bills have a web page's words as their title")
    title, times = (manifest.get("commonest_title") or ["", 0])[:2]
    if bills >= ENOUGH and times > MAX_SAME_TITLE * int(manifest.get("bills") or 0) and times >= ENOUGH / 2:
        verdict.reasons.append(f"{times:,} of {bills:,} bills have the same title: {str(title)[:80]}")


def _against_past(manifest: Mapping[str, Any], past: Sequence[Mapping[str, Any]], bills: int, verdict: Verdict) -> None:
    before = _seen(past[0])
    if before >= ENOUGH and bills < before * (1 - MAX_DROP):
        verdict.reasons.append(f"{bills:,} bills, where the last good run had {before:,}")
        return
    # Shares are compared with the last run that read most of the bills, not with one that read what had changed.
    whole = next((run for run in past if 2 * int(run.get("bills") or 0) >= _seen(run)), None)
    read = int(manifest.get("bills") or 0)
    if whole is None or min(read, int(whole["bills"])) < ENOUGH:
        return
    all_read = not manifest.get("present_count") and not whole.get("present_count")
    actions, actions_before = int(manifest.get("actions") or 0), int(whole.get("actions") or 0)
    if all_read and actions < actions_before * (1 - MAX_ACTIONS_DROP):
        verdict.reasons.append(f"{actions:,} actions, where the last good run had {actions_before:,}")
    for name, count in (whole.get("fields") or {}).items():
        share_before = count / int(whole["bills"])
        share = (manifest.get("fields") or {}).get(name, 0) / read
        if share < share_before - MAX_COVERAGE_DROP and (all_read or name not in _LIVELY):
            verdict.reasons.append(f"{name} on {share:.0%} of the bills, where it was on {share_before:.0%}")


def _shrunk(now: Mapping[str, int], before: Mapping[str, int], verdict: Verdict) -> None:
    """Histories that have become shorter: a page that was cut, or a parser that lost its place."""
    compared = [bill for bill in now if before.get(bill)]
    shorter = [bill for bill in compared if now[bill] < before[bill]]
    if len(shorter) > max(3, MAX_SHRUNK * len(compared)):
        said = f"the history of {len(shorter):,} of {len(compared):,} bills became shorter, as {shorter[0]}"
        verdict.reasons.append(f"{said}: {now[shorter[0]]} actions after {before[shorter[0]]}")
    elif shorter:
        verdict.warnings.append(f"the history of {len(shorter):,} bills became shorter, as {shorter[0]}")


def _outside(manifest: Mapping[str, Any], period: tuple[dt.date, dt.date] | None, verdict: Verdict) -> None:
    """Actions far outside the session: a date read wrongly, or another session's bills."""
    if period is None:
        return
    first = (period[0] - dt.timedelta(days=OUTSIDE_DAYS)).isoformat()
    last = (period[1] + dt.timedelta(days=OUTSIDE_DAYS)).isoformat()
    months = manifest.get("months") or {}
    outside = sum(int(count) for month, count in months.items() if not first[:7] <= month <= last[:7])
    if outside > max(5, MAX_OUTSIDE * sum(map(int, months.values()))):
        verdict.reasons.append(f"{outside:,} actions lie far outside the session ({period[0]} to {period[1]})")
        return
    for day in dict.fromkeys(str(manifest.get(name) or "") for name in ("oldest_action", "newest_action")):
        if day and not first <= day <= last:
            verdict.warnings.append(f"an action of {day} lies far outside the session")


def _newest(
    manifest: Mapping[str, Any],
    history: Mapping[str, Any],
    past: Sequence[Mapping[str, Any]],
    verdict: Verdict,
) -> None:
    """A site that serves an old copy, or stands still while its legislature sits."""
    newest, today = str(manifest.get("newest_action") or ""), str(history.get("today") or "")
    if not newest or not manifest.get("complete") or manifest.get("replayed") or manifest.get("present_count"):
        return
    before = str(past[0].get("newest_action") or "") if past else ""
    if before and today and before <= today and _days(newest, before) > STEP_BACK_DAYS:
        verdict.reasons.append(f"the newest action is of {newest}, where the last good run had one of {before}")
        return
    if not today or history.get("sitting") != "sitting":
        return
    silent = _days(newest, today)
    if silent > HOLD_SILENT_DAYS and past:
        verdict.reasons.append(f"in session, but the newest action is {silent} days old")
    elif silent > SILENT_DAYS:
        verdict.warnings.append(f"in session, but the newest action is {silent} days old")


def _days(earlier: str, later: str) -> int:
    return (dt.date.fromisoformat(later) - dt.date.fromisoformat(earlier)).days


def period_of(sessions: Sequence[Any], identifier: str) -> tuple[dt.date, dt.date] | None:
    """First and last day of a session in the data; None when it is not there or only approximate."""
    found = next((s for s in sessions if s.identifier == identifier), None)
    return (found.start, found.end) if found is not None and found.dates == "known" else None
