"""The encoder's two heads: where the second is asked, and what stands for it where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tracker.classify.test_tagging import ROADS, SAMPLES
from tracker.classify.bill import read
from tracker.classify.candidates import Reader
from tracker.classify.encoder import FAR_OFF_DOUBTED, Encoder
from tracker.classify.model import FOLDER
from tracker.playbook import load


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(FOLDER / "cte")


def test_heads_judge_apart_in_a_bill_that_is_likely_in_scope(encoder: Encoder) -> None:
    bill = read(SAMPLES["tax_credits"])
    said = encoder.score(bill.title, Reader(load()).candidates(bill))
    assert said.shape[0] == 2
    assert not np.array_equal(said[0], said[1])


def test_second_head_repeats_the_first_far_off_the_topic(encoder: Encoder) -> None:
    bill = read(ROADS)
    found = Reader(load()).candidates(bill)
    doubted, likely = (encoder.score(bill.title, found, chance) for chance in (0.05, 1.0))
    count = doubted.shape[1]
    assert (doubted[0, :, 0] < FAR_OFF_DOUBTED).all()
    assert np.array_equal(doubted[1], doubted[0])
    assert np.array_equal(doubted[0], likely[0, :count])
    assert not np.array_equal(likely[1], likely[0])


def test_a_doubted_bill_near_the_topic_is_read_by_both(encoder: Encoder) -> None:
    bill = read(SAMPLES["tax_credits"])
    found = Reader(load()).candidates(bill)
    near = encoder.score(bill.title, found, 1.0)[0, :, 0] > FAR_OFF_DOUBTED
    assert near.any()
    both, doubted = (encoder.score(bill.title, found, chance) for chance in (1.0, 0.05))
    assert np.array_equal(doubted[:, near], both[:, near])
