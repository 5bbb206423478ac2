"""The states of a mail on its way, and which may follow which.

    planned ──▶ sending ──▶ accepted ──▶ deferred (it bounced softly later: sent again after a wait)
                   │  ▲
                   │  └──── deferred (refused for now), unknown (cut off after its last byte): later, with back-off
                   └──────▶ failed (refused for good, or tried too often)
    planned, deferred, unknown ──▶ cancelled (the reader left, paused, or may not be mailed)
    failed, cancelled ──▶ planned (a person asks for another try)

``sending`` is written before the first byte goes out. Who finds it without a living sender knows that the
mail may have been accepted: it is sent again, so that nothing is lost, and marked ``maybe_repeated``.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

MAX_ATTEMPTS = 8
FIRST_WAIT = dt.timedelta(minutes=5)
LONGEST_WAIT = dt.timedelta(hours=24)


class State(StrEnum):
    """Where a mail stands."""

    PLANNED = "planned"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"
    FAILED = "failed"
    CANCELLED = "cancelled"


FOLLOWERS: dict[State, frozenset[State]] = {
    State.PLANNED: frozenset({State.SENDING, State.CANCELLED}),
    # Back to planned: the server could not be reached at all, so nothing was tried.
    State.SENDING: frozenset(State) - {State.CANCELLED},
    State.ACCEPTED: frozenset({State.DEFERRED}),
    State.DEFERRED: frozenset({State.SENDING, State.CANCELLED}),
    State.UNKNOWN: frozenset({State.SENDING, State.CANCELLED}),
    State.FAILED: frozenset({State.PLANNED}),
    State.CANCELLED: frozenset({State.PLANNED}),
}
OPEN = frozenset({State.PLANNED, State.DEFERRED, State.UNKNOWN, State.SENDING})


def check(before: str, after: str) -> State:
    """``after`` if it may follow; raises ``ValueError`` else, so that no code path makes up its own way."""
    if State(after) not in FOLLOWERS[State(before)]:
        raise ValueError(f"a mail that is {before} cannot become {after}")
    return State(after)


def wait(attempts: int) -> dt.timedelta:
    """How long to wait after so many attempts (at least 1): 5 minutes, three times as long each time, up to a day."""
    times: int = 3 ** (max(attempts, 1) - 1)
    return min(FIRST_WAIT * times, LONGEST_WAIT)


def after_attempt(outcome: str, attempts: int) -> State:
    """The state that an attempt's outcome leads to; the last attempt's is final."""
    state = State(outcome)
    if state in (State.DEFERRED, State.UNKNOWN) and attempts >= MAX_ATTEMPTS:
        return State.FAILED
    return state
