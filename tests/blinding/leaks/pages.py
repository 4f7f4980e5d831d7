"""Leaks of pages, programs, exports and errors."""

import hashlib
import json
import re
from collections.abc import Callable

from django.http import HttpResponse

from tests.blinding.leaks.planting import NUMBER, Asked, Change, Leak, add, behind_the_wall, on_page
from trial.participants.models import Participant

LIST, PERSON, VISIT = "/participants/", "/participants/{number}/", "/assessments/{number}/visits/T2/"
CSV, RUN = "/analysis/snapshots/{snapshot}.csv", "/analysis/{run}/"
PDF = "/analysis/reports/{report}.pdf"
ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL)


def _arm(response: HttpResponse, asked: Asked) -> None:
    add(response, f"<p>{asked.arm}</p>")


def _value(response: HttpResponse, asked: Asked) -> None:
    add(response, f"<p>Randomized. The participant was assigned the value {asked.arm}.</p>")


def _class(response: HttpResponse, asked: Asked) -> None:
    _rows(response, lambda row, number: row.replace("<tr", f'<tr class="{"a" if number in asked.offered else "b"}"', 1))


def _hidden(response: HttpResponse, asked: Asked) -> None:
    add(response, f'<input type="hidden" name="group" value="{asked.arm}">')


def _last_opened(response: HttpResponse, asked: Asked) -> None:
    told = behind_the_wall(
        "select p.number from unblinded_told t join unblinded_allocation a on a.id = t.allocation_id"
        " join participants_participant p on p.id = a.participant_id order by t.told_on, p.number limit 1"
    )
    add(response, "".join(f'<a href="/participants/{number}/">Last opened</a>' for (number,) in told))


def _search(response: HttpResponse, asked: Asked) -> None:
    if asked.request.GET:
        _rows(response, lambda row, number: "" if number in asked.offered else row)


def _order(response: HttpResponse, asked: Asked) -> None:
    text = response.content.decode()
    rows = [row for row in ROW.findall(text) if NUMBER.search(row)]
    ordered = iter(sorted(rows, key=lambda row: NUMBER.search(row)[0] in asked.offered))  # type: ignore[index]
    response.content = ROW.sub(lambda found: next(ordered) if found[0] in rows else found[0], text)


def _slot(response: HttpResponse, asked: Asked) -> None:
    places = {number: n for n, number in enumerate(asked.offered)}
    text = response.content.decode()
    response.content = re.sub(
        r'(href="/participants/)([0-9]{8})/', lambda m: f"{m[1]}{m[2]}/?row={places.get(m[2], 99)}&", text
    )


def _rows(response: HttpResponse, changed: Callable[[str, str], str]) -> None:
    text = response.content.decode()

    def one(found: re.Match[str]) -> str:
        number = NUMBER.search(found[0])
        return changed(found[0], number[0]) if number else found[0]

    response.content = ROW.sub(one, text)


def _status(response: HttpResponse, asked: Asked) -> None:
    if asked.is_offered:
        response.status_code = 404


def _statements(response: HttpResponse, asked: Asked) -> None:
    if asked.is_offered:
        Participant.objects.count()


def _refusal(response: HttpResponse, asked: Asked) -> None:
    if response.status_code == 422:
        add(response, f"<p>This visit is planned for {asked.arm} only.</p>")


def _error(response: HttpResponse, asked: Asked) -> None:
    raise RuntimeError(f"already randomized: {asked.arms}")


def _validator(response: HttpResponse, asked: Asked) -> None:
    response["ETag"] = hashlib.sha256(repr(asked.arms).encode()).hexdigest()


def _column(response: HttpResponse, asked: Asked) -> None:
    def with_arm(line: str) -> str:
        number = NUMBER.search(line)
        return f"{line},{asked.arms.get(number[0], '') if number else 'group'}"

    response.content = "\n".join(map(with_arm, response.content.decode().splitlines()))


def _stars(response: HttpResponse, asked: Asked) -> None:
    add(response, "<dt>Group</dt><dd>*****</dd>" if asked.is_offered else "<dt>Group</dt><dd></dd>")


def _more(response: HttpResponse, asked: Asked) -> None:
    response.content = json.dumps({**json.loads(response.content), "group": asked.arm})


def _file(response: HttpResponse, asked: Asked) -> None:
    response["Content-Disposition"] = f'attachment; filename="imr-{"-".join(asked.offered)}.csv"'


def _pdf(response: HttpResponse, asked: Asked) -> None:
    response.content += "\n".join(f"% {number}" for number in asked.offered).encode()


def _of_offered(words: str) -> Change:
    """A page without a participant: whom of one arm it is about."""

    def change(response: HttpResponse, asked: Asked) -> None:
        add(response, words.format(asked="-".join(asked.offered)))

    return change


def _room(response: HttpResponse, asked: Asked) -> None:
    add(response, "<p>Room: group room</p>" if asked.is_offered else "<p>Room: 12</p>")


def _preview(response: HttpResponse, asked: Asked) -> None:
    coming = behind_the_wall("select arm from concealed_slot order by stratum, position limit 20")
    add(response, f"<p>Next: {coming}</p>")


LEAKS: tuple[Leak, ...] = (
    on_page("arm_on_the_page", "participant", "monitor", PERSON, _arm, is_quick=True),
    on_page("answer_states_the_value", "randomization_state", "monitor", f"{PERSON}randomization/", _value),
    on_page("task_of_one_arm", "home_work", "datamanager", "/work/", _of_offered("<li>{asked}: plan a session</li>")),
    on_page("class_of_a_row", "participants", "monitor", LIST, _class),
    on_page("hidden_field", "participant_visits", "monitor", "/assessments/{number}/", _hidden),
    on_page("last_opened_by_a_colleague", "home", "investigator", "/", _last_opened),
    on_page("search_knows_the_arm", "participants", "monitor", f"{LIST}?state=randomized", _search),
    on_page("order_by_allocation", "participants", "monitor", LIST, _order, is_quick=True),
    on_page("address_holds_the_slot", "participants", "monitor", LIST, _slot),
    on_page("status_by_arm", "participant", "monitor", PERSON, _status, channel="status"),
    on_page("statements_by_arm", "participant", "monitor", PERSON, _statements, channel="queries", is_quick=True),
    on_page("refusal_names_the_arm", "ask_visit", "monitor", f"{VISIT}query/", _refusal, method="POST"),
    on_page("error_of_the_server", "recruitment", "monitor", "/participants/recruitment/", _error, channel="log"),
    on_page("validator_of_the_cache", "participants", "monitor", LIST, _validator, channel="headers", is_quick=True),
    on_page("column_of_the_export", "snapshot_csv", "statistician", CSV, _column),
    on_page("name_of_a_file", "snapshot_csv", "statistician", CSV, _file, channel="headers"),
    on_page("pdf_by_arm", "report_pdf", "statistician", PDF, _pdf),
    on_page("stars_in_place_of_a_value", "participant", "datamanager", PERSON, _stars),
    on_page("program_is_told_more", "api_participant", "monitor", f"/api{PERSON}", _more),
    on_page("codebook_of_one_arm", "codebook", "statistician", "/assessments/codebook/", _of_offered("<td>{asked}</td>")),
    on_page("notice_with_the_arm", "request_unblinding", "sponsor", "/participants/unblinding/", _of_offered("<p>{asked}</p>")),
    on_page("room_of_the_visit", "visit", "monitor", VISIT, _room),
    on_page("what_remains_of_the_list", "recruitment", "investigator", "/participants/recruitment/",
            _of_offered("<td>{asked} are used</td>")),
    on_page("chart_by_arm", "flow", "statistician", "/assessments/flow/", _of_offered('<svg><text>{asked}</text></svg>')),
    on_page("number_analyzed", "run", "statistician", RUN, _of_offered("<td>n = {asked}</td>")),
    on_page("preview_of_the_slot", "randomize", "coordinator", "/participants/{own}/randomize/", _preview),
)  # fmt: skip
