"""The program in R: what it says for each model, and that its brackets and strings close."""

import copy
from typing import Any

import pytest

from analysis.reports.r_script import Files, r_script
from tests.unit.analysis.runs.by_plan import frozen_plan, stored_plan, subgroups

FILES = Files("snapshot-1.csv", "arms-2.csv", fake=False)
PAIRS = {")": "(", "]": "[", "}": "{"}


def assert_closed(program: str) -> None:
    """Every bracket and every string of R is closed where it should be."""
    opened: list[str] = []
    for line in program.splitlines():
        code, quote = "", ""
        for at, sign in enumerate(line):
            if quote:
                quote = "" if sign == quote and line[at - 1] != "\\" else quote
            elif sign == "#":
                break
            elif sign in "\"'`":
                quote = sign
            else:
                code += sign
        assert not quote, line
        for sign in code:
            if sign in PAIRS.values():
                opened.append(sign)
            elif sign in PAIRS:
                assert opened, line
                assert opened.pop() == PAIRS[sign], line
    assert opened == []


def changed(model: str, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The frozen plan with another planned model."""
    frozen, stored = copy.deepcopy(frozen_plan()), copy.deepcopy(stored_plan())
    for one in frozen["fits"][:2]:
        one["fit"] |= {"model": model, **more}
    return frozen, stored


def test_clda_has_a_column_for_each_later_visit() -> None:
    program = r_script(frozen_plan(), stored_plan(), FILES)
    assert_closed(program)
    assert 'd$at_2 <- as.numeric(d$visit == "T3" & d$arm != "cau")' in program
    assert "fit <- mmrm(outcome ~ visit + at_1 + at_2 + stratum + us(visit | participant), data = d" in program
    assert 'method = "Kenward-Roger", vcov = "Kenward-Roger-Linear", reml = TRUE' in program
    assert 'method = "Satterthwaite", reml = TRUE' in program
    assert 'difference(fit, "at_2", "T3", 0.95)' in program
    assert 'everybody[["stratum"]] <- factor(everybody[["stratum"]])' in program
    assert 'read("snapshot-1.csv")' in program
    assert 'read("arms-2.csv")' in program


def test_random_intercepts_stand_beside_it_in_lme4() -> None:
    program = r_script(frozen_plan(), stored_plan(), FILES)
    assert "library(lmerTest)" in program
    assert "fit <- lmer(outcome ~ arm * visit + (1 | stratum) + (1 | participant), data = d, REML = TRUE)" in program
    assert (
        'means <- emmeans(fit, ~ arm | visit, weights = "proportional", level = 0.95, lmer.df = "satterthwaite")'
        in program
    )


def test_mmrm_has_the_baseline_by_visit() -> None:
    frozen, stored = changed("mmrm", visits=["T2", "T3"], baseline="imrs_client_baseline")
    program = r_script(frozen, stored, FILES)
    assert_closed(program)
    assert "formula <- outcome ~ arm * visit + base * visit + stratum + us(visit | participant)" in program
    assert "everybody$base - mean(once$base, na.rm = TRUE)" in program
    assert 'd <- everybody[everybody$visit %in% c("T2", "T3")' in program


def test_lmm_as_the_planned_model() -> None:
    frozen, stored = changed("lmm", random=["participant"], covariates=["stratum"], df="kenward_roger")
    program = r_script(frozen, stored, FILES)
    assert_closed(program)
    assert "fit <- lmer(outcome ~ arm * visit + stratum + (1 | participant), data = d, REML = TRUE)" in program
    assert 'lmer.df = "kenward-roger"' in program
    assert "mmrm(" not in program


def test_what_the_plan_left_to_the_data_is_taken_from_the_result() -> None:
    frozen, stored = changed("clda")
    answer = stored["fits"][0]["answer"]
    answer |= {"structure": "toeph", "variance": "cr2"}
    program = r_script(frozen, stored, FILES)
    assert 'toeph(visit | participant), data = d, method = "Satterthwaite", vcov = "Empirical-Bias-Reduced"' in program
    stored["team"] = "random"
    program = r_script(frozen, stored, FILES)
    assert_closed(program)
    assert program.count("outcome ~ arm * visit + (1 | stratum) + (1 | participant)") == 4


@pytest.mark.parametrize("fake", [True, False])
def test_the_program_says_where_its_arms_come_from(fake: bool) -> None:
    program = r_script(frozen_plan(), stored_plan(), Files("s.csv", "a.csv", fake))
    assert ("FAKE ARM" in program) is fake
    assert ("independent statistician" in program) is not fake


def test_a_set_of_people_is_the_same_set() -> None:
    program = r_script({**frozen_plan(), "people": "without_errors"}, stored_plan(), FILES)
    assert_closed(program)
    assert "is.na(everybody$randomization_errors) & is.na(everybody$wrong_treatment)" in program


@pytest.mark.parametrize("model", ["clda", "mmrm", "lmm"])
def test_a_subgroup_has_a_coefficient_for_each_level_and_one_test(model: str) -> None:
    more = {
        "clda": {},
        "mmrm": {"visits": ["T2", "T3"], "baseline": "imrs_client_baseline"},
        "lmm": {"random": ["stratum", "participant"], "covariates": []},
    }[model]
    frozen, stored = changed(model, **more)
    stored["subgroups"] = subgroups()
    program = r_script(frozen, stored, FILES)
    assert_closed(program)
    assert program.count("in_levels <- function") == 1
    assert program.count("# --- Subgroup:") == 2, "what could not be tested is not repeated"
    assert 'everybody$level <- match(everybody[["site"]], c("rotterdam", "dordrecht"))' in program
    assert 'everybody$level <- ifelse(as.numeric(everybody[["imrs_client_baseline"]]) <= 3.01, 1, 2)' in program
    place = 2 if model == "mmrm" else 3
    assert f'd$diff_2_{place} <- as.numeric(d$level == 2 & d$visit == "T3" & d$arm != "cau")' in program
    assert f'in_levels(fit, c("diff_1_{place}", "diff_2_{place}")' in program
    assert ("diff_1_1" in program) is (model != "clda"), "in clda the arms share the first mean"
    assert ("fit <- lmer(whole" in program) is (model == "lmm")


def test_names_that_are_no_names_in_r_are_quoted() -> None:
    frozen, stored = changed("clda", covariates=["2nd team", "if"], categorical=["if"])
    program = r_script(frozen, stored, FILES)
    assert_closed(program)
    assert "at_2 + `2nd team` + `if` + us" in program


def test_the_bootstrap_is_repeated_and_what_is_not_is_said() -> None:
    program = r_script(frozen_plan(), stored_plan(), FILES)
    assert_closed(program)
    clda = "b <- coef(mmrm(outcome ~ visit + at_1 + at_2 + stratum + us(visit | participant), data = d, reml = TRUE))"
    assert clda in program
    assert 'b[["at_2"]]' in program
    assert "print(bootstrap(d, estimate, 39, 0.95))" in program
    for name in (
        "jump to reference",
        "retrieved dropout",
        "tipping point",
        "re-randomization test",
        "groups in one arm",
    ):
        assert f"#   {name}" in program
    frozen, stored = changed("mmrm", visits=["T2", "T3"], baseline="imrs_client_baseline")
    assert 'b[["armimr"]] + b[["armimr:visitT3"]]' in r_script(frozen, stored, FILES)
    frozen, stored = changed("lmm", random=["participant"], covariates=["stratum"], df="kenward_roger")
    assert "b <- fixef(lmer(outcome ~ arm * visit + stratum + (1 | participant)" in r_script(frozen, stored, FILES)
    without = {key: value for key, value in frozen_plan().items() if key != "bootstrap"}
    assert "bootstrap(" not in r_script(without, stored_plan(), FILES)
