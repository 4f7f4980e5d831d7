"""Backup: the whole database as one encrypted file, and the proof that it can be restored.

``python -m trial.config.backup backup [FILE]`` and ``... restore FILE [DATABASE]`` are what ``make backup`` and
``make restore`` call. They use the owner's login. The key (``BACKUP_KEY``) is the operator's: it is stored nowhere.
"""
