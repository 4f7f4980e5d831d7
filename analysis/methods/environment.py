"""Which code and which packages computed a result, as hashes that change when they do."""

from __future__ import annotations

import functools
import platform
from importlib import metadata
from pathlib import Path

from .canonical import digest, encode

PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "formulaic")


@functools.cache
def environment() -> dict[str, str]:
    """Versions of Python and of every package that computes, and the machine type (last digits differ between CPU types)."""
    found = {name: metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "machine": platform.machine(), **found}


@functools.cache
def environment_hash() -> str:
    """SHA-256 of `environment()`."""
    return digest(encode(environment()))


@functools.cache
def code_hash() -> str:
    """SHA-256 over the source of this package: file names in order, each with its content."""
    root = Path(__file__).parent
    files = sorted(root.rglob("*.py"), key=lambda path: path.relative_to(root).as_posix())
    return digest(encode([[path.relative_to(root).as_posix(), digest(path.read_bytes())] for path in files]))
