# Reference values for tests/analysis/test_sem_parity.py
# Rscript tests/reference/sem_models.R   (lavaan 0.6-14, psych 2.2.9)
# Writes sem_paths.csv, sem_bifactor.csv, sem_eleven.csv (simulated here) and
# sem_models.json.
suppressMessages({library(lavaan); library(psych); library(jsonlite)})
here <- "tests/reference"
keep <- function(data, name) {
  write.csv(data, file.path(here, name), row.names = FALSE, quote = FALSE)
  read.csv(file.path(here, name))
}

# Three factors in a row, two observed predictors, an observed outcome.
set.seed(20261)
n <- 240
z1 <- rnorm(n, 2, 1); z2 <- .4 * z1 + rnorm(n)
f <- .3 * z1 + rnorm(n); g <- .6 * f + rnorm(n, 0, .8); h <- .4 * f + .5 * g + rnorm(n, 0, .7)
w <- rnorm(n, 0, .6)
paths <- data.frame(
  x1 = 5 + f + rnorm(n, 0, .5), x2 = 3 + 1.4 * f + rnorm(n, 0, .6), x3 = 1.1 * f + rnorm(n, 0, .7),
  y1 = g + w + rnorm(n, 0, .5), y2 = 1.2 * g + rnorm(n, 0, .8), y3 = .9 * g + rnorm(n, 0, .8),
  y5 = h + w + rnorm(n, 0, .5), y6 = 1.2 * h + rnorm(n, 0, .8), y7 = .9 * h + rnorm(n, 0, .8),
  o1 = .5 * h + .3 * z2 + rnorm(n), z1 = z1, z2 = z2)
paths <- round(paths, 3)
paths$z1[c(3, 50, 51, 160)] <- NA; paths$y2[c(9, 50, 99)] <- NA
paths <- keep(paths, "sem_paths.csv")

# A general and three specific factors.
set.seed(20262)
n <- 300
general <- rnorm(n)
bifactor <- as.data.frame(lapply(1:9, function(k) NULL))
bifactor <- data.frame(row.names = 1:n)
for (s in 1:3) {
  specific <- rnorm(n)
  for (k in 1:3) bifactor[[paste0("b", 3 * (s - 1) + k)]] <-
    round(.7 * general + c(.5, .6, .4)[k] * specific + rnorm(n, 0, .6), 2)
}
bifactor <- keep(bifactor, "sem_bifactor.csv")

# Eleven factors with four items each under one second-order factor; codes 1 to 7.
set.seed(20263)
n <- 270
general <- rnorm(n)
eleven <- data.frame(row.names = 1:n)
for (s in 1:11) {
  sign <- .7 * general + rnorm(n, 0, .7)
  for (k in 1:4) {
    answer <- c(.9, .8, .7, .75)[k] * sign + rnorm(n, 0, .6)
    eleven[[sprintf("s%02d%s", s, letters[k])]] <- pmin(pmax(round(4 + 1.4 * answer), 1), 7)
  }
}
eleven <- keep(eleven, "sem_eleven.csv")

hs <- read.csv(file.path(here, "hs1939.csv"))
scales <- transform(hs, x1 = x1 * 20, x4 = x4 / 20, x9 = x9 * 10 + 1000)
bfi25 <- psych::bfi[, 1:25]

three <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
long <- paste0(
  paste(sprintf("S%02d =~ s%02da + s%02db + s%02dc + s%02dd", 1:11, 1:11, 1:11, 1:11, 1:11), collapse = "\n"))
models <- list(
  hs_three = list(three, "hs1939", hs, list()),
  hs_std_lv = list(three, "hs1939", hs, list(std.lv = TRUE)),
  hs_orthogonal = list(three, "hs1939", hs, list(orthogonal = TRUE)),
  hs_means = list(three, "hs1939", hs, list(meanstructure = TRUE)),
  hs_one_factor = list(paste("g =~", paste0("x", 1:9, collapse = " + ")), "hs1939", hs, list()),
  hs_second_order = list(paste0(three, "\ng =~ visual + textual + speed"), "hs1939", hs, list()),
  hs_second_order_equal = list(paste0(three, "\ng =~ NA*visual + a*visual + a*textual + b*speed\ng ~~ 1*g\nb == a"), "hs1939", hs, list()),
  hs_tau_equivalent = list("f =~ NA*x4 + a*x4 + a*x5 + a*x6\nf ~~ 1*f\nx4 ~~ e*x4\nx5 ~~ e*x5", "hs1939", hs, list()),
  hs_linear = list("f =~ x1 + a*x2 + b*x3 + c2*x4 + d*x5\na + b == 1.2\nc2 == 2*d - 0.5", "hs1939", hs, list()),
  hs_saturated = list("f =~ x1 + x2 + x3", "hs1939", hs, list()),
  hs_single = list(paste0(three, "\nage =~ ageyr\nspeed ~ age + textual"), "hs1939", hs, list()),
  hs_mimic = list(paste0(three, "\nvisual ~ ageyr + grade\ntextual ~ visual + ageyr\nx9 ~ textual + ageyr"), "hs1939", hs, list()),
  hs_mimic_means = list(paste0(three, "\nvisual + textual ~ ageyr + grade"), "hs1939", hs, list(meanstructure = TRUE)),
  hs_latent_means = list("f =~ x1 + x2 + x3\nx1 ~ 0*1\nf ~ 1", "hs1939", hs, list()),
  hs_cross_loading = list(paste0(three, "\nvisual =~ x9\nx7 ~~ x8\nvisual ~~ 0*speed"), "hs1939", hs, list()),
  hs_scales = list(three, "scales", scales, list()),
  hs_scales_std_lv = list(three, "scales", scales, list(std.lv = TRUE)),
  paths_sem = list("f =~ x1 + x2 + x3\ng =~ y1 + a*y2 + b*y3\nh =~ y5 + a*y6 + b*y7\ng ~ f\nh ~ f + g\ny1 ~~ y5", "sem_paths", paths, list()),
  paths_outcomes = list("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nh =~ y5 + y6 + y7\ng ~ p*f + z1\nh ~ q*f\no1 ~ h + z1 + z2\nsum := p + q\nratio := p / q\nroot := sqrt(p) * exp(-q^2)", "sem_paths", paths, list()),
  paths_outcomes_std_lv = list("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nh =~ y5 + y6 + y7\ng ~ p*f\nh ~ q*f\no1 ~ f + z1", "sem_paths", paths, list(std.lv = TRUE)),
  paths_outcomes_orthogonal = list("f =~ x1 + x2 + x3\ng =~ y1 + y2 + y3\nh =~ y5 + y6 + y7\ng ~ p*f\nh ~ q*f", "sem_paths", paths, list(orthogonal = TRUE)),
  paths_mediation = list("y5 ~ c1*z1 + b*x1\nx1 ~ a*z1\nindirect := a*b\ntotal := c1 + indirect", "sem_paths", paths, list()),
  paths_mediation_free_x = list("y5 ~ c1*z1 + b*x1\nx1 ~ a*z1 + z2\nindirect := a*b", "sem_paths", paths, list(fixed.x = FALSE, meanstructure = TRUE)),
  paths_regression = list("o1 ~ z1 + z2 + x1", "sem_paths", paths, list()),
  paths_nonrecursive = list("x1 ~ z1 + y1\ny1 ~ z2 + x1", "sem_paths", paths, list()),
  paths_item_outcome = list("f =~ x1 + x2 + x3\nx3 ~ z1\no1 ~ f\nx2 ~~ o1", "sem_paths", paths, list()),
  bifactor = list(paste0("g =~ ", paste0("b", 1:9, collapse = " + "), "\ns1 =~ b1 + b2 + b3\ns2 =~ b4 + b5 + b6\ns3 =~ b7 + b8 + b9"), "sem_bifactor", bifactor, list(orthogonal = TRUE, std.lv = TRUE)),
  bfi = list("A =~ A1 + A2 + A3 + A4 + A5\nC =~ C1 + C2 + C3 + C4 + C5\nE =~ E1 + E2 + E3 + E4 + E5\nN =~ N1 + N2 + N3 + N4 + N5\nO =~ O1 + O2 + O3 + O4 + O5", "bfi", bfi25, list()),
  eleven = list(long, "sem_eleven", eleven, list(std.lv = TRUE)),
  eleven_second_order = list(paste0(long, "\nG =~ ", paste(sprintf("S%02d", 1:11), collapse = " + ")), "sem_eleven", eleven, list()))

measures <- c("npar", "fmin", "chisq", "df", "pvalue", "baseline.chisq", "baseline.df", "baseline.pvalue",
  "cfi", "tli", "logl", "unrestricted.logl", "aic", "bic", "bic2", "ntotal", "rmsea", "rmsea.ci.lower",
  "rmsea.ci.upper", "rmsea.pvalue", "srmr")
number <- function(x) signif(unname(as.numeric(x)), 10)
run <- function(m) {
  fitted <- function(...) suppressWarnings(
    do.call("sem", c(list(model = m[[1]], data = m[[3]], ...), m[[4]])))
  fit <- fitted()
  # The default optimiser stops where estimates are still 1e-5 away; a second one goes on.
  finer <- try(fitted(start = fit, optim.method = "BFGS",
    control = list(reltol = 1e-17, maxit = 20000)), silent = TRUE)
  indices <- fitMeasures(fit, measures)
  if (!inherits(finer, "try-error") && lavInspect(finer, "converged") &&
      lavInspect(finer, "npar") == lavInspect(fit, "npar")) fit <- finer
  if (!lavInspect(fit, "converged")) stop(m[[1]], " ", m[[2]])
  pe <- parameterEstimates(fit, standardized = TRUE, remove.eq = TRUE)
  std <- standardizedSolution(fit, remove.eq = TRUE)
  rows <- pe$op != "=="
  std <- std[std$op != "==", ]
  stopifnot(all(pe$lhs[rows] == std$lhs), all(pe$op[rows] == std$op), all(pe$rhs[rows] == std$rhs))
  r2 <- lavInspect(fit, "rsquare")
  list(model = m[[1]], data = m[[2]], options = if (length(m[[4]])) m[[4]] else setNames(list(), character()),
    lhs = pe$lhs[rows], op = pe$op[rows], rhs = pe$rhs[rows], estimate = number(pe$est[rows]),
    std_error = number(pe$se[rows]), std_lv = number(pe$std.lv[rows]), std_all = number(std$est.std),
    std_all_se = number(std$se), indices = as.list(setNames(number(indices), measures)),
    r_squared = as.list(setNames(number(r2), names(r2))))
}
write_json(list(lavaan = as.character(packageVersion("lavaan")), psych = as.character(packageVersion("psych")),
  R = as.character(getRversion()), models = lapply(models, run)),
  file.path(here, "sem_models.json"), digits = NA, auto_unbox = TRUE, na = "null")
