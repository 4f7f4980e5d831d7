"""Many participants at once, for tests of long lists."""

from typing import Any

import psycopg

from tests.unit.participants.conftest import Staffed

ENTRIES = """
insert into participants_screeningentry(id, month, age_band, sex, outcome, reason, criteria, created_at, site_id, team_id)
select md5('entry' || n)::uuid, '2026-01-01', '30-39', 'female', case when n %% 3 = 0 then 'excluded' else 'registered' end,
       case when n %% 3 = 0 then 'condition' else '' end, '{}', now(), %(site)s, %(team)s
from generate_series(1, %(n)s) n on conflict do nothing
"""
PEOPLE = """
insert into participants_participant(id, number, registered_at, baseline_completed_at, randomized_at, stratum, site_id, team_id, screening_id)
select md5('person' || n)::uuid, lpad(n::text, 8, '0'), now(), now(), case when n %% 2 = 0 then now() end,
       case when n %% 2 = 0 then 'x' else '' end, %(site)s, %(team)s, md5('entry' || n)::uuid
from generate_series(1, %(n)s) n on conflict do nothing
"""
CONSENTS = """
insert into participants_consent(id, version, part, given, signed_on, reason, recorded_at, recorded_by, site_id, screening_id)
select md5('consent' || n || part)::uuid, 'v1', part, n %% 7 > 0, '2026-01-01', '', now(), 'x', %(site)s, md5('entry' || n)::uuid
from generate_series(1, %(n)s) n, unnest(array['interviews', 'records', 'clinician', 'sharing']) part on conflict do nothing
"""
CONTACTS = """
insert into participants_contact(id, number, name, phone, email, address, contact_person, contact_phone, preferred_way, best_time,
                                 recorded_at, recorded_by, participant_id, site_id)
select md5('contact' || n)::uuid, 1, 'Synthetic Person ' || n, '', '', '', '', '', '', '', now(), 'x', md5('person' || n)::uuid, %(site)s
from generate_series(1, %(n)s) n on conflict do nothing
"""
DEATHS = """
insert into participants_death(id, number, step, recorded_at, recorded_by, participant_id, site_id)
select md5('death' || n)::uuid, 1, 'reported', now(), 'x', md5('person' || n)::uuid, %(site)s
from generate_series(1, %(n)s) n where n %% 10 = 0 on conflict do nothing
"""


def fill(owner: psycopg.Connection[Any], staffed: Staffed, n: int) -> None:
    """``n`` people, by the owner and without the triggers: a thousand by actions would take minutes."""
    values = {"n": n, "site": staffed.here.site_id, "team": staffed.here.pk}
    with owner.transaction():
        owner.execute("set local session_replication_role = replica")
        for statement in (ENTRIES, PEOPLE, CONSENTS, CONTACTS, DEATHS):
            owner.execute(statement, values)  # type: ignore[arg-type]
