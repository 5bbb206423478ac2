"""Any question, with any filters, has the same answer on SQLite, on PostgreSQL and by reading every bill."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.tracker import analysts
from tracker import query as q
from tracker.db import make_engine, reading, upgrade
from tracker.query import And, Identifier, Node, Not, Or, Phrase, Prefix, Word
from tracker.search import Query, QueryError, facets, search
from tracker.search_index import catch_up
from tracker.words import words

VOCABULARY = [
    "tax",
    "taxes",
    "credit",
    "Credits",
    "school",
    "schools’",
    "apprentice",
    "policy",
    "policies",
    "of",
    "the",
]
STATES = ["tx", "oh", "va"]
STAGES = ["introduced", "in_committee"]


def _records() -> list[dict[str, Any]]:
    chance = random.Random(6)  # noqa: S311
    records = []
    for number in range(1, 61):
        code = chance.choice(STATES)
        record = analysts.bill(
            code,
            {"tx": "89R", "oh": "136", "va": "2026"}[code],
            f"{chance.choice(['HB', 'SB'])} {number}",
            " ".join(chance.choices(VOCABULARY, k=chance.randint(1, 8))),
            day=f"2026-0{chance.randint(1, 3)}-{chance.randint(1, 28):02}",
            abstracts=[{"abstract": " ".join(chance.choices(VOCABULARY, k=9))}] if number % 3 else [],
            sponsorships=[{"name": chance.choice(["Carol Smith", "John Smith", "Carol Jones"])}],
        )
        if number % 4 == 0:
            record["actions"].append({**record["actions"][0], "description": "Referred to Committee on Education"})
        records.append(record)
    return records


RECORDS = _records()
TEXTS = {r["identifier"]: " ".join(random.Random(n).choices(VOCABULARY, k=40)) for n, r in enumerate(RECORDS) if n % 2}  # noqa: S311


@dataclass
class Both:
    """The same bills in two databases."""

    sqlite: Engine
    postgres: Engine


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[Both]:
    """Both databases, filled once."""
    folder: Path = tmp_path_factory.mktemp("both")
    admin = make_engine(postgres_server)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE DATABASE property")
    admin.dispose()
    made = Both(
        make_engine(f"sqlite:///{folder / 'property.db'}"),
        make_engine(postgres_server.replace("/postgres?", "/property?")),
    )
    for engine in (made.sqlite, made.postgres):
        upgrade(engine)
        analysts.load(engine, RECORDS)
        for identifier, text in TEXTS.items():
            analysts.add_text(engine, identifier, text)
        analysts.tag(engine)
        catch_up(engine)
    yield made
    made.sqlite.dispose()
    made.postgres.dispose()


_word = st.sampled_from([*VOCABULARY[:9], "nothing"])
_leaf = st.one_of(
    _word,
    st.lists(_word, min_size=2, max_size=4).map(lambda forms: f'"{" ".join(forms)}"'),
    st.sampled_from(["ta*", "polic*", "app*", "cre*", "HB 12", "sb-7", "h.b. 0021", "tx/89R/HB 1"]),
)
_question = st.recursive(
    _leaf,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"{two[0]} {two[1]}"),
        st.tuples(inner, inner).map(lambda two: f"({two[0]} OR {two[1]})"),
        inner.map(lambda one: f"-({one})"),
    ),
    max_leaves=5,
)
_filters = st.fixed_dictionaries(
    {},
    optional={
        "states": st.lists(st.sampled_from(STATES), min_size=1, max_size=2),
        "stages": st.lists(st.sampled_from(STAGES), min_size=1, max_size=1),
        "chambers": st.just(["upper"]),
        "sponsors": st.just(["smith carol"]),
        "strategies": st.just(["tax_credits"]),
    },
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=_question, chosen=_filters, sort=st.sampled_from(["ranked", "newest"]))
def test_both_databases_agree_with_each_other_and_with_reading(
    both: Both, question: str, chosen: dict[str, Any], sort: str
) -> None:
    asked = Query(question, **chosen, sort=sort, limit=100)
    answers = []
    for engine in (both.sqlite, both.postgres):
        with reading(engine) as connection:
            try:
                found = search(connection, asked)
            except QueryError as error:
                answers.append(str(error))
                continue
            marked = [(h.key, h.score, h.marked_title, h.snippet) for h in found.hits]
            answers.append((marked, found.total, found.note, facets(connection, asked)))
    assert answers[0] == answers[1]
    if not isinstance(answers[0], str) and "strategies" not in chosen:
        assert {row[0] for row in answers[0][0]} == {
            key for key in map(_key, RECORDS) if _expected(key, question, chosen)
        }


def _key(record: dict[str, Any]) -> str:
    return f"{record['jurisdiction']}/{record['legislative_session']}/{record['identifier']}"


BY_KEY = {_key(record): record for record in RECORDS}


def _expected(key: str, question: str, chosen: dict[str, Any]) -> bool:
    record = BY_KEY[key]
    filters = {
        "states": lambda values: record["jurisdiction"] in values,
        "stages": lambda values: ("in_committee" if len(record["actions"]) > 1 else "introduced") in values,
        "chambers": lambda values: record["chamber"] in values,
        "sponsors": lambda values: record["sponsorships"][0]["name"] == "Carol Smith",
    }
    if not all(filters[name](values) for name, values in chosen.items()):
        return False
    tree = q.parse(question)
    if tree is None:
        return True
    tree = q.resolve(tree, lambda node: any(r["identifier"] == node.identifier for r in RECORDS))
    fields = [
        record["title"],
        *(a["abstract"] for a in record.get("abstracts", [])),
        TEXTS.get(record["identifier"], ""),
    ]
    return _matches(tree, record, [words(text) for text in fields])


def _matches(node: Node, record: dict[str, Any], fields: list[list[str]]) -> bool:
    match node:
        case Word(form):
            return any(form in forms for forms in fields)
        case Prefix(start, also):
            return any(form.startswith(start) or form in also for forms in fields for form in forms)
        case Phrase(forms):
            return any(
                tuple(have[at : at + len(forms)]) == forms
                for have in fields
                for at in range(len(have) - len(forms) + 1)
            )
        case Identifier(identifier, _, place):
            here = (record["jurisdiction"], record["legislative_session"])
            return record["identifier"] == identifier and place in (None, here)
        case Not(part):
            return not _matches(part, record, fields)
        case And(parts):
            return all(_matches(part, record, fields) for part in parts)
        case Or(parts):
            return any(_matches(part, record, fields) for part in parts)
    raise AssertionError(node)
