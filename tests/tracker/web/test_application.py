"""The app as a whole: it starts from the command line, guards every reply, and says errors plainly."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from tests.tracker import analysts
from tests.tracker.web.conftest import Serve
from tracker.cli import build


def test_the_command_serves_on_a_free_port(tmp_path: Path, var: Path) -> None:
    env = {**os.environ, "BILLTRACKER_HOME": str(var), "BILLTRACKER_DATABASE_URL": ""}
    command = [Path(sys.executable).with_name("billtracker"), "serve", "--port", "0"]
    with subprocess.Popen(command, env=env, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            address = next(
                found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line))
            )
            reply = httpx.get(f"{address}/healthz", timeout=10)
            assert reply.status_code == 200 and reply.json() == {"status": "ok"}
            httpx.get(f"{address}/bills?apikey=secret-1")
            httpx.get(f"{address}/unsubscribe/secret-2")
        finally:
            process.terminate()
            said = process.stderr.read()
    assert "secret" not in said
    assert process.returncode in (0, -15)


def test_a_port_that_is_taken_is_said(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLTRACKER_HOME", str(var))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = CliRunner().invoke(build(), ["serve", "--port", str(taken.getsockname()[1])])
    assert done.exit_code == 2 and done.stderr.count("\n") == 1 and "choose another --port" in done.stderr


def test_every_reply_is_guarded(engine: Engine, serve: Serve) -> None:
    analysts.load(engine)
    with httpx.Client(base_url=serve(engine, public_url="https://bills.example")) as web:
        for address in ("/healthz", "/static/style.css", "/nothing", "/bills/nothing/at/all/here", "/unsubscribe/x"):
            reply = web.get(address)
            policy = reply.headers["content-security-policy"]
            assert "'unsafe" not in policy and "default-src 'none'" in policy, address
            assert reply.headers["x-content-type-options"] == "nosniff"
            assert reply.headers["strict-transport-security"] and "server" not in reply.headers
            assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", reply.text), address


def test_errors_are_pages_for_people_and_json_for_programs(sqlite: Engine, serve: Serve) -> None:
    with httpx.Client(base_url=serve(sqlite)) as web:
        page = web.get("/nothing<script>")
        assert page.status_code == 404 and page.headers["content-type"].startswith("text/html")
        assert "<h1>Not Found</h1>" in page.text and "<script>" not in page.text
        assert "strict-transport-security" not in page.headers
        program = web.get("/api/v3/nothing")
        assert program.status_code == 404 and program.json() == {"detail": "Not Found"}


def test_requests_have_a_size(sqlite: Engine, serve: Serve) -> None:
    with httpx.Client(base_url=serve(sqlite)) as web:
        assert web.get("/healthz", params={"q": "x" * 40_000}).status_code == 414
        assert web.post("/unsubscribe/x", content=b"x" * 300_000).status_code == 413
        form = {"content-type": "application/x-www-form-urlencoded"}
        assert web.post("/unsubscribe/x", content=(b"x" * 60_000 for _ in range(6)), headers=form).status_code == 413
        head = web.head("/healthz")
        assert head.status_code == 200 and head.content == b""


def test_the_reference_has_every_address(sqlite: Engine, serve: Serve) -> None:
    with httpx.Client(base_url=serve(sqlite)) as web:
        # long addresses may break after a slash; a reader who copies one gets it whole
        page = web.get("/docs").text.replace("<wbr>", "")
        schema = web.get("/openapi.json").json()
        assert len(schema["paths"]) == 12
        for path, methods in schema["paths"].items():
            assert f">GET {path}</code>" in page
            for parameter in methods["get"].get("parameters", []):
                assert f"<code>{parameter['name']}" in page
        assert "tax_credits" in page and "latest_action_desc" in page
        # Every address under its other name says where it is.
        assert web.get("/api/v3/openapi.json").json()["servers"] == [{"url": "/api/v3"}]
        assert "servers" not in web.get("/openapi.json").json()
