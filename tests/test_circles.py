"""No module needs itself by way of others: directions inside the packages, which import-linter's layers do not see."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("crawlers", "tracker", "alerts")


def modules(root: Path) -> dict[str, Path]:
    """Every module's file, by its name."""
    found = {}
    for package in PACKAGES:
        for path in (root / package).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root: Path) -> dict[str, set[str]]:
    """What each module imports of our own, within functions and for types, too."""
    known = modules(root)
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        needed = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                needed |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                needed |= (inner & known.keys()) or {node.module}
        graph[name] = (needed & known.keys()) - {name}
    return graph


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle, if there is any."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_needs_itself() -> None:
    assert circle(imports(ROOT)) == []


def test_a_circle_is_found_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "tracker").mkdir()
    (tmp_path / "tracker" / "one.py").write_text("from tracker import two\n")
    (tmp_path / "tracker" / "two.py").write_text("def late():\n    from tracker.one import x\n")
    assert set(circle(imports(tmp_path))) == {"tracker.one", "tracker.two"}
