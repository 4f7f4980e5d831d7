"""The subgroups of a stored result in the program in R: one model each, the difference in every level, the test of the interaction. Pure.

Every level has a column of its own for the difference at each visit, so that a coefficient is the answer: no reference level, and nothing to be
turned around afterwards.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.reports.r_words import name_of, text, texts

HELPERS = """# What the covariates already determine (an institution beside its teams) has no main effect of its own
own <- function(names, formula, data) Filter(function(one) {
  more <- update(formula, paste("~ . +", one))
  qr(model.matrix(more, data))$rank > qr(model.matrix(formula, data))$rank
}, names)

# The difference in each level, without a p of its own, and the interaction: whether all are the same
in_levels <- function(fit, names, labels, level, ddf) {
  mixed <- inherits(fit, "merMod")
  coefs <- if (mixed) names(lme4::fixef(fit)) else names(coef(fit))
  pick <- function(name) as.numeric(coefs == name)
  rows <- lapply(names, function(name) {
    if (mixed) {
      one <- lmerTest::contest(fit, pick(name), joint = FALSE, ddf = ddf)
      found <- c(one[["Estimate"]], one[["Std. Error"]], one[["df"]])
    } else {
      one <- df_1d(fit, setNames(pick(name), coefs))
      found <- c(one$est, one$se, one$df)
    }
    half <- qt(0.5 + level / 2, found[3]) * found[2]
    data.frame(estimate = found[1], se = found[2], lower = found[1] - half, upper = found[1] + half)
  })
  print(cbind(level = labels, do.call(rbind, rows)))
  contrast <- do.call(rbind, lapply(names[-1], function(name) pick(name) - pick(names[1])))
  if (mixed) {
    print(lmerTest::contest(fit, contrast, ddf = ddf))
  } else {
    colnames(contrast) <- coefs
    print(as.data.frame(df_md(fit, contrast)))
  }
}
"""


def block(frozen: Mapping[str, Any], found: Mapping[str, Any], spec: Mapping[str, Any], more: str) -> str:
    """The program of one subgroup. ``spec``: the planned model as it was fitted, ``more``: the further arguments of its call."""
    planned = next(one for one in frozen["subgroups"] if one["code"] == found["code"])
    visits, levels = list(spec["visits"]), [one["label"] for one in found["levels"]]
    compared = visits[1:] if spec["model"] == "clda" else visits
    column = f"everybody[[{text(planned['column'])}]]"
    lines = [
        f"# --- Subgroup: {' '.join(planned['name'].split())} ({planned['code']})",
        *_levels(planned, found, column, levels),
    ]
    lines += [
        f"d <- everybody[everybody$visit %in% {texts(visits)} & !is.na(everybody$outcome) & !is.na(everybody$level), ]",
        f"d$visit <- factor(d$visit, levels = {texts(visits)})",
        "d <- droplevels(d)",
        *_columns(visits, compared, len(levels), spec),
    ]
    names = [f"diff_{k}_{visits.index(visit) + 1}" for visit in compared for k in range(1, len(levels) + 1)]
    at = visits.index(frozen["primary_visit"]) + 1
    asked = [f"diff_{k}_{at}" for k in range(1, len(levels) + 1)]
    later = [f"level_{k}_{n}" for n in range(2, len(visits) + 1) for k in range(2, len(levels) + 1)]
    base = ["base * visit"] if spec.get("baseline") else []
    covariates = [name_of(one) for one in spec.get("covariates", ())]
    fixed = " + ".join(["~ visit", *base, *covariates, *later, *names])
    ddf = "Kenward-Roger" if spec["df"] == "kenward_roger" else "Satterthwaite"
    level = spec.get("confidence", 0.95)
    lines += [
        f"fixed <- {fixed}",
        *(["if (any(d$base_missing > 0)) fixed <- update(fixed, ~ . + base_missing)"] if base else []),
        f"mains <- own({texts(f'level_{k}' for k in range(2, len(levels) + 1))}, fixed, d)",
        *_fitted(spec, found, more),
        f"in_levels(fit, {texts(asked)}, {texts(levels)}, {level}, {text(ddf)})",
    ]
    return "\n".join(lines) + "\n"


def _levels(planned: Mapping[str, Any], found: Mapping[str, Any], column: str, labels: Sequence[str]) -> list[str]:
    if found["cut"] is not None:
        known = f"as.numeric({column})"
        return [f"everybody$level <- ifelse({known} <= {found['cut']!r}, 1, 2)"]
    value = {one["label"]: one["value"] for one in planned["levels"]}
    return [f"everybody$level <- match({column}, {texts(value[label] for label in labels)})"]


def _columns(visits: Sequence[str], compared: Sequence[str], levels: int, spec: Mapping[str, Any]) -> list[str]:
    """Dummies of the levels, alone and at each later visit, and the difference between the arms in each level at each visit."""
    lines = [f"d$level_{k} <- as.numeric(d$level == {k})" for k in range(2, levels + 1)]
    for n, visit in enumerate(visits, start=1):
        if n > 1:
            lines += [f"d$level_{k}_{n} <- d$level_{k} * (d$visit == {text(visit)})" for k in range(2, levels + 1)]
        if visit in compared:
            lines += [
                f"d$diff_{k}_{n} <- as.numeric(d$level == {k} & d$visit == {text(visit)} & d$arm != {text(spec['reference'])})"
                for k in range(1, levels + 1)
            ]
    return lines


def _fitted(spec: Mapping[str, Any], found: Mapping[str, Any], more: str) -> list[str]:
    if spec["model"] == "lmm":
        random = [f"(1 | {name_of(one)})" for one in spec["random"]]
        return [
            f'whole <- reformulate(c(attr(terms(fixed), "term.labels"), mains, {texts(random)}), "outcome")',
            f"fit <- lmer(whole, data = d, {more})",
        ]
    structure = found["model"].get("structure", "us")
    return [
        f'whole <- reformulate(c(attr(terms(fixed), "term.labels"), mains, "{structure}(visit | participant)"), "outcome")',
        f"fit <- mmrm(whole, data = d, {more})",
    ]
