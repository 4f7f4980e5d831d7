# Fits the same data in R. Arguments: a folder of tables 0.csv, 1.csv, ...; how many; the file to write.
# Of each: random intercepts, teams above them, random slopes (lme4, lmerTest, pbkrtest), and an unstructured covariance (nlme).

suppressMessages({
  for (name in c("lme4", "lmerTest", "pbkrtest", "emmeans", "nlme")) library(name, character.only = TRUE)
})
emm_options(pbkrtest.limit = 5000, lmerTest.limit = 5000)
given <- commandArgs(trailingOnly = TRUE)
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), check.conv.singular = "ignore")

at_last <- function(fit, df) {
  means <- emmeans(fit, ~ arm | visit, lmer.df = df)
  rows <- as.data.frame(summary(contrast(means, "trt.vs.ctrl", ref = 1, adjust = "none"), infer = TRUE))
  row <- rows[nrow(rows), ]
  list(estimate = row$estimate, se = row$SE, df = row$df, p = row$p.value)
}
both <- function(fit) {
  list(logLik = as.numeric(logLik(fit)), singular = isSingular(fit), satterthwaite = at_last(fit, "satterthwaite"),
       kenward_roger = at_last(fit, "kenward-roger"))
}
sloped <- function(d) {
  fit <- lmer(y ~ arm * time + (time | id), d, control = tight)
  row <- summary(fit, ddf = "Satterthwaite")$coefficients["arm1:time", ]
  list(logLik = as.numeric(logLik(fit)), singular = isSingular(fit),
       satterthwaite = list(estimate = row[[1]], se = row[[2]], df = row[[3]], p = row[[5]]))
}
unstructured <- function(d) {
  fit <- gls(y ~ arm * visit, d, correlation = corSymm(form = ~ as.integer(visit) | id), weights = varIdent(form = ~ 1 | visit),
             control = glsControl(maxIter = 500, msMaxIter = 500, tolerance = 1e-11, msTol = 1e-13))
  weights <- as.numeric(names(coef(fit)) %in% c("arm1", paste0("arm1:visit", max(d$time))))
  list(logLik = as.numeric(logLik(fit)), singular = FALSE,
       satterthwaite = list(estimate = sum(weights * coef(fit)), se = sqrt(drop(t(weights) %*% vcov(fit) %*% weights))))
}

found <- lapply(seq_len(as.integer(given[2])) - 1, function(n) {
  d <- read.csv(file.path(given[1], paste0(n, ".csv")))
  for (name in c("id", "team", "arm")) d[[name]] <- factor(d[[name]])
  d$visit <- factor(d$time)
  list(intercepts = both(lmer(y ~ arm * visit + (1 | id), d, control = tight)),
       teams = both(lmer(y ~ arm * visit + (1 | team) + (1 | id), d, control = tight)),
       slopes = sloped(d), unstructured = unstructured(d))
})
jsonlite::write_json(found, given[3], digits = NA, auto_unbox = TRUE)
