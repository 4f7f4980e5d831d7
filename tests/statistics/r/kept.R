# Runs a program and keeps, as JSON, every table that it prints. Arguments: the program, the file to write.
#
# mmrm is not packaged everywhere. Without it, nlme's gls stands in: the same model with an unstructured covariance, by another author. It
# has no degrees of freedom of this kind, so that only estimates and standard errors are compared; the file says which of the two it was.

given <- commandArgs(trailingOnly = TRUE)
kept <- list()
print <- function(x, ...) {
  if (is.data.frame(x) || inherits(x, "emmGrid") || inherits(x, "summary_emm")) kept[[length(kept) + 1]] <<- as.data.frame(x)
  base::print(x, ...)
}
stands_in <- !requireNamespace("mmrm", quietly = TRUE)

if (stands_in) {
  library <- function(package, ...) {
    name <- deparse(substitute(package))
    if (name != "mmrm") base::library(name, character.only = TRUE, ...)
  }
  mmrm <- function(formula, data, reml = TRUE, ...) {
    terms <- attr(terms(formula), "term.labels")
    covariance <- grep("|", terms, fixed = TRUE, value = TRUE)
    stopifnot(length(covariance) == 1, grepl("^us\\(", covariance))
    fixed <- reformulate(setdiff(terms, covariance), response = "outcome")
    data$visit_number <- as.integer(data$visit)
    kept_data <<- data
    eval(bquote(nlme::gls(.(fixed), data = data, method = .(if (reml) "REML" else "ML"), na.action = na.omit,
      correlation = nlme::corSymm(form = ~ visit_number | participant), weights = nlme::varIdent(form = ~ 1 | visit),
      control = nlme::glsControl(maxIter = 500, msMaxIter = 500, tolerance = 1e-10, msTol = 1e-12))))
  }
  df_1d <- function(fit, weights) {
    est <- sum(weights * coef(fit))
    se <- sqrt(drop(t(weights) %*% vcov(fit) %*% weights))
    list(est = est, se = se, df = NA_real_, p_val = NA_real_)
  }
  emmeans <- function(object, ...) {
    if (inherits(object, "gls")) emmeans::emmeans(object, ..., data = kept_data, mode = "asymptotic") else emmeans::emmeans(object, ...)
  }
  component <- function(fit, name) nlme::getVarCov(fit)
}

source(given[1])
jsonlite::write_json(list(stands_in = stands_in, tables = kept), given[2], digits = NA, auto_unbox = TRUE)
