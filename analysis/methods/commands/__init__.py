"""The commands of the command line, one module each: ``NAME``, ``HELP``, ``arguments(parser)`` and ``run(given)``, the exit status."""
