"""What was taken from others is what VENDORED.toml says, and the first page stays light."""

import gzip
import re
import tomllib
from hashlib import sha256
from pathlib import Path

STATIC = Path(__file__).resolve().parents[4] / "trial" / "core" / "static"
VENDOR = STATIC / "vendor"
FIRST_PAGE = [
    "vendor/tabler/1.6.1/tabler.min.css",
    "vendor/htmx/2.0.11/htmx.min.js",
    "vendor/icons/3.51.0/icons.svg",
    "equipoise.css",
]
LIMIT = 150_000


def test_every_vendored_file_is_recorded_and_unchanged() -> None:
    recorded = tomllib.loads((VENDOR / "VENDORED.toml").read_text())
    found = {
        path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file() and path.suffix != ".gz"
    }
    expected = {"VENDORED.toml"}
    for name, package in recorded.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"])
        assert "LICENSE" in package["sha256"]
        for file, digest in package["sha256"].items():
            path = VENDOR / name / package["version"] / file
            expected.add(path.relative_to(VENDOR).as_posix())
            assert sha256(path.read_bytes()).hexdigest() == digest, path
    assert found == expected


def test_compressed_twins_hold_the_same() -> None:
    twins = list(VENDOR.rglob("*.gz"))
    assert len(twins) == 6
    for twin in twins:
        assert gzip.decompress(twin.read_bytes()) == twin.with_suffix("").read_bytes(), twin


def test_the_first_page_is_light() -> None:
    files = [STATIC / name for name in FIRST_PAGE] + list((STATIC / "js").glob("*.js"))
    page = 12_000  # a long first page of work, compressed
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) + page < LIMIT


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs_inline() -> None:
    root = STATIC.parents[2]
    for path in [*(root / "templates").rglob("*.html"), *(STATIC / "js").glob("*.js"), STATIC / "equipoise.css"]:
        text = path.read_text()
        assert not re.search(r"https?://(?!www\.w3\.org)", text), path
        assert not re.search(r"""<[^>]*\sstyle\s*=\s*["']""", text), path
        assert not re.search(r"""<[^>]*\son[a-z]+\s*=\s*["']""", text), path
        assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text), path
        # the report of the leakcheck is a file by itself, which no server sends
        assert path.name == "leakcheck.html" or not re.search(r"<style\b", text), path
