"""The stations on the left of every page, as a person reaches them."""

from playwright.sync_api import Locator, Page


def stations(page: Page) -> Locator:
    """The stations of the page; on a phone, where many are put away, they are opened first."""
    listed = page.get_by_role("navigation", name="Stations")
    closed = listed.locator("details:not([open]) summary")
    if closed.is_visible():
        closed.click()
    return listed
