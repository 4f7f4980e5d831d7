"""A plan with looks: the statistician loads and signs it, the investigator signs, the independent statistician countersigns the looks."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests import world
from tests.unit.analysis.plans.test_reading import FILE, FOLDERS

pytestmark = pytest.mark.journey


def test_a_plan_is_loaded_signed_and_countersigned(live: str, new_page: Any, sign_in: Any, check_axe: Any) -> None:
    world.open_trial()
    for name, role in (("stan", "statistician"), ("piet", "investigator"), ("irma", "independent")):
        world.make_user(name, role)
    page = new_page()
    sign_in(page, "stan")
    page.goto("/analysis/plan/")
    check_axe(page)
    page.get_by_role("link", name="Load a version").click()
    check_axe(page)
    page.get_by_label("The plan as TOML").fill("title = 3")
    page.get_by_role("button", name="Load this version").click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    check_axe(page)
    page.get_by_label("The plan as TOML").fill((FOLDERS / "imr-interim" / FILE).read_text())
    page.get_by_role("button", name="Load this version").click()
    expect(page.get_by_text("Not signed yet by:")).to_be_visible()
    check_axe(page)
    for someone, who in ((page, "stan"), (new_page(width="tablet"), "piet")):
        if who == "piet":
            sign_in(someone, who)
            someone.get_by_role("link", name="Sign version 1 of the analysis plan").click()
        someone.get_by_role("link", name="Sign this version").click()
        check_axe(someone)
        someone.get_by_label("Your password").fill(world.PASSWORD)
        someone.get_by_role("button", name="Sign version 1").click()
    expect(someone.get_by_text("Signed. Every result names this version.")).to_be_visible()
    check_axe(someone)
    behind = new_page()
    sign_in(behind, "irma")
    behind.get_by_role("link", name="Analysis plan").first.click()
    behind.get_by_role("link", name="Sign this version").click()
    check_axe(behind)
    behind.get_by_label("Your password").fill(world.PASSWORD)
    behind.get_by_role("button", name="Countersign version 1").click()
    expect(
        behind.get_by_role("row", name="Independent statistician, for the looks").get_by_text("Irma")
    ).to_be_visible()
    check_axe(behind)
    page.goto("/analysis/plan/new/")
    taught = (FOLDERS / "imr-interim" / FILE).read_text()
    page.get_by_label("The plan as TOML").fill(taught.replace("alpha = 0.05", 'change = "A slip."\nalpha = 0.04', 1))
    page.get_by_role("button", name="Load this version").click()
    expect(page.get_by_text("Changes from the version before")).to_be_visible()
    check_axe(page)
    for someone, address in ((page, "/analysis/plan/1/"), (behind, "/unblinded/analysis/plan/1/")):
        someone.goto(address)
        expect(someone.get_by_text("A later version is in force.")).to_be_visible()
        check_axe(someone)
