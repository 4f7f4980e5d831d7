"""Behind the wall: a name in an unblinding report is asked about by the data manager of that side, and redacted by the independent statistician."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests import world
from trial.core.history.tasks import seal_unblinded
from trial.participants.actions import report_unblinding
from trial.protocol.models import Team
from trial.protocol.queries import current

pytestmark = pytest.mark.journey


def test_two_people_redact_a_report(live: str, new_page: Any, sign_in: Any, check_axe: Any) -> None:
    world.open_trial()
    for name, role in (("ugo", "datamanager_unblinded"), ("ivo", "independent")):
        world.make_user(name, role)
    with world.at_work(world.SETUP) as by:
        participant = world.register(by, Team.objects.order_by("code")[0])
        visit = current().follow_ups[0].code
        report_unblinding(participant_id=participant.pk, visit=visit, source="participant", words="Jan Jansen", by=by)
    seal_unblinded()
    page = new_page()
    sign_in(page, "ugo")
    page.goto("/unblinded/history/")
    check_axe(page)
    page.get_by_role("link", name="Redact", exact=True).first.click()
    expect(page.get_by_text("Jan Jansen")).to_be_visible()
    check_axe(page)
    page.get_by_label("It names somebody else").check()
    page.get_by_role("button", name="Ask the independent statistician").click()
    expect(page.get_by_role("table")).to_contain_text("It names somebody else")
    check_axe(page)
    page = new_page(width="tablet")
    sign_in(page, "ivo")
    page.get_by_role("link", name="Decide on redaction 1").click()
    check_axe(page)
    page.get_by_label("Redact it, for good").check()
    page.get_by_label("Your password").fill(world.PASSWORD)
    page.get_by_role("button", name="Sign the decision").click()
    expect(page.get_by_role("row").filter(has_text="It names somebody else")).to_contain_text("Redacted")
    check_axe(page)
