"""The administrators' way: setting up a trial, an account, a role that takes two persons, one's own password."""

from collections.abc import Callable

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from tests import world
from tests.journeys.stations import go_to, station

NewPage = Callable[..., Page]
SignIn = Callable[..., None]
CheckAxe = Callable[[Page], None]

GOOD = "a long enough passphrase"
pytestmark = pytest.mark.journey


@pytest.mark.parametrize(("width", "dark"), [("desk", False), ("phone", True)])
def test_the_first_administrators_set_up_a_trial(
    width: str, dark: bool, new_page: NewPage, check_axe: CheckAxe, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("first_administrator_token")
    token = capsys.readouterr().out.strip()
    page = new_page(width=width, dark=dark)
    page.goto("/unblinded/setup/")
    check_axe(page)
    page.get_by_label("One-time token").fill("not the token")
    for which, name in (("first", "ada"), ("second", "bea")):
        page.get_by_label(f"Full name of the {which} administrator").fill(name.title())
        page.get_by_label(f"User name of the {which} administrator").fill(name)
        page.get_by_label(f"Password of the {which} administrator").fill(GOOD if which == "first" else GOOD + " too")
    page.get_by_role("button", name="Make both administrators").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("This is not the token")
    check_axe(page)
    page.get_by_label("One-time token").fill(token)
    for which in ("first", "second"):
        page.get_by_label(f"Password of the {which} administrator").fill(GOOD if which == "first" else GOOD + " too")
    page.get_by_role("button", name="Make both administrators").click()
    expect(page.get_by_text("Both administrators exist.")).to_be_visible()
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(GOOD)
    page.get_by_role("button", name="Sign in").click()
    expect(station(page, "Accounts")).to_be_visible()
    assert page.goto("/unblinded/setup/").status == 404  # type: ignore[union-attr]


@pytest.mark.parametrize(("width", "dark"), [("tablet", True), ("phone", False)])
def test_a_role_behind_the_wall_takes_two_persons(
    width: str, dark: bool, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe
) -> None:
    world.open_trial()
    world.make_user("ada", "admin")
    world.make_user("bea", "admin")
    world.make_user("carla", "coordinator", "rotterdam")
    first, second = new_page(width=width, dark=dark), new_page(width=width, dark=dark)
    sign_in(first, "ada")
    check_axe(first)
    go_to(first, "Accounts")
    check_axe(first)
    first.get_by_role("link", name="Make account").click()
    first.get_by_label("Full name").fill("Thea Treatment")
    first.get_by_label("User name").fill("thea")
    first.get_by_label("First password").fill(GOOD)
    check_axe(first)
    first.get_by_role("button", name="Make account").click()
    first.get_by_role("combobox", name="Role").select_option("treatment")
    first.get_by_role("button", name="Give role").click()
    expect(first.locator("[data-error-summary]")).to_contain_text("belongs to a site")
    check_axe(first)
    first.get_by_role("combobox", name="Site").select_option("rotterdam")
    first.get_by_role("button", name="Give role").click()
    expect(first.get_by_text("Waits for a second administrator")).to_be_visible()
    expect(first.get_by_role("link", name="Confirm Treatment coordinator")).to_have_count(0)
    sign_in(second, "bea")
    check_axe(second)
    second.get_by_role("link", name="Confirm Treatment coordinator for Thea Treatment").click()
    expect(second.get_by_role("heading", level=1)).to_have_text("Confirm Treatment coordinator for Thea Treatment")
    check_axe(second)
    second.get_by_role("button", name="Confirm Treatment coordinator for Thea Treatment").click()
    expect(second.get_by_text("In force", exact=True)).to_be_visible()
    check_axe(second)
    second.goto("/unblinded/accounts/roles/")
    expect(second.get_by_role("row", name="Treatment coordinator").get_by_role("link")).to_have_text("Thea Treatment")
    check_axe(second)


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_a_person_changes_their_password(width: str, new_page: NewPage, sign_in: SignIn, check_axe: CheckAxe) -> None:
    world.open_trial()
    world.make_user("carla", "coordinator", "rotterdam")
    page = new_page(width=width)
    sign_in(page, "carla")
    check_axe(page)
    page.get_by_role("link", name="Carla").click()
    check_axe(page)
    page.get_by_label("Present password").fill(world.PASSWORD)
    page.get_by_label("New password").fill(GOOD)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "carla", GOOD)
