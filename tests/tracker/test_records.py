"""The contract: one spelling, one id, errors that name the place."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.records import BillRecord, RecordError, normalise_identifier, ocd_bill_id, parse_record

BILL = {
    "jurisdiction": "tx",
    "legislative_session": "89R",
    "identifier": "hb0120",
    "title": " A bill  relating to\napprenticeships ",
    "actions": [{"date": "2025-01-14", "description": "Filed", "chamber": "lower"}],
}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("hb0012", "HB 12"),
        ("H.B. 12", "HB 12"),
        ("LR1CA", "LR 1CA"),
        ("HB26-1001", "HB 26-1001"),
        ("HJRES 12", "HJRES 12"),
        ("S 00", "S 0"),
        ("AB 1 (2nd)", "AB 1 (2ND)"),
        ("Special  Call", "SPECIAL CALL"),
        ("\x00hb 7", "HB 7"),
    ],
)
def test_one_spelling(raw: str, expected: str) -> None:
    assert normalise_identifier(raw) == expected


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(raw: str) -> None:
    once = normalise_identifier(raw)
    assert normalise_identifier(once) == once


def test_a_record_is_cleaned_and_has_a_lasting_id() -> None:
    record = parse_record(BILL)
    assert record.key == "tx/89R/HB 120"
    assert record.title == "A bill relating to apprenticeships"
    assert record.id == ocd_bill_id("tx", "89R", "HB 120") == "ocd-bill/56e7e1a7-27ab-5ba9-a39d-71471fccb953"
    assert parse_record(record.model_dump(mode="json")).content_hash() == record.content_hash()
    assert BillRecord.model_validate_json(record.to_line()) == record


@pytest.mark.parametrize(
    ("field", "value", "where", "says"),
    [
        ("jurisdiction", "Texas", "jurisdiction", "pattern"),
        ("title", "  ", "title", "is empty"),
        ("title", None, "title", "valid string"),
        ("identifier", "", "identifier", "at least 1"),
        ("actions", [{"date": "14.1.2025", "description": "x"}], "actions.0.date", "ISO date"),
        ("actions", [{"date": "0025-01-14", "description": "x"}], "actions.0.date", "year 25"),
        (
            "actions",
            [{"date": "2025-01-14T23:00:00+00:00", "description": "x"}],
            "actions.0.date",
            "time zone",
        ),
        ("actions", [{"date": "", "description": "x"}], "actions.0.date", "empty"),
        ("sources", [{"url": "javascript:alert(1)"}], "sources.0.url", "address"),
        ("versions", [{"links": [{"url": "file:///etc/passwd"}]}], "versions.0.links.0.url", "address"),
        ("colour", "red", "colour", "Extra"),
    ],
)
def test_errors_name_jurisdiction_bill_and_field(field: str, value: object, where: str, says: str) -> None:
    with pytest.raises(RecordError) as caught:
        parse_record({**BILL, field: value})
    assert caught.value.field == where
    assert says in caught.value.problem
    if field not in ("jurisdiction", "identifier"):
        assert "tx hb0120" in str(caught.value)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_anything_else_is_refused_with_a_reason(data: object) -> None:
    with pytest.raises(RecordError):
        parse_record(data)


def test_dates_of_any_kind_become_days() -> None:
    action = {"date": dt.date(2025, 1, 14), "description": "Filed"}
    assert parse_record({**BILL, "actions": [action]}).actions[0].date == "2025-01-14"
    action = {"date": "2025-01-14T23:00:00", "description": "Filed"}
    assert parse_record({**BILL, "actions": [action]}).actions[0].date == "2025-01-14"
