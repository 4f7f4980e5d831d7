"""Forms of the treatment side, made from the protocol and from who is in a group."""

import datetime as dt
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trial.core import clock
from trial.core.models import User
from trial.core.ui import forms
from trial.core.ui.text import Text
from trial.protocol.definition import FidelityScale, SessionsPlan
from trial.unblinded.sessions.actions import Content, Marked
from trial.unblinded.sessions.models import (
    AbsenceReason,
    Attendance,
    CancelReason,
    GroupSession,
    TherapyGroup,
    WithdrawalReason,
)

Mark = Attendance.Mark

ANSWERS: dict[str, Marked] = {
    "1": Marked(Mark.ATTENDED.value),
    **{str(n): Marked(Mark.ABSENT.value, reason) for n, reason in enumerate(AbsenceReason.values, start=2)},
    str(len(AbsenceReason.values) + 2): Marked(Mark.NOT_OFFERED.value),
}
"""One tap a person: the mark with its reason, by number key."""

WORDS: dict[str, Text] = {
    "1": gettext_lazy("Attended"),
    **{str(n): label for n, label in enumerate(AbsenceReason.labels, start=2)},
    str(len(AbsenceReason.values) + 2): gettext_lazy("Not offered"),
}

NOT_APPLICABLE = "na"


class GroupForm(forms.Form):
    """A group: code, name, first day, trainers. A code in use does not change."""

    def __init__(
        self,
        *args: Any,
        plan: SessionsPlan,
        therapists: Sequence[User],
        sites: Sequence[tuple[str, str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.trainers = [f"trainer_{n}" for n in range(1, plan.trainers + 1)]
        people = [(str(user.pk), user.full_name) for user in therapists]
        if len(sites) > 1:
            self.fields["site"] = forms.SelectField(_("Site"), choices=sites)
        if sites:
            self.fields["code"] = forms.TextField(
                _("Code"),
                hint=_("Short and without spaces, such as R1-A. It does not change."),
                width=10,
                max_length=20,
            )
        self.fields["name"] = forms.TextField(_("Name"), width=20, max_length=120, hint=_("For example day and place."))
        self.fields["opened_on"] = forms.DateField(
            _("First day"), hint=_("Planned or past. Sessions are due from here on.")
        )
        for n, name in enumerate(self.trainers, start=1):
            self.fields[name] = forms.SelectField(_("Trainer %(n)d") % {"n": n}, choices=people)

    def clean_code(self) -> str:
        """Letters, digits and hyphens."""
        code = str(self.cleaned_data["code"])
        if not re.fullmatch(r"[A-Za-z0-9-]+", code):
            raise forms.refuse(_("Use letters, digits and hyphens only."))
        return code

    def chosen(self) -> list[uuid.UUID]:
        """The trainers."""
        return [uuid.UUID(self.cleaned_data[name]) for name in self.trainers]


class CloseForm(forms.Form):
    """The last day of a group."""

    closed_on = forms.DateField(_("Last day of the group"), not_after=clock.today)


class ToldForm(forms.Form):
    """When the participant and the care team were told."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, initial={"told_on": clock.today()}, **kwargs)
        self.fields["told_on"] = forms.DateField(_("Told on"), not_after=clock.today)


class PlaceForm(forms.Form):
    """Which group, from which day on."""

    def __init__(self, *args: Any, groups: Sequence[tuple[TherapyGroup, int]], size: int, **kwargs: Any) -> None:
        super().__init__(*args, initial={"entered_on": clock.today()}, **kwargs)
        self.groups = {str(group.pk): group for group, _count in groups}
        choices = [(str(group.pk), f"{group.code}, {group.name}") for group, _count in groups]
        hints = {str(group.pk): _members(count, size) for group, count in groups}
        self.fields["group"] = forms.ChoiceField(_("Group"), choices=choices, hints=hints)
        self.fields["entered_on"] = forms.DateField(
            _("Enters on"), hint=_("The first session that the person is asked to.")
        )

    @property
    def group(self) -> TherapyGroup:
        """The group chosen."""
        return self.groups[self.cleaned_data["group"]]


def _members(count: int, size: int) -> str:
    words = _("%(count)d of %(size)d members") % {"count": count, "size": size}
    return _("%(members)s: full") % {"members": words} if count >= size else words


class StayForm(forms.Form):
    """The days somebody belongs to a group."""

    entered_on = forms.DateField(_("Entered on"))
    left_on = forms.DateField(
        _("Left on"),
        required=False,
        not_after=clock.today,
        hint=_("Last day in the group. Empty while the person stays."),
    )
    reason = forms.TextField(_("Why do you change this?"), max_length=200)


class WithdrawForm(forms.Form):
    """Why somebody stops treatment, and when."""

    reason = forms.ChoiceField(_("Why does this person stop treatment?"), choices=WithdrawalReason.choices)
    day = forms.DateField(_("Last day of treatment"), not_after=clock.today)


class SessionForm(forms.Form):
    """One session that was held: what, who led, and one row for each member. Rows left open are asked for again.

    ``people``: label by key of the allocation. ``recorded``: what is on record, when a session is corrected; then a reason is asked for.
    """

    def __init__(
        self,
        *args: Any,
        plan: SessionsPlan,
        people: Mapping[uuid.UUID, str],
        therapists: Sequence[User],
        correcting: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rows = {f"mark_{key}": key for key in people}
        self.leaders = [f"leader_{n}" for n in range(1, plan.trainers + 1)]
        self.fields["day"] = forms.DateField(_("Date"), not_after=clock.today)
        modules = [(module.code, module.name) for module in plan.modules]
        self.fields["module_1"] = forms.SelectField(_("Module"), choices=modules)
        self.fields["module_2"] = forms.SelectField(
            _("Second module"), choices=modules, required=False, blank=_("None")
        )
        self.fields["minutes"] = forms.IntegerField(_("Length"), unit=_("minutes"), min_value=1, max_value=1440)
        names = [(str(user.pk), user.full_name) for user in therapists]
        for n, name in enumerate(self.leaders):
            label = _("Led by") if n == 0 else _("And by")
            self.fields[name] = forms.SelectField(
                label, choices=names, required=n == 0, blank=_("Choose …") if n == 0 else _("Nobody")
            )
        for name, key in self.rows.items():
            self.fields[name] = forms.ScaleField(people[key], anchors=WORDS)
        self.fields["guests"] = forms.TextField(
            _("Somebody else was there"), required=False, max_length=200,
            hint=_("Study numbers, with commas between them. Anybody randomized at this site can be recorded."),
        )  # fmt: skip
        session = ["day", "module_1", "module_2", "minutes", *self.leaders]
        self.sections = [
            forms.Section(
                _("Attendance"),
                [*self.rows, "guests"],
                intro=_("One row a person. A row left open is asked for again."),
            ),
            forms.Section(_("Session"), session),
        ]
        if correcting:
            self.fields["reason"] = forms.TextField(
                _("Why do you change what is on record?"),
                required=False,
                max_length=200,
                hint=_("Not needed for marks that were open."),
            )
            self.sections.append(forms.Section(_("Correction"), ["reason"]))

    def full_clean(self) -> None:
        """As Django's, except that a person without a mark is no error."""
        super().full_clean()
        for name in self.rows:
            if name in self.errors and not self.data.get(self.add_prefix(name)):
                del self.errors[name]
                self.cleaned_data[name] = ""

    @property
    def seen_revision(self) -> int:
        """The revision of the session that the page was made from; 0 if it does not say."""
        said = self.data.get("revision") or ""
        return int(said) if said.isdecimal() else 0

    def content(self) -> Content:
        """The session as the action takes it."""
        data = self.cleaned_data
        modules = tuple(data[name] for name in ("module_1", "module_2") if data[name])
        leaders = tuple(uuid.UUID(data[name]) for name in self.leaders if data[name])
        return Content(modules, data["minutes"], leaders)

    def marks(self) -> dict[uuid.UUID, Marked]:
        """The rows that have an answer."""
        return {key: ANSWERS[self.cleaned_data[name]] for name, key in self.rows.items() if self.cleaned_data[name]}

    def label(self, people: Mapping[uuid.UUID, str]) -> None:
        """Write other labels into the rows, of a form that may have been filled in already."""
        for name, key in self.rows.items():
            self.fields[name].label = self[name].label = people[key]

    def guest_numbers(self) -> list[str]:
        """The study numbers of guests, without spaces."""
        found = ("".join(part.split()) for part in re.split(r"[,;]", self.cleaned_data["guests"] or ""))
        return [number for number in found if number]


def typed_day(data: Mapping[str, Any], name: str) -> dt.date | None:
    """The date that was typed into a field, if it is one; the form itself says what is wrong with another."""
    try:
        return forms.DateField(name).clean([data.get(f"{name}_{part}", "") for part in ("day", "month", "year")])
    except ValidationError:
        return None


def initial_of(session: GroupSession, recorded: Mapping[uuid.UUID, Marked]) -> dict[str, Any]:
    """What is on record, as the form shows it."""
    codes = {one: code for code, one in ANSWERS.items()}
    leaders = {f"leader_{n}": key for n, key in enumerate(session.led_by, start=1)}
    modules = {f"module_{n}": code for n, code in enumerate(session.modules, start=1)}
    marks = {f"mark_{key}": codes[one] for key, one in recorded.items()}
    return {"day": session.day, "minutes": session.minutes, **modules, **leaders, **marks}


class CancelForm(forms.Form):
    """A session that was not held."""

    def __init__(self, *args: Any, day: dt.date | None = None, correcting: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, initial={"day": day}, **kwargs)
        if not correcting:
            self.fields["day"] = forms.DateField(_("Date"), not_after=clock.today)
        choices = [(code, words) for code, words in CancelReason.choices if correcting or code != CancelReason.MISTAKE]
        self.fields["canceled"] = forms.ChoiceField(_("Why was there no session?"), choices=choices)
        if correcting:
            self.fields["reason"] = forms.TextField(_("Why do you change what is on record?"), max_length=200)


class RatingForm(forms.Form):
    """One's own rating of a group. Open items are no error: a draft is saved as it is."""

    def __init__(self, *args: Any, scale: FidelityScale, scores: Mapping[str, int | None], **kwargs: Any) -> None:
        initial = {f"item_{code}": _coded(value) for code, value in scores.items()} | kwargs.pop("initial", {})
        super().__init__(*args, initial=initial, **kwargs)
        self.items_of = {f"item_{item.code}": item.code for item in scale.items}
        self.fields["visited_on"] = forms.DateField(_("Day of the visit"), not_after=clock.today)
        for n, item in enumerate(scale.items, start=1):
            self.fields[f"item_{item.code}"] = item_field(scale, item.topic, item.optional, str(n))

    def full_clean(self) -> None:
        """As Django's, except that an open item is no error."""
        super().full_clean()
        for name in self.items_of:
            if name in self.errors and not self.data.get(self.add_prefix(name)):
                del self.errors[name]
                self.cleaned_data[name] = ""

    def scores(self) -> dict[str, int | None]:
        """The items that are rated."""
        return {
            code: value_of(self.cleaned_data[name]) for name, code in self.items_of.items() if self.cleaned_data[name]
        }


class ConsensusForm(forms.Form):
    """The items on which the raters differ."""

    def __init__(self, *args: Any, scale: FidelityScale, apart: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.items_of = {f"item_{code}": code for code in apart}
        for n, item in enumerate(scale.items, start=1):
            if item.code in apart:
                field = item_field(scale, item.topic, item.optional, str(n), hint=apart[item.code])
                self.fields[f"item_{item.code}"] = field
        self.fields["password"] = forms.PasswordField(
            _("Your password"), hint=_("Typing it signs the consensus with your name and the time.")
        )

    def decided(self) -> dict[str, int | None]:
        """What was agreed on."""
        return {code: value_of(self.cleaned_data[name]) for name, code in self.items_of.items()}


def item_field(scale: FidelityScale, topic: str, optional: bool, number: str, hint: str = "") -> forms.ScaleField:
    """One item of a fidelity scale; an optional one can be left out where it does not apply."""
    ends = {scale.min: _("%(n)d lowest"), scale.max: _("%(n)d highest")}
    anchors: list[tuple[Any, str]] = [(n, ends.get(n, "%(n)d") % {"n": n}) for n in range(scale.min, scale.max + 1)]
    if optional:
        anchors.append((NOT_APPLICABLE, _("Does not apply")))
    return forms.ScaleField(topic, anchors=anchors, number=number, hint=hint)


def value_of(code: str) -> int | None:
    """The value of an answer; None for an item that does not apply."""
    return None if code == NOT_APPLICABLE else int(code)


def _coded(value: int | None) -> str:
    return NOT_APPLICABLE if value is None else str(value)
