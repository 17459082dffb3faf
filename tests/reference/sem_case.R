# One model as lavaan fits it, in the form the tests of analysis.sem read.
# Sourced by sem_estimators.R, sem_groups.R, sem_ordinal.R, sem_invariance.R, sem_post.R.
suppressMessages({library(lavaan); library(jsonlite)})
here <- "tests/reference"
digits12 <- function(x) signif(unname(as.numeric(x)), 12)

# Data that tests read, too, are small tables beside the scripts.
table_of <- function(name) read.csv(file.path(here, paste0(name, ".csv")), check.names = FALSE)
keep_table <- function(data, name) {
  write.csv(data, file.path(here, paste0(name, ".csv")), row.names = FALSE, quote = FALSE, na = "")
  table_of(name)
}

# The default optimiser stops where estimates are still 1e-5 away; a second one goes on
# from there. It does not take up models with observed predictors held fixed.
fit_fine <- function(model, data, options, call = "cfa") {
  fitted <- function(...) suppressWarnings(do.call(call, c(list(model = model, data = data, ...), options)))
  fit <- fitted()
  if (!lavInspect(fit, "converged")) stop("not converged: ", model)
  finer <- try(fitted(start = fit, optim.method = "BFGS",
    control = list(reltol = 1e-17, maxit = 20000)), silent = TRUE)
  usable <- !inherits(finer, "try-error") && lavInspect(finer, "converged") &&
    lavInspect(finer, "npar") == lavInspect(fit, "npar") &&
    abs(fitMeasures(finer, "fmin") - fitMeasures(fit, "fmin")) < 1e-7
  list(fit = if (usable) finer else fit, first = fit, fine = usable)
}

# Constants that are no results, and the GFI family, whose definition changed in lavaan 0.7.
left_out <- c("rmsea.ci.level", "rmsea.close.h0", "rmsea.notclose.h0", "gfi", "agfi", "pgfi",
  "gfi.robust", "agfi.robust")
measures_of <- function(found) {
  fine <- unclass(fitMeasures(found$fit)); first <- unclass(fitMeasures(found$first))
  # With the second optimiser lavaan sometimes loses its baseline model.
  if (any(is.na(fine) & !is.na(first))) fine <- first
  fine <- fine[!names(fine) %in% left_out]
  as.list(setNames(digits12(fine), names(fine)))
}

# Where lavaan 0.6-14 prints what its own definitions do not give: the values they give,
# NA where there is none to compare with.
corrected_of <- function(fit, m) {
  o <- lavInspect(fit, "options"); out <- list()
  nothing <- function(names_of) for (n in intersect(names_of, names(m))) out[[n]] <<- NA
  like <- function(pattern) grep(pattern, names(m), value = TRUE)
  # Nothing is scaled without degrees of freedom.
  if (m$df == 0) {
    nothing(c(like("scaled|scaling|robust|^rfi|^cn_"), if (o$estimator == "DWLS") "baseline.pvalue"))
    return(out)
  }
  # Equal parameters count once, as they do in Mplus.
  if (!is.null(m$scaling.factor.h0) && length(coef(fit)) != m$npar)
    out$scaling.factor.h0 <- digits12(m$scaling.factor.h0 * length(coef(fit)) / m$npar)
  if (o$estimator == "DWLS") {
    # The statistic of diagonal weights has no chi-square distribution.
    nothing(c("pvalue", "baseline.pvalue"))
    # A baseline factor of exactly 1 makes lavaan forget that of the model.
    if (!lavInspect(fit, "categorical")) nothing(like("^(cfi|tli|nnfi|rni).robust"))
  }
  # Fewer than one expected degree of freedom is taken for none.
  if ("rmsea.ci.upper.scaled" %in% names(m) && !any(o$test == "scaled.shifted") && m$chisq.scaling.factor * m$df < 1)
    nothing("rmsea.ci.upper.scaled")
  # Random predictors are taken as given here, unless the model states their covariances.
  if (o$missing == "ml" && !o$fixed.x && length(lavNames(fit, "ov.x"))) nothing(like("robust"))
  if (grepl("two.stage", o$missing)) out <- c(out, two_stage_of(fit, o, m))
  out
}

# lavaan's own baseline of a two-stage fit is not scaled for two stages; the independence
# model fitted in two stages is.
two_stage_of <- function(fit, o, m) {
  names_of <- lavNames(fit, "ov"); group <- lavInspect(fit, "group")
  base <- lavaan(paste(names_of, "~~", names_of, collapse = "\n"), lavInspect(fit, "call")$data,
    group = if (length(group)) group, missing = o$missing, meanstructure = TRUE, int.ov.free = TRUE)
  right <- unclass(fitMeasures(fit, baseline.model = base))
  moved <- grep("baseline.*scal|(cfi|tli|nnfi|rfi|nfi|pnfi|ifi|rni).(scaled|robust)", names(m), value = TRUE)
  lapply(as.list(right[moved]), digits12)
}

parameters_of <- function(fit) {
  pe <- parameterEstimates(fit, remove.eq = TRUE, remove.ineq = TRUE, remove.system.eq = TRUE)
  std <- standardizedSolution(fit, remove.eq = TRUE, remove.ineq = TRUE)
  groups <- lavInspect(fit, "group.label")
  group_of <- function(d) if (length(groups) < 2) rep("", nrow(d)) else
    ifelse(d$group == 0 | d$op == ":=", "", groups[pmax(d$group, 1)])
  pe <- pe[!pe$op %in% c("==", "<", ">"), ]
  std <- std[!std$op %in% c("==", "<", ">"), ]
  if (is.null(std$group)) std$group <- 1
  if (is.null(pe$group)) pe$group <- 1
  key <- paste(pe$lhs, pe$op, pe$rhs)
  at <- match(paste(key, group_of(pe)), paste(std$lhs, std$op, std$rhs, group_of(std)))
  list(row = trimws(key), group = if (length(groups) < 2) NULL else group_of(pe),
    est = digits12(pe$est), se = digits12(pe$se), std = digits12(std$est.std[at]),
    std_se = digits12(std$se[at]))
}

r2_of <- function(fit) {
  r2 <- lavInspect(fit, "rsquare")
  if (!is.list(r2)) r2 <- list(r2)
  labels <- if (length(r2) > 1) lavInspect(fit, "group.label") else ""
  name <- unlist(lapply(r2, names)); group <- rep(labels, lengths(r2))
  list(name = unname(name), group = if (length(r2) > 1) group, value = digits12(unlist(r2)))
}

case_of <- function(model, name, data, options = list(), call = "cfa", more = NULL) {
  found <- fit_fine(model, data, options, call)
  measures <- measures_of(found)
  c(list(call = call, model = model, data = name,
    options = if (length(options)) options else setNames(list(), character()),
    n = as.integer(lavInspect(found$fit, "nobs")), fine = found$fine),
    parameters_of(found$fit), list(r2 = r2_of(found$fit), measures = measures,
    corrected = corrected_of(found$fit, measures)),
    if (!is.null(more)) more(found$fit))
}

# A list of cases, each list(model, name of the data, options, call).
cases_of <- function(specs, tables) {
  out <- list()
  for (name in names(specs)) {
    s <- specs[[name]]
    one <- try(case_of(s[[1]], s[[2]], tables[[s[[2]]]], if (length(s) > 2) s[[3]] else list(),
      if (length(s) > 3) s[[4]] else "cfa"), silent = TRUE)
    if (inherits(one, "try-error")) stop(name, ": ", one)
    out[[name]] <- one
  }
  out
}

# Names of measures stand once, at the top; what lavaan does not print is null.
write_cases <- function(cases, file, ...) {
  names_of <- unique(unlist(lapply(cases, function(c) names(c$measures))))
  cases <- lapply(cases, function(c) {
    c$measures <- lapply(names_of, function(m) if (is.null(c$measures[[m]])) NA else c$measures[[m]])
    c$r2 <- Filter(Negate(is.null), c$r2)
    if (!length(c$corrected)) c$corrected <- NULL
    Filter(Negate(is.null), c)
  })
  versions <- list(lavaan = as.character(packageVersion("lavaan")), R = as.character(getRversion()))
  write_json(c(versions, list(...), list(measures = names_of, cases = cases)),
    file.path(here, paste0(file, ".json")), digits = I(12), auto_unbox = TRUE, na = "null", null = "null")
}
