"""Missing values: small teams are pooled by a rule where the planned model takes teams at random, and the result says so."""

from dataclasses import replace

import pytest

from analysis.methods.fitspec import read_fit_spec
from analysis.runs import imputed, parts
from analysis.runs.planned import by_team_rule
from analysis.runs.strata import Member, pooled_teams
from tests.unit.analysis.runs.test_parts import frozen, inputs


def people(*teams: tuple[str, str, int, int]) -> list[Member]:
    """By team: its site, and how many are analyzed of each arm; two more of each arm are not."""
    return [
        Member(team, site, arm, n < count)
        for team, site, *counts in teams
        for arm, count in zip("ab", counts, strict=True)
        for n in range(int(count) + 2)
    ]


def test_teams_with_enough_stand_alone_and_the_small_ones_of_a_site_together() -> None:
    found = pooled_teams(people(("A", "x", 4, 3), ("B", "x", 2, 1), ("C", "x", 1, 2), ("D", "y", 3, 2)))
    assert found.group_of == {"A": "A", "B": "B + C", "C": "B + C", "D": "D"}
    assert (found.joined, found.groups) == ((("B", "C"),), 3)


def test_what_is_still_too_small_is_pooled_over_sites_then_with_the_smallest_team() -> None:
    over_sites = pooled_teams(people(("A", "x", 4, 3), ("B", "x", 1, 1), ("C", "y", 2, 2), ("D", "y", 9, 9)))
    assert over_sites.joined == (("B", "C"),)
    nearest = pooled_teams(people(("A", "x", 4, 3), ("B", "x", 5, 0), ("D", "y", 9, 9)))
    assert nearest.joined == (("A", "B"),), "one arm alone is too little, however many there are"
    assert pooled_teams(people(("A", "x", 1, 0), ("B", "y", 1, 0))).groups == 1


def test_random_teams_are_a_pooled_factor_of_the_imputation_model() -> None:
    plan = frozen(outcomes=0)
    given = inputs(plan)
    _wide, _events, spec, teams = imputed.imputable(given.table(), given.joined, plan)
    assert plan["team_column"] in spec.covariates
    assert teams is None, "a team each, as planned"
    random = plan | {"team_rule": "random"}
    wide, _events, spec, teams = imputed.imputable(given.table(), given.joined, random)
    assert imputed.POOLED in spec.covariates
    assert imputed.POOLED in spec.categorical
    assert teams is not None
    told = parts.part_of(parts.Inputs(given.content, given.joined, random), "imputation jump_to_reference")
    assert told["answer"]["teams"] == {"groups": teams["groups"], "pooled": [list(one) for one in teams["pooled"]]}
    assert wide.facts.shape[1] > teams["groups"] - 1


@pytest.mark.parametrize("model", ["clda", "mmrm"])
def test_teams_that_the_plan_makes_random_are_in_the_planned_model(model: str) -> None:
    plan = frozen(outcomes=0)
    column = plan["team_column"]
    fit = plan["fits"][0]["fit"] | {"model": model, "covariates": [], "categorical": []}
    fit |= {"visits": ["T2", "T3"], "baseline": f"{fit['outcome']}_baseline"} if model == "mmrm" else {}
    found, how = by_team_rule(inputs(plan).table(), read_fit_spec(fit), plan | {"team_rule": "random"})
    assert (found.model, found.random, how) == ("lmm", (column, "participant"), "random")


def test_retrieved_dropout_is_a_model_of_its_own_or_says_where_too_few_were_seen() -> None:
    plan = frozen(outcomes=0)
    given = inputs(plan)
    found = parts.part_of(given, "imputation retrieved_dropout")
    at_random = parts.part_of(given, "imputation jump_to_reference")
    ((mine,), (other,)) = (one["answer"]["differences"] for one in (found, at_random))
    assert mine["estimate"] != other["estimate"]
    assert found["answer"]["imputed"] == at_random["answer"]["imputed"]
    table = given.table()
    lost = table[(table["visit"] == "T3") & (table[plan["fits"][0]["fit"]["outcome"]] == "")]["participant"]
    alone = next(n for n in map(str, lost) if given.joined[n].arm == plan["experimental"])
    events = {n: replace(one, event_visit="T3" if n == alone else None) for n, one in given.joined.items()}
    told = parts.part_of(replace(given, joined=events), "imputation retrieved_dropout")
    assert [one["code"] for one in told["problems"]] == ["retrieved_too_few"]
