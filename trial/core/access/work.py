"""What waits for an administrator: roles that another administrator has given."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from trial.core.access.person import Person
from trial.core.access.presenters import site_names
from trial.core.access.roles import BY_CODE, Administrator
from trial.core.models import ANY_SITE, Membership
from trial.core.ui.work import WorkItem, WorkList


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
