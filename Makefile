# Two commands from a clean clone: `make run` and `make test`.
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
VENV := .venv/bin
SYNC := .venv/.synced
# Commands start as processes of their own: without kept bytecode each would compile every library again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test test-slow style check format docs bench clean

# The main job: `make run`, `make run REPLAY=../shared/recordings`, `make run CODES="va us"`.
run: $(SYNC)
	$(VENV)/billtracker run $(CODES) $(if $(REPLAY),--replay $(REPLAY))

test: $(SYNC)
	$(VENV)/python -m pytest -n 2 --dist worksteal -m "not slow"

# The long proofs, training a model included (some minutes).
test-slow: $(SYNC)
	$(VENV)/python -m pytest -n 2 --dist worksteal -m slow

# Style, types, directions.
style: $(SYNC)
	$(VENV)/ruff format --check .
	$(VENV)/ruff check .
	$(VENV)/mypy
	$(VENV)/lint-imports

# Quick: style and the fast tests.
check: style
	$(VENV)/python -m pytest -n 2 --dist worksteal -m "not slow and not browser"

format: $(SYNC)
	$(VENV)/ruff format .
	$(VENV)/ruff check --fix .

# The reference pages, from the code.
docs: $(SYNC)
	$(VENV)/python -m tracker.reference

# Numbers to show; needs the corpus beside the repository.
bench: $(SYNC)
	$(VENV)/python benchmarks/ingest.py ../shared/corpus/bills-2025-2026.jsonl.gz

$(SYNC): pyproject.toml uv.lock | uv
	$(UV) sync --frozen --all-groups
	@touch $(SYNC)

# uv from the package index, into a folder of its own, when the machine has none.
.PHONY: uv
uv:
	@command -v $(UV) >/dev/null || { \
	  python3 -m venv .uv 2>/dev/null && .uv/bin/python -m pip install -q uv==$(UV_VERSION) \
	  || { rm -rf .uv; python3 -m pip install -q --target .uv uv==$(UV_VERSION); } \
	  || { echo "billtracker needs uv: install it, or Debian's python3-venv or python3-pip" >&2; exit 1; } ; }

clean:
	rm -rf .venv .uv .mypy_cache .ruff_cache .hypothesis
