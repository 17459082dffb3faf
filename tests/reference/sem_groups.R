# Reference values for tests/analysis/test_sem_parity_groups.py
# Rscript tests/reference/sem_groups.R   (lavaan 0.6-14)
# Two groups (the schools of Holzinger & Swineford): every estimator, every kind of
# equality; writes sem_groups.json and sem_group_equal.json.
source("tests/reference/sem_case.R")
tables <- list(hs1939 = table_of("hs1939"), sem_missing = table_of("sem_missing"))

three <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
paths <- paste0(three, "\ntextual ~ visual\nspeed ~ visual + textual\nx1 ~~ x4\nx2 ~~ x7")
second <- paste0(three, "\ng =~ visual + textual + speed")
by_hand <- paste0("visual =~ x1 + c(a, a)*x2 + c(b1, b2)*x3\ntextual =~ x4 + c(0.9, NA)*x5 + x6\n",
  "speed =~ c(NA, 1)*x7 + x8 + x9\nspeed ~~ c(1, NA)*speed\nvisual ~~ c(r1, r2)*textual\n",
  "x1 ~ c(i, i)*1\nx2 ~ c(j1, j2)*1\nj1 == j2 + 0.2\ngap := b1 - b2\nmean := (r1 + r2) / 2")

every <- c("ML", "MLM", "MLMV", "MLMVS", "MLR", "MLF", "GLS", "ULS", "WLS", "DWLS", "WLSM", "WLSMV",
  "ULSM", "ULSMV")
ladder <- list(loadings = "loadings", intercepts = c("loadings", "intercepts"),
  residuals = c("loadings", "intercepts", "residuals"),
  means = c("loadings", "intercepts", "residuals", "means"))
specs <- list()
add <- function(name, ...) specs[[name]] <<- list(...)
grouped <- function(...) list(group = "school", ...)

for (e in every) {
  add(paste0("configural_", e), three, "hs1939", grouped(estimator = e))
  add(paste0("intercepts_", e), three, "hs1939", grouped(estimator = e, group.equal = ladder$intercepts))
}
for (e in c("ML", "MLR")) {
  o <- grouped(estimator = e, missing = "ml")
  add(paste0("missing_configural_", e), three, "sem_missing", o)
  for (step in names(ladder))
    add(paste0("missing_", step, "_", e), three, "sem_missing", c(o, list(group.equal = ladder[[step]])))
}
add("missing_MLF", three, "sem_missing", grouped(estimator = "MLF", missing = "ml"))
add("two_stage", three, "sem_missing", grouped(missing = "two.stage"))
add("robust_two_stage", three, "sem_missing", grouped(missing = "robust.two.stage"))
add("no_means_ML", three, "hs1939", grouped(meanstructure = FALSE))
add("wishart", three, "hs1939", grouped(likelihood = "wishart", group.equal = "loadings"))
add("observed", three, "hs1939", grouped(information = "observed", group.equal = "loadings"))
add("std_lv_WLS", three, "hs1939", grouped(estimator = "WLS", std.lv = TRUE, group.equal = "loadings"))

equal <- list()
for (e in c("ML", "MLM", "MLMV", "MLR"))
  for (step in c("loadings", "residuals", "means"))
    equal[[paste0(step, "_", e)]] <- list(three, "hs1939", grouped(estimator = e, group.equal = ladder[[step]]))
kinds <- list(lv_variances = c("loadings", "lv.variances"), lv_covariances = c("loadings", "lv.covariances"),
  all_latent = c("loadings", "intercepts", "lv.variances", "lv.covariances"),
  residuals_only = "residuals", intercepts_only = "intercepts")
for (k in names(kinds)) for (e in c("ML", "MLR"))
  equal[[paste0(k, "_", e)]] <- list(three, "hs1939", grouped(estimator = e, group.equal = kinds[[k]]))
for (e in c("ML", "MLM", "ULSMV")) {
  equal[[paste0("regressions_", e)]] <- list(paths, "hs1939",
    grouped(estimator = e, group.equal = c("loadings", "regressions", "residual.covariances")), "sem")
  equal[[paste0("structure_", e)]] <- list(paths, "hs1939", grouped(estimator = e, group.equal =
    c("loadings", "intercepts", "regressions", "lv.variances", "residuals", "residual.covariances")), "sem")
}
for (e in c("ML", "MLR", "WLSMV")) {
  equal[[paste0("partial_", e)]] <- list(three, "hs1939", grouped(estimator = e,
    group.equal = ladder$intercepts, group.partial = c("visual =~ x2", "x3 ~ 1", "x7 ~ 1")))
  equal[[paste0("std_lv_", e)]] <- list(three, "hs1939", grouped(estimator = e, std.lv = TRUE,
    group.equal = ladder$intercepts))
  equal[[paste0("by_hand_", e)]] <- list(by_hand, "hs1939", grouped(estimator = e))
  equal[[paste0("second_order_", e)]] <- list(second, "hs1939", grouped(estimator = e, group.equal = ladder$loadings))
}
write_cases(cases_of(specs, tables), "sem_groups")
write_cases(cases_of(equal, tables), "sem_group_equal")
