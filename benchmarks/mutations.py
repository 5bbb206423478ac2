"""Damage real recordings in every way that happens and see that no crawl crashes.

    python benchmarks/mutations.py ../shared/recordings [--count 2000] [--seed 1]

Each mutated recording must end as rejected records, a failed run with its reason, or a run whose numbers are
judged. An exception that leaves the crawler is a crash and ends this with 1.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crawlers import dry_run, health, modules, recordings
from crawlers.mirrors import govbot
from crawlers.recording import Recording
from tracker import jurisdictions

HTML = b"<!DOCTYPE html><html><head><title>Request Rejected</title></head><body>Request Rejected</body></html>"
SHELL = b"<html><body><noscript>You need to enable JavaScript to run this app.</noscript></body></html>"


def truncated(body: bytes, dice: random.Random) -> bytes:
    """The connection broke."""
    return body[: dice.randrange(len(body) + 1)]


def recoded(body: bytes, dice: random.Random) -> bytes:
    """Another encoding than yesterday's."""
    text = body.decode("utf-8", "replace")
    return text.encode(dice.choice(["utf-16", "utf-16-le", "cp500", "utf-8-sig", "latin-1"]), "replace")


def columns_lost(body: bytes, dice: random.Random) -> bytes:
    """A column, or a run of elements, is gone."""
    lines = body.split(b"\n")
    mark = dice.choice([b",", b"</item>", b"<", b'"'])
    return b"\n".join(mark.join(line.split(mark)[1:]) if dice.random() < 0.9 else line for line in lines)


def swapped(body: bytes, dice: random.Random) -> bytes:
    """Lines in another order, the header among them."""
    lines = body.split(b"\n")
    for _ in range(1 + len(lines) // 50):
        a, b = dice.randrange(len(lines)), dice.randrange(len(lines))
        lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def noisy(body: bytes, dice: random.Random) -> bytes:
    """Bytes flipped here and there."""
    damaged = bytearray(body)
    for _ in range(dice.randrange(1, 200)):
        if damaged:
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
    return bytes(damaged)


def page(body: bytes, dice: random.Random) -> bytes:
    """A web page instead."""
    return dice.choice([HTML, SHELL, b"", b"\x00" * 1000, b"null", b"<a><b></a>"])


def fields_lost(body: bytes, dice: random.Random) -> bytes:
    """Fields are gone, null, or of another type than yesterday."""
    try:
        found = json.loads(body)
    except ValueError:
        marks = re.findall(rb"<([A-Za-z]\w*)[ >/]|\b(id=\"[^\"]+\")", body[:200_000]) or [(b"x", b"")]
        name, tag = dice.choice(marks)
        if tag:
            return body.replace(tag, b"")
        gone = re.sub(rb"(?s)<" + name + rb"[ >][^<]*</" + name + rb">", b"", body)
        return dice.choice([gone, body.replace(b"<" + name + b">", b"<" + name + b"Renamed>")])
    names = sorted(set(re.findall(rb'"(\w+)" ?:', body)))
    name = dice.choice(names or [b"x"]).decode()
    odd = dice.choice([None, [], {}, "", 0, True, "odd", ["odd"], [None], {"items": None}, "gone"])
    return json.dumps(_changed(found, name, odd, dice)).encode()


def _changed(part: Any, name: str, odd: Any, dice: random.Random) -> Any:
    if isinstance(part, list):
        return [_changed(item, name, odd, dice) for item in part]
    if not isinstance(part, dict):
        return part
    made = {key: _changed(value, name, odd, dice) for key, value in part.items()}
    if name in made and dice.random() < 0.7:
        if odd == "gone":
            del made[name]
        else:
            made[name] = odd
    return made


def inside(body: bytes, dice: random.Random) -> bytes:
    """The archive is whole, some of its members are not."""
    if not body.startswith(b"PK"):
        return fields_lost(body, dice)
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as new:
        names = old.namelist()
        tables = [name for name in names if name.endswith((".dat", ".TXT", ".xml"))]
        hit = {
            *dice.sample(names, k=min(len(names), dice.randrange(1, 5))),
            *dice.sample(tables, k=min(len(tables), 1)),
        }
        for name in names:
            member = old.read(name)
            if name in hit:
                ways = [truncated, recoded, swapped, noisy, page, columns_lost, fields_of_rows, fields_lost]
                member = dice.choice(ways)(member, dice)
            if name not in hit or dice.random() < 0.9:
                new.writestr(name, member)
    return packed.getvalue()


def fields_of_rows(body: bytes, dice: random.Random) -> bytes:
    """A table's fields are lost or swapped in some rows."""
    lines = body.split(b"\n")
    for at in range(len(lines)):
        mark = b"\t" if b"\t" in lines[at] else b","
        fields = lines[at].split(mark)
        if len(fields) > 1 and dice.random() < 0.5:
            fields[dice.randrange(len(fields))] = dice.choice(
                [b"", b"NULL", b"`", b"`odd`", b'"odd"', b"-1", b"\xff\xfe"]
            )
            lines[at] = mark.join(fields)
    return b"\n".join(lines)


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    truncated,
    recoded,
    columns_lost,
    swapped,
    noisy,
    page,
    fields_lost,
    fields_lost,
    inside,
)


def small(recording: Recording, dice: random.Random) -> Recording:
    """The recording with its big files cut to a slice of whole lines, so that thousands of runs are quick."""
    for url, (status, headers, body) in list(recording.replies.items()):
        if len(body) > 60_000 and not url.endswith((".xml", ".zip")):
            lines = body.split(b"\n")
            start = dice.randrange(1, max(2, len(lines) - 200))
            recording.replies[url] = (status, headers, b"\n".join([lines[0], *lines[start : start + 200]]))
    if len(recording.replies) > 15:
        kept = dice.sample([u for u in recording.replies if len(recording.replies[u][2]) < 150_000], 3)
        recording.replies = {url: recording.replies[url] for url in kept}
    return recording


def one(plan: dict[str, Any], whole: dict[str, Any], dice: random.Random, out: Path) -> str:
    """Mutate one recording and crawl it; returns how it ended."""
    place = jurisdictions.load().get(plan["jurisdiction"])
    mutation = dice.choice(MUTATIONS)
    common: dict[str, Any] = {"place": place, "out": out}
    if plan["source"] == "govbot":
        source = next(s for s in jurisdictions.load().sources_for(place.code, "govbot") if s.name == "govbot")
        spider: Any = govbot.Spider(source=source, session="", **common)
        if dice.random() < 0.3:
            list(spider.records([("2026", "HB1", mutation(b, dice)) for b in dice.sample(whole["bills"], 5)]))
            return "records"
        damaged = mutation(whole["archive"][: dice.randrange(1000, 40_000)], dice)
        for _ in spider.bills(io.BytesIO(damaged)):
            pass
        return f"run {spider.account.outcome}"
    recording = Recording.__new__(Recording)
    recording.path, recording.damage, recording.replies = Path(plan["file"]), "", dict(whole["replies"])
    recording.recorded_at = ""
    recording = small(recording, dice)
    for url in dice.sample(list(recording.replies), k=min(len(recording.replies), dice.randrange(1, 4))):
        status, headers, body = recording.replies[url]
        recording.replies[url] = (dice.choice([status] * 9 + [500]), headers, mutation(body, dice))
    source = jurisdictions.load().sources_for(place.code)[0]
    made = modules.spider(place.code)
    assert made is not None
    spider = made(source=source, session=whole["session"], recording=recording, **common)
    account = dry_run.run(spider)
    verdict = health.judge(account.to_json(), {"runs": [], "sitting": "unknown"}, None)
    if account.outcome == "failed":
        return "run failed"
    return "run held" if not verdict.publish else "records rejected" if account.rejected else "run judged good"


def main() -> int:
    """Run it; prints how the crawls ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    plans = recordings.find(options.path)
    prepared = []
    for plan in plans:
        file = Path(plan["file"])
        if plan["source"] == "govbot":
            with file.open("rb") as packed:
                bills = [body for _, (_, body) in zip(range(200), govbot.members(packed, govbot.BILL), strict=False)]
            prepared.append((plan, {"archive": file.read_bytes(), "bills": bills}))
        elif not plan["source"]:  # the other mirrors' datasets are no recordings
            recording = Recording(file)
            session = recordings.session_of(plan["jurisdiction"], recording)
            prepared.append((plan, {"replies": recording.replies, "session": session}))
    ends: Counter[str] = Counter()
    crashes = 0
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.count):
            dice = random.Random(f"{options.seed}-{number}")  # noqa: S311 - not for secrets
            plan, whole = prepared[number % len(prepared)]
            try:
                ends[one(plan, whole, dice, Path(folder) / "out.jsonl")] += 1
            except Exception:
                crashes += 1
                print(f"crash with seed {options.seed}-{number} on {plan['file']}")
                traceback.print_exc()
    print(f"{options.count:,} mutated recordings in {time.perf_counter() - start:.0f} s, {crashes} crashes")
    for end, count in ends.most_common():
        print(f"  {end}: {count:,}")
    return int(crashes > 0)


if __name__ == "__main__":
    sys.exit(main())
