"""A program in R that repeats the planned analysis with mmrm, or lme4 and lmerTest, from the downloaded tables. Pure.

It is written from the frozen specification: the planned model with both methods for degrees of freedom, and the random intercepts that stand
beside it. What the plan left to the data (how teams enter, which covariance converged) is taken from the stored result, and said there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.reports import r_subgroups
from analysis.reports.r_beside import bootstrap_block, later_columns, not_repeated
from analysis.reports.r_words import name_of, reml_of, text, texts
from analysis.runs.people import EVERYBODY, people_of
from analysis.runs.planned import OTHER_DF, PRIMARY

REPEATED = ("clda", "mmrm")
RANDOM = "random_intercepts"
_DF = {
    "satterthwaite": "Satterthwaite",
    "kenward_roger": "Kenward-Roger",
    "between_within": "Between-Within",
    "residual": "Residual",
}


@dataclass(frozen=True)
class Files:
    """The tables that the program reads, by name, and whether the arms are fake."""

    snapshot: str
    arms: str
    fake: bool


def r_script(frozen: Mapping[str, Any], stored: Mapping[str, Any], files: Files) -> str:
    """The whole program."""
    fits = [one for one in frozen["fits"] if one["kind"] in (PRIMARY, OTHER_DF, RANDOM)]
    answers = {one["code"]: one["answer"] for one in stored["fits"]}
    used = [(one, _as_fitted(one, frozen, stored), answers.get(one["code"])) for one in fits]
    repeated = any(spec["model"] in REPEATED for _one, spec, _answer in used)
    parts = [_head(frozen, files), _libraries(repeated, any(spec["model"] == "lmm" for _one, spec, _answer in used))]
    parts.append(_tables(frozen, files))
    if any(spec["model"] == "clda" for _one, spec, _answer in used):
        parts.append(_CONTRASTS)
    parts += [_model(one, spec, answer) for one, spec, answer in used]
    parts += _subgroups(frozen, stored, used[0][1])
    parts += _bootstrap(frozen, *used[0])
    parts += not_repeated(frozen)
    return "\n".join(parts)


def _as_fitted(fit: Mapping[str, Any], frozen: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """The specification as it was fitted: teams by the plan's rule."""
    spec, column = dict(fit["fit"]), frozen["team_column"]
    answer = next((one["answer"] for one in stored["fits"] if one["code"] == fit["code"]), None) or {}
    moved = column in spec.get("covariates", ()) or (spec["model"] in REPEATED and answer.get("model") == "lmm")
    if fit["kind"] == RANDOM or stored.get("team") != "random" or not moved:
        return spec
    spec["covariates"] = [one for one in spec["covariates"] if one != column]
    spec["categorical"] = [one for one in spec["categorical"] if one != column]
    return spec | {"model": "lmm", "random": [column, "participant"]}


# --- the beginning -------------------------------------------------------------------------------------------------------


def _head(frozen: Mapping[str, Any], files: Files) -> str:
    plan = frozen.get("plan")
    lines = [f"{frozen['outcome']['name']}: the planned analysis, repeated in R"]
    if plan:
        lines.append(f"Analysis plan, version {plan['number']}, SHA-256 {plan['sha256']}")
    lines.append(f"Protocol, SHA-256 {frozen['protocol']}")
    if files.fake:
        lines += [
            "REHEARSAL ON A FAKE ARM: the arms in the second table are drawn by lot from study number and seed. Nothing here is a result.",
            f"Tables: {files.snapshot} (page of the snapshot), {files.arms} (page of the rehearsal: Table of arms).",
        ]
    else:
        lines += [
            f"Tables: {files.snapshot} (page of the snapshot, open side), {files.arms}: the extract that has the arms.",
            "The independent statistician downloads the extract from the page of the comparative analysis, behind the wall: Table of arms.",
        ]
    lines.append("Estimates agree with the stored result to the tolerance of the optimizers. Needs R >= 4.1.")
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)


def _libraries(repeated: bool, mixed: bool) -> str:
    wanted = [*(["mmrm"] if repeated else []), *(["lme4", "lmerTest"] if mixed else []), "emmeans"]
    return "".join(f"library({name})\n" for name in wanted)


def _tables(frozen: Mapping[str, Any], files: Files) -> str:
    """Reading and joining the tables, and the columns as the models want them."""
    spec = frozen["fits"][0]["fit"]
    control, outcome = spec["reference"], spec["outcome"]
    arms = [control, *(code for code in frozen["arms"] if code != control)]
    lines = [
        'read <- function(file) read.csv(file, colClasses = "character", na.strings = "", check.names = FALSE)',
        f"snapshot <- read({text(files.snapshot)})",
        f"arms <- read({text(files.arms)})",
        'everybody <- merge(snapshot, arms, by = "participant")',
        "stopifnot(nrow(everybody) == nrow(snapshot))",
    ]
    if people_of(frozen) != EVERYBODY:
        lines += [
            "# Without errors of randomization, those known behind the wall included",
            'if (!"wrong_treatment" %in% names(everybody)) everybody$wrong_treatment <- NA',
            "everybody <- everybody[is.na(everybody$randomization_errors) & is.na(everybody$wrong_treatment), ]",
        ]
    lines += [
        f"everybody$arm <- factor(everybody$arm, levels = {texts(arms)})",
        "everybody$participant <- factor(everybody$participant)",
        f"everybody$outcome <- as.numeric(everybody[[{text(outcome)}]])",
    ]
    lines += _columns(frozen)
    return "\n".join(lines) + "\n"


def _columns(frozen: Mapping[str, Any]) -> list[str]:
    """Covariates as numbers or factors; a baseline meant as covariate centered, with an indicator where it is missing."""
    lines: list[str] = []
    covariates = dict.fromkeys(
        c
        for one in frozen["fits"]
        for c in one["fit"].get("covariates", ())
        if one["kind"] in (PRIMARY, OTHER_DF, RANDOM)
    )
    levels = {c for one in frozen["fits"] for c in one["fit"].get("categorical", ())}
    units = {c for one in frozen["fits"] for c in one["fit"].get("random", ()) if c != "participant"}
    for name in dict.fromkeys([*covariates, *sorted(units)]):
        how = "factor" if name in levels | units else "as.numeric"
        lines.append(f"everybody[[{text(name)}]] <- {how}(everybody[[{text(name)}]])")
    baseline = next(
        (
            one["fit"]["baseline"]
            for one in frozen["fits"]
            if one["fit"]["model"] == "mmrm" and "baseline" in one["fit"]
        ),
        None,
    )
    if baseline:
        lines += [
            f"everybody$base <- as.numeric(everybody[[{text(baseline)}]])",
            "once <- everybody[!duplicated(everybody$participant), ]",
            "everybody$base_missing <- as.numeric(is.na(everybody$base))",
            "everybody$base <- ifelse(is.na(everybody$base), 0, everybody$base - mean(once$base, na.rm = TRUE))",
        ]
    return lines


_CONTRASTS = """# One coefficient as a difference with its interval
difference <- function(fit, name, visit, level) {
  weights <- setNames(as.numeric(names(coef(fit)) == name), names(coef(fit)))
  one <- df_1d(fit, weights)
  half <- qt(0.5 + level / 2, one$df) * one$se
  data.frame(visit = visit, estimate = one$est, se = one$se, df = one$df,
             lower = one$est - half, upper = one$est + half, p = one$p_val)
}
"""


# --- models --------------------------------------------------------------------------------------------------------------


def _model(fit: Mapping[str, Any], spec: Mapping[str, Any], answer: Mapping[str, Any] | None) -> str:
    titles = {
        PRIMARY: "The planned model",
        OTHER_DF: "The planned model, other degrees of freedom",
        RANDOM: "Random intercepts",
    }
    makers = {"clda": _clda, "mmrm": _mmrm, "lmm": _lmm}
    lines = [
        f"# --- {titles[fit['kind']]} ({fit['code']})",
        *_rows(fit, spec),
        *makers[spec["model"]](spec, answer or {}),
    ]
    return "\n".join(lines) + "\n"


def _subgroups(frozen: Mapping[str, Any], stored: Mapping[str, Any], spec: Mapping[str, Any]) -> list[str]:
    """Each subgroup by the planned model; its covariance may be another one than that of the planned model."""
    found = [one for one in stored.get("subgroups", ()) if "levels" in one]
    reml = f"REML = {reml_of(spec)}"
    made = [
        r_subgroups.block(
            frozen, one, spec, reml if spec["model"] == "lmm" else ", ".join(_covariance(spec, one["model"])[1])
        )
        for one in found
    ]
    return [r_subgroups.HELPERS, *made] if made else []


def _rows(fit: Mapping[str, Any], spec: Mapping[str, Any]) -> list[str]:
    """The rows of the model: its visits, with an outcome."""
    visits = spec.get("visits") or fit["at"]
    return [
        f"d <- everybody[everybody$visit %in% {texts(visits)} & !is.na(everybody$outcome), ]",
        f"d$visit <- factor(d$visit, levels = {texts(visits)})",
        "d <- droplevels(d)",
    ]


def _others(spec: Mapping[str, Any]) -> list[str]:
    return [name_of(one) for one in spec.get("covariates", ())]


def _covariance(spec: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The covariance that converged, and the arguments that go with its variance."""
    structure = answer.get("structure") or spec["covariance"][0]
    robust = {"cr2": "Empirical-Bias-Reduced", "cr0": "Empirical"}.get(answer.get("variance") or "model")
    df = spec["df"] if robust is None or spec["df"] != "kenward_roger" else "satterthwaite"
    more = [f"method = {text(_DF[df])}"]
    if robust:
        more.append(f"vcov = {text(robust)}")
    elif df == "kenward_roger":
        more.append('vcov = "Kenward-Roger-Linear"')
    more.append(f"reml = {reml_of(spec)}")
    return f"{structure}(visit | participant)", more


def _clda(spec: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """The arms share the mean of the first visit: one column for each later visit of the other arm."""
    covariance, more = _covariance(spec, answer)
    later = list(spec["visits"])[1:]
    names, lines = later_columns(spec)
    formula = " + ".join(["outcome ~ visit", *names, *_others(spec), covariance])
    level = spec.get("confidence", 0.95)
    calls = [
        f"  difference(fit, {text(name)}, {text(visit)}, {level})" for name, visit in zip(names, later, strict=True)
    ]
    return [
        *lines,
        f"fit <- mmrm({formula}, data = d, {', '.join(more)})",
        "print(rbind(\n" + ",\n".join(calls) + "\n))",
        'print(component(fit, "varcor"))',
    ]


def _bootstrap(
    frozen: Mapping[str, Any], fit: Mapping[str, Any], spec: Mapping[str, Any], answer: Mapping[str, Any] | None
) -> list[str]:
    """The planned model fitted to other samples."""
    rows, reml = _rows(fit, spec), reml_of(spec)
    if spec["model"] == "lmm":
        random = [f"(1 | {name_of(one)})" for one in spec["random"]]
        formula = " + ".join(["outcome ~ arm * visit", *_others(spec), *random])
        return bootstrap_block(frozen, spec, rows, formula, f"REML = {reml}")
    if spec["model"] == "mmrm":
        return bootstrap_block(frozen, spec, rows, "formula", f"reml = {reml}")
    names, lines = later_columns(spec)
    formula = " + ".join(["outcome ~ visit", *names, *_others(spec), _covariance(spec, answer or {})[0]])
    return bootstrap_block(frozen, spec, [*rows, *lines], formula, f"reml = {reml}")


def _mmrm(spec: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    covariance, more = _covariance(spec, answer)
    base = ["base * visit"] if spec.get("baseline") else []
    formula = " + ".join(["outcome ~ arm * visit", *base, *_others(spec), covariance])
    call = f"formula <- {formula}"
    gap = ["if (any(d$base_missing > 0)) formula <- update(formula, ~ . + base_missing)"] if base else []
    return [
        call,
        *gap,
        f"fit <- mmrm(formula, data = d, {', '.join(more)})",
        *_means(spec),
        'print(component(fit, "varcor"))',
    ]


def _lmm(spec: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """Participants have numbers of their own, so that teams and participants need no nesting sign."""
    fixed = ["arm * visit"] if spec.get("visit") else ["arm"]
    random = [f"(1 | {name_of(one)})" for one in spec["random"]]
    formula = " + ".join([f"outcome ~ {fixed[0]}", *_others(spec), *random])
    df = "kenward-roger" if spec["df"] == "kenward_roger" else "satterthwaite"
    fit = f"fit <- lmer({formula}, data = d, REML = {reml_of(spec)})"
    return [fit, *_means(spec, f", lmer.df = {text(df)}"), 'print(VarCorr(fit), comp = "Variance")']


def _means(spec: Mapping[str, Any], more: str = "") -> list[str]:
    """Adjusted means by arm, and their differences from the reference, with unadjusted intervals."""
    by = "~ arm | visit" if spec.get("visit") else "~ arm"
    weights = text(spec.get("weights", "equal"))
    level = spec.get("confidence", 0.95)
    return [
        f"means <- emmeans(fit, {by}, weights = {weights}, level = {level}{more})",
        "print(means)",
        f'print(summary(contrast(means, "trt.vs.ctrl", ref = 1, adjust = "none"), infer = TRUE, level = {level}))',
    ]
