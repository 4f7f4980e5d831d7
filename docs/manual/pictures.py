"""Take the manual's pictures from a running demo: ``python docs/manual/pictures.py [ADDRESS] [ROLE ...]``.

Each picture is a page as that person sees it after signing in. An entry names the picture and how to get there: an address, or
``address > words``, where ``words`` is the text of a link (``first row`` is the first link of the first table).
"""

import re
import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).resolve().parent / "pictures"
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
    },
    "investigator": {"work": "/", "flow": "/assessments/flow/"},
    "sponsor": {"work": "/", "unblinding": "/participants/unblinding/"},
    "treatment": {
        "work": "/unblinded/",
        "allocations": "/unblinded/allocations/",
        "people": "/unblinded/treatment/people/",
        "group": "/unblinded/treatment/ > first row",
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
    "dmc": {"work": "/unblinded/"},
    "chair": {"work": "/unblinded/"},
    "admin": {"work": "/unblinded/", "accounts": "/unblinded/accounts/", "account": "/unblinded/accounts/ > first row"},
}


def take(browser: Browser, address: str, account: str) -> None:
    """All pictures of one account."""
    pictures = PICTURES[account]
    side = "/unblinded" if next(iter(pictures.values())).startswith("/unblinded") else ""
    context = browser.new_context(viewport=SIZE, locale="en-GB", reduced_motion="reduce")  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{address}{side}/login/")
    page.get_by_label("User name").fill(account)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"(?<!login)/$"))
    for name, way in pictures.items():
        _go(page, address, way)
        page.screenshot(path=FOLDER / f"{account}-{name}.png", animations="disabled")
    context.close()


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
    """Take them all, or those of the accounts named."""
    address = next((one for one in arguments if one.startswith("http")), "http://127.0.0.1:8000")
    accounts = [one for one in arguments if not one.startswith("http")] or list(PICTURES)
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for account in accounts:
            take(browser, address, account)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
