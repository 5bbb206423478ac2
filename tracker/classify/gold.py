"""Labelled bills: JSON lines (gzip or not) in the shape of `billtracker tag`'s input, with `labels`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


class GoldError(ValueError):
    """A file of labelled bills that cannot be read; the message names file and line."""


def load(path: Path) -> list[dict[str, Any]]:
    """The labelled bills of a file. Raises GoldError with file and line number."""
    path = Path(path)
    bills = []
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                bill = json.loads(line)
                if not isinstance(bill, dict) or not isinstance(bill.get("labels"), dict):
                    raise GoldError(f"{path}, line {number}: is not a bill with 'labels'.")
                bills.append(bill)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise GoldError(f"{path}: cannot be read ({error}).") from error
    except json.JSONDecodeError as error:
        raise GoldError(f"{path}, line {number}: is not JSON ({error.msg}).") from error
    if not bills:
        raise GoldError(f"{path}: holds no labelled bills.")
    return bills


def save(path: Path, bills: Iterable[Mapping[str, Any]]) -> int:
    """Write labelled bills as `load` reads them; gives their number."""
    count = 0
    with gzip.open(path, "wt", encoding="ascii") if path.suffix == ".gz" else path.open("w", encoding="ascii") as out:
        for bill in bills:
            out.write(json.dumps(bill, ensure_ascii=True, sort_keys=True) + "\n")
            count += 1
    return count


def key(bill: Mapping[str, Any]) -> str:
    """The name of a bill: jurisdiction, session and identifier."""
    session = bill.get("session") or bill.get("legislative_session")
    return "/".join(str(part or "") for part in (bill.get("jurisdiction"), session, bill.get("identifier")))


def certainty(bill: Mapping[str, Any]) -> float:
    """How much a label weighs in training: less where its reader was in doubt."""
    return 1.0 if bill.get("agreed", bill.get("sure", True)) else 0.6
