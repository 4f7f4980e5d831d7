"""A worked example for each scale of the trial, computed by hand from the rule that its file states."""

from decimal import Decimal

import pytest

from assessments.instruments.scoring import score_form
from tests import world

IMR = world.read("imr")


def items(prefix: str, values: list[int], start: int = 1) -> dict[str, Decimal]:
    return {f"{prefix}{n:02}": Decimal(value) for n, value in enumerate(values, start)}


def scores(instrument: str, given: dict[str, Decimal]) -> dict[str, Decimal | None]:
    return {one.scale: one.value for one in score_form(IMR.instrument(instrument), given)}


ISMI = {
    **items("ismi_alienation_", [4, 4, 4, 4, 4, 4]),  # 24
    **items("ismi_stereotype_", [1, 1, 1, 1, 1, 1, 1]),  # 7
    **items("ismi_discrimination_", [2, 2, 2, 2, 2]),  # 10
    **items("ismi_withdrawal_", [3, 3, 3, 3, 3, 3]),  # 18
    **items("ismi_resistance_", [4, 4, 4, 4, 2]),  # 18; turned round 1 + 1 + 1 + 1 + 3 = 7
}
MSPSS = items("mspss_", [7, 7, 1, 1, 7, 4, 4, 1, 4, 7, 1, 4])
SFS = ["withdrawal", "interpersonal", "performance", "competence", "recreation", "prosocial", "employment"]

EXAMPLES = [
    # ten 3s and five 5s: 55 / 15
    ("imrs_client", items("imrs_c_", [3] * 10 + [5] * 5), {"imrs_client": "3.666667"}),
    ("imrs_clinician", items("imrs_k_", [1] * 14 + [5]), {"imrs_clinician": "1.266667"}),
    # 26 sixes
    ("cses", items("cses_", [6] * 26), {"cses": "156"}),
    # 21 of 26 answered (80.8 %): each missing item gets the mean 5, so 26 x 5
    ("cses", items("cses_", [4] * 7 + [5] * 7 + [6] * 7), {"cses": "130"}),
    # 20 of 26 answered (76.9 %): no score
    ("cses", items("cses_", [5] * 20), {"cses": None}),
    # significant other 1, 2, 5, 10; family 3, 4, 8, 11; friends 6, 7, 9, 12
    ("mspss", MSPSS, {"mspss": "48", "mspss_other": "7", "mspss_family": "1", "mspss_friends": "4"}),
    # three of four items are 75 %: too few for 80 %
    (
        "mspss",
        {code: value for code, value in MSPSS.items() if code != "mspss_01"},
        {"mspss": "44.727273", "mspss_other": None, "mspss_family": "1"},
    ),
    ("ses", items("ses_", [3, 2, 1, 0]), {"ses": "6"}),
    # items 1, 2, 7, 8 count whole (2 + 1 + 0 + 2), items 3 to 6 half (2 + 2 + 1 + 1 = 6)
    ("insight", items("insight_", [2, 1, 2, 2, 1, 1, 0, 2]), {"insight": "8", "insight_need": "3"}),
    ("asi", {"asi_24": Decimal(12)}, {"asi": "12"}),
    ("asi", {}, {"asi": None}),
    # 10 fours and 43 zeros: 40 / 53; ten symptoms, of 4 each
    ("bsi", items("bsi_", [4] * 10 + [0] * 43), {"bsi": "0.754717", "bsi_pst": "10", "bsi_psdi": "4"}),
    # no symptom at all: the index of those present does not exist
    ("bsi", items("bsi_", [0] * 53), {"bsi": "0", "bsi_pst": "0", "bsi_psdi": None}),
    # 50 of 53 answered: a mean, but no count
    ("bsi", items("bsi_", [1] * 25 + [2] * 25), {"bsi": "1.5", "bsi_pst": None, "bsi_psdi": None}),
    (
        "sfs",
        {f"sfs_{name}": Decimal(value) for name, value in zip(SFS, [10, 6, 20, 30, 15, 22, 7], strict=True)},
        {"sfs": "110", "sfs_withdrawal_raw": "10", "sfs_prosocial_raw": "22", "sfs_employment_raw": "7"},
    ),
    ("mhrm", items("mhrm_", [0] * 10 + [2] * 10 + [4] * 10), {"mhrm": "60"}),
    # 24 + 7 + 10 + 18 + 7 = 66 of 29 items; resistance by itself is not turned round
    (
        "ismi",
        ISMI,
        {
            "ismi": "2.275862", "ismi_alienation": "4", "ismi_stereotype": "1", "ismi_discrimination": "2",
            "ismi_withdrawal": "3", "ismi_resistance": "3.6",
        },
    ),
    # positive 55, negative 20
    (
        "sers",
        {**items("sers_pos_", [6] * 5 + [5] * 5), **items("sers_neg_", [2] * 10)},
        {"sers": "35", "sers_positive": "55", "sers_negative": "20"},
    ),
    # eight of ten positive items: 8 x 7, two more of 7 each; the negative ones 10
    ("sers", {**items("sers_pos_", [7] * 8), **items("sers_neg_", [1] * 10)}, {"sers": "60", "sers_positive": "70"}),
]  # fmt: skip


@pytest.mark.parametrize(("instrument", "given", "expected"), EXAMPLES)
def test_worked_example(instrument: str, given: dict[str, Decimal], expected: dict[str, str | None]) -> None:
    found = scores(instrument, given)
    for scale, value in expected.items():
        assert found[scale] == (None if value is None else Decimal(value)), scale


def test_every_scale_has_a_worked_example() -> None:
    shown = {scale for _instrument, _given, expected in EXAMPLES for scale in expected}
    needed = {
        scale.code for one in IMR.instruments for scale in one.scales if not scale.code.startswith("sfs_")
    }  # each domain of the SFS is what was entered
    assert needed <= shown


def test_the_twelve_scales_of_the_paper_are_there() -> None:
    outcomes = {s.code for one in IMR.instruments for s in one.scales if s.role in ("primary", "secondary")}
    assert outcomes == {
        "imrs_client", "imrs_clinician", "cses", "mspss", "ses", "insight", "asi", "bsi", "sfs", "mhrm", "ismi", "sers",
    }  # fmt: skip
