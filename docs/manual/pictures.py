"""Take the manual's pictures and reports from a running demo: ``python docs/manual/pictures.py [ADDRESS] [ROLE or REPORT ...]``.

Each picture is a page as that person sees it after signing in. An entry names the picture and how to get there: an address, or
``address > words``, where ``words`` is the text of a link (``first row`` is the first link of the first table). A report is such a page as
it is printed, by its own name; ``verification`` wants a demo at its end.
"""

import re
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parent / "pictures"
PRINTED = FOLDER.parent / "reports"
PASSWORD = "equipoise-demo"  # noqa: S105 - the demo's, refused anywhere else
SIZE = {"width": 1180, "height": 820}

PICTURES: dict[str, dict[str, str]] = {
    "coordinator": {
        "work": "/",
        "screening": "/participants/screening/",
        "new-screening": "/participants/screening/new/",
        "participant": "/participants/ > first row",
    },
    "interviewer": {"work": "/", "visit": "/ > first row", "queries": "/assessments/queries/"},
    "rater": {"work": "/", "ratings": "/assessments/ratings/"},
    "datamanager": {
        "work": "/",
        "completeness": "/assessments/completeness/",
        "forms": "/assessments/forms/",
        "form": "/assessments/forms/ > first row",
        "lock": "/participants/lock/",
    },
    "monitor": {"work": "/", "forms": "/assessments/forms/", "roles": "/roles/"},
    "statistician": {
        "work": "/",
        "analyses": "/analysis/",
        "analysis": "/analysis/ > first row",
        "new": "/analysis/new/",
        "plan": "/analysis/plan/",
    },
    "investigator": {"work": "/", "flow": "/assessments/flow/"},
    "sponsor": {"work": "/", "unblinding": "/participants/unblinding/"},
    "treatment": {
        "work": "/unblinded/",
        "allocations": "/unblinded/allocations/",
        "people": "/unblinded/treatment/people/",
        "group": "/unblinded/treatment/ > first row",
        "events": "/unblinded/events/",
    },
    "therapist": {"work": "/unblinded/", "group": "/unblinded/treatment/ > first row"},
    "fidelity1": {"work": "/unblinded/", "fidelity": "/unblinded/fidelity/"},
    "abstractor": {
        "work": "/unblinded/",
        "records": "/unblinded/records/",
        "person": "/unblinded/records/ > first row",
    },
    "datamanager_unblinded": {
        "work": "/unblinded/",
        "reports": "/unblinded/disclosure/reports/",
        "ledger": "/unblinded/disclosure/ledger/",
    },
    "independent": {
        "work": "/unblinded/",
        "analyses": "/unblinded/analysis/",
        "unblinding": "/unblinded/disclosure/",
    },
    "dmc": {"work": "/unblinded/", "events": "/unblinded/events/by-arm/"},
    "chair": {"work": "/unblinded/"},
    "admin": {"work": "/unblinded/", "accounts": "/unblinded/accounts/", "account": "/unblinded/accounts/ > first row"},
}

REPORTS: dict[str, tuple[str, str]] = {
    "before-go-live": ("independent", "/unblinded/analysis/forecasts/ > first row"),
    "concealment": ("independent", "/unblinded/allocations/concealment/"),
    "ledger": ("datamanager_unblinded", "/unblinded/disclosure/ledger/"),
    "verification": ("independent", "/unblinded/allocations/verification/"),
}
"""Who prints it, and from where."""


def take(browser: Browser, address: str, account: str) -> None:
    """All pictures of one account."""
    pictures = PICTURES[account]
    page = _signed_in(browser, address, account, next(iter(pictures.values())))
    for name, way in pictures.items():
        _go(page, address, way)
        page.screenshot(path=FOLDER / f"{account}-{name}.png", animations="disabled")
    page.context.close()


def print_report(browser: Browser, address: str, name: str) -> None:
    """One report, as A4."""
    account, way = REPORTS[name]
    page = _signed_in(browser, address, account, way)
    _go(page, address, way)
    page.pdf(path=PRINTED / f"{name}.pdf", format="A4", prefer_css_page_size=True)
    page.context.close()


def _signed_in(browser: Browser, address: str, account: str, way: str) -> Page:
    side = "/unblinded" if way.startswith("/unblinded") else ""
    context = browser.new_context(viewport=SIZE, locale="en-GB", reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{address}{side}/login/")
    page.get_by_label("User name").fill(account)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"(?<!login)/$"))
    return page


def _go(page: Page, address: str, way: str) -> None:
    path, _, words = way.partition(" > ")
    answer = page.goto(address + path)
    if answer is None or answer.status != 200:
        raise SystemExit(f"{path}: status {answer.status if answer else 'none'}")
    if words == "first row":
        page.locator("main table a, main .worklist a").first.click()
    elif words:
        page.get_by_role("link", name=words).first.click()
    page.wait_for_load_state("networkidle")


def main(arguments: list[str]) -> None:
    """Take all pictures, or those of the accounts and the reports that are named."""
    address = next((one for one in arguments if one.startswith("http")), "http://127.0.0.1:8000")
    named = [one for one in arguments if not one.startswith("http")] or list(PICTURES)
    for folder in (FOLDER, PRINTED):
        folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name in named:
            if name in REPORTS:
                print_report(browser, address, name)
            else:
                take(browser, address, name)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
