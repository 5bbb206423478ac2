"""What is asked with a key is counted once, whichever process was asked."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Engine

from tracker.api_use import Allowance, Counter
from tracker.db import make_engine, writing

MINUTE, DAY = Allowance("min", 600, 5), Allowance("day", 0, 7)
CODE = """
import sys
from tracker.api_use import Allowance, Counter
from tracker.db import make_engine
counter = Counter(make_engine(sys.argv[1]))
print(sum(counter.count(3, [Allowance("min", 600, 50), Allowance("day", 0, 40)]) is None for _ in range(30)))
"""


def test_it_counts_in_every_period_or_in_none(engine: Engine) -> None:
    one, other = Counter(engine), Counter(make_engine(engine.url.render_as_string(hide_password=False)))
    told = [counter.count(1, [MINUTE, DAY]) for _ in range(3) for counter in (one, other)]
    assert told == [None] * 5 + [MINUTE]
    assert one.count(2, [MINUTE, DAY]) is None, "another key has its own"
    later = Allowance("min", 660, 5)
    assert [other.count(1, [later, DAY]) for _ in range(4)] == [None, None, DAY, DAY]
    assert one.count(1, [MINUTE, Allowance("day", 86_400, 7)]) is None, "refused ones were counted nowhere"
    assert [one.count(1, [later, Allowance("day", 86_400, 9)]) for _ in range(3)] == [None, None, later]
    for counter in (one, other):
        counter.close()
    other.engine.dispose()


def test_processes_share_a_limit_and_lose_none(engine: Engine) -> None:
    Counter(engine).close()
    command = [sys.executable, "-c", CODE, engine.url.render_as_string(hide_password=False)]

    def run(_: int) -> int:
        done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
        return int(done.stdout)

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(run, range(2))) == 40


def test_a_load_that_holds_the_database_holds_up_no_request(engine: Engine) -> None:
    counter = Counter(engine)
    with writing(engine), ThreadPoolExecutor(1) as pool:
        assert pool.submit(counter.count, 1, [MINUTE, DAY]).result(timeout=5) is None
    counter.close()
