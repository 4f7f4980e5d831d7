"""The work that waits on the treatment side: telling and placing people, sessions, ratings, and what is missing."""

import datetime as dt

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trial.core import clock
from trial.core.access import Person
from trial.core.access.roles import FidelityRater, Therapist, TreatmentCoordinator, UnblindedDataManager
from trial.core.ui.tables import shown
from trial.core.ui.work import WorkItem, WorkList, WorkState
from trial.protocol.definition import SessionsPlan
from trial.protocol.queries import NoProtocol, current
from trial.unblinded.randomization.queries import of_the_living
from trial.unblinded.sessions import queries
from trial.unblinded.sessions.models import TherapyGroup
from trial.unblinded.sessions.presenters.words import ENDINGS, member_label
from trial.unblinded.sessions.queries import FidelityLine, PersonLine
from trial.unblinded.sessions.raters import pairs

LATE_DAYS = 7
"""People are told within a week of their randomization."""
WEEK_DAYS = 6
SOON_DAYS = 28
"""How long before its first day a planned group is work."""
NEAR_END = 0.75
"""A group is rated near the end of its program (imr-trial: between baseline and first follow-up): from this share of planned sessions on."""


def work_for(person: Person) -> list[WorkList]:
    """The lists of this person's roles; nothing where the protocol plans no sessions."""
    if not person.holds(TreatmentCoordinator, Therapist, FidelityRater, UnblindedDataManager):
        return []
    try:
        protocol = current()
    except NoProtocol:
        return []
    today, plan = clock.today(), protocol.sessions
    lists: list[WorkList] = []
    if plan is not None and person.holds(TreatmentCoordinator):
        own = queries.person_lines(of_the_living())
        lists += [_to_tell(own, today), _to_place(own, today), _to_start(today), _ended(own, today)]
    if plan is not None and person.holds(Therapist):
        lists += _therapist(person, plan, today)
    if person.holds(FidelityRater) and protocol.fidelity:
        lists += _rater(person, queries.fidelity_lines(queries.groups(), protocol.fidelity), plan)
    if plan is not None and person.holds(UnblindedDataManager):
        lists += [_issues(queries.person_lines(of_the_living())), _raters()]
    return lists


def _person_url(line: PersonLine) -> str:
    return reverse("treatment_person", args=[line.allocation.participant.number])


def _to_tell(lines: list[PersonLine], today: dt.date) -> WorkList:
    items = []
    for line in lines:
        if line.told is None:
            on = line.allocation.allocated_at.date()
            items.append(
                WorkItem(
                    _("Tell participant %(number)s and the care team") % {"number": member_label(line.allocation)},
                    reverse("treatment_told", args=[line.allocation.participant.number]),
                    line.allocation.participant.team.name,
                    "overdue" if (today - on).days > LATE_DAYS else "due",
                    on,
                )
            )
    return WorkList(
        _("To tell"), items, empty=_("People who have just been randomized appear here, until they have been told.")
    )


def _to_place(lines: list[PersonLine], today: dt.date) -> WorkList:
    items = [
        WorkItem(
            _("Place participant %(number)s in a group") % {"number": member_label(line.allocation)},
            reverse("treatment_place", args=[line.allocation.participant.number]),
            _("Left group %(code)s") % {"code": line.group.code}
            if line.group
            else line.allocation.participant.team.name,
            "due",
            line.told.told_on,
        )
        for line in lines
        if line.told is not None and line.is_offered and line.member is None and _can_go_on(line, today)
    ]
    return WorkList(_("To place"), items, empty=_("People who have been told and are in no group appear here."))


def _can_go_on(line: PersonLine, today: dt.date) -> bool:
    return line.withdrawal is None and line.completion is None and not line.end.is_over(today)


def _to_start(today: dt.date) -> WorkList:
    """Groups near or past their planned first day that have not met yet."""
    planned = [group for group in queries.groups() if group.closed_on is None]
    keys = [group.pk for group in planned]
    last, members = queries.last_days(keys), queries.active_counts(keys, today)
    items = []
    for group in planned:
        if group.pk in last or group.opened_on > today + dt.timedelta(days=SOON_DAYS):
            continue
        n = members.get(group.pk, 0)
        detail = ngettext("%(n)d member so far", "%(n)d members so far", n) % {"n": n}
        state: WorkState = "overdue" if group.opened_on < today else "due" if group.opened_on == today else "upcoming"
        url = reverse("treatment_group", args=[group.pk])
        items.append(WorkItem(_("Start group %(code)s") % {"code": group.code}, url, detail, state, group.opened_on))
    return WorkList(
        _("Groups to start"), items, empty=_("Groups appear here near their first day, until they have met.")
    )


def _ended(lines: list[PersonLine], today: dt.date) -> WorkList:
    """People whose program has ended and who still hold a place in a group."""
    items = [
        WorkItem(
            _("Let participant %(number)s leave group %(code)s") % {"number": member_label(line.allocation), "code": line.member.group.code},
            reverse("treatment_stay", args=[line.member.pk]),
            _("The program ended: %(why)s") % {"why": ENDINGS[line.end.why]},
            "due",
            line.end.day,
        )
        for line in lines
        if line.member is not None and line.end.is_over(today)
    ]  # fmt: skip
    return WorkList(
        _("Programs that ended"),
        items,
        empty=_("Members whose program has ended appear here, until they have left their group."),
    )


def _therapist(person: Person, plan: SessionsPlan, today: dt.date) -> list[WorkList]:
    own = list(queries.own_groups(person))
    under_way = [group for group in own if group.closed_on is None or group.closed_on >= today]
    last = queries.last_days(group.pk for group in under_way)
    due = []
    for group in under_way:
        day = queries.next_day(group, last.get(group.pk), plan)
        if day <= today + dt.timedelta(days=WEEK_DAYS) and (group.closed_on is None or day <= group.closed_on):
            due.append(_session_item(group, day, today))
    gaps = [
        WorkItem(
            _("Record attendance of group %(code)s") % {"code": gap.session.group.code},
            reverse("treatment_correct", args=[gap.session.pk]),
            _("Session of %(day)s, %(missing)s") % {"day": shown(gap.session.day), "missing": _open_words(gap.missing)},
            "overdue" if (today - gap.session.day).days > WEEK_DAYS else "due",
            gap.session.day,
        )
        for gap in queries.gaps(group.pk for group in own)
    ]
    return [
        WorkList(
            _("Sessions this week"),
            due,
            empty=_("Sessions of your groups appear here in the week in which they are due."),
        ),
        WorkList(_("Attendance to record"), gaps, empty=_("Sessions appear here when a member has no attendance yet.")),
    ]


def _session_item(group: TherapyGroup, day: dt.date, today: dt.date) -> WorkItem:
    state: WorkState = "overdue" if day < today else "due" if day == today else "upcoming"
    url = f"{reverse('treatment_record', args=[group.pk])}?day={min(day, today).isoformat()}"
    return WorkItem(_("Session of group %(code)s") % {"code": group.code}, url, group.name, state, day)


def _open_words(count: int) -> str:
    return ngettext("%(n)d member without attendance", "%(n)d members without attendance", count) % {"n": count}


def _rater(person: Person, lines: list[FidelityLine], plan: SessionsPlan | None) -> list[WorkList]:
    held = queries.held_counts({line.group.pk for line in lines})
    trained = {group.pk for group in queries.trained_ever(person)}
    to_rate, to_agree = [], []
    for line in lines:
        if line.consensus is not None or line.group.pk in trained:
            continue
        mine = line.of(person.actor_id)
        url = reverse("fidelity_group", args=[line.group.pk, line.scale.code])
        words = {"scale": line.scale.name, "code": line.group.code}
        is_near = plan is not None and held.get(line.group.pk, 0) >= NEAR_END * plan.planned_sessions
        if line.is_rated and mine is not None:
            to_agree.append(WorkItem(_("Agree on group %(code)s") % words, url, line.scale.name, "due"))
        elif mine is not None and mine.signed_at is not None:
            to_agree.append(
                WorkItem(_("Group %(code)s: waits for the other rating") % words, url, line.scale.name, "waiting")
            )
        elif mine is not None:
            to_rate.append(
                WorkItem(_("Finish the rating of group %(code)s") % words, url, line.scale.name, "due", mine.visited_on)
            )
        elif len(line.ratings) < line.scale.raters and (is_near or line.group.closed_on is not None):
            to_rate.append(WorkItem(_("Rate group %(code)s") % words, url, line.scale.name, "due"))
    return [
        WorkList(
            _("Ratings to make"),
            to_rate,
            empty=_("Groups appear here near the end of their program, until they have their raters."),
        ),
        WorkList(
            _("Consensus to reach"),
            to_agree,
            empty=_("Groups that you have rated appear here when all raters have signed."),
        ),
    ]


def _raters() -> WorkList:
    """Who rates and may train: told here alone, and settled by an administrator who ends a role."""
    items = [
        WorkItem(
            _("Find out whether the rater %(name)s trains a group") % {"name": pair.rater.full_name},
            reverse("treatment_raters"),
            _("Accounts %(rater)s and %(therapist)s")
            % {"rater": pair.rater.username, "therapist": pair.therapist.username},
            "due",
        )
        for pair in pairs()
    ]
    empty = _("A clinician-rater with the name of a therapist appears here: whoever trains a group rates nobody.")
    return WorkList(_("Raters who may train a group"), items, empty=empty)


def _issues(lines: list[PersonLine]) -> WorkList:
    items = [
        WorkItem(
            _("Attendance of group %(code)s is missing") % {"code": gap.session.group.code},
            reverse("treatment_session", args=[gap.session.pk]),
            _("Session of %(day)s, %(missing)s") % {"day": shown(gap.session.day), "missing": _open_words(gap.missing)},
            "due",
            gap.session.day,
        )
        for gap in queries.gaps(group.pk for group in queries.groups())
    ]
    items += [
        WorkItem(
            _("Records of participant %(number)s changed after completion was fixed") % {"number": member_label(line.allocation)},
            _person_url(line),
            _("Fixed with %(fixed)d attended of %(offered)d offered, now %(now)d of %(of)d")
            % {"fixed": line.counts.attended, "offered": line.counts.offered, "now": line.live.attended, "of": line.live.offered},
            "waiting",
            line.completion.ended_on,
        )
        for line in lines
        if line.completion is not None and line.changed_since
    ]  # fmt: skip
    items += [
        WorkItem(
            _("Deviation: participant %(number)s got the program in another arm")
            % {"number": member_label(line.allocation)},
            _person_url(line),
            _("%(attended)d sessions attended") % {"attended": line.live.attended},
            "waiting",
        )
        for line in lines
        if line.deviates
    ]
    return WorkList(
        _("Open issues"),
        items,
        empty=_("Sessions without attendance, deviations, and corrections after the end appear here."),
    )
