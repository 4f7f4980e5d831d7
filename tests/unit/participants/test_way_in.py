"""From screening to the request, on the logins that do it; and each refusal, by the action and by the database."""

from typing import Any

import psycopg
import pytest
from django.db import DatabaseError

from tests import world
from trial.core import clock, db, side
from trial.core.errors import NotAllowed, Refused
from trial.core.models import History
from trial.participants import actions as way_in
from trial.participants import queries
from trial.participants.models import Consent, Participant, RandomizationRequest
from trial.protocol.models import Team
from trial.unblinded.randomization.models import Allocation


@pytest.fixture
def coordinator(database: psycopg.Connection[Any]) -> Any:
    world.open_trial()
    with world.at_work(world.SETUP):
        site = Team.objects.order_by("code").first().site_id  # type: ignore[union-attr]
    return world.person(world.make_user("coordinator", "coordinator", site))


def a_team(person: Any) -> Team:
    return Team.objects.filter(site__in=person.sites).order_by("code").first()  # type: ignore[return-value]


def test_from_screening_to_allocation(coordinator: Any) -> None:
    with world.at_work(coordinator):
        participant = world.ready_to_randomize(coordinator, a_team(coordinator))
        request = way_in.request_randomization(participant=participant, by=coordinator)
        again = way_in.request_randomization(participant=participant, by=coordinator)
        assert request.pk == again.pk
    world.randomize(request)
    world.randomize(request)
    with world.at_work(coordinator):
        participant.refresh_from_db()
        request.refresh_from_db()
        assert request.state == RandomizationRequest.State.DONE
        assert participant.randomized_at == request.answered_at is not None
        assert participant.stratum
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        allocation = Allocation.objects.get()
        assert (allocation.position, allocation.stratum) == (1, participant.stratum)


def test_without_consent_nobody_is_registered(coordinator: Any) -> None:
    from trial.protocol.queries import current

    with world.at_work(coordinator):
        entry = way_in.open_screening(
            team=a_team(coordinator), month=clock.today(), age_band="40-49", sex="male", by=coordinator
        )
        way_in.assess_eligibility(
            entry=entry, criteria={c.code: c.kind == "inclusion" for c in current().criteria}, by=coordinator
        )
        with pytest.raises(Refused, match="Consent is missing"):
            way_in.register(entry=entry, by=coordinator)
    with world.at_work(coordinator), pytest.raises(DatabaseError, match="needs a consent"):
        Participant(number="00000000", site_id=entry.site_id, team_id=entry.team_id, screening=entry).save(
            force_insert=True
        )


def test_a_criterion_that_fails_excludes_with_its_code(coordinator: Any) -> None:
    from trial.protocol.queries import current

    with world.at_work(coordinator):
        criteria = {c.code: c.kind == "inclusion" for c in current().criteria}
        first = next(iter(criteria))
        criteria[first] = not criteria[first]
        entry = way_in.open_screening(
            team=a_team(coordinator), month=clock.today(), age_band="40-49", sex="male", by=coordinator
        )
        entry = way_in.assess_eligibility(entry=entry, criteria=criteria, by=coordinator)
        assert (entry.outcome, entry.reason) == ("excluded", first)
        with pytest.raises(Refused, match="eligible"):
            way_in.register(entry=entry, by=coordinator)


def test_no_baseline_no_request(coordinator: Any) -> None:
    with world.at_work(coordinator):
        participant = world.register(coordinator, a_team(coordinator))
        with pytest.raises(Refused, match="baseline"):
            way_in.request_randomization(participant=participant, by=coordinator)
    with world.at_work(coordinator), pytest.raises(DatabaseError, match="complete baseline"):
        RandomizationRequest(participant=participant, site_id=participant.site_id, requested_by="x").save(
            force_insert=True
        )


def test_only_the_allocator_says_randomized(coordinator: Any) -> None:
    with world.at_work(coordinator):
        participant = world.ready_to_randomize(coordinator, a_team(coordinator))
    with world.at_work(coordinator), pytest.raises(DatabaseError, match="permission denied"):
        Participant.objects.filter(pk=participant.pk).update(randomized_at=clock.now(), stratum="x")


def test_consent_is_append_only_even_for_the_owner(coordinator: Any, database: psycopg.Connection[Any]) -> None:
    with world.at_work(coordinator):
        world.register(coordinator, a_team(coordinator))
        assert Consent.objects.exists()
    database.execute("select set_config('equipoise.actor', 'system:test', false)")
    with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
        database.execute("update participants_consent set given = false")


def test_the_lock_stops_everything(coordinator: Any) -> None:
    manager = world.person(world.make_user("datamanager", "datamanager"))
    with world.at_work(coordinator):
        participant = world.ready_to_randomize(coordinator, a_team(coordinator))
    with world.at_work(manager):
        with pytest.raises(Refused, match="not your password"):
            way_in.lock_database(password="wrong", by=manager)
        way_in.lock_database(password=world.PASSWORD, by=manager)
    with world.at_work(coordinator), pytest.raises(Refused, match="locked"):
        world.register(coordinator, a_team(coordinator))
    with world.at_work(coordinator), pytest.raises(DatabaseError, match="database is locked"):
        RandomizationRequest(participant=participant, site_id=participant.site_id, requested_by="x").save(
            force_insert=True
        )


def test_another_site_does_not_exist(coordinator: Any) -> None:
    with world.at_work(world.SETUP):
        elsewhere = Team.objects.exclude(site__in=coordinator.sites).order_by("code").first()
        assert elsewhere is not None
        there = world.register(world.SETUP, elsewhere)
    with world.at_work(coordinator):
        assert queries.participant_numbered(there.number) is None
        with pytest.raises(NotAllowed):
            way_in.open_screening(team=elsewhere, month=clock.today(), age_band="40-49", sex="male", by=coordinator)
        assert not History.objects.filter(row_id=str(there.pk)).exists()
    with world.at_work(coordinator), pytest.raises(DatabaseError, match="row-level security"):
        Consent(
            site_id=elsewhere.site_id,
            screening_id=there.screening_id,
            version="1",
            part="x",
            given=True,
            signed_on=clock.today(),
            recorded_by="x",
        ).save(force_insert=True)


def test_the_history_names_person_action_and_change(coordinator: Any) -> None:
    with world.at_work(coordinator):
        participant = world.ready_to_randomize(coordinator, a_team(coordinator))
        rows = list(History.objects.filter(row_id=str(participant.pk)).order_by("id"))
    assert [(r.operation, r.action.rpartition(".")[2]) for r in rows] == [
        ("INSERT", "register"),
        ("UPDATE", "record_baseline"),
    ]
    assert rows[0].actor == coordinator.actor_id
    assert rows[1].actor == "system:setup"
    assert set(rows[1].new) == {"baseline_completed_at"}
    assert rows[0].site == participant.site_id


def test_a_report_of_unblinding_is_write_only(coordinator: Any) -> None:
    from trial.participants.models import UnblindingReport

    with world.at_work(coordinator):
        participant = world.register(coordinator, a_team(coordinator))
        way_in.report_unblinding(
            participant_id=participant.pk, visit="T2", source="participant", words="the canary sings", by=coordinator
        )
        assert not History.objects.filter(table_name="dropbox_unblinding_report").exists()
    with world.at_work(coordinator), pytest.raises(DatabaseError, match="permission denied"):
        UnblindingReport.objects.count()
    with side.unblinded(), db.unit_of_work(by=world.SETUP):
        assert UnblindingReport.objects.get().words == "the canary sings"


def test_a_report_of_unblinding_is_of_the_site_of_its_participant(coordinator: Any) -> None:
    """The action refuses a participant of another site, and so does the database."""
    from trial.participants.models import UnblindingReport

    with world.at_work(world.SETUP):
        elsewhere = Team.objects.exclude(site__in=coordinator.sites).order_by("code").first()
        assert elsewhere is not None
        stranger = world.register(world.SETUP, elsewhere)
    with world.at_work(coordinator), pytest.raises(Refused, match="no such participant at your site"):
        way_in.report_unblinding(participant_id=stranger.pk, visit="T2", source="participant", by=coordinator)
    for site, refusal in ((elsewhere.site_id, "row-level security"), (*coordinator.sites, "different sites")):
        with world.at_work(coordinator), pytest.raises(DatabaseError, match=refusal):
            row = UnblindingReport(site=site, participant_id=stranger.pk, source="x", reported_by=coordinator.actor_id)
            UnblindingReport.objects.bulk_create([row])
