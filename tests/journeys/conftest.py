"""A live server on the test clone, a browser, and the two things that every journey does: sign in, and ask axe.

The server is the Django application of this process in threads, with both sides, so that a journey can arrange by actions what it then
sees in the browser (``tests.world``), and can freeze the clock. A journey that writes takes the fixture ``database``; ``live`` takes it
already.
"""

import os
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests import world
from trial.config.supervisor.browser import TO_TYPE, find_browser

PATIENT = 30_000
"""Milliseconds: two cores may be busy with everything else."""
WIDTHS = {"phone": (320, 640), "tablet": (768, 1024), "desk": (1280, 900)}


class _Server(WSGIServer):
    """Its threads stay, and so do their connections: the first statements of a connection are the slow ones."""

    request_queue_size = 64

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waiting: SimpleQueue[tuple[Any, Any]] = SimpleQueue()
        self._idle = threading.Semaphore(0)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._waiting.put((request, client_address))
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while True:
            request, client_address = self._waiting.get()
            try:
                self.finish_request(request, client_address)
            except Exception:
                self.handle_error(request, client_address)
            finally:
                self.shutdown_request(request)
                self._idle.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up in the middle of an answer is no error of ours."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        pass


@pytest.fixture(scope="session")
def _serving() -> Iterator[str]:
    # playwright's loop runs in the main thread, where the tests use the database too
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    from trial.config.wsgi import application

    server = make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@pytest.fixture
def live(_serving: str, database: psycopg.Connection[Any], settings: Any) -> str:
    """The address of the server; what the test writes is deleted afterwards. Passwords are hashed cheaply: people sign in often here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return _serving


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium a session. Without it the test fails with the line to type; it is never skipped."""
    chromium = find_browser()
    if chromium is None:
        pytest.fail(f"Chromium is missing. Type: {TO_TYPE}", pytrace=False)
    expect.set_options(timeout=PATIENT)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def new_page(browser: Browser, live: str) -> Iterator[Callable[..., Page]]:
    """Opens pages, each with its own session: ``new_page(width="phone", dark=True, script=False)``.

    A page that logs an error to the console (a refused script or style among them) fails the test at its end.
    """
    contexts, complaints = [], []

    def make(*, width: str = "desk", dark: bool = False, script: bool = True) -> Page:
        across, down = WIDTHS[width]
        context = browser.new_context(
            base_url=live,
            viewport={"width": across, "height": down},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            locale="en-GB",
            timezone_id="Europe/Amsterdam",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENT)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: _note(complaints, page, said))
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def _note(complaints: list[str], page: Page, said: Any) -> None:
    expected = ("Failed to load resource", "htmx:sendError", "htmx:afterRequest", "ERR_INTERNET_DISCONNECTED")
    if said.type == "error" and not any(text in said.text for text in expected):
        complaints.append(f"{page.url}: {said.text}")


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page at 1280 px, light."""
    return new_page()


@pytest.fixture
def sign_in(live: str) -> Callable[..., None]:
    """``sign_in(page, username)``: signs in at the form of the right side and waits for the first page of work."""

    def enter(page: Page, username: str, password: str = world.PASSWORD) -> None:
        page.goto("/login/" if _works_open(username) else "/unblinded/login/")
        page.get_by_label("User name").fill(username)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_load_state()
        expect(page.locator("main")).to_be_visible()
        assert "/login/" not in page.url, page.locator("main").inner_text()

    return enter


def _works_open(username: str) -> bool:
    from trial.core import side
    from trial.core.access.person import person_of
    from trial.core.models import User

    return person_of(User.objects.get(username=username)).side == side.OPEN


def _shot_name(page: Page) -> str:
    """The address, the width and the color scheme, as a file name."""
    where = re.sub(r"[^a-z0-9]+", "-", page.url.split("/", 3)[3].lower()).strip("-") or "home"
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    return f"{where}-{page.viewport_size['width']}{'-dark' if dark else ''}"  # type: ignore[index]


def _findings(axe: Axe, page: Page) -> Any:
    """What axe finds on a page that is all there. Where a click had begun to lead on, the next page is meant, not half of it."""
    for _attempt in range(5):
        page.wait_for_load_state()
        try:
            begun = page.evaluate("[performance.timeOrigin, document.readyState]")
            found = axe.run(page, options={"resultTypes": ["violations"]})  # every rule; no list of what is in order
            if begun == page.evaluate("[performance.timeOrigin, 'complete']"):
                return found
        except PlaywrightError:
            continue
    raise AssertionError(f"{page.url} does not come to rest")


@pytest.fixture(scope="session")
def check_axe() -> Callable[[Page], None]:
    """``check_axe(page)``: axe finds nothing, and the page does not scroll sideways.

    With SHOTS=folder in the environment a picture of each page is kept there, to be looked at.
    """
    axe = Axe()

    def check(page: Page) -> None:
        if os.environ.get("SHOTS"):
            page.screenshot(path=Path(os.environ["SHOTS"]) / f"{_shot_name(page)}.png", full_page=True)
        found = _findings(axe, page)
        assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
        across = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert across <= 0, f"{page.url} is {across} px wider than the window"

    return check
