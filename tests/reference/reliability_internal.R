# Reference values for tests/analysis/test_reliability_internal.py
# Rscript tests/reference/reliability_internal.R   (psych 2.2.9, GPArotation 2022.10-2)
# Standard error of alpha, Guttman's lambdas, split halves, omega hierarchical.
# Reads efa_answers.csv, which efa.R writes, and reliability_sparse.csv.
suppressMessages({library(psych); library(GPArotation); library(jsonlite)})
here <- "tests/reference"
answers <- read.csv(file.path(here, "efa_answers.csv"))
answers$q8 <- 6 - answers$q8
data(bfi)
bfi[c("A1", "C4", "C5", "E1", "E2", "O2", "O5")] <-
  7 - bfi[c("A1", "C4", "C5", "E1", "E2", "O2", "O5")]
hs <- read.csv(file.path(here, "hs1939.csv"))[paste0("x", 1:9)]
sparse <- read.csv(file.path(here, "reliability_sparse.csv"))
sets <- list(A = bfi[1:5], N = bfi[16:20], AE = bfi[c(1:5, 11:15)], q = answers,
  first = answers[1:4], two = answers[9:10], three = answers[1:3], hs = hs,
  sparse = sparse, ACE = bfi[1:15], all = bfi[1:25])
quiet <- function(expr) {
  sink(nullfile()); on.exit(sink())
  suppressWarnings(suppressMessages(expr))
}
halves <- function(x) {
  R <- cor(x)
  s <- quiet(splitHalf(R, raw = TRUE, check.keys = FALSE, brute = TRUE))
  g <- quiet(guttman(R))
  list(greatest = s$maxrb, lowest = s$minrb, mean = s$meanr, alpha = s$alpha,
       lambda2 = s$lambda2, lambda6 = s$lambda6, splits = if (ncol(x) <= 10) s$raw else NULL,
       lambda1 = g$lambda.1, lambda5 = g$lambda.5,
       covariance_lambda2 = quiet(guttman(cov(x)))$lambda.2)
}
hierarchical <- function(x, k) {
  o <- quiet(omega(cor(x), nfactors = k, n.obs = nrow(x), flip = FALSE, plot = FALSE))
  list(omega_h = o$omega_h, omega = o$omega.tot, ratio = o$omega.lim,
       ecv = unname(o$ECV), group = unname(as.matrix(o$omega.group)),
       sl = unname(as.matrix(o$schmid$sl)[, seq_len(k + 1)]),
       h2 = unname(as.matrix(o$schmid$sl)[, "h2"]))
}
one <- function(x, name) {
  x <- na.omit(x)
  a <- quiet(alpha(x, warnings = FALSE))
  list(n_obs = nrow(x), n_items = ncol(x), ase = a$total$ase,
    halves = if (ncol(x) > 2 && ncol(x) <= 16) halves(x) else NULL,
    omega2 = if (name %in% c("AE", "q", "hs")) hierarchical(x, 2) else NULL,
    omega3 = if (name %in% c("q", "hs", "ACE", "all")) hierarchical(x, 3) else NULL,
    omega5 = if (name == "all") hierarchical(x, 5) else NULL)
}
write_json(list(psych = as.character(packageVersion("psych")),
    GPArotation = as.character(packageVersion("GPArotation")),
    R = as.character(getRversion()), sets = Map(one, sets, names(sets))),
  file.path(here, "reliability_internal.json"), digits = 12, auto_unbox = TRUE, null = "null")
