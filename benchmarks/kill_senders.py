"""Kills the sender with SIGKILL at random moments and counts what was lost and what came twice.

    python benchmarks/kill_senders.py 300

A real SMTP server in a process of its own notes every mail before it answers. Senders are real processes:
each plans and sends what is due until it is killed. When a wave is done, new bills come and a week passes.
At the end every planned mail must have arrived; more than one copy only of mails marked ``maybe_repeated``.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
WEEK = dt.timedelta(days=7)


def serve(port: int, log: Path) -> None:
    """The SMTP server: a line for each mail it takes, written before it says so."""
    from aiosmtpd.smtp import SMTP

    class Sink:
        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
            head = envelope.content.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
            identifier = next(line for line in head.split("\r\n") if line.lower().startswith("message-id:"))
            digest = hashlib.sha256(envelope.content).hexdigest()
            file.write(f"{identifier.split()[1]} {digest}\n")
            file.flush()
            # Between taking and saying so: the only window in which a repeat cannot be avoided.
            await asyncio.sleep(random.random() * 0.003)  # noqa: S311
            return "250 taken"

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Sink()), "127.0.0.1", port)
        print("ready", flush=True)
        await server.serve_forever()

    with log.open("a", encoding="ascii") as file:
        asyncio.run(run())


def prove(folder: Path, kills: int, *, readers: int, seed: int = 1, url: str = "") -> dict[str, Any]:
    """Run until so many senders were killed; returns the counts. ``url``: another database than SQLite."""
    from pydantic import SecretStr

    from tests.alerts.data import NOW, bill, load, reader
    from tracker.db import make_engine, upgrade
    from tracker.settings import Settings

    chance = random.Random(seed)  # noqa: S311
    log = folder / "taken.txt"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, __file__, "--serve", str(port), str(log)]
    settings = Settings(
        home=folder / "home",
        secret_key=SecretStr("k" * 32),
        smtp_url=SecretStr(f"smtp://127.0.0.1:{port}"),
        mail_limit=1_000_000,
    )
    url = url or f"sqlite:///{folder / 'kills.db'}"
    engine = make_engine(url)
    upgrade(engine)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None and server.stdout.readline() == "ready\n"
        try:
            for n in range(readers):
                reader(engine, f"r{n:04}@example.org")
            done = wave = 0
            now = NOW
            load(engine, [bill(f"HB {n}") for n in range(1, 4)], now=now)
            while done < kills:
                if _sender(engine, url, settings, now, log, chance):
                    done += 1
                    continue
                wave += 1
                now += WEEK
                load(engine, [bill(f"SB {wave}")], now=now)
            while _sender(engine, url, settings, now, log, None):
                pass
        finally:
            server.terminate()
    counts = _count(engine, log)
    engine.dispose()
    return {"kills": done, "waves": wave + 1, **counts}


def _sender(engine: Any, url: str, settings: Any, now: dt.datetime, log: Path, chance: random.Random | None) -> bool:
    """Start a sender; with ``chance`` kill it at a random moment. Returns whether it was killed."""
    from alerts.sending import send
    from tracker.db import make_engine

    engine.dispose()
    pid = os.fork()
    if pid == 0:
        try:
            own = make_engine(url)
            send(own, settings, now=now)
        finally:
            os._exit(0)
    if chance is not None:
        _moment(log, chance)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def _moment(log: Path, chance: random.Random) -> None:
    """Wait for a random moment: of the whole run, or of the talk with the server after a few more mails."""
    if chance.random() < 0.3:
        time.sleep(chance.random() * 0.3)
        return
    size = log.stat().st_size if log.exists() else 0
    wanted = size + chance.randrange(1, 12) * 140
    until = time.monotonic() + 3
    while time.monotonic() < until and (not log.exists() or log.stat().st_size < wanted):
        time.sleep(0.0005)
    time.sleep(chance.random() * 0.006)


def _count(engine: Any, log: Path) -> dict[str, Any]:
    from sqlalchemy import select

    from tracker.db import reading
    from tracker.models.readers import DeliveryRow, DigestIssueRow, SubscriberRow

    taken = [line.split() for line in log.read_text("ascii").splitlines()]
    copies = Counter(identifier for identifier, _ in taken)
    with reading(engine) as connection:
        rows = connection.execute(
            select(DeliveryRow.message_id, DeliveryRow.state, DeliveryRow.maybe_repeated, DigestIssueRow.sha256).join(
                DigestIssueRow, DigestIssueRow.id == DeliveryRow.issue_id
            )
        ).all()
        spans: dict[int, list[tuple[int, int]]] = {}
        for row in connection.execute(
            select(DigestIssueRow.subscriber_id, DigestIssueRow.from_seq, DigestIssueRow.to_seq).order_by(
                DigestIssueRow.id
            )
        ):
            spans.setdefault(row[0], []).append((row[1], row[2]))
        places = dict(connection.execute(select(SubscriberRow.id, SubscriberRow.last_seq)).all())
    sent = {row.message_id: row for row in rows}
    return {
        "planned": len(rows),
        "arrived": len(copies),
        "lost": sum(1 for row in rows if not copies[row.message_id]),
        "not accepted": sum(1 for row in rows if row.state != "accepted"),
        "strange": sum(1 for identifier in copies if identifier not in sent),
        "second copies": sum(n - 1 for n in copies.values()),
        "second copies not marked": sum(1 for i, n in copies.items() if n > 1 and not sent[i].maybe_repeated),
        "marked": sum(1 for row in rows if row.maybe_repeated),
        "copies that differ": sum(1 for identifier, digest in taken if sent[identifier].sha256 != digest),
        "gaps in the log": sum(
            1
            for id_, s in spans.items()
            if s[0][0] or s[-1][1] != places[id_] or any(a[1] != b[0] for a, b in pairwise(s))
        ),
    }


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(int(sys.argv[2]), Path(sys.argv[3]))
    else:
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as place:
            result = prove(Path(place), int(sys.argv[1]), readers=60)
        print(json.dumps({**result, "seconds": round(time.monotonic() - started, 1)}, indent=2))
