"""Pure statistics: numpy, scipy, pandas, statsmodels, formulaic; no Django, no Celery, no database.

Everything here takes data and a specification and returns frozen results. Nothing is printed, logged or translated: what a
reader has to be told is a `Problem`, a code with its data; `words` has the sentence for each code. The same methods run from a
worker, from Python and from the command line (`python -m analysis.methods`).
"""
