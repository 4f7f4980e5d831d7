"""The stations on the left of every page, as a person reaches them."""

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

SOON = 3_000
"""Milliseconds. A page on its way out may have taken the click that opened its stations; the next page has its own, closed."""
TRIES = 10


def station(page: Page, name: str) -> Locator:
    """The link to a station, visible. On a phone, where many are put away, they are opened first: on the page that stays."""
    listed = page.get_by_role("navigation", name="Stations")
    closed = listed.locator("details:not([open]) summary")
    link = listed.get_by_role("link", name=name, exact=True)
    for _try in range(TRIES):
        page.wait_for_load_state()
        try:
            if closed.is_visible():
                closed.click(timeout=SOON)
            expect(link).to_be_visible(timeout=SOON)
            return link
        except (AssertionError, PlaywrightError):
            continue
    raise AssertionError(f"{page.url} leads to no station “{name}”")


def go_to(page: Page, name: str) -> None:
    """Follow the link to a station."""
    for _try in range(TRIES):
        try:
            station(page, name).click(timeout=SOON)
            return
        except PlaywrightError:
            continue
    raise AssertionError(f"{page.url} leads to no station “{name}”")
