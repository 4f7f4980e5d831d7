"""Two fidelity raters, each by themselves, and their consensus."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import world
from tests.treatment import HERE, Treatment
from trial.core import clock
from trial.unblinded.sessions import actions
from trial.unblinded.sessions.models import FidelityConsensus

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def trial(live: str, settings: Any) -> Treatment:
    """A group that has closed, so that it is to be rated."""
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    trial = Treatment()
    group = trial.group(opened_on=clock.today())
    for person in trial.of_arm("imr"):
        trial.place(group, person, clock.today())
    trial.record(group, clock.today(), dict.fromkeys(trial.of_arm("imr"), HERE))
    with trial.at_work("thea") as by:
        actions.close_group(group=group, closed_on=clock.today(), by=by)
    return trial


def rate(page: Page, keys: str, check_axe: CheckAxe) -> None:
    page.get_by_role("link", name="Rate group R1-A IMR Fidelity Scale").click()
    expect(page.get_by_text("Nobody has begun")).to_have_count(0 if keys[0] == "5" else 1)
    check_axe(page)
    page.get_by_role("link", name="Rate the group").click()
    page.locator("input[name=item_fid01]").first.focus()
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("[data-scale-done]")).to_have_text("13")
    check_axe(page)
    page.get_by_role("button", name="Save the rating").click()
    check_axe(page)
    page.get_by_label("Your password").fill(world.PASSWORD)
    page.get_by_role("button", name="Sign the rating").click()
    expect(page.get_by_role("table", name="Raters")).to_contain_text("Signed")
    check_axe(page)


def test_from_two_ratings_to_one_score(
    trial: Treatment, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    fay, finn = new_page(), new_page(width="tablet")
    sign_in(fay, "fay")
    check_axe(fay)
    rate(fay, "4555355555322", check_axe)
    expect(fay.get_by_text("Ratings are shown to others when all raters have signed.")).to_be_visible()
    sign_in(finn, "finn")
    rate(finn, "5555355555422", check_axe)
    finn.get_by_role("link", name="Reach consensus").click()
    expect(finn.get_by_text("You agree on 11 of 13 items.")).to_be_visible()
    finn.locator("input[name=item_fid01][value='5']").check()
    finn.locator("input[name=item_fid11][value='3']").check()
    check_axe(finn)
    finn.get_by_label("Your password").fill(world.PASSWORD)
    finn.get_by_role("button", name="Sign the consensus").click()
    expect(finn.get_by_text("4.23", exact=True)).to_be_visible()
    check_axe(finn)
    fay.goto("/unblinded/")
    expect(fay.get_by_text("IMR Fidelity Scale: 4.23 in 1 group.")).to_be_visible()
    check_axe(fay)
    with trial.at_work():
        assert FidelityConsensus.objects.get().band == "high"
