"""Records are read beside the writing; the answer is the same in one process, in two, and when one dies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from multiprocessing import resource_tracker

import psutil
import pytest

from tracker.new_bill import NewBill, digest_of
from tracker.preparation import Batch, prepared
from tracker.records import RecordError


def raw(number: int, **other: object) -> bytes:
    action = {"date": "2026-01-14", "description": "Referred to Committee on Education", "chamber": "lower"}
    bill = {
        "jurisdiction": "va",
        "legislative_session": "2026",
        "identifier": f"HB {number}",
        "title": f"Bill number {number}",
        "actions": [action],
        "versions": [{"note": "Introduced", "links": [{"url": f"https://example.org/{number}.pdf"}]}],
    }
    return json.dumps(bill | other).encode()


def batches(count: int = 4, size: int = 25) -> Iterator[Batch]:
    for first in range(1, count * size, size):
        raws = [raw(number) for number in range(first, first + size)]
        raws[3] = raw(first + 3, title="")
        raws[5] = b"{no json"
        yield Batch(size=size, fresh=[(digest_of(text), text) for text in raws])


def told(made: Iterator[tuple[Batch, list[NewBill | RecordError]]]) -> list[list[object]]:
    return [[str(one) if isinstance(one, RecordError) else one for one in answer] for _, answer in made]


def children() -> list[psutil.Process]:
    tracker = getattr(resource_tracker._resource_tracker, "_pid", None)  # type: ignore[attr-defined]
    return [child for child in psutil.Process().children() if child.pid != tracker]


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0})


@pytest.fixture
def in_turn(alone: None) -> list[list[object]]:
    return told(prepared(batches()))


def test_two_processes_say_what_one_says(in_turn: list[list[object]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 1})
    assert told(prepared(batches())) == in_turn
    assert [len(answer) for answer in in_turn] == [25] * 4
    assert "title: Value error, is empty" in str(in_turn[1][3])


def test_a_killed_helper_costs_no_record(in_turn: list[list[object]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 1})
    before = {child.pid for child in children()}

    def killing() -> Iterator[Batch]:
        for number, batch in enumerate(batches()):
            if number == 2:
                started = [child for child in children() if child.pid not in before]
                assert started, "the helper has started by now"
                for child in started:
                    child.kill()
            yield batch

    assert told(prepared(killing())) == in_turn


def test_one_small_batch_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 1})
    before = {child.pid for child in children()}
    assert len(told(prepared(batches(count=1)))) == 1
    assert {child.pid for child in children()} <= before


def test_an_error_survives_the_way_between_processes() -> None:
    import pickle

    error = RecordError("va", "HB 1", "title", "is empty")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (str(again), again.field) == (str(error), "title")
