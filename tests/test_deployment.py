"""Deployment files say what is so: commands, settings and paths that exist, and the precautions that we promise."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from tracker.cli import build
from tracker.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return found


def check_command(words: list[str]) -> None:
    commands: Any = get_command(build())
    command = commands.commands[words[0]]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_compose_has_every_part_and_its_precautions() -> None:
    file = compose()
    services = file["services"]
    assert {"web", "clock", "worker", "database", "mail"} == set(services)
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert ":" in service["image"] or service.get("build"), f"{name}: an image without a version"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the world"
        assert set(service.get("depends_on", {})) <= set(services)
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in file["volumes"]
    for name in ("web", "clock", "worker"):
        check_command(services[name]["command"])
        assert services[name]["read_only"] and services[name]["cap_drop"] == ["ALL"]
        build_ = services[name]["build"]
        assert (DEPLOY / build_["context"] / build_["dockerfile"]).is_file()
    assert "deploy" not in services["clock"], "there is one clock"


def test_the_environment_has_settings_that_exist() -> None:
    lines = (DEPLOY / "env.example").read_text("utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    names = {name.removeprefix("BILLTRACKER_").lower() for name in given if name.startswith("BILLTRACKER_")}
    assert names <= set(Settings.model_fields)
    for name, value in given.items():
        if value.startswith("["):
            assert json.loads(value), name
    assert not any(given[name] for name in given if re.search("PASSWORD|SECRET|TOKEN", name)), "no secret in an example"


def test_the_image_is_built_from_what_is_there() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    instructions = [line for line in re.sub(r"\\\n", " ", text).splitlines() if line and not line.startswith("#")]
    names = {line.split()[0] for line in instructions}
    known = {"FROM", "ENV", "RUN", "WORKDIR", "COPY", "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"}
    assert names <= known
    for line in instructions:
        words = line.split()
        if words[0] == "COPY" and not words[1].startswith("--from"):
            assert all((ROOT / word).exists() for word in words[1:-1] if not word.startswith("--")), line
        if words[0] == "FROM":
            assert re.fullmatch(r"python:3\.\d+-slim-\w+", words[1]), "a version, not latest"
        if words[0] == "RUN" and "apt-get install" in line:
            assert "--no-install-recommends" in line and "rm -rf /var/lib/apt/lists" in line
    last = [line.split()[1] for line in instructions if line.startswith("USER")][-1]
    assert last.isdecimal() and int(last) > 1000, "not as root"
    packages = re.findall(r'packages = \["crawlers".*\]', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert packages and all(f"COPY {name} " in text for name in json.loads(packages[0].split("= ")[1]))
    entry = json.loads(next(line for line in instructions if line.startswith("ENTRYPOINT")).split(" ", 1)[1])
    command = json.loads(next(line for line in instructions if line.startswith("CMD")).split(" ", 1)[1])
    assert entry == ["billtracker"]
    check_command(command)
    assert re.search(r"uv==([\d.]+)", text)[1] in (ROOT / "Makefile").read_text("utf-8")  # type: ignore[index]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_run_commands_that_exist_with_little_power(unit: Path) -> None:
    file = configparser.ConfigParser(strict=False, interpolation=None)
    file.optionxform = str  # type: ignore[assignment,method-assign]
    file.read_string(unit.read_text("utf-8"))
    service = file["Service"]
    program, *words = service["ExecStart"].split()
    assert program.endswith("/.venv/bin/billtracker")
    check_command(words)
    assert service["NoNewPrivileges"] == "yes" and service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == "" and service["User"] == "billtracker"
    assert file["Install"]["WantedBy"] == "multi-user.target"


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_itself_finds_no_unknown_word(unit: Path) -> None:
    program = shutil.which("systemd-analyze")
    if not program:
        pytest.skip("systemd-analyze is not on this machine")
    done = subprocess.run([program, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "Unknown" not in done.stderr, done.stderr
