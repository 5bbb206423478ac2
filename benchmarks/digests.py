"""Measures the digest: planning for many readers, SMTP against a bare loop, memory with ten thousand planned mails.

python benchmarks/digests.py plan        1,000 readers with different wishes, 40 matching bills each
python benchmarks/digests.py smtp        mails a second: ours and a bare smtplib loop, the same server
python benchmarks/digests.py memory      10,000 planned mails, planned and sent; peak memory of the process
"""

from __future__ import annotations

import asyncio
import json
import resource
import smtplib
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")


def serve(port: int) -> None:
    """An SMTP server that takes everything and keeps nothing."""
    from aiosmtpd.smtp import SMTP

    class Sink:
        async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:
            return "250 taken"

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: SMTP(Sink()), "127.0.0.1", port)
        print("ready", flush=True)
        await server.serve_forever()

    asyncio.run(run())


class Place:
    """A database with bills and readers in a folder of its own."""

    def __init__(self, folder: Path, **more: Any) -> None:
        from pydantic import SecretStr

        from tracker.db import make_engine, upgrade
        from tracker.settings import Settings

        self.settings = Settings(home=folder, secret_key=SecretStr("k" * 32), mail_limit=1_000_000, **more)
        self.engine = make_engine(self.settings.url)
        upgrade(self.engine)

    def fill(self, readers: int, bills: int, *, alike: bool = False) -> None:
        """Bills with tags, of which ``bills`` match each reader; readers with different wishes unless ``alike``."""
        from tests.alerts.data import bill, load, reader

        states = ("tx", "oh", "va")
        words = ("a tax credit", "a grant", "a waiver")
        number = 0
        made = []
        for state in states:
            for word in words:
                for _ in range(bills):
                    number += 1
                    title = f"A bill relating to {word} for employers who train apprentices, part {number}"
                    made.append(bill(f"HB {number}", title=title, state=state))
        load(self.engine, made)
        strategies = ("tax_credits", "incentives", "flexibility")
        for n in range(readers):
            wishes: dict[str, Any] = {}
            if not alike:
                wishes = {
                    "timezone": ZONES[n % 4],
                    "keywords": [f"part {n % 40 + 1}"],
                    "searches": [{"text": f"apprentice* {n % 25 + 1}"}] if n % 3 == 0 else [],
                    "min_score": 0.5 + n % 5 / 10,
                }
            reader(
                self.engine,
                f"r{n:05}@example.org",
                states=[states[n % 3]],
                strategies=[strategies[n // 3 % 3]],
                **wishes,
            )


def plan(folder: Path) -> dict[str, Any]:
    """Plan and render (freeze) without sending."""
    from alerts.sending import Report, _plan_all
    from tests.alerts.data import NOW

    place = Place(folder)
    place.fill(1_000, 40)
    started, used = time.perf_counter(), time.process_time()
    report = Report()
    _plan_all(place.engine, place.settings, report, None, NOW, dry_run=False)
    seconds, used = time.perf_counter() - started, time.process_time() - used
    with place.engine.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT count(*), min(json_extract(snapshot, '$.bills')) FROM digest_issue"
        ).one()
    found = {"issues": rows[0], "fewest bills": rows[1], "errors": report.errors[:3]}
    # One process: on a machine that does other things too, its own time tells what it needs of one core.
    return {**found, "seconds": round(seconds, 1), "seconds of one core": round(used, 1)}


def smtp(folder: Path, mails: int = 300, rounds: int = 6) -> dict[str, Any]:
    """Our sending and a bare loop over the same mails, in turns; the share is of the whole time of each.

    Turns are short, so that whatever else the machine does falls on both alike.
    """
    from pydantic import SecretStr

    from alerts.sending import Report, _plan_all, deliver
    from tests.alerts.data import NOW
    from tracker.db import reading

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    place = Place(folder, smtp_url=SecretStr(f"smtp://127.0.0.1:{port}"))
    place.fill(mails, 20, alike=True)
    _plan_all(place.engine, place.settings, Report(), None, NOW, dry_run=False)
    command = [sys.executable, __file__, "serve", str(port)]
    ours, bare = [], []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stdout.readline() == "ready\n"
        try:
            for _ in range(rounds):
                bare.append(_bare(place, port))
                with place.engine.begin() as connection:
                    connection.exec_driver_sql(
                        "UPDATE delivery SET state = 'planned', attempts = 0, finished_at = NULL"
                    )
                started = time.perf_counter()
                report = Report()
                deliver(place.engine, place.settings, report, now=NOW)
                ours.append(time.perf_counter() - started)
                assert len(report.mails) == mails and not report.errors
        finally:
            server.terminate()
    with reading(place.engine) as connection:
        size = connection.exec_driver_sql("SELECT avg(length(html) + length(text)) FROM digest_issue").scalar_one()
    shares = [round(b / o, 2) for o, b in zip(ours, bare, strict=True)]
    return {
        "ours": round(rounds * mails / sum(ours)),
        "bare": round(rounds * mails / sum(bare)),
        "share": round(sum(bare) / sum(ours), 3),
        "shares by turn": shares,
        "mean size": round(size),
    }


def _bare(place: Place, port: int) -> float:
    """Seconds of a loop that only sends; the mails are in memory already."""
    from alerts.outbox import opened

    with place.engine.connect() as connection:
        query = (
            "SELECT i.mail, s.email FROM delivery d JOIN digest_issue i ON i.id = d.issue_id "
            "JOIN subscriber s ON s.id = d.subscriber_id ORDER BY d.id"
        )
        mails = [(opened(raw), to) for raw, to in connection.exec_driver_sql(query)]
    started = time.perf_counter()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for mail, to in mails:
            server.sendmail("digest@localhost", [to], mail)
    return time.perf_counter() - started


def memory(folder: Path, mails: int = 10_000) -> dict[str, Any]:
    """Ten thousand mails planned and handed over by one process."""
    from alerts.sending import send
    from tests.alerts.data import NOW

    place = Place(folder)
    place.fill(mails, 20, alike=True)
    filled = _peak()

    class Nowhere:
        repeatable = True

        def send(self, mail: bytes, sender: str, to: str, name: str, *, ready: Any) -> Any:
            from alerts.transport import Outcome

            assert ready()
            return Outcome("accepted")

        def close(self) -> None:
            pass

    started = time.perf_counter()
    report = send(place.engine, place.settings, now=NOW, transport=Nowhere())
    return {
        "mails": len(report.mails),
        "seconds": round(time.perf_counter() - started, 1),
        "peak MB before": filled,
        "peak MB": _peak(),
        "database MB": round((folder / "billtracker.db").stat().st_size / 1e6),
    }


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            print(json.dumps({"plan": plan, "smtp": smtp, "memory": memory}[sys.argv[1]](Path(temporary)), indent=2))
