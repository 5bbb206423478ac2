"""The API keeps to its own description: schemathesis asks a live server what the schema allows, and more."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from sqlalchemy import Engine

from tests.tracker import analysts
from tests.tracker.web.conftest import Serve
from tracker.api_keys import add_key
from tracker.db import writing

# Not: "what the schema allows is taken". That a list needs a jurisdiction or words cannot be said in a schema.
CHECKED = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]


@pytest.fixture
def key(engine: Engine) -> str:
    analysts.fill(engine)
    with writing(engine) as connection:
        return add_key(connection, "schemathesis", now=analysts.NOW, per_minute=1_000_000, per_day=1_000_000)


@pytest.fixture
def described(engine: Engine, serve: Serve, key: str) -> Any:
    return schemathesis.openapi.from_url(f"{serve(engine)}/openapi.json")


def ask(described: Any, key: str, examples: int) -> None:
    asked = 0
    for result in described.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            case.call_and_validate(headers={"X-API-KEY": key}, checks=CHECKED)

        check()
        asked += 1
    assert asked == 12


def test_the_schema_is_kept(described: Any, key: str) -> None:
    ask(described, key, 6)


@pytest.mark.slow
def test_the_schema_is_kept_whatever_is_asked(described: Any, key: str) -> None:
    ask(described, key, 150)
