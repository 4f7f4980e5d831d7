"""Every kind of mistake in a folder is refused at its file and key, and the problem says what is allowed."""

import shutil
from pathlib import Path

import pytest

from trial.protocol.loader import load
from trial.protocol.problems import TEXTS, Problem, ProtocolError
from trial.protocol.reader import is_secret

SHIPPED = Path(__file__).resolve().parents[3] / "protocols"
BDI, BACKGROUND = "instruments/bdi.toml", "instruments/background.toml"

# file, old text, new text | file, key and code of a problem that must be there | words that its sentence must hold
Mistake = tuple[str, str, str, str, str, str, str]
BTHEB: list[Mistake] = [
    # reading one value
    ("trial.toml", 'strata = "none"', 'stratum = "none"', "trial.toml", "stratum", "unknown_key", 'did you mean "strata"'),
    ("trial.toml", 'strata = "none"', "", "trial.toml", "strata", "missing", "team, site, none"),
    ("trial.toml", 'strata = "none"', 'strata = "teams"', "trial.toml", "strata", "not_allowed", 'did you mean "team"'),
    ("trial.toml", "= 100", "= 0", "trial.toml", "target_sample_size", "out_of_range", "1 to 1000000"),
    ("trial.toml", "= 100", "= true", "trial.toml", "target_sample_size", "wrong_type", "a number from 1"),
    ("trial.toml", "= 100", "= 1.5", "trial.toml", "target_sample_size", "wrong_type", "a whole number"),
    ("trial.toml", "= 2000-01-03", '= "2000-01-03"', "trial.toml", "anchor_date", "wrong_type", "without quotes"),
    ("trial.toml", 'short_name = "Beat the Blues"', 'short_name = " "', "trial.toml", "short_name", "bad_text", "1 to 40"),
    ("trial.toml", 'code = "TAU"', 'code = "T-U"', "trial.toml", "arms[2].code", "bad_code", "a letter, then"),
    ("trial.toml", "experimental = true", "experimental = 1", "trial.toml", "arms[1].experimental", "wrong_type", "false"),
    ("trial.toml", "[[arms]]", "[arms]", "trial.toml", "", "not_toml", "line"),
    ("consent.toml", 'parts = ["interviews"', 'parts = ["interviews", "interviews"', "consent.toml", "versions[1].parts[2]",
     "duplicate", "used twice"),
    # what would let somebody predict allocations
    ("trial.toml", 'strata = "none"', 'strata = "none"\nblock_size = 5', "trial.toml", "block_size", "secret_key", "seal_"),
    ("trial.toml", 'strata = "none"', 'strata = "none"\nseed = 1', "trial.toml", "seed", "secret_key", "predict"),
    ("trial.toml", "[[arms]]", "[allocation]\nblocks = [4]\n[[arms]]", "trial.toml", "allocation", "secret_key", "predict"),
    ("sites.toml", "[[sites]]", '[[sites]]\nlist = "a b"', "sites.toml", "sites[1].list", "secret_key", "predict"),
    ("sites.toml", "[[sites]]", '[[sites]]\ncoordinator_sees_allocation = "yes"', "sites.toml",
     "sites[1].coordinator_sees_allocation", "wrong_type", "true or false"),
    # references and uniqueness
    ("visits.toml", 'code = "M3"', 'code = "M2"', "visits.toml", "visits", "duplicate", "M2 is used twice"),
    ("visits.toml", 'code = "M3"', 'code = "M4"', BDI, "visits", "unknown_reference", "visits.toml"),
    ("analysis.toml", '"M2", ', '"M22", ', "analysis.toml", "visits", "unknown_reference", 'did you mean "M2"'),
    ("analysis.toml", 'primary_visit = "M8"', 'primary_visit = "M0"', "analysis.toml", "primary_visit", "not_allowed", "M8"),
    ("analysis.toml", 'visits = ["M2"', 'visits = ["M0", "M2"', "analysis.toml", "visits", "not_allowed", "M2, M3, M5, M8"),
    ("analysis.toml", "alpha = 0.05", "alpha = 0.05\nfidelity_sessions = 10", "analysis.toml", "fidelity_sessions", "conflict", "0"),
    ("analysis.toml", "reference = 0 # No", "reference = 7", "analysis.toml", "covariates[1].reference", "not_allowed", "0, 1"),
    ("analysis.toml", 'item = "drug"', 'item = "drag"', "analysis.toml", "covariates[1].item", "unknown_reference", "drug"),
    ("analysis.toml", 'team = "none"', 'team = "fixed"', "analysis.toml", "team", "conflict", "single team"),
    ("analysis.toml", '"reml"]', '"ml"]', "analysis.toml", "estimation", "duplicate", "used twice"),
    # visits in time
    ("visits.toml", "offset = 3", "offset = 2", "visits.toml", "visits[3].offset", "out_of_range", "order of time"),
    ("visits.toml", "days_before = 14", "days_before = 90", "visits.toml", "visits[2].days_before", "out_of_range", "between"),
    ("visits.toml", "baseline = true", "baseline = false", "visits.toml", "visits[1].offset", "missing", "a number"),
    # who may take part, and what they consent to
    ("eligibility.toml", 'kind = "inclusion"', 'kind = "include"', "eligibility.toml", "criteria[1].kind", "not_allowed",
     "inclusion"),
    ("consent.toml", "required = true", "required = false", "consent.toml", "parts", "conflict", "one part or more"),
    ("consent.toml", 'parts = ["interviews", ', "parts = [", "consent.toml", "versions[1].parts", "conflict", "interviews"),
    # forms
    (BDI, 'kind = "integer"', 'kind = "number"', BDI, "items[1].kind", "not_allowed", "integer, decimal"),
    (BDI, "min = 0", "min = 99", BDI, "items[1].max", "out_of_range", "more than min"),
    (BDI, "max = 63", 'max = 63\nanchors = { 90 = "a" }', BDI, "items[1].anchors", "out_of_range", "0 to 63"),
    (BDI, 'kind = "integer"', 'kind = "date"', BDI, "items[1].min", "unknown_key", "allowed"),
    (BDI, 'items = ["bdi_total"]', 'items = ["bdi_totl"]', BDI, "scales[1].items", "unknown_reference", "bdi_total"),
    (BDI, 'role = "primary"', 'role = "secondary"', BDI, "scales.bdi.role", "conflict", "one scale of the trial"),
    (BDI, "min_answered = 1", "min_answered = 0", BDI, "scales[1].min_answered", "out_of_range", "0.01 to 1"),
    (BDI, 'method = "sum"', 'method = "weighted"\nweights = [1, 2]', BDI, "scales[1].weights", "too_few", "one for each"),
    (BDI, 'visits = ["M0", ', "visits = [", BDI, "visits", "conflict", "baseline"),
    (BACKGROUND, 'visits = ["M0"]', 'visits = ["M0", "M2"]\n[[items]]\ncode = "note"\ntopic = "Note"\nkind = "text"\nmax = 9',
     BACKGROUND, "items.note.kind", "conflict", "could name the arm"),
    (BACKGROUND, 'code = "drug"', 'code = "bdi_total"', BDI, "items", "duplicate", "background.toml"),
    (BACKGROUND, ', 1 = ">6m" }', "}", BACKGROUND, "items[2].anchors", "too_few", "2 or more"),
    (BACKGROUND, '1 = ">6m" }', 'x = ">6m" }', BACKGROUND, "items[2].anchors.x", "bad_text", "whole number"),
]  # fmt: skip
IMR: list[Mistake] = [
    ("sites.toml", 'site = "dordrecht"', 'site = "dordrech"', "sites.toml", "teams[10].site", "unknown_reference", "rotterdam"),
    ("trial.toml", "rater = false", "datamanager = false", "trial.toml", "blindness.datamanager", "not_blind", "measures"),
    ("trial.toml", "rater = false", "interviewer = false", "trial.toml", "blindness.interviewer", "not_blind", "blind"),
    ("trial.toml", "rater = false", "therapist = true", "trial.toml", "blindness.therapist", "conflict", "knows arms"),
    ("trial.toml", "rater = false", "nurse = true", "trial.toml", "blindness.nurse", "unknown_key", "allowed"),
    (BACKGROUND, "rater_blind = true", "rater_blind = false", BACKGROUND, "rater_blind", "not_blind", "interviewer"),
    ("instruments/ses.toml", "rater_blind = false", "rater_blind = true", "instruments/ses.toml", "rater_blind", "conflict",
     "trial.toml"),
    ("instruments/cses.toml", "count = 26", "count = 13", "instruments/cses.toml", "scales[1].items", "unknown_reference", "cses_13"),
    ("instruments/cses.toml", "max = 260", "max = 130", "instruments/cses.toml", "scales[1].max", "out_of_range", "260"),
    ("instruments/ismi.toml", "reversed_items = [", 'reversed_items = ["ismi_alienation_99", ', "instruments/ismi.toml",
     "scales[1].reversed_items", "unknown_reference", "ismi_alienation_01"),
    ("instruments/sers.toml", 'negative_items = ["', 'negative_items = ["sers_pos_01", "', "instruments/sers.toml",
     "scales[1].negative_items", "duplicate", "sers_pos_01"),
    ("instruments/imrs_client.toml", '    "Drugs",\n', "", "instruments/imrs_client.toml", "items[1].topics", "too_few", "15"),
    ("instruments/bsi.toml", 'role = "secondary"', 'role = "primary"', "instruments/bsi.toml", "scales.bsi.role", "conflict", "imrs"),
    ("analysis.toml", '"T1", ', "", "analysis.toml", "visits", "conflict", "T1 among them"),
    ("sessions.toml", 'arms = ["imr"]', 'arms = ["imt"]', "sessions.toml", "arms", "unknown_reference", "trial.toml"),
    ("sessions.toml", 'denominator = "offered"', 'denominator = "all"', "sessions.toml", "completion.denominator",
     "not_allowed", "offered, planned, held"),
    ("sessions.toml", "minimum = 3.0", "minimum = 4.5", "sessions.toml", "fidelity[1].bands", "not_allowed", "rising"),
    ("visits.toml", 'after_visit = "T2"', 'after_visit = "T4"', "visits.toml", "records.after_visit", "unknown_reference", "T1, T2"),
]  # fmt: skip
CASES = [("btheb", one) for one in BTHEB] + [("imr", one) for one in IMR]


@pytest.mark.parametrize(("name", "mistake"), CASES, ids=[f"{n}/{m[0]}: {m[3]} {m[4]} {m[5]}" for n, m in CASES])
def test_a_mistake_is_refused_at_its_place(tmp_path: Path, name: str, mistake: Mistake) -> None:
    file, old, new, where, key, code, words = mistake
    folder = Path(shutil.copytree(SHIPPED / name, tmp_path / name))
    text = (folder / file).read_text()
    assert old in text, f"{file} has no {old!r}"
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(ProtocolError) as error:
        load(folder)
    found = [p for p in error.value.problems if (p.file, p.code) == (where, code) and p.key.startswith(key)]
    assert found, list(map(str, error.value.problems))
    assert any(words in p.text for p in found), list(map(str, found))


def test_every_kind_of_problem_is_provoked_somewhere() -> None:
    """A new code needs a mistake that provokes it (files and versions are tested beside this module)."""
    elsewhere = {
        "no_folder", "no_file", "unknown_file", "not_text", "unreadable", "wrong_name", "orphan",
    }  # fmt: skip
    assert {mistake[5] for _, mistake in CASES} | elsewhere == set(TEXTS)


def test_a_problem_reads_as_place_and_sentence() -> None:
    problem = Problem("visits.toml", "visits[2].unit", "not_allowed", {"found": "'week'", "allowed": "days, months"})
    assert str(problem) == "visits.toml: visits[2].unit: 'week' is not allowed; allowed: days, months"


@pytest.mark.parametrize("key", ["block_size", "blocks", "BlockSizes", "seed", "random_seed", "list", "allocation_list",
                                 "randomisation_sequence", "sequence", "envelopes", "block-size"])  # fmt: skip
def test_names_that_could_hold_the_list_are_known(key: str) -> None:
    assert is_secret(key)


@pytest.mark.parametrize("key", ["strata", "ratio", "listening", "blockage_text", "blindness", "consequence"])
def test_other_names_are_not_taken_for_it(key: str) -> None:
    assert not is_secret(key)


def test_a_file_that_is_a_folder_or_too_long_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED / "btheb", tmp_path / "btheb"))
    (folder / "sites.toml").unlink()
    (folder / "sites.toml").mkdir()
    (folder / "consent.toml").write_text("#" * 1_000_001)
    with pytest.raises(ProtocolError) as error:
        load(folder)
    found = {(p.file, p.code) for p in error.value.problems}
    assert {("sites.toml", "unreadable"), ("consent.toml", "unreadable")} <= found
