"""No secret is ever written into a log, whoever logs it: ourselves, a library, a traceback."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tracker import log
from tracker.settings import Settings

SECRET = "correct-horse-battery"
URL = f"postgresql://keeper:{SECRET}@db.example.org/bills"


@pytest.fixture
def lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> object:
    """What is logged from here on, as JSON; logging is as it was afterwards."""
    root = logging.getLogger()
    before = root.handlers, root.level
    log.configure(
        Settings(
            home=tmp_path, log_format="json", secret_key=SecretStr(SECRET), smtp_url=SecretStr(f"smtp://u:{SECRET}@h")
        )
    )
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    root.handlers, root.level = before
    structlog.reset_defaults()


def test_secrets_are_hidden_wherever_they_stand(lines: object) -> None:
    bound = structlog.get_logger("tracker.test").bind(jurisdiction="tx", run=7)
    bound.info(f"key {SECRET}", url=URL, nested={"list": [f"a{SECRET}b"]}, error=ValueError(SECRET))
    try:
        raise RuntimeError(f"cannot reach {URL}")
    except RuntimeError:
        bound.exception("broken")
    logging.getLogger("tracker.library").error("login to %s with api_key=%s failed", URL, "k" * 30)
    found = lines()  # type: ignore[operator]
    assert len(found) == 3
    assert SECRET not in json.dumps(found) and "kkkk" not in json.dumps(found)
    assert (found[0]["jurisdiction"], found[0]["run"], found[0]["level"]) == ("tx", 7, "info")
    assert "cannot reach postgresql://keeper:***@db.example.org/bills" in found[1]["exception"]


@given(
    st.text(alphabet=st.characters(categories=("L", "N"), exclude_characters="&"), min_size=8, max_size=40),
    st.sampled_from(["api_key={}", "X-API-KEY: {}", "token={}&x=1", '"password": "{}"', "Authorization: Bearer {}",
                     "https://user:{}@host/path", "LEGISCAN_API_KEY={}", "apikey={}"]),
)  # fmt: skip
def test_what_looks_like_a_secret_is_hidden(value: str, shape: str) -> None:
    hidden = log.hide("asked " + shape.format(value) + " and failed")
    assert value not in hidden.removeprefix("asked ").removesuffix(" and failed").replace(shape.split("{}")[0], "")
    assert hidden.endswith(" and failed") and hidden.startswith("asked ")


def test_plain_words_stay() -> None:
    words = "va: 3 bills, https://lis.virginia.gov/bill?id=7 answered 404; token ring is a title"
    assert log.hide(words) == words


def test_no_command_prints_a_secret(tmp_path: Path) -> None:
    """Real processes with secrets in every setting that takes one, over a database that is not there."""
    secrets = {
        "BILLTRACKER_DATABASE_URL": f"postgresql://keeper:{SECRET}@127.0.0.1:1/none",
        "BILLTRACKER_SMTP_URL": f"smtp://mail:{SECRET}@127.0.0.1:1",
        "BILLTRACKER_SECRET_KEY": SECRET,
        "BILLTRACKER_METRICS_TOKEN": SECRET,
    }
    for words in (["health"], ["schedule"], ["backup", str(tmp_path / "b")]):
        done = subprocess.run(
            [sys.executable, "-m", "tracker.cli", *words],
            env={**os.environ, "BILLTRACKER_HOME": str(tmp_path), "BILLTRACKER_LOG_FORMAT": "json", **secrets},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode in (1, 2)
        assert SECRET not in done.stdout + done.stderr, words
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
