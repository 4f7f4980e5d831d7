"""Two raters, each by themselves; then consensus."""

from decimal import Decimal

import pytest

from tests import world
from tests.treatment import FIRST, Treatment, week
from trial.config.worlds.stage import StandIn
from trial.core import db, side
from trial.core.errors import NotAllowed, Refused
from trial.unblinded.sessions import actions, queries, rules
from trial.unblinded.sessions.models import FidelityConsensus, FidelityRating, TherapyGroup
from trial.unblinded.sessions.queries import GroupFidelity

SCALE = "imr_fidelity"
ONE: dict[str, int | None] = {f"fid{n:02d}": 4 for n in range(1, 14)}
OTHER = {**ONE, "fid01": 5, "fid13": 2}


@pytest.fixture
def group(trial: Treatment) -> TherapyGroup:
    group = trial.group()
    trial.on(week(2))
    return group


def save(trial: Treatment, group: TherapyGroup, name: str, scores: dict[str, int | None]) -> FidelityRating:
    with trial.at_work(name) as by:
        rating: FidelityRating = actions.save_rating(group=group, scale=SCALE, scores=scores, visited_on=week(1), by=by)
    return rating


def sign(trial: Treatment, group: TherapyGroup, name: str, scores: dict[str, int | None]) -> FidelityRating:
    rating = save(trial, group, name, scores)
    with trial.at_work(name) as by:
        signed: FidelityRating = actions.sign_rating(rating=rating, password=world.PASSWORD, by=by)
    return signed


def agree(trial: Treatment, group: TherapyGroup, name: str = "fay", **decided: int) -> FidelityConsensus:
    with trial.at_work(name) as by:
        row: FidelityConsensus = actions.reach_consensus(
            group=group, scale=SCALE, decided=decided, password=world.PASSWORD, by=by
        )
    return row


def test_from_two_ratings_to_a_score(trial: Treatment, group: TherapyGroup) -> None:
    sign(trial, group, "fay", ONE)
    with pytest.raises(Refused, match="One of you has not yet"):
        agree(trial, group)
    sign(trial, group, "finn", OTHER)
    with pytest.raises(Refused, match="every item on which you differ"):
        agree(trial, group, fid01=5)
    with pytest.raises(Refused, match="one of the raters"):
        agree(trial, group, "fred", fid01=5, fid13=3)
    row = agree(trial, group, fid01=5, fid13=3, fid02=1)
    assert (row.score, row.band, row.scores["fid02"]) == (Decimal("4.0000"), "high", 4)
    assert agree(trial, group, "finn", fid01=4, fid13=4).pk == row.pk
    with trial.at_work():
        assert queries.group_fidelity() == {"R1-A": GroupFidelity(Decimal("4.0000"), "high")}


def test_nobody_sees_the_other_s_rating_until_both_have_signed(trial: Treatment, group: TherapyGroup) -> None:
    sign(trial, group, "fay", ONE)
    save(trial, group, "finn", OTHER)

    def seen(actor: str) -> int:
        with trial.at_work():
            line = queries.fidelity_lines([group], trial.protocol.fidelity)[0]
            return sum(rules.may_see_rating(actor, rating, line) for rating in line.ratings)

    fay, finn, ursula = (trial.people[name].actor_id for name in ("fay", "finn", "ursula"))
    assert [seen(one) for one in (fay, finn, ursula)] == [1, 1, 0]
    sign(trial, group, "finn", OTHER)
    assert [seen(one) for one in (fay, finn, ursula)] == [2, 2, 2]


def test_a_signed_rating_is_complete_and_closed(trial: Treatment, group: TherapyGroup) -> None:
    with pytest.raises(Refused, match="1 are open"):
        sign(trial, group, "fay", dict.fromkeys(list(ONE)[1:], 4))
    first = sign(trial, group, "fay", ONE)
    assert save(trial, group, "fay", ONE).pk == first.pk
    with pytest.raises(Refused, match="does not change any more"):
        save(trial, group, "fay", OTHER)
    with trial.at_work("finn") as by, pytest.raises(Refused, match="their own rating"):
        actions.sign_rating(rating=first, password=world.PASSWORD, by=by)


def test_signing_takes_the_own_password(trial: Treatment, group: TherapyGroup) -> None:
    rating = save(trial, group, "fay", ONE)
    with trial.at_work("fay") as by, pytest.raises(Refused, match="not your password"):
        actions.sign_rating(rating=rating, password="guess", by=by)


@pytest.mark.parametrize("scores", [{"fid01": 6}, {"fid01": None}, {"fid99": 3}])
def test_values_are_of_the_scale(trial: Treatment, group: TherapyGroup, scores: dict[str, int | None]) -> None:
    with pytest.raises(Refused, match="from 1 to 5"):
        save(trial, group, "fay", scores)


def test_two_raters_and_none_of_them_trains_the_group(trial: Treatment, group: TherapyGroup) -> None:
    save(trial, group, "fay", ONE)
    save(trial, group, "finn", ONE)
    with pytest.raises(Refused, match="has its raters"):
        save(trial, group, "fred", ONE)
    with pytest.raises(NotAllowed):
        save(trial, group, "tim", ONE)
    other = trial.group("R1-B")
    with world.at_work(world.SETUP, side.UNBLINDED):
        from trial.core.access import person_of
        from trial.core.access.actions import give_role

        give_role(user=trial.users["tim"], role="fidelity", site="*", by=world.SETUP)
        trial.people["tim"] = person_of(trial.users["tim"])
    with pytest.raises(NotAllowed, match="somebody else rates it"):
        save(trial, other, "tim", ONE)
    third = world.make_user("tess", "therapist", trial.site)
    with world.at_work(world.SETUP, side.UNBLINDED):
        give_role(user=third, role="fidelity", site="*", by=world.SETUP)
        trial.people["tess"] = person_of(third)
    save(trial, other, "tess", ONE)
    with trial.at_work("thea") as by, pytest.raises(Refused, match="has rated this group"):
        keys = [trial.users["tim"].pk, third.pk]
        actions.change_group(group=other, name="X", trainers=keys, opened_on=FIRST, by=by)


def test_a_player_rates_for_two_accounts(trial: Treatment, group: TherapyGroup) -> None:
    for name, scores in (("fay", ONE), ("finn", OTHER)):
        stand_in = StandIn(trial.people[name].actor_id, "*", name)
        with side.unblinded(), db.unit_of_work(by=stand_in):
            rating = actions.save_rating(group=group, scale=SCALE, scores=scores, visited_on=week(1), by=stand_in)
            actions.sign_rating(rating=rating, by=stand_in)
    with side.unblinded(), db.unit_of_work(by=stand_in):
        row = actions.reach_consensus(group=group, scale=SCALE, decided={"fid01": 4, "fid13": 2}, by=stand_in)
    assert (row.score, row.band) == (Decimal("3.8462"), "moderate")
