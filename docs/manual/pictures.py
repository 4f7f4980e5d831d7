"""Take the manual's pictures and reports from a running demo: ``python docs/manual/pictures.py [ADDRESS] [NAME ...]``.

A name is a role, a report, or a demo with looks (``imr-interim``, ``imr-interim-end``), which stands for everything that is taken from it. Each
picture is a page as that person sees it after signing in. An entry names the picture and how to get there: an address, or ``address > words``,
where ``words`` is the text of a link (``first row`` is the first link of the first table, ``row WORDS`` the last link of the first row with
these words); ``@ heading`` at its end scrolls there. A report is such a page as it is printed, or, where its way ends with a link to a PDF,
that PDF; ``verification`` wants a demo at its end.
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

LOOKS: dict[str, dict[str, dict[str, str]]] = {
    "imr-interim": {
        "statistician": {
            "pooled": "/analysis/ > row Pooled figures @ Spread, information and sample size, without arms",
            "looks": "/analysis/ > row Looks before the end",
        },
        "independent": {
            "looks": "/unblinded/analysis/looks/",
            "begin": "/unblinded/analysis/looks/planned/half/",
        },
    },
    "imr-interim-end": {
        "statistician": {
            "recommendation": "/ @ Recommendation of the data monitoring committee",
            "result": "/analysis/results/ > row Result by the analysis plan",
            "result-looks": "/analysis/results/ > row Result by the analysis plan @ After the looks before the end",
            "result-models": "/analysis/results/ > row Result by the analysis plan @ How much rests on the model",
            "final": "/analysis/results/ > row Final report",
        },
        "independent": {
            "look": "/unblinded/analysis/looks/2/ @ Looks and bounds",
            "ahead": "/unblinded/analysis/looks/2/ @ What is spent, and what is ahead",
        },
        "dmc": {"look": "/unblinded/analysis/looks/1/"},
    },
}
"""Pictures of the demos whose plan has looks: in the first nobody has begun one, in the second two were held."""

REPORTS: dict[str, tuple[str, str]] = {
    "before-go-live": ("independent", "/unblinded/analysis/forecasts/ > first row"),
    "concealment": ("independent", "/unblinded/allocations/concealment/"),
    "ledger": ("datamanager_unblinded", "/unblinded/disclosure/ledger/"),
    "verification": ("independent", "/unblinded/allocations/verification/"),
    "open-report": ("statistician", "/analysis/reports/ > first row"),
    "closed-report": ("dmc", "/unblinded/analysis/reports/ > row Closed report"),
    "final-report": ("statistician", "/analysis/results/ > row Final report"),
}
"""Who prints it, and from where."""
SET = ("open-report", "closed-report", "final-report")
"""Reports that are set as PDF: the file itself is taken, from the demo with looks at its end."""


def take(browser: Browser, address: str, account: str, pictures: dict[str, str]) -> None:
    """All these pictures of one account."""
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
    if name in SET:
        link = page.locator("a[href$='.pdf']").first.get_attribute("href")
        (PRINTED / f"{name}.pdf").write_bytes(page.request.get(f"{address}{link}").body())
    else:
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
    way, _, heading = way.partition(" @ ")
    path, _, words = way.partition(" > ")
    answer = page.goto(address + path)
    if answer is None or answer.status != 200:
        raise SystemExit(f"{path}: status {answer.status if answer else 'none'}")
    if words == "first row":
        page.locator("main table a, main .worklist a").first.click()
    elif words.startswith("row "):
        page.get_by_role("row", name=words.removeprefix("row ")).first.get_by_role("link").last.click()
    elif words:
        page.get_by_role("link", name=words).first.click()
    page.wait_for_load_state("networkidle")
    if heading:
        found = page.get_by_text(heading, exact=True).first
        found.evaluate("heading => window.scrollTo(0, heading.getBoundingClientRect().top + window.scrollY - 24)")


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
                continue
            for account, pictures in LOOKS.get(name, {name: PICTURES.get(name, {})}).items():
                take(browser, address, account, pictures)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
