"""Starts, watches and stops everything that Equipoise needs on one machine: database, broker, workers, web.

``python -m trial.config.supervisor demo|run`` is what ``make demo`` and ``make run`` call. The two servers can be
used alone: ``postgres.EmbeddedPostgres`` and ``valkey.EmbeddedValkey`` carry the test suite too.

Nothing in this package imports Django: it must work before, beside and after the application.
"""
