# Equipoise. `make help` says what there is; it needs Python 3.11 or newer and make, nothing else.

PYTHON ?= python3
START := trial/config/supervisor/start.py
BIN := .venv/bin
export PORT VAR TRIAL AT PROTOCOL BACKUP_KEY

.PHONY: help install demo run manage check test proof bench backup restore browser
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

check: install ## Style, types, import rules, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DATABASE_URL= DJANGO_SETTINGS_MODULE=trial.config.settings $(BIN)/python manage.py makemigrations --check --dry-run

test: install browser check ## Everything that must hold before a change goes in
	$(BIN)/pytest -n 2 --dist worksteal -m "not proof and not bench"

proof: install browser ## The long runs: recovery, power, many worlds
	$(BIN)/pytest -n 2 -m proof

bench: install ## Times of the paths that people wait for
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n 0 -q -s -m bench tests/benchmarks

backup: install ## One encrypted file of the database (BACKUP_KEY=... FILE=name TRIAL=a demo)
	@$(BIN)/python -m trial.config.backup backup "$(FILE)"

restore: install ## Restore FILE=... into a new database and compare (BACKUP_KEY=... INTO=name)
	@$(BIN)/python -m trial.config.backup restore "$(FILE)" "$(INTO)"

# The journeys drive a real browser. They are never skipped: without one, say at once what to type.
browser: install
	@$(BIN)/python -m trial.config.supervisor.browser
