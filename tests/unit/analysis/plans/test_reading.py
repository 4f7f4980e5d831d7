"""plan.toml: what it says is read whole, and whatever is wrong with it is said with its place."""

import dataclasses
import json
from pathlib import Path

import pytest

from analysis.plans.checks import check
from analysis.plans.definition import Plan
from analysis.plans.plain import plain_plan
from analysis.plans.reading import FILE, load, parse
from analysis.plans.variables import known_at_baseline
from tests import world
from trial.protocol.problems import ProtocolError

FOLDERS = Path(__file__).resolve().parents[4] / "protocols"
PAIRS = [("imr", "imr"), ("imr", "imr-interim"), ("btheb", "btheb")]


@pytest.mark.parametrize(("protocol", "folder"), PAIRS)
def test_every_plan_that_is_shipped_fits_its_protocol(protocol: str, folder: str) -> None:
    plan = load(FOLDERS / folder, world.read(protocol))
    assert Plan.from_document(plan.to_document()) == plan
    assert plan.sha256 != plan.looks_sha256
    assert plan.protocol_sha256 == world.read(protocol).sha256


def test_the_trial_had_no_look_and_the_teaching_plan_has() -> None:
    real, taught = (load(FOLDERS / folder, world.read("imr")) for folder in ("imr", "imr-interim"))
    assert real.looks is None
    assert taught.looks is not None
    assert [look.at for look in taught.looks.looks] == [0.5, 0.75]
    assert [one.topic for one in real.published if "Looks" in one.topic] == ["Looks before the end"]
    assert not [one for one in taught.published if "Looks" in one.topic]


@pytest.mark.parametrize("protocol", ["imr", "btheb"])
def test_the_least_plan_fits_any_protocol(protocol: str) -> None:
    found = world.read(protocol)
    assert check(plain_plan(found), found, FILE).found == []


def test_the_signature_of_the_looks_covers_the_looks_alone() -> None:
    plan = load(FOLDERS / "imr-interim", world.read("imr"))
    assert plan.looks is not None
    reworded = dataclasses.replace(plan, title="another title")
    assert (reworded.looks_sha256, reworded.sha256 == plan.sha256) == (plan.looks_sha256, False)
    dearer = dataclasses.replace(plan, looks=dataclasses.replace(plan.looks, spending="pocock"))
    assert dearer.looks_sha256 != plan.looks_sha256


FAULTS = [
    (
        'outcome = "imrs_client"',
        'outcome = "bsi"',
        "estimand.outcome",
        "the primary scale of the protocol is imrs_client",
    ),
    ('visit = "T3"', 'visit = "T9"', "estimand.visit", "T9"),
    ('visits = ["T1", "T2", "T3"]', 'visits = ["T2", "T3"]', "model.visits", "takes the baseline as an outcome"),
    ('visits = ["T1", "T2", "T3"]', 'visits = ["T1", "T3", "T2"]', "model.visits", "in their order"),
    ('fallback = ["toeph", "adh", "csh", "cs"]', 'fallback = ["us", "cs"]', "model.fallback", "twice"),
    ('method = "clda"', 'method = "mmrn"', "model.method", 'did you mean "mmrm"?'),
    ('method = "clda"', 'method = "lmm"', "model", "no covariance structure to fall back from"),
    ('"sers", "imrs_clinician"', '"sers", "sers"', "outcomes.secondary[2]", "used twice"),
    ('"sers", "imrs_clinician"', '"sers", "imrs_client"', "outcomes", "used twice"),
    ('"sers", "imrs_clinician"', '"sers", "imrs_clinican"', "outcomes.secondary[2]", "imrs_clinician"),
    ("alpha = 0.05", "alpha = 0.5", "alpha", "0.0001 to 0.2"),
    ("unplanned_price = 0.001", "unplanned_price = 0.05", "unplanned_price", "cost all of alpha"),
    ("at = 0.5", "at = 0.1", "looks.look[1].at", "0.2 up to less than 1"),
    ("at = 0.75", "at = 0.4", "looks.look", "not in their order"),
    ('spending = "obf"', 'spending = "hsd"', "looks.parameter", "needs parameter"),
    ("futility = 0.2", "futilty = 0.2", "looks.futilty", 'did you mean "futility"?'),
    ('title = "Illness', 'seed = 5\ntitle = "Illness', "seed", "could predict allocations"),
    ("alpha = 0.05", "alpha = ", "", "not valid TOML"),
]


@pytest.mark.parametrize(
    ("was", "is_now", "key", "words"), FAULTS, ids=[f"{n} {one[2]}" for n, one in enumerate(FAULTS)]
)
def test_what_is_wrong_is_said_with_its_place(was: str, is_now: str, key: str, words: str) -> None:
    text = (FOLDERS / "imr-interim" / FILE).read_text()
    assert was in text
    with pytest.raises(ProtocolError) as caught:
        parse(text.replace(was, is_now, 1), world.read("imr"))
    places = {problem.key: problem.text for problem in caught.value.problems}
    assert key in places, places
    assert words in places[key]


AS_BEFORE = {
    "imr": "346d0f09c73879c88fce1617eedaf8ac99c18024b3152949038b1761836331d0",
    "imr-interim": "c0b6cad45204aecd339b7b1dfdca77c59c1acb6b8166df25564896dcaa105c91",
    "btheb": "33a08b0c969a7841092173d2be3677b1340158daf3d6eabe8d015088034d8eea",
}
"""SHA-256 of the shipped plans before there were subgroups: signatures name them."""


@pytest.mark.parametrize(("protocol", "folder"), PAIRS)
def test_a_plan_that_names_nothing_new_is_the_document_it_was(protocol: str, folder: str) -> None:
    plan = load(FOLDERS / folder, world.read(protocol))
    published = tuple(one for one in plan.published if one.topic != "Subgroups")
    later = ("retrieved_dropout", "bootstrap")
    sensitivity = tuple(one for one in plan.sensitivity if one.kind not in later)
    bare = dataclasses.replace(plan, subgroups=(), published=published, sensitivity=sensitivity)
    assert bare.sha256 == AS_BEFORE[folder]
    assert "subgroups" not in bare.to_document()
    assert Plan.from_document(bare.to_document()) == bare, "a document kept before reads as before"


def subgroup(**given: object) -> str:
    """One more subgroup; a value of None leaves the key out."""
    keys = {"code": "more", "name": "More", "why": "Because."} | given
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items() if value is not None]
    return "[[subgroups]]\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("given", "key", "words"),
    [
        ({"by": "sit"}, "by", 'not among the variables known at baseline of this trial (did you mean "site"?)'),
        ({"by": "bsii", "cut": 1}, "by", 'did you mean "bsi"?'),
        ({"by": "attended"}, "by", "attended is measured after randomization"),
        ({"by": "team"}, "by", "too small for a comparison of its own; allowed: site"),
        ({"by": "site", "cut": "median"}, "cut", "has levels of its own"),
        ({"by": "bsi"}, "cut", 'this setting is missing; allowed: "median" or a number'),
        ({"by": "bsi", "cut": "mean"}, "cut", "allowed: median"),
        ({"by": "bsi", "cut": 4}, "cut", "out of range"),
        ({"by": "site", "why": None}, "why", "missing"),
        ({"by": "site", "code": "sex"}, "", "used twice; each subgroup needs a code of its own"),
    ],
)
def test_a_subgroup_is_there_before_randomization_and_says_why(given: dict[str, object], key: str, words: str) -> None:
    text = (FOLDERS / "imr" / FILE).read_text() + subgroup(**given)
    with pytest.raises(ProtocolError) as caught:
        parse(text, world.read("imr"))
    places = {problem.key: problem.text for problem in caught.value.problems}
    place = f"subgroups[4].{key}" if key else "subgroups"
    assert place in places, places
    assert words in places[place]


@pytest.mark.parametrize(
    ("cut", "is_kept"), [("median", True), (3.2, True), (None, True), ("mean", False), (True, False)]
)
def test_a_kept_cut_is_the_median_a_number_or_none(cut: object, is_kept: bool) -> None:
    document = load(FOLDERS / "imr", world.read("imr")).to_document()
    document["subgroups"][1]["cut"] = cut
    if is_kept:
        assert Plan.from_document(document).to_document() == document
        return
    with pytest.raises(ProtocolError, match="subgroups"):
        Plan.from_document(document)


def test_a_scale_that_is_measured_later_alone_divides_nobody() -> None:
    protocol = world.read("imr")
    later = tuple(
        dataclasses.replace(one, visits=("T2", "T3")) if one.code == "bsi" else one for one in protocol.instruments
    )
    changed = dataclasses.replace(protocol, instruments=later)
    plan = parse((FOLDERS / "imr" / FILE).read_text() + subgroup(by="bsi", cut=1), protocol)
    found = check(plan, changed, FILE).found
    assert [one.key for one in found] == ["subgroups[4].by"]
    assert "bsi is measured after randomization" in found[0].text
    alone = dataclasses.replace(protocol, sites=protocol.sites[:1])
    assert "single site" in " ".join(one.text for one in check(plan, alone, FILE).found)


def test_what_a_plan_may_divide_by() -> None:
    known = known_at_baseline(world.read("imr"))
    assert known["baseline"].column == known["imrs_client"].column == "imrs_client_baseline"
    assert known["sex"].levels == (("0", "male"), ("1", "female"))
    assert known["age"].limits == (18, 65)
    assert not {"team", "imrs_c_01"} & set(known)
    assert known_at_baseline(world.read("btheb"))["drug"].item is None, "the snapshot has it as a covariate"


def test_imputation_wants_an_event_and_groups_want_a_program() -> None:
    plan, protocol = plain_plan(world.read("btheb")), world.read("btheb")
    text = (FOLDERS / "imr" / FILE).read_text()
    asked = tuple(
        one
        for one in parse(text, world.read("imr")).sensitivity
        if one.kind in ("partially_nested", "jump_to_reference")
    )
    found = check(dataclasses.replace(plan, sensitivity=asked), protocol, FILE).found
    assert sorted(one.text for one in found) == [
        "imputation is keyed to an intercurrent event, and none is named; allowed: an event under [[estimand.events]]",
        "the protocol has no program in sessions; allowed: another kind",
    ]
