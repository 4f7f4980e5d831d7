"""What waits for an administrator: roles that another administrator has given. And what was refused lately."""

import datetime as dt

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from trial.core import clock
from trial.core.access.person import Person
from trial.core.access.presenters import site_names
from trial.core.access.roles import BY_CODE, Administrator
from trial.core.models import ANY_SITE, Membership, Refusal
from trial.core.ui.work import Panel, WorkItem, WorkList


def work(person: Person) -> WorkList | None:
    """Roles to confirm; the administrator's own gifts wait for somebody else."""
    if not person.holds(Administrator):
        return None
    names = site_names()
    waiting = Membership.objects.filter(confirmed_at=None, ended_at=None).select_related("user").order_by("granted_at")
    items = []
    for m in waiting:
        told = {"role": BY_CODE[m.role].title, "name": m.user.full_name}
        mine = m.granted_by == person.actor_id
        items.append(
            WorkItem(
                _("%(role)s for %(name)s") % told if mine else _("Confirm %(role)s for %(name)s") % told,
                reverse("account", args=[m.user.username]) if mine else reverse("role_step", args=[m.pk, "confirm"]),
                _("Waits for another administrator")
                if mine
                else ("" if m.site == ANY_SITE else names.get(m.site, m.site)),
                "waiting" if mine else "due",
                timezone.localtime(m.granted_at).date(),
            )
        )
    return WorkList(
        _("Roles to confirm"),
        items,
        _("Roles behind the wall that another administrator gives appear here."),
        after_lock=True,
    )


def panels_for(person: Person) -> list[Panel]:
    """How often somebody was refused in the last seven days, for administrators."""
    if not person.holds(Administrator):
        return []
    count = Refusal.objects.filter(at__gt=clock.now() - dt.timedelta(days=7)).count()
    sentence = ngettext(
        "%(count)d attempt was refused in the last seven days.",
        "%(count)d attempts were refused in the last seven days.",
        count,
    )
    words = sentence % {"count": count} if count else _("Nothing was refused in the last seven days.")
    return [Panel(_("Refused attempts"), "accounts/refusals_panel.html", {"sentence": words, "any": count})]
