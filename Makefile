# Equipoise. `make help` says what there is; it needs Python 3.11 or newer and make, nothing else.

PYTHON ?= python3
START := trial/config/supervisor/start.py
BIN := .venv/bin
export PORT VAR TRIAL AT PROTOCOL BACKUP_KEY
# A machine that keeps Python from writing compiled modules would pay seconds at each start of each process.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo run manage check style types suite test proof parity bench backup restore browser
.DEFAULT_GOAL := help

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

install: ## Install the locked packages into .venv
	@$(PYTHON) $(START) --with-parent install

demo: ## Start a demo world (PORT=8000 VAR=./var TRIAL=imr|imr-interim|btheb AT=end)
	@$(PYTHON) $(START) --with-parent demo

run: ## Start your own trial (PROTOCOL=folder PORT=8000 VAR=./var)
	@$(PYTHON) $(START) --with-parent run

manage: install ## One maintenance command on a world (DO="verify_history" TRIAL=a demo)
	@$(BIN)/python -m trial.config.supervisor.manage "$(DO)"

check: style types ## Style, types, import rules, missing migrations

style: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	DATABASE_URL= DJANGO_SETTINGS_MODULE=trial.config.settings $(BIN)/python manage.py makemigrations --check --dry-run

types: install
	$(BIN)/mypy

suite: install
	MAKEFLAGS= OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal -m "not proof and not bench and not parity"

# What takes seconds comes first; then the types beside the tests, since they keep one processor busy and leave the other idle.
test: install browser style ## Everything that must hold before a change goes in
	@$(MAKE) --no-print-directory -j 2 types suite

proof: install browser ## The long runs: recovery, power, many worlds
	$(BIN)/pytest -n 2 -m proof

parity: install ## Run the downloaded programs in R (needs R with lme4, lmerTest, pbkrtest, emmeans, nlme, jsonlite)
	@command -v Rscript > /dev/null || { echo "R is not installed: no command Rscript." >&2; exit 1; }
	$(BIN)/pytest -n 0 -m parity

bench: install ## Times of the paths that people wait for
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 0 -q -s -m bench tests/benchmarks

backup: install ## One encrypted file of the database (BACKUP_KEY=... FILE=name TRIAL=a demo)
	@$(BIN)/python -m trial.config.backup backup "$(FILE)"

restore: install ## Restore FILE=... into a new database and compare (BACKUP_KEY=... INTO=name)
	@$(BIN)/python -m trial.config.backup restore "$(FILE)" "$(INTO)"

# The journeys drive a real browser. They are never skipped: without one, say at once what to type.
browser: install
	@$(BIN)/python -m trial.config.supervisor.browser
