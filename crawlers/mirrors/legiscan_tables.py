"""LegiScan's datasets as CSV: the same bills as tables, put together to what its JSON datasets hold.

A subset, as LegiScan says: no subjects, no companions, no calendar, and no hash of a bill. A dataset without people.csv
names no sponsors. Chambers are names, sessions a number and the years in the folder's name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from crawlers import archives, tables

_NEED = {
    "bills": ("bill_id", "session_id", "bill_number", "title"),
    "history": ("bill_id", "date", "action"),
    "documents": ("bill_id", "document_type", "url"),
    "sponsors": ("bill_id", "people_id"),
    "people": ("people_id", "name"),
}
_CHAMBERS = {"house": "H", "assembly": "A", "senate": "S"}
_SPECIAL = re.compile(r"(?i)special|extraordinary")
# The chamber's letter and the kind; Michigan's joint resolutions go on with a letter instead of a number.
_LETTERS = re.compile(r"^([A-Z])(JRCA|CR|JR|CA|CM|JM|EO|B|R|M)")


def bills(source: Path) -> Iterator[dict[str, Any]]:
    """Each bill of a dataset in the JSON's form. Raises ValueError when it is none."""
    found: dict[str, list[dict[str, str]]] = {}
    folder = ""
    for path, body in archives.members(source, r"/csv/\w+\.csv$"):
        name = path.rpartition("/")[2].removesuffix(".csv")
        if name in _NEED:
            folder = path
            # Names of columns lose all but letters and digits on the way.
            need = [column.replace("_", "") for column in _NEED[name]]
            found[name] = list(tables.rows(body, need))
    if "bills" not in found:
        raise ValueError("there is no bills.csv in the dataset")
    of = {name: _by_bill(found.get(name, [])) for name in ("history", "documents", "sponsors")}
    people = {row["peopleid"]: row for row in found.get("people", [])}
    for row in found["bills"]:
        yield _bill(row, _session(row, folder), {name: rows[row["billid"]] for name, rows in of.items()}, people)


def _by_bill(rows: list[dict[str, str]]) -> dict[str, list[dict[str, str]]]:
    """Rows by bill, in the order of their sequence or position."""
    grouped = defaultdict(list)
    for row in rows:
        grouped[row["billid"]].append(row)
    for of in grouped.values():
        of.sort(key=lambda row: int(row.get("sequence") or row.get("position") or 0))
    return grouped


def _session(row: Mapping[str, str], path: str) -> dict[str, Any]:
    """What the dataset's folder says of its session: ``MI/2025-2026_103rd_Legislature/csv``."""
    name = path.split("/")[-3]
    found = re.match(r"(\d{4})-(\d{4})_(.+)", name)
    if found is None:
        raise ValueError(f"{name[:60]!r} names no session")
    return {
        "session_id": row["sessionid"],
        "year_start": int(found[1]),
        "year_end": int(found[2]),
        "special": bool(_SPECIAL.search(name)),
        "session_name": found[3].replace("_", " "),
    }


def _bill(
    row: Mapping[str, str],
    session: Mapping[str, Any],
    of: Mapping[str, list[dict[str, str]]],
    people: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    letters = _LETTERS.match(row["billnumber"])
    texts = [_document(d) for d in of["documents"] if d["documenttype"] == "text"]
    others = [_document(d) for d in of["documents"] if d["documenttype"] != "text"]
    members = [(person, at) for at, s in enumerate(of["sponsors"]) if (person := people.get(s["peopleid"]))]
    return {
        "session": session,
        "bill_number": row["billnumber"],
        "bill_type": letters[2] if letters else "",
        "body": letters[1] if letters else "",
        "title": row["title"],
        "description": row.get("description", ""),
        "url": row.get("url") or row.get("statelink", ""),
        "state_link": row.get("statelink", ""),
        "history": [
            {"date": h["date"], "action": h["action"], "chamber": _CHAMBERS.get(h.get("chamber", "").lower(), "")}
            for h in of["history"]
        ],
        "sponsors": [
            {
                "name": person["name"],
                "sponsor_type_id": 2 if at else 1,
                "committee_sponsor": person.get("committeeid", "0") not in ("", "0"),
            }
            for person, at in members
        ],
        "texts": texts,
        "supplements": others,
    }


def _document(row: Mapping[str, str]) -> dict[str, str]:
    words = row.get("documentdesc", "")
    return {
        "type": words,
        "title": words,
        "url": row["url"],
        "state_link": row.get("statelink", ""),
        "mime": row.get("documentmime", ""),
    }
