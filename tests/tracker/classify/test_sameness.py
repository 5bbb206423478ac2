"""The same bills give the same tags on every machine: the answers are kept in a file and compared to the last digit.

After a change of model, playbook or code that is meant to change tags, write the file anew:

    python -m tests.tracker.classify.test_sameness
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tracker.classify.test_tagging import ROADS, SAMPLES
from tracker.classify import Classifier

ANSWERS = Path(__file__).with_name("answers.json")
BILLS: list[dict[str, Any]] = [
    *SAMPLES.values(),
    ROADS,
    {"title": SAMPLES["tax_credits"]["title"]},
    {
        "title": "An act concerning schools",
        "abstracts": [
            "Directs the state board to adopt standards for work-based learning and to publish a list of credentials."
        ],
    },
    {
        "title": "Omnibus higher education appropriations",
        "text": "Section 1. $500,000 is appropriated to the technical college for welding equipment. "
        "Section 2. The library shall report its loans. "
        * 40
        + "Section 3. The commissioner shall award grants to employers that hire high school interns.",
    },
]


def answers() -> list[str]:
    return [json.dumps(answer, sort_keys=True) for answer in Classifier.load().tag(BILLS)]


def test_answers_are_those_that_were_kept() -> None:
    kept = json.loads(ANSWERS.read_text(encoding="utf-8"))
    assert answers() == kept, "Tags changed. If that was meant, write the file anew (see the head of this module)."


@pytest.mark.parametrize("threads", ["1", "4"])
def test_threads_and_hash_seeds_make_no_difference(threads: str) -> None:
    code = "import json; from tests.tracker.classify.test_sameness import answers; print(json.dumps(answers()))"
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert json.loads(done.stdout) == json.loads(ANSWERS.read_text(encoding="utf-8"))


if __name__ == "__main__":
    ANSWERS.write_text(json.dumps(answers(), indent=1) + "\n", encoding="utf-8")
