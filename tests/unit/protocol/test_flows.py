"""What a protocol may not let flow from a higher class into a lower view, each planted once."""

import shutil
from dataclasses import fields
from pathlib import Path

import pytest

from analysis.runs.joined import Joined
from trial.protocol.flows import KNOWN_BEHIND
from trial.protocol.loader import load
from trial.protocol.problems import ProtocolError

SHIPPED = Path(__file__).resolve().parents[3] / "protocols"
BDI, BACKGROUND, SES = "instruments/bdi.toml", "instruments/background.toml", "instruments/ses.toml"
ITEM = '\n[[items]]\ncode = "{code}"\ntopic = "{topic}"\nkind = "{kind}"\n{more}\n'
CHECK = '\n[[checks]]\ncode = "odd"\ntext = "{text}"\nstrength = "soft"\n{more}\n'
SCALE = """
[[scales]]
code = "said"
name = "Said"
method = "sum"
items = ["note"]
direction = "higher_is_worse"
min = 0
max = 1
role = "descriptive"
min_answered = 1
"""


def item(code: str, topic: str, kind: str = "text", more: str = "max = 90") -> str:
    return ITEM.format(code=code, topic=topic, kind=kind, more=more)


# protocol, file, old text ("" for: at the end), new text | file and key of the problem | words of its sentence
Flow = tuple[str, str, str, str, str, str, str]
FLOWS: list[Flow] = [
    # codes that become addresses, columns and names of files
    ("imr", "sites.toml", 'code = "R1"', 'code = "IMR_1"', "sites.toml", "teams", "names of files"),
    ("imr", "sites.toml", 'code = "dordrecht"', 'code = "care_as_usual"', "sites.toml", "sites", "the arm cau"),
    ("btheb", "visits.toml", 'code = "M8"', 'code = "TAU"', "visits.toml", "visits", "the arm TAU"),
    ("btheb", "consent.toml", 'code = "sharing"', 'code = "sharing_tau"', "consent.toml", "parts", "the arm TAU"),
    ("imr", SES, 'code = "ses"\nname = "Treatment adherence"', 'code = "ses_imr"\nname = "Treatment adherence"', SES, "scales", "files"),
    # facts of the treatment side
    ("imr", BACKGROUND, "", item("fid01", "Group size", "yesno", ""), BACKGROUND, "items.fid01", "fidelity of sessions.toml"),
    ("imr", SES, "", item("m03", "Third part", "yesno", ""), SES, "items.m03", "a module of sessions.toml"),
    ("imr", SES, "", item("attended", "Came", "yesno", ""), SES, "items.attended", "joined behind the wall"),
    ("imr", BACKGROUND, "", CHECK.format(text="Odd", more="expect = { fid01 = [1, 5] }"), BACKGROUND, "checks", "fidelity"),
    ("imr", BACKGROUND, "", CHECK.format(text="Odd", more="expect = { arm = [0, 0] }"), BACKGROUND, "checks", "blinded people"),
    ("btheb", "analysis.toml", 'code = "drug"', 'code = "arm"', "analysis.toml", "covariates[1].code", "joined behind the wall"),
    ("btheb", "analysis.toml", 'item = "drug"', 'item = "BtheB"', "analysis.toml", "covariates[1].item", "an arm"),
    ("imr", "analysis.toml", 'outcome = "imrs_client"', 'outcome = "it_is"', "analysis.toml", "outcome", "fidelity"),
    # a score or a check looks at its own form alone: nothing of another one, whoever fills it in, has a code there
    ("imr", SES, 'items = ["', 'items = ["imrs_k_01", "', SES, "scales[1].items", "not among the items"),
    ("imr", SES, 'items = ["', 'items = ["fid01", "', SES, "scales[1].items", "not among the items"),
    ("imr", BACKGROUND, "", CHECK.format(text="Odd", more='differ = ["imrs_k_01"]'), BACKGROUND, "checks[3].differ", "not among"),
    ("imr", BACKGROUND, "", CHECK.format(text="Odd", more="expect = { imrs_k_01 = [1, 2] }"), BACKGROUND, "checks[3]", "not among"),
    # branching and alerts do not exist, and are not taken for something else
    ("imr", BACKGROUND, 'kind = "yesno"', 'kind = "yesno"\nshown_if = "arm = imr"', BACKGROUND, "items[7].shown_if", "no such"),
    ("imr", BACKGROUND, "", '\n[[alerts]]\nwhen = "arm"\n', BACKGROUND, "alerts", "no such setting"),
    # questions that speak of an arm after randomization
    ("imr", SES, "", item("got", "What was given", "choice", 'anchors = { 0 = "IMR", 1 = "other" }'), SES, "items.got", "drop box"),
    ("btheb", BDI, "", item("likes", "Likes Beat the Blues", "yesno", ""), BDI, "items.likes", "speaks of the arm BtheB"),
    ("imr", SES, "", item("got", "What was given", "choice", 'anchors = { 0 = "cau", 1 = "other" }'), SES, "items.got", "arm cau"),
    ("imr", SES, "", item("went", "Went to IMR", "yesno", ""), SES, "items.went", "speaks of the arm imr"),
    ("imr", SES, "", item("ok", "Fine", "yesno", "") + CHECK.format(text="Got care as usual", more="expect = { ok = [0, 0] }"),
     SES, "checks.odd.text", "speaks of the arm cau"),
    # free text in a calculation, a check, the model, or after randomization
    ("btheb", BACKGROUND, "", item("note", "Note") + CHECK.format(text="Odd", more="expect = { note = [0, 1] }"), BACKGROUND,
     "checks[1]", "a text item"),
    ("btheb", BACKGROUND, "", item("note", "Note") + SCALE, BACKGROUND, "scales[1].items", "a text item"),
    ("btheb", BDI, "", item("note", "Note"), BDI, "items.note.kind", "could name the arm"),
    # who people are
    ("btheb", BACKGROUND, "", item("first_name", "Called"), BACKGROUND, "items.first_name", "would hold who"),
    ("btheb", BACKGROUND, "", item("born", "Date of birth", "date", ""), BACKGROUND, "items.born", "(birth)"),
    ("btheb", BACKGROUND, "", item("calls", "Telephone", "integer", "min = 0\nmax = 1000000"), BACKGROUND, "items.calls", "contact data"),
]  # fmt: skip


def spoiled(tmp_path: Path, name: str, file: str, old: str, new: str) -> list[tuple[str, str, str]]:
    folder = Path(shutil.copytree(SHIPPED / name, tmp_path / name))
    text = (folder / file).read_text()
    assert old in text, f"{file} has no {old!r}"
    (folder / file).write_text(text.replace(old, new, 1) if old else text + new)
    with pytest.raises(ProtocolError) as error:
        load(folder)
    return [(p.file, p.key, p.text) for p in error.value.problems]


@pytest.mark.parametrize("flow", FLOWS, ids=[f"{f[0]}/{f[4]}: {f[5]} {f[6]}" for f in FLOWS])
def test_what_flows_down_is_refused_at_its_place(tmp_path: Path, flow: Flow) -> None:
    name, file, old, new, where, key, words = flow
    found = spoiled(tmp_path, name, file, old, new)
    assert any(f == where and k.startswith(key) and words in text for f, k, text in found), found


def test_what_only_sounds_alike_is_allowed(tmp_path: Path) -> None:
    """A scale called after the program, the criterion of earlier treatment, a choice about a telephone, an age."""
    folder = Path(shutil.copytree(SHIPPED / "imr", tmp_path / "imr"))
    background = folder / BACKGROUND
    more = item("has_phone", "Telephone", "yesno", "") + item("imrs_before", "Took IMR before", "yesno", "")
    background.write_text(background.read_text() + more)
    protocol = load(folder)
    assert protocol.instrument("imrs_client").name == "IMR Scale, client version"
    assert any(one.code == "earlier_imr" for one in protocol.criteria)


def test_an_arm_that_is_called_by_an_ordinary_word_leaves_the_word_to_sentences(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED / "btheb", tmp_path / "btheb"))
    trial, bdi = folder / "trial.toml", folder / BDI
    text = trial.read_text().replace('code = "TAU"\nname = "Treatment as usual"', 'code = "A"\nname = "Control"')
    trial.write_text(text)
    bdi.write_text(
        bdi.read_text() + item("sense", "A sense of control", "choice", 'anchors = { 0 = "A little", 1 = "Much" }')
    )
    assert load(folder).arm("A").name == "Control"
    bdi.write_text(bdi.read_text().replace('1 = "Much"', '1 = "Control"'))
    with pytest.raises(ProtocolError, match="speaks of the arm A"):
        load(folder)


def test_the_loader_knows_every_column_that_is_joined_behind_the_wall() -> None:
    assert {one.name for one in fields(Joined)} <= KNOWN_BEHIND
