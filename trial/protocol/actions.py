"""Putting a version of the protocol into force."""

from django.utils.translation import gettext as _

from trial.core import clock, db
from trial.core.actions import action
from trial.core.errors import Refused
from trial.protocol import queries
from trial.protocol.changes import Used, compare
from trial.protocol.definition import Protocol
from trial.protocol.models import ImportState, ProtocolVersion, Site, Team


@action
def load_version(*, protocol: Protocol, used: Used, by: db.Actor) -> ProtocolVersion:
    """Put this protocol into force and return its version.

    Loading what is in force already changes nothing. Refuses (`protocol_orphans`) a protocol that no longer defines what
    the data in `used` refer to, naming each place. Sites and teams that are gone stay as rows and become inactive.
    """
    db.take_turn("trial.protocol")  # numbers follow each other
    before = queries.version_or_none()
    if before and before.sha256 == protocol.sha256:
        return before
    if before:
        _refuse_orphans(queries.protocol_of(before), protocol, used)
    if ProtocolVersion.objects.filter(sha256=protocol.sha256).exists():
        raise Refused(
            "protocol_went_back",
            _(
                "This is word for word an earlier version of the protocol. Going back is a change of its own: say so in the"
                " title or in a note, then load it again."
            ),
        )
    version = ProtocolVersion.objects.create(
        number=before.number + 1 if before else 1,
        sha256=protocol.sha256,
        document=protocol.to_document(),
        loaded_by=by.actor_id[:60],
    )
    _put_sites(protocol)
    _put_teams(protocol)
    return version


def _refuse_orphans(old: Protocol, new: Protocol, used: Used) -> None:
    problems = compare(old, new, used)
    if problems:
        head = _("This protocol cannot follow the one in force, because data would refer to what it no longer defines:")
        raise Refused("protocol_orphans", "\n".join([head, *map(str, problems)]))


def _put_sites(protocol: Protocol) -> None:
    rows = {row.code: row for row in Site.objects.all()}
    for site in protocol.sites:
        row = rows.pop(site.code, None)
        if row is None:
            Site.objects.create(code=site.code, name=site.name)
        else:
            _update(row, site.name, is_active=True)
    for row in rows.values():
        _update(row, row.name, is_active=False)


def _put_teams(protocol: Protocol) -> None:
    rows = {row.code: row for row in Team.objects.all()}
    for team in protocol.teams:
        row = rows.pop(team.code, None)
        if row is None:
            Team.objects.create(code=team.code, name=team.name, site_id=team.site)
        elif row.site_id != team.site:
            message = _(
                "The team %(team)s was of the site %(site)s in an earlier version. Give the new team a new code."
            )
            raise Refused("team_moved", message % {"team": team.code, "site": row.site_id})
        else:
            _update(row, team.name, is_active=True)
    for row in rows.values():
        _update(row, row.name, is_active=False)


def _update(row: Site | Team, name: str, *, is_active: bool) -> None:
    if (row.name, row.is_active) != (name, is_active):
        row.name, row.is_active = name, is_active
        row.save(update_fields=["name", "is_active"])


@action
def begin_import(*, source: str, sha256: str, rows: int, by: db.Actor) -> ImportState:
    """Note that an import has begun, so that every page says so. Going on with the same file finds the same note.

    Refuses a second, different import.
    """
    known = ImportState.objects.select_for_update().first()
    if known is not None:
        if known.sha256 != sha256:
            raise Refused(
                "import_other", _("Another file has been imported into this trial; one trial takes one import.")
            )
        return known
    state = ImportState(source=source, sha256=sha256, rows=rows)
    state.save(force_insert=True)
    return state


@action
def finish_import(*, state: ImportState, by: db.Actor) -> None:
    """Note that the import is complete."""
    if state.finished_at is None:
        state.finished_at = clock.now()
        state.save(update_fields=["finished_at"])
