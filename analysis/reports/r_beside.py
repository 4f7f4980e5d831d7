"""What the program in R does beside the models: the bootstrap, and in words what it does not repeat, and why. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.reports.r_words import text

BOOTSTRAP = "bootstrap"
_IMPUTED = (
    "the model is fitted once without each person, and conditional means are imputed from the visit of stopping on; package rbmi does it with"
    ' method_condmean(type = "jackknife")'
)
_LOTS = "the allocation scheme has to be replayed in the order of entry, and neither is in these tables"
NOT_REPEATED: Mapping[str, tuple[str, str]] = {
    "partially_nested": ("groups in one arm", "variances that differ between the arms need nlme, with other degrees of freedom"),
    "complier_effect": ("complier average causal effect", "two-stage least squares need ivreg, with other standard errors"),
    "jump_to_reference": ("jump to reference", _IMPUTED),
    "copy_increments": ("copy increments in reference", _IMPUTED),
    "copy_reference": ("copy reference", _IMPUTED),
    "retrieved_dropout": ("retrieved dropout", f"{_IMPUTED}, and indicators of stopping by visit as covariates"),
    "tipping_point": ("tipping point, as curve and as map", f"{_IMPUTED} and its delta"),
    "rerandomization": ("re-randomization test", _LOTS),
    "max_t": ("adjustment by the largest statistic", _LOTS),
    "outcomes": ("other outcomes", "each is the planned model with its own column as the outcome"),
}  # fmt: skip

_HELPER = """# People drawn again with replacement, as many as each arm has; `estimate` of each sample. Other random numbers than those of the stored
# result: the ends of the interval agree to their Monte-Carlo error.
bootstrap <- function(d, estimate, samples, level) {
  people <- unique(d[, c("participant", "arm")])
  rows <- split(seq_len(nrow(d)), droplevels(d$participant))
  drawn <- replicate(samples, {
    who <- unlist(tapply(as.character(people$participant), people$arm, sample, replace = TRUE))
    again <- d[unlist(rows[who]), ]
    again$participant <- factor(rep(seq_along(who), lengths(rows[who])))
    tryCatch(estimate(droplevels(again)), error = function(e) NA_real_)
  })
  ends <- quantile(drawn, c((1 - level) / 2, (1 + level) / 2), type = 6, na.rm = TRUE)
  c(estimate = estimate(d), se = sd(drawn, na.rm = TRUE), lower = ends[[1]], upper = ends[[2]], failed = sum(is.na(drawn)))
}
"""


def bootstrap_block(
    frozen: Mapping[str, Any], spec: Mapping[str, Any], rows: Sequence[str], formula: str, arguments: str
) -> list[str]:
    """The bootstrap of the planned contrast, where the plan has one. ``rows``: lines that make ``d``; ``formula`` of the planned model."""
    planned = frozen.get(BOOTSTRAP)
    if not planned:
        return []
    fitter, coefficients = ("lmer", "fixef") if spec["model"] == "lmm" else ("mmrm", "coef")
    fit = f"  b <- {coefficients}({fitter}({formula}, data = d, {arguments}))"
    lines = [
        f"# --- Bootstrap ({planned['code']})", *rows, "estimate <- function(d) {", fit, f"  {_contrast(frozen, spec)}", "}",
        f"set.seed({int(planned['replicates'])})",
        f"print(bootstrap(d, estimate, {int(planned['replicates'])}, {spec.get('confidence', 0.95)}))",
    ]  # fmt: skip
    return [_HELPER, "\n".join(lines) + "\n"]


def later_columns(spec: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The names of the columns of clda, one for each later visit of the other arm, and the lines that make them."""
    later = list(spec["visits"])[1:]
    names = [f"at_{n}" for n in range(1, len(later) + 1)]
    return names, [
        f"d${name} <- as.numeric(d$visit == {text(visit)} & d$arm != {text(spec['reference'])})"
        for name, visit in zip(names, later, strict=True)
    ]


def _contrast(frozen: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    """The difference at the primary visit as a sum of coefficients."""
    visits, at = list(spec["visits"]), frozen["primary_visit"]
    if spec["model"] == "clda":
        return f'b[["at_{visits.index(at)}"]]'
    arm = f"arm{frozen['experimental']}"
    more = f" + b[[{text(f'{arm}:visit{at}')}]]" if visits.index(at) else ""
    return f"b[[{text(arm)}]]{more}"


def not_repeated(frozen: Mapping[str, Any]) -> list[str]:
    """Which planned analyses this program leaves out, each with the reason, as a comment; nothing where it repeats all."""
    kinds = [one["kind"] for one in [*frozen["fits"], *frozen.get("imputations", ())]]
    kinds += ["tipping_point"] if frozen.get("tipping") else []
    kinds += ["rerandomization"] if frozen.get("rerandomization") else []
    kinds += ["max_t"] if frozen.get("multiplicity") == "max_t" else []
    kinds += ["outcomes"] if frozen.get("outcomes") else []
    told = [NOT_REPEATED[kind] for kind in dict.fromkeys(kinds) if kind in NOT_REPEATED]
    lines = [f"#   {name}: {why}." for name, why in told]
    return ["\n".join(["# --- Planned, and not repeated here", *lines]) + "\n"] if lines else []
