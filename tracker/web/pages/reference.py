"""The API's reference as a page: every address with its parameters, from the same description that programs read."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tracker.web.templating import page

router = APIRouter()


class Parameter(NamedTuple):
    """One parameter as people read it."""

    name: str
    kind: str
    about: str


@router.get("/docs")
def reference(request: Request) -> Response:
    """Addresses, what they answer, and what they take."""
    schema = request.app.openapi()
    operations = [
        {
            "path": path,
            "about": operation.get("description", ""),
            "parameters": [_parameter(given, schema) for given in operation.get("parameters", [])],
        }
        for path, methods in schema["paths"].items()
        for operation in methods.values()
    ]
    about = schema["info"]["description"]
    return page(request, "reference.html", title="The API", current="/docs", about=about, operations=operations)


def _parameter(given: dict[str, Any], schema: dict[str, Any]) -> Parameter:
    kind, choices, many = _kind(given["schema"], schema)
    about = given.get("description", "").rstrip(".")
    if choices:
        shown = ", ".join(choices[:40])
        about = f"{about}: {shown}" if about else shown
    notes = [kind, *(["needed"] if given.get("required") else []), *(["repeatable"] if many else [])]
    return Parameter(given["name"], ", ".join(notes), about)


def _kind(given: dict[str, Any], schema: dict[str, Any]) -> tuple[str, list[str], bool]:
    """The type's name, its values where it is a list of them, and whether it may be repeated."""
    if "$ref" in given:
        given = schema["components"]["schemas"][given["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in given:
        return _kind(next(one for one in given["anyOf"] if one.get("type") != "null"), schema)
    if given.get("type") == "array":
        kind, choices, _ = _kind(given["items"], schema)
        return kind, choices, True
    return str(given.get("type", "")), [str(value) for value in given.get("enum", [])], False
