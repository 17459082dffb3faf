# Reference values for tests/analysis/test_rotate.py and test_efa_fit.py
# Rscript tests/reference/efa_rotations.R   (three minutes; psych 2.2.9, GPArotation
# 2022.10-2, lavaan 0.6-14, R 4.2). Reads efa_answers.csv, which efa.R makes.
suppressMessages({library(psych); library(GPArotation); library(lavaan); library(jsonlite)})
here <- "tests/reference"
data(bfi)
answers <- list(bfi = na.omit(bfi[1:25]),
                answers = na.omit(read.csv(file.path(here, "efa_answers.csv"))))
n_factors <- c(bfi = 5, answers = 3)
polychoric_of <- function(x) {
  m <- lavCor(x, ordered = names(x), output = "cor")
  matrix(as.numeric(m), ncol(x), dimnames = list(names(x), names(x)))
}
R <- list(pearson = lapply(answers, cor), polychoric = lapply(answers, polychoric_of))
plain <- function(m) { m <- unclass(m); dimnames(m) <- NULL; m }
rounded <- function(x) signif(x, 10)
unrotated <- function(R, k, n, method = "pa") {
  f <- suppressWarnings(fa(R, k, n.obs = n, fm = method, rotate = "none",
                           min.err = 1e-11, max.iter = 10000))
  unclass(f$loadings)
}

# The best of many starts, each run until the gradient is practically zero.
best <- function(rotation, A, starts, ...) {
  found <- NULL
  for (s in seq_len(starts)) {
    start <- if (s == 1) diag(ncol(A)) else Random.Start(ncol(A))
    # A full target can lie on the other side of a mirror, where no rotation leads.
    if (s %% 2 == 0) start[, 1] <- -start[, 1]
    r <- suppressWarnings(tryCatch(
      rotation(A, Tmat = start, eps = 1e-7, maxit = 5000, ...), error = function(e) NULL))
    if (is.null(r) || r$Table[nrow(r$Table), 3] > log10(1e-5)) next
    f <- r$Table[nrow(r$Table), 2]
    if (is.null(found) || f < found$f - 1e-10) found <- list(r = r, f = f)
  }
  r <- found$r
  list(loadings = rounded(plain(r$loadings)), value = as.numeric(found$f),
       Phi = if (is.null(r$Phi)) diag(ncol(A)) else rounded(plain(r$Phi)))
}

rotations <- list()
set.seed(1)
for (kind in names(R)) for (name in names(answers)) {
  k <- n_factors[[name]]
  A <- unrotated(R[[kind]][[name]], k, nrow(answers[[name]]))
  p <- nrow(A)
  # Where each item of a scale should load; everything may come there.
  size <- p / k
  aim <- matrix(0, p, k)
  W <- matrix(1, p, k)
  for (j in seq_len(k)) W[(j - 1) * size + seq_len(size), j] <- 0
  full <- aim
  full[W == 0] <- .6
  tried <- list(
    oblimin = best(oblimin, A, 5),
    oblimin_negative = best(oblimin, A, 5, gam = -.5),
    oblimin_kaiser = best(oblimin, A, 5, normalize = TRUE),
    quartimax_kaiser = best(quartimax, A, 5, normalize = TRUE),
    geomin = best(geominQ, A, 15, delta = .01),
    geomin_small = best(geominQ, A, 60, delta = .001),
    geomin_orthogonal = best(geominT, A, 15, delta = .01),
    bifactor = best(bifactorT, A, 15),
    bifactor_oblique = best(bifactorQ, A, 30),
    target_partial = best(pstQ, A, 5, W = W, Target = aim),
    target_partial_orthogonal = best(pstT, A, 5, W = W, Target = aim),
    target_full = best(targetQ, A, 40, Target = full),
    target_full_orthogonal = best(targetT, A, 40, Target = full))
  for (rotation in names(tried))
    rotations[[length(rotations) + 1]] <- c(
      list(kind = kind, data = name, rotation = rotation, n_obs = nrow(answers[[name]])),
      tried[[rotation]])
}

fits <- list()
for (kind in names(R)) for (name in names(answers)) for (method in c("pa", "minres", "ml")) {
  x <- answers[[name]]
  f <- suppressWarnings(fa(R[[kind]][[name]], n_factors[[name]], n.obs = nrow(x),
                           fm = method, rotate = "oblimin", min.err = 1e-11,
                           max.iter = 10000))
  fits[[length(fits) + 1]] <- list(kind = kind, data = name, method = method,
    n_obs = nrow(x), loadings = rounded(plain(f$loadings)), Phi = rounded(plain(f$Phi)),
    communality = rounded(as.vector(f$communality)),
    complexity = rounded(as.vector(f$complexity)), chisq = f$STATISTIC, df = f$dof,
    p = f$PVAL, chisq_null = f$null.chisq, df_null = f$null.dof,
    rmsea = f$RMSEA[["RMSEA"]], rmsea_lower = f$RMSEA[["lower"]],
    rmsea_upper = f$RMSEA[["upper"]], tli = f$TLI, bic = f$BIC, sabic = f$SABIC,
    rmsr = f$rms, crms = f$crms, chisq_empirical = f$chi, fit_off = f$fit.off,
    discrepancy = f$objective, ss_loadings = rounded(as.vector(f$Vaccounted[1, ])),
    r_squared = rounded(as.vector(f$R2)))
}

# Scores from a solution that is given, so that only the scores are compared.
scores <- list()
for (name in names(answers)) {
  x <- answers[[name]]
  A <- unrotated(R$pearson[[name]], n_factors[[name]], nrow(x))
  r <- oblimin(A, eps = 1e-9, maxit = 20000)
  L <- plain(r$loadings); Phi <- plain(r$Phi)
  rownames(L) <- names(x); colnames(L) <- paste0("F", seq_len(ncol(L)))
  for (method in c("Thurstone", "Bartlett", "tenBerge")) {
    s <- factor.scores(x, L, Phi = Phi, method = method)
    scores[[length(scores) + 1]] <- list(data = name, method = method,
      loadings = rounded(plain(L)), Phi = rounded(Phi), n_obs = nrow(x),
      weights = rounded(plain(s$weights)), scores = rounded(plain(s$scores[1:6, ])),
      r_scores = rounded(plain(s$r.scores)), r_squared = rounded(as.vector(s$R2)))
  }
}

adequacy <- list()
for (name in names(answers)) {
  P <- R$polychoric[[name]]
  k <- KMO(P)
  b <- cortest.bartlett(P, n = nrow(answers[[name]]))
  adequacy[[name]] <- list(n_obs = nrow(answers[[name]]), overall = k$MSA,
    items = as.list(k$MSAi), chisq = b$chisq, df = b$df, p = b$p.value)
}

# Least squares with a scaled and shifted test.
scaled <- list()
for (name in names(answers)) {
  x <- answers[[name]]
  e <- efa(x, nfactors = n_factors[[name]], ordered = names(x), estimator = "ULSMV",
           rotation = "oblimin", output = "lavaan")
  m <- fitMeasures(e, c("chisq.scaled", "df.scaled", "pvalue.scaled", "cfi.scaled",
    "tli.scaled", "rmsea.scaled", "rmsea.ci.lower.scaled", "rmsea.ci.upper.scaled", "chisq"))
  scaled[[name]] <- c(list(n_obs = nrow(x)), as.list(m))
}

A <- unrotated(R$pearson$bfi, 5, nrow(answers$bfi))
B <- unrotated(R$pearson$bfi, 4, nrow(answers$bfi), "ml")
congruence <- list(A = rounded(plain(A)), B = rounded(plain(B)),
                   tucker = plain(factor.congruence(A, B, digits = 12)))

write_json(list(
    R = R.version.string, psych = as.character(packageVersion("psych")),
    GPArotation = as.character(packageVersion("GPArotation")),
    lavaan = as.character(packageVersion("lavaan")),
    rotations = rotations, fits = fits, scores = scores, adequacy = adequacy,
    scaled = scaled, congruence = congruence),
  file.path(here, "efa_rotations.json"), digits = 10, auto_unbox = TRUE, matrix = "rowmajor")
