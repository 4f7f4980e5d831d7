"""Who takes part in a play: the people of the plan as they exist in the database, and the demo accounts whose work it is."""

from trial.config.worlds import stage
from trial.config.worlds.plan.people import people
from trial.core.models import User
from trial.participants.models import Participant, ScreeningEntry
from trial.protocol.definition import Protocol
from trial.protocol.models import Team
from trial.unblinded.randomization.models import Allocation


class Cast:
    """What every kind of handler needs. People by their number in the plan."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.entries: dict[int, ScreeningEntry] = {}
        self.people: dict[int, Participant] = {}
        self.allocations: dict[int, Allocation] = {}
        self._users: dict[str, User] = {}
        self._teams: dict[str, Team] = {}

    def _by(self, role: str, person: int) -> stage.StandIn:
        """The demo account of this role at the person's site."""
        return self._at(role, people()[person].site)

    def _at(self, role: str, site: str) -> stage.StandIn:
        return stage.stand_in(role if site == self.protocol.sites[0].code else f"{role}2")

    def _team(self, code: str) -> Team:
        if not self._teams:
            self._teams = {team.code: team for team in Team.objects.all()}
        return self._teams[code]

    def _user(self, who: stage.StandIn) -> User:
        if who.actor_id not in self._users:
            self._users[who.actor_id] = User.objects.get(pk=who.actor_id)
        return self._users[who.actor_id]
