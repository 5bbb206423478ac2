"""Throw damaged and made-up input at everything that reads what others wrote; nothing may raise but its own refusal.

    python benchmarks/fuzz.py 100000            # inputs, shared out among the readers
    python benchmarks/fuzz.py 100000 --seed 2

Half of the inputs are good samples of the format with bytes turned, cut, doubled or swapped with those of another
format; half are strings of the format's own words. Prints one JSON object with inputs, seconds and any failure
(reader, seed, input in base64); ends with 1 if there is one.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tracker import actions, record_files
from tracker.record_files import FileError
from tracker.records import RecordError, parse_record
from tracker.text import extract

RECORD = json.dumps(
    {
        "jurisdiction": "tx",
        "legislative_session": "89R",
        "identifier": "HB 12",
        "title": "Relating to a tax credit",
        "chamber": "lower",
        "classification": ["bill"],
        "abstracts": [{"abstract": "An act", "note": "summary"}],
        "actions": [{"date": "2026-01-15", "description": "Referred to Ways & Means", "chamber": "lower"}],
        "sponsorships": [{"name": "Ortiz", "primary": True, "entity_type": "person", "classification": "primary"}],
        "versions": [{"note": "Introduced", "date": "2026-01-15", "links": [{"url": "https://x.example/1.pdf"}]}],
        "hearings": [{"date": "2026-02-01", "time": "09:00", "timezone": "America/Chicago", "committee": "Ways"}],
        "related_bills": [{"identifier": "SB 3", "legislative_session": "89R", "relation_type": "companion"}],
        "sources": [{"url": "https://x.example/HB12"}],
    }
).encode()
HTML = b"<html><head><title>B</title></head><body><p>SECTION 1. <s>old</s> <u>new &amp; &#8212;</u></p><table><tr><td>1</td></tr></table><pre>A\n B</pre></body></html>"  # noqa: E501
XML = b'<?xml version="1.0" encoding="UTF-8"?><bill><legis-body><section><enum>1.</enum><text>Any <deleted-phrase>old</deleted-phrase> <quote>new</quote></text></section></legis-body></bill>'  # noqa: E501
RTF = rb"{\rtf1\ansi{\fonttbl\f0 Times;}\f0\pard A bill \strike old\strike0 \ul new\ulnone\u8212?\par}"
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n4 0 obj<</Length 38>>stream\nBT /F1 12 Tf 10 100 Td (A bill) Tj ET\nendstream endobj\ntrailer<</Root 1 0 R>>"  # noqa: E501
TEXT = b"AN ACT relating to credits;\n     SECTION 1.  Chapter 1 is amended to read:\n\n12   (a) A credit is allowed.\n"
ODD = (
    *(
        "\x00",
        "\ud800",
        "\u202e",
        "\ufeff",
        "&#0;",
        "&lol;",
        "]]>",
        "\\u0000",
        "1e999",
        "-0",
        "'",
        '"',
        "%s",
        "{{7*7}}",
    ),
    *("9" * 400, "{" * 200, "[" * 200, "<" * 200, "(" * 200, "<!DOCTYPE a [<!ENTITY b 'c'>]>", "\\bin999999999 "),
)


def _extract(media: str) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        found = extract(data, media_type=media, jurisdiction="tx")
        if found.status == "crashed":
            raise RuntimeError(found.reason)  # Caught, and still a hole in the reader.
        found.text.encode("utf-8")

    return read


def _record(data: bytes) -> None:
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError):
        return
    with suppress(RecordError):
        parse_record(value).model_dump_json()


def _action(data: bytes) -> None:
    actions.classify_action("tx", data.decode("utf-8", "replace"))


def _file(suffix: str) -> Callable[[bytes], None]:
    path = Path(tempfile.mkdtemp(prefix="fuzz-")) / f"bills{suffix}"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        with suppress(FileError):
            for _ in record_files.read(path):
                pass

    return read


def readers() -> dict[str, tuple[Callable[[bytes], None], list[bytes]]]:
    """Each reader with good samples of what it reads."""
    import gzip
    import io
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("bill_1.json")
        member.size = len(RECORD)
        archive.addfile(member, io.BytesIO(RECORD))
    return {
        "record": (_record, [RECORD]),
        "jsonl.gz": (_file(".jsonl.gz"), [gzip.compress(RECORD + b"\n" + RECORD)]),
        "tar.gz": (_file(".tar.gz"), [packed.getvalue()]),
        "action": (_action, [b"Referred to Committee on Ways and Means", b"Signed by Governor 5/1", b"Ayes 31 nays 0"]),
        "html": (_extract("text/html"), [HTML]),
        "xml": (_extract("text/xml"), [XML]),
        "plain": (_extract("text/plain"), [TEXT]),
        "rtf": (_extract("application/rtf"), [RTF]),
        "pdf": (_extract("application/pdf"), [PDF]),
    }


#: PDF and RTF are read in a process of their own: a smaller part of the inputs.
WEIGHT = {"record": 30, "action": 20, "html": 15, "xml": 15, "plain": 8, "jsonl.gz": 5, "tar.gz": 4, "rtf": 2, "pdf": 1}


def damage(sample: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """A sample with one to eight things wrong."""
    data = bytearray(sample)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0 if data:
                data[at % len(data)] = chance.randrange(256)
            case 1:
                del data[at : at + chance.randint(1, 40)]
            case 2:
                data[at:at] = data[max(0, at - chance.randint(1, 60)) : at]
            case 3:
                data[at:at] = chance.choice(ODD).encode("utf-8", "surrogatepass")
            case 4:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                data[at:at] = other[start : start + 80]
            case 5:
                del data[at:]
            case _:
                data[at:at] = chance.randbytes(chance.randint(1, 12))
    return bytes(data)


def invent(sample: bytes, chance: random.Random) -> bytes:
    """The sample's own words in another order, with odd ones between."""
    words = sample.replace(b"<", b" <").replace(b">", b"> ").replace(b",", b" , ").replace(b":", b" : ").split(b" ")
    picked = [chance.choice(words) for _ in range(chance.randint(1, 60))]
    if chance.random() < 0.5:
        picked.insert(chance.randrange(len(picked)), chance.choice(ODD).encode("utf-8", "surrogatepass"))
    return b" ".join(picked)


def fuzz(inputs: int, seed: int) -> dict[str, Any]:
    """Run so many inputs; the same seed gives the same inputs."""
    known = readers()
    every = [sample for _, samples in known.values() for sample in samples]
    failures: list[dict[str, str]] = []
    counts: dict[str, int] = {}
    slowest = ("", 0.0)
    start = time.perf_counter()
    for name, (read, samples) in known.items():
        chance = random.Random(f"{seed} {name}")  # noqa: S311 — the same inputs each time
        counts[name] = max(1, inputs * WEIGHT[name] // 100)
        for number in range(counts[name]):
            sample = chance.choice(samples)
            data = invent(sample, chance) if number % 2 else damage(sample, every, chance)
            began = time.perf_counter()
            try:
                read(data)
            except Exception as error:
                shown = base64.b64encode(data[:4000]).decode()
                failures.append({"reader": name, "error": f"{type(error).__name__}: {error}"[:300], "input": shown})
            took = time.perf_counter() - began
            if took > slowest[1]:
                slowest = (name, took)
    return {
        "inputs": sum(counts.values()),
        "by_reader": counts,
        "seconds": round(time.perf_counter() - start, 1),
        "slowest": {"reader": slowest[0], "seconds": round(slowest[1], 2)},
        "failures": failures[:20],
        "failed": len(failures),
    }


def main() -> int:
    """Run it and print one JSON object."""
    options = argparse.ArgumentParser()
    options.add_argument("inputs", type=int, nargs="?", default=100_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    found = fuzz(chosen.inputs, chosen.seed)
    print(json.dumps(found, indent=2))
    return int(found["failed"] > 0)


if __name__ == "__main__":
    sys.exit(main())
