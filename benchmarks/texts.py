"""How well and how fast version documents become text: one row per state.

    python benchmarks/texts.py FOLDER [--json]

FOLDER holds tarballs of documents, one a state (tx.tar.gz). Columns: documents, ok, each named reason, mean
words, documents with struck and with added language, hits of page-chrome words, seconds.
"""

from __future__ import annotations

import argparse
import json
import re
import tarfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tracker.text import extract

CHROME = re.compile(
    r"skip (?:to (?:main )?content|navigation)|webmaster|terms of use|print on demand|^\d+/ ?\d+$"
    r"|toggle navigation|breadcrumb|^(?:sign in|log ?in)$|accept (?:all )?cookies"
    r"|cookie policy|print this page|share this|facebook|twitter\.com|back to top|copyright ©"
    r"|all rights reserved|search bills|bill search|add to my bills|download pdf|previous page",
    re.I | re.M,
)


def survey(path: Path) -> dict[str, Any]:
    """One state's row."""
    code = path.name.removesuffix(".tar.gz")
    reasons: Counter[str] = Counter()
    words = struck = added = chrome = documents = 0
    start = time.perf_counter()
    with tarfile.open(path) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is None:
                continue
            documents += 1
            found = extract(stream.read(), jurisdiction=code, media_type="")
            reasons[found.status] += 1
            words += len(found.text.split())
            struck += bool(found.struck)
            added += bool(found.added)
            chrome += len(CHROME.findall(found.text))
    ok = reasons.pop("ok", 0)
    return {
        "state": code,
        "documents": documents,
        "ok": ok,
        "reasons": dict(reasons),
        "mean_words": round(words / ok) if ok else 0,
        "struck": struck,
        "added": added,
        "chrome": chrome,
        "seconds": round(time.perf_counter() - start, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = [survey(path) for path in sorted(asked.folder.glob("*.tar.gz"))]
    if asked.json:
        print(json.dumps(rows))
        return
    print(f"{'state':6}{'docs':>5}{'ok':>4}{'words':>7}{'struck':>7}{'added':>6}{'chrome':>7}{'s':>7}  reasons")
    for row in rows:
        reasons = ", ".join(f"{name} {n}" for name, n in row["reasons"].items())
        print(
            f"{row['state']:6}{row['documents']:5}{row['ok']:4}{row['mean_words']:7}{row['struck']:7}{row['added']:6}"
            f"{row['chrome']:7}{row['seconds']:7}  {reasons}"
        )
    total = {key: sum(row[key] for row in rows) for key in ("documents", "ok", "chrome", "seconds")}
    print(f"all: {total['documents']} documents, {total['ok']} ok, {total['chrome']} chrome, {total['seconds']:.1f} s")


if __name__ == "__main__":
    main()
