"""From a folder of TOML files to a valid Protocol. Pure: no database, no settings.

    protocols/imr/
        trial.toml  sites.toml  visits.toml  eligibility.toml  consent.toml  analysis.toml
        sessions.toml          (only where a program is given in sessions)
        instruments/*.toml     (one form a file, named after its code)

The statistical analysis plan (plan.toml) lies beside them and is a matter of its own, as are files that are not TOML (published data, notes
on their source).
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from trial.protocol import instrument_file, sections
from trial.protocol.checks import check
from trial.protocol.definition import Instrument, Protocol, Reasons
from trial.protocol.problems import Problem, ProtocolError
from trial.protocol.reader import Problems, Table, is_secret, read_toml, similar

REQUIRED = ("trial.toml", "sites.toml", "visits.toml", "eligibility.toml", "consent.toml", "analysis.toml")
OPTIONAL = ("sessions.toml",)
ELSEWHERE = ("plan.toml",)
"""What lies beside the protocol and is read by others: the statistical analysis plan."""
INSTRUMENTS = "instruments"
MAX_INSTRUMENTS = 200

Part = TypeVar("Part")

__all__ = ["Problem", "ProtocolError", "load"]


def load(folder: Path) -> Protocol:
    """The protocol that this folder defines.

    Raises ProtocolError with every problem found: first of the files (missing, unreadable, unknown or wrong settings),
    and when there is none of those, of what does not fit together. Nothing is guessed and nothing is skipped.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ProtocolError([Problem(folder.name, "", "no_folder")])
    problems = Problems()
    _refuse_unknown_files(folder, problems)
    protocol = _read(folder, problems)
    if protocol is None or problems.found:
        raise ProtocolError(problems.found)
    found = check(protocol).found
    if found:
        raise ProtocolError(found)
    return protocol


def _read(folder: Path, problems: Problems) -> Protocol | None:
    trial = _part(folder, "trial.toml", sections.trial, problems)
    sites = _part(folder, "sites.toml", sections.sites, problems)
    visits = _part(folder, "visits.toml", sections.visits, problems)
    eligibility = _part(folder, "eligibility.toml", sections.eligibility, problems)
    consent = _part(folder, "consent.toml", sections.consent, problems)
    analysis = _part(folder, "analysis.toml", sections.analysis, problems)
    with_sessions = (folder / "sessions.toml").exists()
    sessions = _part(folder, "sessions.toml", sections.sessions, problems) if with_sessions else None
    instruments = _instruments(folder, problems)
    if not (trial and sites and visits and eligibility and consent and analysis):
        return None
    return Protocol(
        **trial,
        sites=sites[0],
        teams=sites[1],
        visits=visits.visits,
        records=visits.records,
        instruments=instruments,
        criteria=eligibility.criteria,
        reasons=Reasons(
            exclusion=eligibility.exclusion,
            decline=eligibility.decline,
            missed_visit=visits.missed_visit,
            missing_item=visits.missing_item,
            withdrawal=consent[2],
        ),
        consent_parts=consent[0],
        consent_versions=consent[1],
        analysis=analysis,
        sessions=sessions[0] if sessions else None,
        fidelity=sessions[1] if sessions else (),
    )


def _part(folder: Path, file: str, read: Callable[[Table], Part], problems: Problems) -> Part | None:
    data = read_toml(folder / file, file, problems)
    return None if data is None else read(Table(file, "", data, problems))


def _instruments(folder: Path, problems: Problems) -> tuple[Instrument, ...]:
    paths = sorted((folder / INSTRUMENTS).glob("*.toml"))
    if not 1 <= len(paths) <= MAX_INSTRUMENTS:
        allowed = f"1 to {MAX_INSTRUMENTS} files instruments/*.toml"
        problems.add(f"{INSTRUMENTS}/", "", "too_few", found=str(len(paths)), allowed=allowed)
    found: list[tuple[int, Instrument]] = []
    for path in paths[:MAX_INSTRUMENTS]:
        file = f"{INSTRUMENTS}/{path.name}"
        placed = _part(folder, file, instrument_file.instrument, problems)
        if placed and placed[1].code and placed[1].code != path.stem:
            problems.add(
                file, "code", "wrong_name", found=placed[1].code, allowed=f'"{path.stem}", or another file name'
            )
        found += [placed] if placed else []
    return tuple(one for _, one in sorted(found, key=lambda placed: (placed[0], placed[1].code)))


def _refuse_unknown_files(folder: Path, problems: Problems) -> None:
    known = (*REQUIRED, *OPTIONAL)
    for path in sorted(folder.glob("*.toml")):
        if path.name not in (*known, *ELSEWHERE):
            if is_secret(path.stem):
                problems.add(path.name, "", "secret_key")
            else:
                close = similar(path.name, known)
                problems.add(path.name, "", "unknown_file", similar=close, allowed=", ".join(known))
