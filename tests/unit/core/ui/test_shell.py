"""Stations, work and the shell: only what a role opens, the side always in words."""

import datetime
import uuid

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory

from trial.core.access import Person
from trial.core.ui import stations, views, work
from trial.core.ui.stations import Station

DAY = datetime.date(2026, 11, 23)
STATIONS = [
    Station("home", "Work", ("coordinator", "datamanager"), "default"),
    Station("me", "Account", ("coordinator", "treatment"), "both"),
    Station("unblinded_home", "Work", ("treatment",), "unblinded"),
    Station("unblinded_me", "Other side", ("coordinator",), "unblinded"),
    Station("no_such_address", "Elsewhere", ("coordinator",), "default"),
]
COORDINATOR = Person(uuid.UUID(int=1), "anna", "Anna de Vries", frozenset({("coordinator", "north")}))
TREATMENT = Person(uuid.UUID(int=2), "tom", "Tom Bos", frozenset({("treatment", "north")}))


@pytest.fixture(autouse=True)
def _settings(settings: pytest.FixtureRequest) -> None:
    settings.STATIONS = STATIONS  # type: ignore[attr-defined]
    settings.TRIAL_NAME = lambda: "IMR"  # type: ignore[attr-defined]
    settings.TRIAL_NOTICE = lambda: ""  # type: ignore[attr-defined]
    settings.TRIAL_BAND = ""  # type: ignore[attr-defined]
    settings.LOCKED_AT = lambda: None  # type: ignore[attr-defined]
    settings.SITE_NAMES = "tests.unit.core.ui.test_shell.site_names"  # type: ignore[attr-defined]


def site_names() -> dict[str, str]:
    return {"north": "Institution North"}


def _page(path: str, person: Person | None) -> str:
    request = RequestFactory().get(path)
    request.person = person  # type: ignore[attr-defined]
    return render_to_string("shell.html", {"title": "Participants"}, request=request)


def test_a_role_sees_its_own_stations_of_its_own_side_only() -> None:
    assert [s.url_name for s in stations.stations_for(COORDINATOR)] == ["home", "me", "no_such_address"]
    assert [s.url_name for s in stations.stations_for(TREATMENT)] == ["me", "unblinded_home"]
    assert stations.stations_for(None) == []


def test_a_station_that_is_not_mounted_here_is_not_shown() -> None:
    links = stations.links_for(COORDINATOR, "/me/password/")
    assert [(link.label, link.current, link.exact) for link in links] == [
        ("Work", False, False),
        ("Account", True, False),
    ]
    assert [link.current for link in stations.links_for(COORDINATOR, "/")] == [True, False]


def test_the_page_says_who_where_and_on_which_side() -> None:
    html = _page("/participants/", COORDINATOR)
    for words in ("IMR", "Institution North", "Anna de Vries", "Coordinator", "Open side"):
        assert words in html
    assert "Unblinded side" not in html
    assert "Other side" not in html
    other = _page("/unblinded/allocations/", TREATMENT)
    assert 'class="side-unblinded"' in other
    assert "<strong>Unblinded side</strong>" in other
    assert 'data-print-right="Unblinded side"' in other


def test_a_notice_stands_on_every_page(settings: pytest.FixtureRequest) -> None:
    settings.TRIAL_NOTICE = lambda: "Import under way"  # type: ignore[attr-defined]
    assert "Import under way" in _page("/", COORDINATOR)


def test_the_lock_stands_on_every_page_of_both_sides(settings: pytest.FixtureRequest) -> None:
    settings.LOCKED_AT = lambda: datetime.datetime(2026, 11, 23, 10, tzinfo=datetime.UTC)  # type: ignore[attr-defined]
    for path, person in (("/", COORDINATOR), ("/unblinded/", TREATMENT)):
        assert 'Database locked on <time datetime="2026-11-23">23 Nov 2026</time>' in _page(path, person)
    assert "Database locked" not in _page("/", None)


def test_after_the_lock_only_such_work_is_left_that_goes_on(settings: pytest.FixtureRequest) -> None:
    ends, goes_on = work.WorkList("Visits"), work.WorkList("Unblinding", after_lock=True)
    settings.WORK_PROVIDERS = [lambda person: [ends, goes_on]]  # type: ignore[attr-defined]
    settings.LOCKED_AT = lambda: datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)  # type: ignore[attr-defined]
    assert work.work_for(COORDINATOR) == [goes_on]


def test_a_long_list_shows_what_presses_most() -> None:
    items = [work.WorkItem(str(n), "#", state="due", on=DAY + datetime.timedelta(days=-n)) for n in range(9)]
    listed = work.WorkList("To randomize", items)
    assert [item.title for item in listed.first] == ["8", "7", "6", "5", "4"]
    assert (listed.more, listed.code) == (4, "to-randomize")
    six = work.WorkList("To randomize", items[:6])
    assert (len(six.first), six.more) == (6, 0), "a line that says one more would take its place"
    html = render_to_string("components/worklist.html", {"work": listed, "all_url": "/work/"})
    assert 'href="/work/?list=to-randomize"' in html
    assert "and 4 more" in html


def test_error_pages_ask_nobody(settings: pytest.FixtureRequest) -> None:
    def refuse() -> str:
        raise AssertionError("an error page asked the database")

    settings.TRIAL_NAME = settings.TRIAL_NOTICE = settings.TRIAL_BAND = settings.LOCKED_AT = refuse  # type: ignore[attr-defined]
    settings.DEMO = True  # type: ignore[attr-defined]
    for status in (400, 403, 404, 500, 503):
        html = render_to_string(f"{status}.html", {}, request=RequestFactory().get("/unblinded/x/"))
        assert "<h1>" in html
        assert "Synthetic data" in html
        assert "Unblinded side" in html
        assert "<h1>" in render_to_string(f"{status}.html")


def test_work_is_sorted_by_what_presses() -> None:
    day = datetime.timedelta(days=1)
    items = [
        work.WorkItem("c", "#", state="upcoming", on=DAY - 9 * day),
        work.WorkItem("b", "#", state="due"),
        work.WorkItem("a", "#", state="due", on=DAY),
        work.WorkItem("o", "#", state="overdue", on=DAY),
        work.WorkItem("w", "#", state="waiting", on=DAY),
        work.WorkItem("k", "#", state="blocked", on=DAY),
    ]
    listed = work.WorkList("Visits", items)
    assert [item.title for item in listed.by_urgency] == ["o", "a", "b", "k", "w", "c"]
    assert listed.pressing == 3


def test_providers_give_one_list_several_or_none(settings: pytest.FixtureRequest) -> None:
    one, two = work.WorkList("One"), work.WorkList("Two")
    settings.WORK_PROVIDERS = [lambda person: one, lambda person: None, lambda person: [two]]  # type: ignore[attr-defined]
    assert work.work_for(COORDINATOR) == [one, two]


def test_what_is_overdue_is_said_first(settings: pytest.FixtureRequest) -> None:
    items = [work.WorkItem("x", "#", state=state) for state in ("overdue", "due", "due", "waiting")]
    listed = work.WorkList("Visits", items)
    assert (listed.overdue, listed.pressing) == (1, 3)
    assert views._pressing(6, 13) == "6 overdue, 7 due"
    assert views._pressing(2, 2) == "2 overdue"
    assert views._pressing(0, 3) == "3 due"
    assert views._pressing(0, 0) == ""


def test_many_stations_are_put_away_on_a_phone_without_script(settings: pytest.FixtureRequest) -> None:
    few = _page("/", COORDINATOR)
    assert "<details" not in few
    settings.STATIONS = [Station(name, name, ("coordinator",), "default") for name in ("home", "me", "participants")]  # type: ignore[attr-defined]
    many = _page("/", COORDINATOR)
    assert many.index("</details>") < many.index("<ul>")
    assert '<span class="stations-here">home</span>' in many
