"""Beat the Blues: the published data of 100 patients, played through the actions.

Data: data frame BtheB of the R package HSAUR3 (Proudfoot et al. 2003, Psychol Med 33:217-227). The file has no dates: days are
nominal, from the protocol's anchor date; a missing visit gets the reason "other".
"""

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from django.core.management.base import CommandError

from assessments.entry import actions as entry
from assessments.entry.models import Form
from assessments.visits import actions as visits
from assessments.visits.models import VisitOutcome
from assessments.visits.schedule import window_of
from trial.config.worlds import closing, planning, stage
from trial.core import clock, ids, side
from trial.core.errors import Refused
from trial.core.models import User
from trial.participants import actions as way_in
from trial.participants.models import Participant, ScreeningEntry
from trial.protocol import queries as protocols
from trial.protocol.actions import begin_import, finish_import, load_version
from trial.protocol.changes import Used
from trial.protocol.definition import Protocol
from trial.protocol.loader import load
from trial.protocol.models import ImportState, Team
from trial.unblinded.randomization import actions as allocator
from trial.unblinded.randomization.models import Sequence

COLUMNS = ("subject", "drug", "length", "treatment", "bdi.pre", "bdi.2m", "bdi.3m", "bdi.5m", "bdi.8m")
FOLLOW_UPS = {"M2": "bdi.2m", "M3": "bdi.3m", "M5": "bdi.5m", "M8": "bdi.8m"}
SOURCE = "Beat the Blues, data frame BtheB of HSAUR3"
DRUG = {"No": "0", "Yes": "1"}
LENGTH = {"<6m": "0", ">6m": "1"}
MORNING = dt.time(9, 0)


@dataclass(frozen=True)
class Patient:
    """One row of the file. ``bdi`` by visit code, None where the visit is missing."""

    subject: int
    drug: str
    length: str
    arm: str
    baseline: int
    bdi: dict[str, int | None]


def read(text: str, protocol: Protocol) -> tuple[list[Patient], list[str]]:
    """The patients of the file, and what is wrong with it, by row and column. Nothing is written."""
    reader = csv.DictReader(io.StringIO(text))
    missing = [c for c in COLUMNS if c not in (reader.fieldnames or [])]
    if missing:
        return [], [f"Row 1: the columns {', '.join(missing)} are missing."]
    patients: list[Patient] = []
    problems: list[str] = []
    subjects: set[str] = set()
    arms = {arm.code for arm in protocol.arms}
    for row in reader:
        line = reader.line_num  # blank lines are passed over, and count
        found = list(_problems(row, arms, subjects))
        subjects.add(row["subject"] or "")
        problems += [f"Row {line}: {problem}" for problem in found]
        if not found:
            bdi = {visit: _score(row[column]) for visit, column in FOLLOW_UPS.items()}
            patients.append(
                Patient(
                    int(row["subject"]),
                    DRUG[row["drug"]],
                    LENGTH[row["length"]],
                    row["treatment"],
                    int(row["bdi.pre"]),
                    bdi,
                )
            )
    if not patients and not problems:
        problems.append("The file holds no rows.")
    return patients, problems


def read_file(file: Path) -> str:
    """The text of the data file (UTF-8, with or without a mark at its beginning). Refuses, plainly, what cannot be read."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandError(
            f"Cannot read {file}: {error.strerror}. The folder of the protocol holds the data as data.csv."
        ) from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{file} is not UTF-8 (byte {error.start}). Save it as CSV, UTF-8.") from error


def _score(text: str) -> int | None:
    return None if text == "NA" else int(text)


def _problems(row: dict[str, str], arms: set[str], subjects: set[str]) -> Iterator[str]:
    if any(row[column] is None for column in COLUMNS):
        yield f"it has fewer than {len(COLUMNS)} columns."
        return
    if None in row:
        yield f"it has more than {len(row) - 1} columns."
    if not row["subject"].isdecimal() or row["subject"] in subjects:
        yield f"subject {row['subject']!r} is no whole number, or stands twice."
    for column, allowed in (("drug", set(DRUG)), ("length", set(LENGTH)), ("treatment", arms)):
        if row[column] not in allowed:
            yield f"{column} {row[column]!r} is not one of {', '.join(sorted(allowed))}."
    for column in COLUMNS[4:]:
        value = row[column]
        is_score = value.isdecimal() and int(value) <= 63
        if not is_score and not (value == "NA" and column != "bdi.pre"):
            yield f"{column} {value!r} is no score from 0 to 63" + (
                " (the baseline is never missing)." if column == "bdi.pre" else " or NA."
            )


class Import:
    """One import: read, then played event by event in the order of days. Killed, the next call goes on."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self.say = say
        self.folder, self.protocol = folder, load(folder)
        self.text = read_file(folder / "data.csv")
        self.patients, self.problems = read(self.text, self.protocol)
        anchor = self.protocol.anchor_date
        if anchor is None:
            raise CommandError(
                "The protocol has no anchor_date: the file has no dates, so days need a day to count from."
            )
        self.anchor = anchor

    def preview(self) -> list[str]:
        """What would happen, in words."""
        seen = sum(score is not None for p in self.patients for score in p.bdi.values())
        planned = len(self.patients) * len(FOLLOW_UPS)
        arms = {arm.code: sum(p.arm == arm.code for p in self.patients) for arm in self.protocol.arms}
        return [
            f"{len(self.patients)} participants; arms: {', '.join(f'{code} {n}' for code, n in arms.items())}.",
            f"{seen} of {planned} follow-up visits with a score; {planned - seen} recorded as missed, reason other.",
            f"Days are nominal, from {self.anchor:%d %b %Y}.",
        ]

    def run(self) -> None:
        """Play all of it. Refuses a bad file, a trial that holds something else, and databases that are not for play."""
        stage.refuse_outside_demo("import_trial")
        if self.problems:
            raise CommandError("\n".join([f"{len(self.problems)} problem(s); nothing was imported:", *self.problems]))
        state = self._begin()
        if state.finished_at is not None:
            self.say("This file has been imported already; nothing was changed.")
            return
        start = dt.datetime.combine(self.anchor, MORNING, dt.UTC)
        with stage.alone(), clock.frozen(start - dt.timedelta(days=1)):
            self._prepare()
            events = self._events()
            for n, (at, seed, event) in enumerate([*events, *self._last_days(events[-1][0])], start=1):
                if at > (clock.frozen_at() or at):
                    clock.move_to(at)
                with ids.seeded(seed):
                    event()
                if n % 100 == 0:
                    self.say(f"{n} of {len(events)} days and visits imported")

    @property
    def ends_at(self) -> dt.datetime:
        """The instant at which everything has happened."""
        return self._last_days(self._events()[-1][0])[-1][0]

    def _last_days(self, last: dt.datetime) -> list[tuple[dt.datetime, int, Callable[[], None]]]:
        """After the last visit: rehearsal, lock, planned unblinding, the result; only then is the import complete."""
        steps = (closing.rehearse, closing.lock, closing.unblind, closing.analyze, closing.release,
            closing.report_final, self._finish)  # fmt: skip
        return [(last + dt.timedelta(days=7 + k), 90_000 + k, step) for k, step in enumerate(steps)]

    def _finish(self) -> None:
        with stage.working(stage.PLAYER):
            finish_import(state=ImportState.objects.get(), by=stage.PLAYER)

    def _begin(self) -> ImportState:
        start = dt.datetime.combine(self.anchor, MORNING, dt.UTC) - dt.timedelta(days=2)
        with clock.frozen(start), ids.seeded(1), stage.working(stage.PLAYER):
            digest = sha256(self.text.encode()).hexdigest()
            if not ImportState.objects.exists() and (ScreeningEntry.objects.exists() or protocols.version_or_none()):
                raise CommandError("This trial is not empty. Import into a fresh one: choose another VAR folder.")
            try:
                return begin_import(source=SOURCE, sha256=digest, rows=len(self.patients), by=stage.PLAYER)
            except Refused as refusal:
                raise CommandError(str(refusal.message)) from refusal

    def _prepare(self) -> None:
        with ids.seeded(2):
            with stage.working(stage.PLAYER):
                load_version(protocol=self.protocol, used=Used(), by=stage.PLAYER)
            stage.make_accounts([site.code for site in self.protocol.sites])
            planning.plan(self.folder)
            stage.contribute_shares()
            with stage.working(allocator.ALLOCATOR, side.ALLOCATOR):
                if not Sequence.objects.exists():
                    stratum = self.protocol.strata[0]
                    rows = "".join(f"{stratum},{n},{p.arm}\n" for n, p in enumerate(self.patients, start=1))
                    allocator.import_sequence(
                        text="stratum,position,arm\n" + rows, origin=SOURCE, accepted=True, by=allocator.ALLOCATOR
                    )

    def _events(self) -> list[tuple[dt.datetime, int, Callable[[], None]]]:
        """Every event with its instant and its seed, in order. One person enters a day, in the order of the file."""
        events: list[tuple[dt.datetime, int, Callable[[], None]]] = []
        for n, patient in enumerate(self.patients):
            day = self.anchor + dt.timedelta(days=n)
            at = dt.datetime.combine(day, MORNING, dt.UTC)
            events.append((at, 1000 + n, partial(self._enter, patient, day)))
            for k, visit in enumerate(FOLLOW_UPS, start=1):
                held = window_of(self.protocol.visit(visit), day).target
                when = dt.datetime.combine(held, MORNING, dt.UTC)
                events.append((when, 10_000 * k + n, partial(self._follow_up, patient, day, visit, held)))
        return sorted(events, key=lambda event: event[:2])

    def _found(self, day: dt.date) -> Participant | None:
        opened = dt.datetime.combine(day, dt.time.min, dt.UTC)
        entry_of_day = ScreeningEntry.objects.filter(
            created_at__gte=opened, created_at__lt=opened + dt.timedelta(days=1)
        ).first()
        return Participant.objects.filter(screening=entry_of_day).first() if entry_of_day else None

    def _enter(self, patient: Patient, day: dt.date) -> None:
        """Screening to request in one unit of work, then the allocator's answer."""
        coordinator, interviewer = stage.stand_in("coordinator"), stage.stand_in("interviewer")
        with stage.working(coordinator):
            participant = self._found(day)
            if participant is None:
                participant = self._register(coordinator, day)
                reader = User.objects.get(username="interviewer")
                visits.assign_interviewer(participant=participant, interviewer=reader, by=coordinator)
                answers = {
                    "background": {"drug": patient.drug, "length": patient.length},
                    "bdi": {"bdi_total": str(patient.baseline)},
                }
                for instrument, given in answers.items():
                    _fill(participant, self.protocol.baseline.code, instrument, given, day, interviewer)
                participant.refresh_from_db()
                way_in.request_randomization(participant=participant, by=coordinator)
        stage.later()
        stage.answer_request(participant)

    def _register(self, by: stage.StandIn, day: dt.date) -> Participant:
        team = Team.objects.get()
        opened = way_in.open_screening(team=team, month=day, age_band="other", sex="unknown", by=by)
        given = dict.fromkeys(self.protocol.consent_version.parts, True)
        way_in.record_consent(entry=opened, given=given, signed_on=day, by=by)
        criteria = {c.code: c.kind == "inclusion" for c in self.protocol.criteria}
        way_in.assess_eligibility(entry=opened, criteria=criteria, by=by)
        return way_in.register(entry=opened, by=by)

    def _follow_up(self, patient: Patient, day: dt.date, visit: str, held: dt.date) -> None:
        interviewer, score = stage.stand_in("interviewer"), patient.bdi[visit]
        with stage.working(interviewer):
            participant = self._found(day)
            if participant is None:
                raise CommandError(
                    f"Subject {patient.subject} is not in the trial; the import is damaged. Start again in a fresh folder."
                )
            if VisitOutcome.objects.filter(participant=participant, visit=visit).exists():
                return
            if score is None:
                visits.record_missed(
                    participant=participant, visit=visit, reason_code="other", by=interviewer, day=held
                )
            elif not Form.objects.filter(participant=participant, visit=visit).exists():
                _fill(participant, visit, "bdi", {"bdi_total": str(score)}, held, interviewer)
                visits.close_visit(participant=participant, visit=visit, by=interviewer, day=held)


def _fill(
    participant: Participant, visit: str, instrument: str, answers: dict[str, str], held: dt.date, by: stage.StandIn
) -> None:
    form = entry.open_form(participant=participant, visit=visit, instrument=instrument, by=by)
    form = entry.save_answers(form=form, answers=answers, revision=form.revision, by=by)
    entry.sign_form(form=form, revision=form.revision, held_on=held, by=by)
