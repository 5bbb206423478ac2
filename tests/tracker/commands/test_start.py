"""The command line starts quickly: what only some commands need is imported by them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"alembic", "fastapi", "jinja2", "lxml", "numpy", "onnxruntime", "psycopg", "pyarrow", "scrapy", "sqlalchemy"}
CODE = """
import sys
from tracker.cli import main
sys.argv = ["billtracker", *sys.argv[1:]]
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["digest", "send", "--help"], ["tag", "nowhere.jsonl"]])
def test_nothing_heavy_is_imported_before_it_is_used(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    imported = set(done.stderr.splitlines()[-1].split())
    allowed = {"numpy", "onnxruntime"} if words[0] == "tag" else set()
    assert {"tracker", "typer"} <= imported
    assert imported & HEAVY <= allowed
