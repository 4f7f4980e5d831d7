"""The coordinator's way: from the screening log to a randomized participant, and nothing about an arm anywhere."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import world
from tests.journeys.stations import go_to
from trial.core import clock
from trial.core.access import Person
from trial.core.ui.tables import grouped
from trial.participants.actions import record_baseline
from trial.participants.models import Participant, RandomizationRequest
from trial.protocol.models import Team
from trial.protocol.queries import current

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

pytestmark = pytest.mark.journey


@pytest.fixture
def coordinator(live: str, settings: Any) -> Person:
    settings.TASK_SENDER = "trial.config.worlds.stage.send_nothing"
    world.open_trial("imr")
    with world.at_work(world.SETUP):
        team = Team.objects.order_by("code").first()
    assert team is not None
    return world.person(world.make_user("carla", "coordinator", team.site_id))


def screen(page: Page) -> None:
    """A person into the log, and their consent and eligibility."""
    go_to(page, "Screening")
    page.get_by_role("link", name="Screen a person").click()
    page.get_by_label("Team").select_option(index=1)
    page.get_by_label("Month of screening").select_option(index=0)
    page.get_by_role("group", name="Age").get_by_label("30-39").check()
    page.get_by_role("group", name="Sex").get_by_label("Female").check()
    page.get_by_role("button", name="Add to the screening log").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Screening")


def sign_consent(page: Page) -> None:
    today = clock.today()
    for part, value in (("Day", today.day), ("Month", today.month), ("Year", today.year)):
        page.get_by_role("group", name="Date of the signature").get_by_label(part).fill(str(value))
    for choice in page.locator('input[name^="part_"][value="yes"]').all():
        choice.check()
    page.get_by_role("button", name="Record consent").click()


def answer_criteria(page: Page) -> None:
    with world.at_work(world.SETUP):
        criteria = current().criteria
    for c in criteria:
        answer = "yes" if c.kind == "inclusion" else "no"
        page.locator(f'input[name="criterion_{c.code}"][value="{answer}"]').check()
    page.get_by_role("button", name="Record eligibility").click()


def test_from_the_log_to_randomized(
    coordinator: Person, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    page = new_page()
    sign_in(page, "carla")
    check_axe(page)
    screen(page)
    check_axe(page)
    sign_consent(page)
    expect(page.get_by_role("heading", name="1. Consent")).to_contain_text("Done")
    check_axe(page)
    answer_criteria(page)
    expect(page.get_by_role("heading", name="2. Eligibility")).to_contain_text("Done")
    check_axe(page)
    page.get_by_role("button", name="Register participant").click()
    with world.at_work(coordinator):
        participant = Participant.objects.get()
    shown = grouped(participant.number)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Participant {shown}")
    expect(page.get_by_role("link", name="Randomize")).to_have_count(0)
    check_axe(page)
    with world.at_work(world.SETUP):
        record_baseline(participant=Participant.objects.get(), by=world.SETUP)
    page.reload()
    page.get_by_role("link", name=f"Randomize participant {shown}").click()
    expect(page.get_by_text("You will not see the result")).to_be_visible()
    check_axe(page)
    page.get_by_role("button", name=f"Randomize participant {shown}").click()
    expect(page.get_by_text("Randomization was asked for.")).to_be_visible()
    expect(page.get_by_role("link", name="Randomize")).to_have_count(0)
    check_axe(page)
    with world.at_work(world.SETUP):
        request = RandomizationRequest.objects.get()
    world.randomize(request)
    # the page follows by itself; nobody reloads it
    expect(page.get_by_text("The treatment coordinator of this site has been told.")).to_be_visible()
    page.reload()
    check_axe(page)
    with world.at_work(world.SETUP):
        arms = [word.lower() for arm in current().arms for word in (arm.code, arm.name)]
    seen = page.locator("main").inner_text().lower()
    assert not any(f" {word} " in f" {seen} " for word in arms), seen
    for address in ("/participants/", "/participants/screening/"):
        page.goto(address)
        check_axe(page)


def test_a_wrongly_filled_form_keeps_what_was_typed(
    coordinator: Person, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    page = new_page(width="phone")
    sign_in(page, "carla")
    check_axe(page)
    page.goto("/participants/screening/new/")
    page.get_by_role("group", name="Age").get_by_label("40-49").check()
    page.get_by_role("button", name="Add to the screening log").click()
    expect(page).to_have_title("Error: Screen a person – IMR")
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    check_axe(page)
    expect(page.get_by_role("group", name="Age").get_by_label("40-49")).to_be_checked()
    summary.get_by_role("link").filter(has_text="Team").click()
    expect(page.get_by_label("Team")).to_be_focused()
    screen(page)
    page.get_by_role("group", name="Date of the signature").get_by_label("Day").fill("31")
    page.get_by_role("group", name="Date of the signature").get_by_label("Month").fill("2")
    page.get_by_role("group", name="Date of the signature").get_by_label("Year").fill("2026")
    page.get_by_role("button", name="Record consent").click()
    expect(page).to_have_title("Error: Screening – IMR")
    expect(page.get_by_role("group", name="Date of the signature").get_by_label("Day")).to_have_value("31")
    check_axe(page)
    page.locator("[data-error-summary]").get_by_role("link").first.click()
    expect(page.get_by_role("group", name="Date of the signature").get_by_label("Day")).to_be_focused()
