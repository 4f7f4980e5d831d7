"""The manual has a page for each role, and every picture and link in it is there."""

import re
from pathlib import Path

import pytest

from trial.core.access.roles import ALL

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "manual"
PAGES = sorted(MANUAL.glob("*.md"))


def test_each_role_has_a_page_and_the_index_leads_there() -> None:
    index = (MANUAL / "README.md").read_text()
    for role in ALL:
        assert (MANUAL / f"{role.code}.md").exists(), role.code
        assert f"({role.code}.md)" in index, role.code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    assert [target for target in targets if not (MANUAL / target).exists()] == []


def test_no_picture_is_left_over() -> None:
    used = {name for page in PAGES for name in re.findall(r"\(pictures/([^)]+)\)", page.read_text())}
    assert {picture.name for picture in (MANUAL / "pictures").glob("*.png")} == used
