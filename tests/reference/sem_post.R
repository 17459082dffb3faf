# Reference values for tests/analysis/test_sem_parity_post.py
# Rscript tests/reference/sem_post.R   (lavaan 0.6-14, psychTools 2.2.9)
# What is asked of a fitted model, sem_post.json: modification indices, score tests of
# equalities, difference tests, factor scores, residuals. Constraints, clusters, weights,
# observed predictors and growth, sem_constraints.json. Writes sem_growth.csv and
# sem_clusters.csv.
source("tests/reference/sem_case.R")
growth_data <- keep_table(Demo.growth, "sem_growth")

# Pupils in classes: class means differ, and classes of a school resemble each other.
set.seed(20291)
size <- sample(4:9, 70, TRUE); class <- rep(seq_along(size), size); n <- length(class)
school <- c("north", "south")[1 + (seq_along(size) %% 5 < 2)][class]
f <- rnorm(n) + rnorm(70, 0, .6)[class]; g <- .5 * f + rnorm(n, 0, .8) + rnorm(70, 0, .3)[class]
pupils <- data.frame(y1 = f + rnorm(n, 2, .6), y2 = .8 * f + rnorm(n, 0, .7), y3 = .9 * f + rnorm(70, 0, .3)[class] + rnorm(n, 1, .6),
  y4 = g + rnorm(n, 0, .6), y5 = .7 * g + rnorm(n, 0, .6), y6 = g + rnorm(n, 3, .8), x = rnorm(70)[class])
pupils <- round(pupils, 3); pupils$school <- school; pupils$class <- class; pupils$weight <- round(runif(n, .4, 2.5), 2)
# Weights that sum to the size of every group mean the same under every normalisation.
pupils$weight_group <- round(pupils$weight * ave(pupils$weight, school, FUN = length) / ave(pupils$weight, school, FUN = sum), 8)
gaps <- pupils; for (k in 1:6) gaps[seq(2 * k, n, by = 13 + k), k] <- NA
pupils$y2_gaps <- gaps$y2; pupils$y5_gaps <- gaps$y5
pupils <- keep_table(pupils, "sem_clusters")

hs <- table_of("hs1939"); paths <- table_of("sem_paths"); paths$side <- rep(c("left", "right", "left"), length.out = nrow(paths))
write.csv(paths, file.path(here, "sem_sides.csv"), row.names = FALSE, quote = FALSE, na = "")
tables <- list(hs1939 = hs, sem_missing = table_of("sem_missing"), sem_paths = paths, sem_sides = table_of("sem_sides"),
  sem_growth = growth_data, sem_clusters = pupils, sem_democracy = table_of("sem_democracy"), bfi = psychTools::bfi,
  sem_categorical = table_of("sem_categorical"), sem_ordinal = table_of("sem_ordinal"))

three <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
two <- "A =~ A1 + A2 + A3 + A4 + A5\nN =~ N1 + N2 + N3 + N4 + N5"
short <- "f1 =~ u1 + u2 + u3 + u4\nf2 =~ u5 + u6 + u7 + u8"
bollen <- paste0("ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + y3 + y4\ndem65 =~ y5 + y6 + y7 + y8\n",
  "dem60 ~ ind60\ndem65 ~ ind60 + dem60\ny1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8")
mimic <- paste0(three, "\nvisual ~ ageyr\ntextual ~ visual + ageyr")
second <- paste0(three, "\ng =~ visual + textual + speed")
path <- "x1 ~ x2 + x3\nx4 ~ x1\nx5 ~ x4"
predicted_two <- paste0(two, "\nA ~ age\nN ~ A + age")
tied <- "visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + b*x5 + b*x6\nspeed =~ x7 + c*x8 + d*x9\nc == d + 0.1\nx1 ~~ e*x1\nx2 ~~ e*x2"
fitted <- function(model, name, options, call = "cfa") fit_fine(model, tables[[name]], options, call)$fit
asked <- function(model, name, options = list(), call = "cfa") list(call = call, model = model, data = name,
  options = if (length(options)) options else setNames(list(), character()))
labels_of <- function(fit, group) {
  groups <- lavInspect(fit, "group.label")
  if (length(groups) < 2) NULL else groups[group]
}

# Modification indices.
changes <- function(...) {
  a <- asked(...); fit <- fitted(a$model, a$data, list(...)[-(1:2)][[1]], a$call)
  m <- modindices(fit)
  # What rounding alone makes identified; scaling factors are no parameters with theta.
  m <- m[is.na(m$mi) | m$mi > 1e-8, ]
  if (identical(list(...)[[3]]$parameterization, "theta")) m <- m[m$op != "~*~", ]
  # A marker cannot be freed; where rounding hides that, lavaan prints a number.
  p <- parTable(fit); markers <- with(p[p$op == "=~" & p$free == 0 & p$ustart %in% 1, ], paste(lhs, op, rhs))
  m <- m[!is.na(m$mi) & !paste(m$lhs, m$op, m$rhs) %in% markers, ]
  # Of a variance or a scaling factor lavaan prints the sign of the change only.
  sign_only <- m$op == "~*~" | (m$op == "~~" & m$lhs == m$rhs)
  m$sepc.lv[sign_only] <- NA; m$sepc.all[sign_only] <- NA
  c(a, list(row = paste(m$lhs, m$op, m$rhs), group = labels_of(fit, m$group), mi = digits12(m$mi), epc = digits12(m$epc),
    sepc_lv = digits12(m$sepc.lv), sepc_all = digits12(m$sepc.all)))
}
ord <- function(...) list(ordered = TRUE, ...)
modification <- list(
  ML = changes(three, "hs1939", list()), std_lv = changes(three, "hs1939", list(std.lv = TRUE)),
  means = changes(three, "hs1939", list(meanstructure = TRUE)), MLR = changes(three, "hs1939", list(estimator = "MLR")),
  GLS = changes(three, "hs1939", list(estimator = "GLS")), WLS = changes(three, "hs1939", list(estimator = "WLS")),
  ULSMV = changes(three, "hs1939", list(estimator = "ULSMV")), tied = changes(tied, "hs1939", list()),
  missing = changes(three, "sem_missing", list(missing = "ml")), missing_MLR = changes(three, "sem_missing", list(missing = "ml", estimator = "MLR")),
  second_order = changes(second, "hs1939", list()), democracy = changes(bollen, "sem_democracy", list(), "sem"),
  mimic = changes(mimic, "hs1939", list(), "sem"),
  groups = changes(three, "hs1939", list(group = "school")),
  groups_equal = changes(three, "hs1939", list(group = "school", group.equal = c("loadings", "intercepts"))),
  groups_GLS = changes(three, "hs1939", list(group = "school", group.equal = "loadings", estimator = "GLS")),
  WLSMV = changes(two, "bfi", ord()), WLSMV_theta = changes(two, "bfi", ord(parameterization = "theta")),
  ordered_WLS = changes(two, "bfi", ord(estimator = "WLS")), ordered_ULSMV = changes(two, "bfi", ord(estimator = "ULSMV")),
  ordered_groups = changes(short, "sem_categorical", ord(group = "g")),
  equal_means = changes(three, "hs1939", list(group = "school", group.equal = c("loadings", "intercepts", "means"))),
  fixed_means = changes(paste0(three, "\nvisual ~ 0.2*1\nx1 ~ 4.5*1"), "hs1939", list(meanstructure = TRUE)),
  fixed_variance = changes(paste0(three, "\nvisual ~~ 0.5*visual\nx4 ~~ 0.4*x4"), "hs1939", list()),
  ordered_scales = changes(short, "sem_categorical", ord(group = "g", group.equal = "loadings")),
  ordered_locations = changes(short, "sem_categorical", ord(group = "g", group.equal = c("loadings", "thresholds", "intercepts"))),
  paths = changes(path, "hs1939", list(fixed.x = FALSE), "sem"), paths_GLS = changes(path, "hs1939", list(estimator = "GLS"), "sem"),
  structure = changes(paste0(three, "\nspeed ~ visual\nageyr ~ speed"), "hs1939", list(), "sem"))

# Score tests.
released <- function(...) {
  a <- asked(...); fit <- fitted(a$model, a$data, a$options, a$call)
  s <- suppressWarnings(lavTestScore(fit)); p <- parTable(fit)
  at <- function(x) match(x, p$plabel)
  side <- function(x) { k <- at(x); ifelse(is.na(k), x, trimws(paste(p$lhs[k], p$op[k], p$rhs[k]))) }
  where <- function(x) { k <- at(x); g <- labels_of(fit, p$group[k]); if (is.null(g)) rep("", length(x)) else g }
  c(a, list(total = digits12(s$test$X2), df = s$test$df, left = side(s$uni$lhs), left_group = where(s$uni$lhs),
    right = side(s$uni$rhs), right_group = where(s$uni$rhs), x2 = digits12(s$uni$X2)))
}
score <- list(loadings = released(three, "hs1939", list(group = "school", group.equal = "loadings")),
  intercepts = released(three, "hs1939", list(group = "school", group.equal = c("loadings", "intercepts"))),
  residuals = released(three, "hs1939", list(group = "school", group.equal = c("loadings", "intercepts", "residuals"))),
  missing = released(three, "sem_missing", list(group = "school", group.equal = c("loadings", "intercepts"), missing = "ml")),
  labels = released("visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + b*x5 + b*x6\nx1 ~~ e*x1\nx2 ~~ e*x2\nx3 ~~ e*x3", "hs1939", list()),
  MLR = released(three, "hs1939", list(group = "school", group.equal = c("loadings", "intercepts"), estimator = "MLR")),
  GLS = released(three, "hs1939", list(group = "school", group.equal = "loadings", estimator = "GLS")),
  linear = released(paste0(tied, "\nc + d == 2*b"), "hs1939", list()),
  WLSMV = released(short, "sem_categorical", ord(group = "g", group.equal = "loadings")))

# Difference tests.
against <- function(free, restricted, name, options0, options1, methods, call = "cfa") {
  h1 <- fit_fine(free, tables[[name]], options0, call)$fit; h0 <- fit_fine(restricted, tables[[name]], options1, call)$fit
  one <- function(m) { t <- try(suppressWarnings(lavTestLRT(h1, h0, method = m)), silent = TRUE)
    if (inherits(t, "try-error")) list(chisq = NA) else
    list(chisq = digits12(t[["Chisq diff"]][2]), df = digits12(t[["Df diff"]][2]), p = digits12(t[["Pr(>Chisq)"]][2])) }
  list(free = asked(free, name, options0, call), restricted = asked(restricted, name, options1, call),
    tests = setNames(lapply(methods, one), methods))
}
all_scaled <- c("default", "satorra.bentler.2001", "satorra.bentler.2010", "satorra.2000")
in_groups <- function(e, ...) list(group = "school", estimator = e, ...)
difference <- list()
# For MLR Satorra's (2000) test has no settled weight; and lavaan reaches for the 2010 one with
# latent means held at 0, which the restricted model sets free.
for (e in c("MLM", "MLR", "WLSM")) {
  difference[[paste0("loadings_", e)]] <- against(three, three, "hs1939", in_groups(e), in_groups(e, group.equal = "loadings"),
    if (e == "MLR") all_scaled[1:3] else all_scaled)
  difference[[paste0("intercepts_", e)]] <- against(three, three, "hs1939", in_groups(e, group.equal = "loadings"),
    in_groups(e, group.equal = c("loadings", "intercepts")), if (e == "MLR") all_scaled[1:2] else all_scaled)
}
for (e in c("MLMV", "WLSMV", "ULSMV"))
  difference[[paste0("loadings_", e)]] <- against(three, three, "hs1939", in_groups(e), in_groups(e, group.equal = "loadings"), c("default", "satorra.2000"))
for (e in c("ML", "GLS", "WLS"))
  difference[[paste0("loadings_", e)]] <- against(three, three, "hs1939", in_groups(e), in_groups(e, group.equal = "loadings"), "default")
difference$factors_MLR <- against(three, paste0(three, "\nvisual ~~ 0*speed\ntextual ~~ 0*speed"), "hs1939", list(estimator = "MLR"), list(estimator = "MLR"), all_scaled[1:3])
difference$factors_MLM <- against(three, paste0(three, "\nvisual ~~ 0*speed\ntextual ~~ 0*speed"), "hs1939", list(estimator = "MLM"), list(estimator = "MLM"), all_scaled)
difference$missing_MLR <- against(three, tied, "sem_missing", list(estimator = "MLR", missing = "ml"), list(estimator = "MLR", missing = "ml"), all_scaled[1:3])
difference$ordered_factors <- against(two, paste0(two, "\nA ~~ 0*N"), "bfi", ord(), ord(), c("default", "satorra.2000"))
difference$ordered_residuals <- against(paste0(two, "\nN1 ~~ N2\nA4 ~~ A5"), two, "bfi", ord(), ord(), c("default", "satorra.2000"))
difference$ordered_theta <- against(paste0(two, "\nN1 ~~ N2\nA4 ~~ A5"), two, "bfi", ord(parameterization = "theta"), ord(parameterization = "theta"), "default")
difference$ordered_WLSM <- against(paste0(two, "\nN1 ~~ N2"), two, "bfi", ord(estimator = "WLSM"), ord(estimator = "WLSM"), all_scaled)
difference$ordered_ULSMV <- against(paste0(two, "\nN1 ~~ N2"), two, "bfi", ord(estimator = "ULSMV"), ord(estimator = "ULSMV"), "default")
difference$ordered_groups <- against(short, short, "sem_categorical", ord(group = "g"), ord(group = "g", group.equal = "loadings"), "default")

# Factor scores: ten respondents of the first and of the last group, and standard errors.
fitted_to <- function(d, model, options) fit_fine(model, d, options[names(options) != "group"])$fit
scored <- function(model, name, options, methods, call = "cfa") {
  fit <- fitted(model, name, options, call)
  as_list <- function(x) if (is.list(x)) unname(x) else list(x)
  one <- function(m) {
    # With ordered variables lavaan gives every group the thresholds of the first.
    own <- lavInspect(fit, "categorical") && !is.null(options$group)
    s <- if (!own) as_list(lavPredict(fit, method = m)) else lapply(lavInspect(fit, "group.label"), function(g) {
      d <- tables[[name]]; lavPredict(fitted_to(d[d[[options$group]] == g, ], model, options), method = m) })
    lapply(s, function(x) { x <- unclass(x)[1:10, , drop = FALSE]
      setNames(lapply(seq_len(ncol(x)), function(k) digits12(x[, k])), colnames(x)) })
  }
  out <- c(asked(model, name, options, call), list(scores = setNames(lapply(methods, one), methods)))
  if (!lavInspect(fit, "categorical") && lavInspect(fit, "options")$missing == "listwise" && is.null(options$group))
    out$std_error <- setNames(lapply(methods, function(m) {
      se <- attr(lavPredict(fit, method = m, se = "standard"), "se")[[1]]; setNames(as.list(digits12(se)), colnames(se)) }), methods)
  out
}
both <- c("regression", "Bartlett")
scores <- list(ML = scored(three, "hs1939", list(), both), means = scored(three, "hs1939", list(meanstructure = TRUE, std.lv = TRUE), both),
  second_order = scored(second, "hs1939", list(), "regression"), democracy = scored(bollen, "sem_democracy", list(), both, "sem"),
  groups = scored(three, "hs1939", list(group = "school", group.equal = c("loadings", "intercepts")), both),
  missing = scored(three, "sem_missing", list(missing = "ml"), both), mimic = scored(mimic, "hs1939", list(), both, "sem"),
  WLSMV = scored(two, "bfi", ord(), "EBM"), std_lv = scored(two, "bfi", ord(std.lv = TRUE), "EBM"),
  ordered_groups = scored(short, "sem_categorical", ord(group = "g"), "EBM"),
  ordered_predicted = scored(predicted_two, "bfi", list(ordered = c(paste0("A", 1:5), paste0("N", 1:5))), "EBM", "sem"),
  mixed_predicted = scored(predicted_two, "bfi", list(ordered = c(paste0("A", 1:5), "N1", "N2")), "EBM", "sem"))

# Residuals in Bentler's metric, with z, and the unbiased SRMR.
left <- function(model, name, options = list(), call = "cfa") {
  fit <- fitted(model, name, options, call); r <- lavResiduals(fit)
  if (!is.null(r$type)) r <- list(r)
  groups <- if (length(r) > 1) lavInspect(fit, "group.label") else ""
  implied <- lavInspect(fit, "implied"); if (length(r) == 1) implied <- list(implied)
  latent <- lavInspect(fit, "cor.lv"); if (length(r) == 1) latent <- list(latent)
  each <- lapply(seq_along(r), function(k) {
    one <- r[[k]]; below <- lower.tri(one$cov); s <- one$summary
    column <- function(name) if (name %in% colnames(s)) as.list(setNames(digits12(s[[name]]), rownames(s)))
    list(group = groups[k], lhs = colnames(one$cov)[col(one$cov)[below]], rhs = colnames(one$cov)[row(one$cov)[below]],
      residual = digits12(one$cov[below]), z = digits12(one$cov.z[below]),
      summary = column(if ("total" %in% colnames(s) && !"cor" %in% colnames(s)) "total" else if ("cor" %in% colnames(s)) "cor" else "cov"),
      implied = digits12(implied[[k]]$cov[lower.tri(implied[[k]]$cov, TRUE)]), latent = digits12(latent[[k]][lower.tri(latent[[k]])]))
  })
  c(asked(model, name, options, call), list(groups = each))
}
residuals <- list(ML = left(three, "hs1939"), means = left(three, "hs1939", list(meanstructure = TRUE)),
  MLR = left(three, "hs1939", list(estimator = "MLR")), MLM = left(three, "hs1939", list(estimator = "MLM")),
  WLS = left(three, "hs1939", list(estimator = "WLS")), GLS = left(three, "hs1939", list(estimator = "GLS")),
  observed = left(three, "hs1939", list(information = "observed")), MLF = left(three, "hs1939", list(estimator = "MLF")),
  groups_GLS = left(three, "hs1939", list(group = "school", group.equal = "loadings", estimator = "GLS")),
  mimic_GLS = left(mimic, "hs1939", list(estimator = "GLS"), "sem"), mimic_MLF = left(mimic, "hs1939", list(estimator = "MLF"), "sem"),
  mimic_observed = left(mimic, "hs1939", list(information = "observed"), "sem"),
  missing_MLF = left(three, "sem_missing", list(missing = "ml", estimator = "MLF")),
  missing_expected = left(three, "sem_missing", list(missing = "ml", information = "expected")),
  missing_MLR_expected = left(three, "sem_missing", list(missing = "ml", estimator = "MLR", information = "expected")),
  tied = left(tied, "hs1939"), democracy = left(bollen, "sem_democracy", list(), "sem"),
  groups = left(three, "hs1939", list(group = "school")),
  groups_equal = left(three, "hs1939", list(group = "school", group.equal = c("loadings", "intercepts"))),
  groups_MLR = left(three, "hs1939", list(group = "school", estimator = "MLR")),
  mimic_ML = left(mimic, "hs1939", list(), "sem"), mimic_MLR = left(mimic, "hs1939", list(estimator = "MLR"), "sem"),
  mimic_MLM = left(mimic, "hs1939", list(estimator = "MLM"), "sem"),
  missing = left(three, "sem_missing", list(missing = "ml")), missing_MLR = left(three, "sem_missing", list(missing = "ml", estimator = "MLR")),
  missing_groups = left(three, "sem_missing", list(missing = "ml", group = "school", group.equal = "loadings")),
  mixed = left("f =~ a1 + a2 + a3 + a4\ng =~ b1 + b2 + c1 + c2", "sem_ordinal", list(ordered = c("a1", "a2", "a3", "a4", "b1", "b2"))),
  WLSMV = left(two, "bfi", ord()), theta = left(two, "bfi", ord(parameterization = "theta")), ordered_ULSMV = left(two, "bfi", ord(estimator = "ULSMV")))
dropped <- function(x) if (is.list(x)) lapply(Filter(Negate(is.null), x), dropped) else x
write_json(list(lavaan = as.character(packageVersion("lavaan")), R = as.character(getRversion()), modification = dropped(modification),
  score = dropped(score), difference = dropped(difference), scores = dropped(scores), residuals = dropped(residuals)),
  file.path(here, "sem_post.json"), digits = I(12), auto_unbox = TRUE, na = "null", null = "null")

# Constraints, clusters, weights, observed predictors, growth.
specs <- list()
add <- function(name, ...) specs[[name]] <<- list(...)
product <- "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + c*x5 + d*x6\nspeed =~ x7 + e*x8 + x9\na*b == 0.5\nc^2 + d == 2\nratio := a / b\nlength := sqrt(c^2 + d^2)"
logs <- "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + c*x5 + d*x6\nvisual ~~ p*visual\ntextual ~~ q*textual\nexp(a) == 1.6 + 0.1*b\nlog(p) == log(q) - 0.1"
inactive <- "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + c*x5 + d*x6\na > 0\nb < 2\nc > d - 1\nspread := c - d"
active <- "visual =~ x1 + a*x2 + b*x3\ntextual =~ x4 + c*x5 + d*x6\na > 0.6\nc < d + 0.1"
loose <- paste0(three, "\nx7 ~~ v7*x7\nx8 ~~ v8*x8\nv7 > 0.01\nv8 > 0.01")
constraints <- list(product = product, logs = logs, inactive = inactive, loose = loose)
for (k in names(constraints)) for (e in c("ML", "MLR", "MLM"))
  add(paste0(k, "_", e), constraints[[k]], "hs1939", list(estimator = e))
add("active_ML", active, "hs1939", list())
add("product_missing", product, "sem_missing", list(estimator = "MLR", missing = "ml"))
add("product_WLSMV", "A =~ A1 + a*A2 + b*A3 + A4\nN =~ N1 + N2 + c*N3 + N4\na*b == 2.5\nc == a^2 - 1", "bfi", ord())
add("products_groups", "visual =~ x1 + c(a, b)*x2 + x3\ntextual =~ x4 + c(p, q)*x5 + x6\na*p == b*q\nd := a - b", "hs1939", list(group = "school"))
add("variances", "f =~ x1 + a*x2 + b*x3 + x4\nx1 ~~ v*x1\nx2 ~~ w*x2\nf ~~ p*f\nrel := p / (p + v)\nvar2 := a^2 * p + w\nlong := (rel + 2 * var2)^2 / exp(rel) - -1",
  "hs1939", list(estimator = "MLR"))

six <- "f =~ y1 + y2 + y3\ng =~ y4 + y5 + y6"
# With estimator = "ML" and clusters lavaan takes another information for the test than for
# the errors; with "MLR" the same.
clustered <- function(...) list(cluster = "class", estimator = "MLR", ...)
add("cluster", six, "sem_clusters", clustered())
add("cluster_means", six, "sem_clusters", clustered(meanstructure = TRUE))
add("cluster_std_lv", six, "sem_clusters", clustered(std.lv = TRUE))
add("cluster_path", paste0(six, "\ng ~ b*f\ntwice := 2*b"), "sem_clusters", clustered(), "sem")
add("cluster_x", paste0(six, "\nf ~ x\ng ~ f"), "sem_clusters", clustered(), "sem")
add("cluster_missing", "f =~ y1 + y2_gaps + y3\ng =~ y4 + y5_gaps + y6", "sem_clusters", clustered(missing = "ml"))
add("cluster_groups", six, "sem_clusters", clustered(group = "school"))
add("cluster_groups_equal", six, "sem_clusters", clustered(group = "school", group.equal = c("loadings", "intercepts")))
weighted <- function(...) list(sampling.weights = "weight", ...)
add("weights", six, "sem_clusters", weighted(estimator = "MLR"))
add("weights_means", six, "sem_clusters", weighted(estimator = "MLR", meanstructure = TRUE))
add("weights_missing", "f =~ y1 + y2_gaps + y3\ng =~ y4 + y5_gaps + y6", "sem_clusters", weighted(estimator = "MLR", missing = "ml"))
add("weights_cluster", six, "sem_clusters", weighted(cluster = "class", estimator = "MLR"))
add("weights_groups", six, "sem_clusters", list(sampling.weights = "weight_group", estimator = "MLR", group = "school", group.equal = "loadings"))
add("weights_path", paste0(six, "\nf ~ x\ng ~ f"), "sem_clusters", weighted(estimator = "MLR"), "sem")

chain <- "f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nh =~ y5 + y6 + y7\nf ~ z1 + z2\ng ~ f + z1\nh ~ g + f\no1 ~ h + z2"
regress <- "y5 ~ c1*z1 + b*x1 + z2\nx1 ~ a*z1\nindirect := a*b"
for (e in c("ML", "MLR", "MLM", "MLMV", "MLF", "GLS", "WLS", "ULSMV", "DWLS")) {
  add(paste0("chain_", e), chain, "sem_sides", list(estimator = e), "sem")
  add(paste0("regress_", e), regress, "sem_sides", list(estimator = e), "sem")
}
for (e in c("ML", "MLR")) {
  add(paste0("chain_means_", e), chain, "sem_sides", list(estimator = e, meanstructure = TRUE), "sem")
  add(paste0("chain_random_", e), chain, "sem_sides", list(estimator = e, fixed.x = FALSE), "sem")
  add(paste0("chain_missing_", e), chain, "sem_sides", list(estimator = e, missing = "ml"), "sem")
  add(paste0("chain_missing_random_", e), chain, "sem_sides", list(estimator = e, missing = "ml", fixed.x = FALSE), "sem")
  add(paste0("chain_groups_", e), chain, "sem_sides", list(estimator = e, group = "side", group.equal = "loadings"), "sem")
  add(paste0("regress_groups_", e), regress_groups <- "y5 ~ c(c1, c2)*z1 + x1 + z2\nx1 ~ z1\nd := c1 - c2", "sem_sides", list(estimator = e, group = "side"), "sem")
}
add("regress_equal", "y5 ~ z1 + x1 + z2\nx1 ~ z1", "sem_sides", list(group = "side", group.equal = c("regressions", "residuals", "intercepts")), "sem")

line <- "i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4\ns =~ 0*t1 + 1*t2 + 2*t3 + 3*t4\nt1 ~ 0*1\nt2 ~ 0*1\nt3 ~ 0*1\nt4 ~ 0*1\ni ~ 1\ns ~ 1\ni ~~ s"
predicted <- paste0(line, "\ni ~ x1 + x2\ns ~ x1 + x2")
varying <- paste0(predicted, "\nt1 ~ c1\nt2 ~ c2\nt3 ~ c3\nt4 ~ c4")
equal_residuals <- paste0(line, "\n", paste0("t", 1:4, " ~~ e*t", 1:4, collapse = "\n"))
for (e in c("ML", "MLR", "MLM")) {
  add(paste0("growth_", e), line, "sem_growth", list(estimator = e), "sem")
  add(paste0("growth_predicted_", e), predicted, "sem_growth", list(estimator = e), "sem")
  add(paste0("growth_varying_", e), varying, "sem_growth", list(estimator = e), "sem")
}
add("growth_equal", equal_residuals, "sem_growth", list(), "sem")
add("growth_WLS", line, "sem_growth", list(estimator = "WLS"), "sem")
write_cases(cases_of(specs, tables), "sem_constraints")
