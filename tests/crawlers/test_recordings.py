"""Every recording under ``recordings/CODE/`` is read and compared with what was reviewed: no test code to write.

A recording without a golden file gets one, and fails until a person has looked at it and committed it.
"""

from __future__ import annotations

import ast
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import crawlers.jurisdictions
from crawlers import dry_run, modules, recordings
from crawlers.recording import Recording
from tracker import jurisdictions

FOLDER = Path(__file__).parent / "recordings"
FOUND = sorted(FOLDER.glob("*/*.warc*"))
MODULES = sorted(Path(crawlers.jurisdictions.__path__[0]).glob("[a-z][a-z].py"))
# A parser slower than this would need hours for a state of ten thousand bills.
SECONDS_A_BILL = 0.05
MOST_BILLS = 50
SAID = ("Source:", "Terms:", "Sessions:", "Oddities:", "History:")


def read(file: Path, out: Path) -> tuple[dict[str, Any], float]:
    """What a recording gives, and the processor seconds it took."""
    code = file.parent.name
    recording = Recording(file)
    spider = modules.spider(code)
    assert spider is not None, f"there is no crawlers/jurisdictions/{code}.py"
    source = jurisdictions.load().sources_for(code)[0]
    place, session = jurisdictions.load()[code], recordings.session_of(code, recording)
    started = time.process_time()
    account = dry_run.run(spider(place=place, source=source, session=session, out=out, recording=recording))
    seconds = time.process_time() - started
    bills = sorted(map(json.loads, out.read_text("utf-8").splitlines()), key=lambda bill: str(bill["identifier"]))
    found = {
        "session": session,
        "outcome": account.outcome,
        "reason": account.reason,
        "bills": len(bills),
        "fields": dict(sorted(account.fields.items())),
        "rejected": account.rejected,
        "issues": sorted([kind, identifier] for kind, identifier, _ in account.issues if kind != "not_recorded"),
        "records": bills[:MOST_BILLS],
    }
    return found, seconds


@pytest.mark.parametrize("file", FOUND, ids=lambda file: file.name)
def test_a_recording_gives_what_was_reviewed(file: Path, tmp_path: Path) -> None:
    found, seconds = read(file, tmp_path / "o.jsonl")
    assert not found["reason"] and found["bills"], (
        f"{file.name}: {found['reason'] or (found['rejected'] or [{'problem': 'no bills'}])[0]['problem']}"
    )
    golden = file.with_name(f"{file.name.partition('.warc')[0]}.golden.json")
    text = json.dumps(found, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if not golden.exists():
        golden.write_text(text, "utf-8")
        pytest.fail(f"review me: {golden.name} was written from the recording; look at it, then commit it")
    assert json.loads(text) == json.loads(golden.read_text("utf-8")), f"delete {golden.name} if the change is right"
    assert seconds < 1 + SECONDS_A_BILL * found["bills"], f"{seconds:.1f} s for {found['bills']} bills is too slow"


def test_every_golden_file_has_its_recording() -> None:
    names = {file.name.partition(".warc")[0] for file in FOUND}
    assert [g.name for g in FOLDER.glob("*/*.golden.json") if g.name.removesuffix(".golden.json") not in names] == []


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.name)
def test_a_module_says_what_it_reads_and_leaves_the_rest_to_the_base(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    doc = ast.get_docstring(tree) or ""
    assert [word for word in SAID if word not in doc] == []
    assert "(what " not in doc, "the template's questions are not answered yet"
    imported = Counter(
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
    )
    assert not set(imported) & {"logging", "sqlalchemy", "sqlite3", "requests", "urllib3", "subprocess"}
