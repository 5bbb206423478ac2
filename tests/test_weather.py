"""Bad weather and attack, each with a real component: a full disk, a database that falls over, hostile files."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import OperationalError

from benchmarks.fuzz import fuzz
from tests.tracker.analysts import bill
from tracker import actions, doctor, record_files
from tracker.db import make_engine, reading
from tracker.ingest import Run, ingest
from tracker.models.bills import BillEventRow, BillRow
from tracker.settings import Settings
from tracker.texts import Wanted

NOW = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)
COMMAND = [sys.executable, "-m", "tracker.cli"]


def bills(count: int, title: str = "Relating to apprenticeship") -> list[dict[str, Any]]:
    return [bill("tx", "89R", f"HB {n}", f"{title} {n}") for n in range(1, count + 1)]


def jsonl(path: Path, records: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, records)), "utf-8")
    return path


def run(home: Path, *words: str, limit: int = 0, before: list[str] | None = None) -> subprocess.CompletedProcess[str]:
    def small() -> None:
        if limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [*(before or []), *COMMAND, *words],
        env={**os.environ, "BILLTRACKER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=small,
    )


def one_sentence(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("billtracker: ") and any(word in last for word in words), done.stderr


@pytest.mark.slow
def test_a_full_disk_loses_nothing_and_says_so(tmp_path: Path) -> None:
    """The kernel refuses to let any file of the process grow, as a full disk does."""
    home, file = tmp_path / "var", jsonl(tmp_path / "bills.jsonl", bills(1500))
    assert run(home, "ingest", str(jsonl(tmp_path / "few.jsonl", bills(3)))).returncode == 0
    one_sentence(run(home, "ingest", str(file), limit=700_000), "full", "I/O", "disk")
    one_sentence(run(home, "backup", str(tmp_path / "copies" / "c.db"), limit=50_000), "full", "File too large", "I/O")
    assert not list((tmp_path / "copies").iterdir()), "no half copy stays"
    again = run(home, "ingest", str(file), "--json")
    assert again.returncode == 0, again.stderr
    assert run(home, "backup", str(tmp_path / "copies" / "c.db")).returncode == 0
    engine = make_engine(Settings(home=home).url)
    with reading(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM bill")).scalar() == 1500
        assert connection.execute(text("SELECT count(*) FROM bill_event WHERE kind = 'new_bill'")).scalar() == 1500
    assert not [f for f in doctor.examine(engine, Settings(home=home), now=NOW)[0] if f.check not in ("disk", "runs")]
    engine.dispose()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with sixteen megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a small file system")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.slow
def test_a_disk_that_is_full_in_earnest(small_disk: Path, tmp_path: Path) -> None:
    """ENOSPC from the kernel: a load and a backup say so, and lose nothing; with room again both go well."""
    home, file = small_disk / "var", jsonl(tmp_path / "bills.jsonl", bills(1500))
    assert run(home, "ingest", str(jsonl(tmp_path / "few.jsonl", bills(3)))).returncode == 0
    old, filler = home / "logs" / "va.log", small_disk / "filler"
    old.parent.mkdir()
    old.write_text("long ago")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    with filler.open("wb", buffering=0) as filling, contextlib.suppress(OSError):
        while True:
            filling.write(b"x" * 4096)
    one_sentence(run(home, "health"), "the disk is full")
    cleaned = run(home, "clean")
    assert "deleted: 1 logs" in cleaned.stdout and not old.exists(), "it makes room where nothing else can begin"
    with filler.open("r+b") as filling:
        filling.truncate(filler.stat().st_size - 100_000)
    one_sentence(run(home, "ingest", str(file)), "full")
    one_sentence(run(home, "backup", str(small_disk / "copies" / "c.db")), "full", "No space left")
    assert not list((small_disk / "copies").iterdir()), "no half copy stays"
    found = json.loads(run(home, "doctor", "--json").stdout)["findings"]
    assert "disk" in {finding["check"] for finding in found}
    filler.unlink()
    again = run(home, "ingest", str(file), "--json")
    assert again.returncode == 0, again.stderr
    (row,) = json.loads(again.stdout)
    assert (row["bills"], row["unchanged"]) == (1500, 3), "what the full disk refused was not half stored"
    assert run(home, "backup", str(small_disk / "copies" / "c.db")).returncode == 0
    engine = make_engine(Settings(home=home).url)
    left = [f.check for f in doctor.examine(engine, Settings(home=home), now=NOW)[0]]
    engine.dispose()
    assert set(left) <= {"disk"}, left


def test_a_read_only_disk_is_one_sentence(tmp_path: Path) -> None:
    home = tmp_path / "var"
    assert run(home, "ingest", str(jsonl(tmp_path / "few.jsonl", bills(3)))).returncode == 0
    mount = f'mount --bind "{home}" "{home}" && mount -o remount,bind,ro "{home}" && exec "$@"'
    before = ["unshare", "--mount", "sh", "-c", mount, "sh"]
    if not shutil.which("unshare") or subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a folder read-only")
    done = run(home, "ingest", str(jsonl(tmp_path / "more.jsonl", bills(9))), before=before)
    one_sentence(done, "readonly", "read-only", "Read-only", "unable to open")
    assert run(home, "ingest", str(tmp_path / "more.jsonl")).returncode == 0


@pytest.mark.slow
def test_without_names_of_hosts_a_crawl_fails_and_is_noted(tmp_path: Path) -> None:
    """In a network of its own, where nothing can be resolved or reached."""
    before = ["unshare", "--net"]
    if not shutil.which("unshare") or subprocess.run([*before, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us take the network away")
    done = run(tmp_path, "crawl", "va", "--publish", "--json", before=before)
    (row,) = json.loads(done.stdout)
    assert done.returncode == 1 and row["status"] == "failed" and row["reason"]
    health = run(tmp_path, "health", "--json")
    assert health.returncode == 1 and json.loads(health.stdout)["degraded"] == ["va"]


def test_a_database_that_falls_over_between_writes(postgres_engine: Engine) -> None:
    """The server ends our session in the middle of a load; the same load again finishes it, each event once."""
    records = bills(5000)
    killed = []

    def strike(done: int) -> None:
        if not killed:
            killed.append(done)
            other = make_engine(postgres_engine.url.render_as_string(hide_password=False))
            with other.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                connection.execute(text(f"{query} WHERE datname = current_database() AND pid <> pg_backend_pid()"))
            other.dispose()

    def load(progress: Any) -> None:
        ingest(postgres_engine, map(json.dumps, records), Run("file"), now=NOW, progress=progress)

    with contextlib.suppress(OperationalError):  # Or the pool notices in time: both are fine.
        load(strike)
    assert killed
    load(None)
    with reading(postgres_engine) as connection:
        assert len(connection.execute(select(BillRow.id)).all()) == 5000
        assert len(connection.execute(select(BillEventRow.seq)).all()) == 5000


LEAF = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20)
VALUE = LEAF | st.lists(
    LEAF | st.dictionaries(st.sampled_from(["date", "name", "url", "links", "note"]), LEAF), max_size=3
)
KEYS = st.sampled_from([*bills(1)[0], "versions", "hearings", "extras", "\x00"])
BYTES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=100).map(lambda t: json.dumps({"jurisdiction": "tx", "title": t}).encode()),
    st.dictionaries(KEYS, VALUE, max_size=6).map(lambda value: json.dumps({**bills(1)[0], **value}).encode()),
    VALUE.map(lambda value: json.dumps(value).encode()),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(BYTES, max_size=8))
def test_no_bytes_stop_a_load(sqlite: Engine, lines: list[bytes]) -> None:
    good = json.dumps(bills(1)[0]).encode()
    report = ingest(sqlite, [*lines, good], Run("file"), now=NOW)
    assert report.of("tx").bills >= 1, "one bad record never loses the rest"


def test_words_in_broken_encodings_are_kept_as_words(engine: Engine) -> None:
    title = "Cr\udce9dits \x00 et \u202e formation"
    record = json.dumps({**bills(1)[0], "title": title})
    report = ingest(engine, [record], Run("file"), now=NOW)
    with reading(engine) as connection:
        stored = connection.execute(select(BillRow.title)).scalars().all()
    if stored:
        assert "\x00" not in stored[0] and stored[0].encode("utf-8")
    else:
        assert report.total("rejected") == 1


def test_an_archive_cannot_leave_its_place(tmp_path: Path) -> None:
    packed = tmp_path / "bills.tar.gz"
    record = json.dumps(bills(1)[0]).encode()
    with tarfile.open(packed, "w:gz") as archive:
        for name in ("../../bill_up.json", "/tmp/bill_root.json", "bill_fine.json"):
            member = tarfile.TarInfo(name)
            member.size = len(record)
            archive.addfile(member, io.BytesIO(record))
        link = tarfile.TarInfo("bill_link.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    before = sorted(tmp_path.rglob("*"))
    assert list(record_files.read(packed)) == [record] * 3, "read as a stream; a link is nothing to read"
    assert sorted(tmp_path.rglob("*")) == before and not Path("/tmp/bill_root.json").exists()


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    bomb = tmp_path / "bills.jsonl.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        for _ in range(40):
            file.write(b"a" * (1 << 20))
    with pytest.raises(record_files.FileError, match="line over 32 MiB"):
        list(record_files.read(bomb))


HOSTILE = [
    "referred to " * 4000,
    "a" * 50_000,
    "committee " + "(" * 20_000,
    "passed " + " " * 50_000 + "x",
    "-" * 30_000 + "\n",
    "signed by governor, " * 2500 + "!",
    "1" * 50_000 + " ayes",
]


@pytest.mark.parametrize("words", HOSTILE, ids=lambda w: w[:12])
def test_no_rule_takes_long_over_any_words(words: str) -> None:
    """Regular expressions that backtrack without end are how a title stops a service."""
    start = time.process_time()
    for code in ("tx", "va", "us", "ny", "ca"):
        actions.classify_action(code, words)
        actions.is_known(code, words)
    assert time.process_time() - start < 5


def test_a_link_in_the_data_leads_nowhere_inside(tmp_path: Path) -> None:
    """Version links come from states' data: only hosts of the jurisdiction are asked, over the web only."""

    wanted = [
        Wanted(n, n, "va", "2026", f"HB {n}", "Introduced", url, "text/html")
        for n, url in enumerate(
            [
                "http://169.254.169.254/latest/meta-data/",
                "http://127.0.0.1:22/",
                "file:///etc/passwd",
                "ftp://127.0.0.1/x",
                "https://lis.virginia.gov.evil.example/x",
                "https://lis.virginia.gov@evil.example/x",
                "http://[::1]/",
            ],
            1,
        )
    ]
    listed = tmp_path / "wanted.jsonl"
    listed.write_text("\n".join(json.dumps(w.__dict__) for w in wanted), "utf-8")
    out = tmp_path / "out.jsonl.gz"
    done = subprocess.run(
        [sys.executable, "-m", "crawlers", "--texts", str(listed), "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in (0, 1), done.stderr
    found = out.read_bytes() if out.exists() else b""
    body = gzip.decompress(found) if found[:2] == b"\x1f\x8b" else found
    assert b"root:" not in body and b"SSH-" not in body
    for line in body.splitlines():
        assert not json.loads(line).get("body"), line


def test_a_short_run_of_the_fuzzer_finds_nothing() -> None:
    """The long one is ``python benchmarks/fuzz.py 100000``."""
    found = fuzz(500, seed=3)
    assert found["failed"] == 0, found["failures"]
