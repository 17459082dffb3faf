# Reference values for tests/analysis/test_sem_parity_invariance.py
# Rscript tests/reference/sem_invariance.R   (lavaan 0.6-14, semTools 0.5-6)
# Ladders of measurement invariance with their difference tests; writes
# sem_invariance.json (groups), sem_invariance_ordered.json (groups, ordered items),
# sem_invariance_time.json (occasions), and the tables
# sem_long.csv (semTools::exLong) and sem_waves.csv (ordered answers at two waves).
source("tests/reference/sem_case.R")
suppressMessages(library(semTools))

long <- keep_table(exLong, "sem_long")
set.seed(20281); n <- 360
before <- rnorm(n); after <- .6 * before + rnorm(n, .3, .75)
waves <- data.frame(row.names = 1:n)
for (k in 1:4) {
  lasting <- rnorm(n, 0, .5); l <- c(.9, .8, .7, .85)[k]; at <- list(c(-1, 0, 1), c(-.8, .2, 1.1), c(-.5, .6), c(-1.2, -.2, .9))[[k]]
  for (w in 1:2) waves[[paste0("p", k, "w", w)]] <- as.integer(cut(
    l * list(before, after)[[w]] + lasting + rnorm(n, if (k == 2 & w == 2) .25 else 0, .6), c(-Inf, at, Inf)))
}
waves <- waves[, c(paste0("p", 1:4, "w1"), paste0("p", 1:4, "w2"))]
waves <- keep_table(waves, "sem_waves")
# Answers to two scales, the first of them (and half of the second) cut in two.
cut_in_two <- psychTools::bfi[psychTools::bfi$age < 23, c(paste0("A", 1:5), paste0("N", 1:5), "gender")]
cut_in_two[1:7] <- as.integer(cut_in_two[1:7] > 3)
cut_in_two <- keep_table(na.omit(as.data.frame(cut_in_two)), "sem_binary")
tables <- list(sem_binary = cut_in_two, hs1939 = table_of("hs1939"), sem_missing = table_of("sem_missing"),
  sem_categorical = table_of("sem_categorical"), bfi = psychTools::bfi, sem_long = long, sem_waves = waves)

tested <- function(fits, ...) {
  rows <- do.call(lavTestLRT, c(unname(fits), list(...)))
  list(diff = digits12(rows[["Chisq diff"]]), df = digits12(rows[["Df diff"]]), p = digits12(rows[["Pr(>Chisq)"]]))
}
as_case <- function(fit, model, name, options, call = "cfa", step) {
  measures <- Filter(Negate(is.null), measures_of(list(fit = fit, first = fit)))
  c(list(call = call, model = model, data = name, options = options, n = as.integer(lavInspect(fit, "nobs")),
    step = step), parameters_of(fit), list(r2 = r2_of(fit), measures = measures, corrected = corrected_of(fit, measures)))
}

# Numeric items: group.equal.
three <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
steps <- list(configural = "", loadings = "loadings", intercepts = c("loadings", "intercepts"),
  residuals = c("loadings", "intercepts", "residuals"),
  means = c("loadings", "intercepts", "residuals", "means"))
cases <- list(); ladders <- list()
numeric <- function(label, name, options) {
  fits <- list()
  for (s in names(steps)) {
    o <- c(list(group = "school"), options, if (s != "configural") list(group.equal = steps[[s]]))
    found <- fit_fine(three, tables[[name]], o)
    fits[[s]] <- found$first
    cases[[paste0(label, "_", s)]] <<- as_case(found$fit, three, name, o, step = s)
  }
  ladders[[label]] <<- list(model = three, data = name, group = "school", options = options, steps = names(steps), tests = tested(fits))
}
numeric("numeric_ML", "hs1939", list(std.lv = TRUE))
numeric("numeric_MLR", "hs1939", list(std.lv = TRUE, estimator = "MLR"))
numeric("numeric_MLM", "hs1939", list(std.lv = TRUE, estimator = "MLM"))
numeric("numeric_missing", "sem_missing", list(std.lv = TRUE, estimator = "MLR", missing = "ml"))

write_cases(cases, "sem_invariance", ladders = ladders)

# Ordered items: Wu & Estabrook's (2016) identification, as semTools writes it.
wu <- list(configural = "", thresholds = "thresholds", loadings = c("thresholds", "loadings"),
  intercepts = c("thresholds", "loadings", "intercepts"),
  residuals = c("thresholds", "loadings", "intercepts", "residuals"))
ordered_ladder <- function(label, model, name, group, parameterization, estimator = "WLSMV", upto = names(wu)) {
  fits <- list(); data <- tables[[name]]
  items <- lavNames(model, "ov")
  for (s in upto) {
    syntax <- as.character(measEq.syntax(model, data = data, ordered = items, parameterization = parameterization,
      ID.fac = "std.lv", ID.cat = "Wu.Estabrook.2016", group = group, group.equal = wu[[s]], estimator = estimator))
    # Comments and blank lines go; the models stay as semTools writes them.
    lines <- trimws(unlist(strsplit(paste(syntax, collapse = "\n"), "\n")))
    syntax <- paste(lines[nzchar(lines) & !startsWith(lines, "#")], collapse = "\n")
    o <- list(ordered = items, parameterization = parameterization, group = group, estimator = estimator)
    found <- fit_fine(syntax, data, o)
    fits[[s]] <- found$first
    cases[[paste0(label, "_", s)]] <<- as_case(found$fit, syntax, name, o, step = s)
  }
  ladders[[label]] <<- list(model = model, data = name, group = group,
    options = list(ordered = TRUE, parameterization = parameterization, estimator = estimator), steps = upto, tests = tested(fits))
}
short <- "FU1 =~ u1 + u2 + u3 + u4\nFU2 =~ u5 + u6 + u7 + u8"
two <- "A =~ A1 + A2 + A3 + A4 + A5\nN =~ N1 + N2 + N3 + N4 + N5"
cases <- list(); ladders <- list()
ordered_ladder("ordered_theta", short, "sem_categorical", "g", "theta")
ordered_ladder("ordered_delta", short, "sem_categorical", "g", "delta", upto = names(wu)[1:4])
ordered_ladder("ordered_ULSMV", short, "sem_categorical", "g", "theta", "ULSMV")
ordered_ladder("ordered_bfi", two, "bfi", "gender", "theta")
# With the intercepts semTools sets free the scales of binary items, too; not so here.
ordered_ladder("ordered_mixed", two, "sem_binary", "gender", "theta", upto = names(wu)[1:3])
write_cases(cases, "sem_invariance_ordered", semTools = as.character(packageVersion("semTools")), ladders = ladders)

# Occasions.
cases <- list(); ladders <- list()
over_time <- function(label, model, name, factors, items, steps, estimator, ordered = FALSE, ...) {
  fits <- list(); data <- tables[[name]]; options <- list(...)
  for (s in names(steps)) {
    arguments <- list(configural.model = model, data = data, longFacNames = factors, longIndNames = items,
      ID.fac = "std.lv", long.equal = steps[[s]], auto = "all", estimator = estimator, meanstructure = TRUE)
    if (ordered) arguments <- c(arguments, list(ordered = unlist(items), parameterization = "theta", ID.cat = "Wu.Estabrook.2016"))
    syntax <- as.character(do.call(measEq.syntax, arguments))
    lines <- trimws(unlist(strsplit(paste(syntax, collapse = "\n"), "\n")))
    syntax <- paste(lines[nzchar(lines) & !startsWith(lines, "#")], collapse = "\n")
    o <- c(list(estimator = estimator, meanstructure = TRUE), options,
      if (ordered) list(ordered = unname(unlist(items)), parameterization = "theta"))
    if (ordered) o$meanstructure <- NULL
    found <- fit_fine(syntax, data, o)
    fits[[s]] <- found$first
    cases[[paste0(label, "_", s)]] <<- as_case(found$fit, syntax, name, o, step = s)
  }
  ladders[[label]] <<- list(model = model, data = name, occasions = c(factors, items), options = c(list(estimator = estimator),
    if (ordered) list(ordered = TRUE, parameterization = "theta"), options), steps = names(steps), tests = tested(fits))
}
repeated <- "f1 =~ y1t1 + y2t1 + y3t1\nf2 =~ y1t2 + y2t2 + y3t2\nf3 =~ y1t3 + y2t3 + y3t3"
factors <- list(f = c("f1", "f2", "f3"))
items <- list(y1 = paste0("y1t", 1:3), y2 = paste0("y2t", 1:3), y3 = paste0("y3t", 1:3))
numeric_steps <- steps[c("configural", "loadings", "intercepts", "residuals")]
over_time("long_ML", repeated, "sem_long", factors, items, numeric_steps, "ML")
over_time("long_MLR", repeated, "sem_long", factors, items, numeric_steps, "MLR")
wave_model <- "P1 =~ p1w1 + p2w1 + p3w1 + p4w1\nP2 =~ p1w2 + p2w2 + p3w2 + p4w2"
wave_items <- lapply(setNames(1:4, paste0("p", 1:4)), function(k) paste0("p", k, "w", 1:2))
over_time("waves_WLSMV", wave_model, "sem_waves", list(P = c("P1", "P2")), wave_items, wu, "WLSMV", ordered = TRUE)
write_cases(cases, "sem_invariance_time", semTools = as.character(packageVersion("semTools")), ladders = ladders)
