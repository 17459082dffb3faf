# Reference values for tests/analysis/test_efa.py and test_retain.py
# Rscript tests/reference/efa.R   (two minutes; psych 2.2.9, GPArotation 2022.10-2, R 4.2)
# Also writes efa_answers.csv: simulated answers of 400 people to 12 items with codes
# 1 to 5, three correlated factors, some answers missing.
suppressMessages({library(psych); library(GPArotation); library(jsonlite)})
here <- "tests/reference"

set.seed(20)
n <- 400
pattern <- matrix(0, 12, 3)
pattern[1:4, 1] <- c(.8, .7, .6, .5)
pattern[5:8, 2] <- c(.75, .7, .65, -.5)
pattern[9:12, 3] <- c(.7, .65, .6, .55)
pattern[4, 2] <- .25
phi <- matrix(c(1, .4, .3, .4, 1, .2, .3, .2, 1), 3)
common <- pattern %*% phi %*% t(pattern)
factors <- matrix(rnorm(n * 3), n) %*% chol(phi)
unique <- matrix(rnorm(n * 12), n) %*% diag(sqrt(1 - diag(common)))
latent <- factors %*% t(pattern) + unique
answers <- apply(latent, 2, function(x) findInterval(x, c(-1.2, -.4, .4, 1.2)) + 1)
answers[matrix(runif(n * 12) < .02, n)] <- NA
colnames(answers) <- paste0("q", 1:12)
answers <- as.data.frame(answers)
write.csv(answers, file.path(here, "efa_answers.csv"), row.names = FALSE, na = "")

data(bfi)
data_sets <- list(bfi = bfi[1:25], answers = answers)
n_factors <- c(bfi = 5, answers = 3)
tight <- list(opt = list(factr = 10, maxit = 5000), nstart = 1)

# Rotate an unrotated matrix until the gradient is practically zero: psych's own
# stopping rule (1e-5) leaves errors in the fifth decimal.
rotated <- function(A, rotation) {
  if (rotation == "none") return(list(loadings = A, Phi = diag(ncol(A))))
  if (rotation == "varimax") {
    v <- varimax(A, normalize = TRUE, eps = 1e-14)
    return(list(loadings = unclass(v$loadings), Phi = diag(ncol(A))))
  }
  f <- switch(rotation, oblimin = oblimin, quartimax = quartimax)
  r <- f(A, normalize = FALSE, eps = 1e-9, maxit = 20000)
  list(loadings = unclass(r$loadings),
       Phi = if (is.null(r$Phi)) diag(ncol(A)) else r$Phi)
}
plain <- function(m) { m <- unclass(m); dimnames(m) <- NULL; m }
rounded <- function(x) signif(x, 10)

fits <- list()
promax_psych <- list()
for (name in names(data_sets)) for (missing in c("listwise", "pairwise")) {
  x <- data_sets[[name]]
  if (missing == "listwise") x <- na.omit(x)
  R <- cor(x, use = "pairwise")
  k <- n_factors[[name]]
  for (method in c("pa", "minres", "ml")) {
    f <- suppressWarnings(fa(R, k, n.obs = nrow(x), fm = method, rotate = "none",
                             min.err = 1e-10, max.iter = 5000))
    A <- unclass(f$loadings)
    if (method == "ml") {
      fan <- factanal(covmat = R, factors = k, n.obs = nrow(x), rotation = "none",
                      control = tight)
      A <- unclass(fan$loadings)
    }
    rotations <- if (missing == "listwise")
      c("none", "oblimin", "varimax", "quartimax") else "oblimin"
    for (rotation in rotations) {
      r <- rotated(A, rotation)
      fits[[length(fits) + 1]] <- list(data = name, missing = missing, method = method,
        rotation = rotation, n_obs = nrow(x), loadings = rounded(plain(r$loadings)),
        Phi = rounded(plain(r$Phi)), communality = rounded(as.vector(rowSums(A^2))),
        chisq = f$STATISTIC, df = f$dof, p = f$PVAL, rmsea = f$RMSEA[["RMSEA"]],
        rmsea_lower = f$RMSEA[["lower"]], rmsea_upper = f$RMSEA[["upper"]],
        tli = f$TLI, rms = f$rms,
        factanal = if (method == "ml") fan$STATISTIC[[1]] else NA)
    }
    if (missing == "listwise") {
      pro <- promax(varimax(A, eps = 1e-14)$loadings)
      T <- solve(pro$rotmat)
      fits[[length(fits) + 1]] <- list(data = name, missing = missing, method = method,
        rotation = "promax", n_obs = nrow(x), loadings = rounded(plain(pro$loadings)),
        Phi = rounded(plain(T %*% t(T))), communality = rounded(as.vector(rowSums(A^2))),
        chisq = f$STATISTIC, df = f$dof, p = f$PVAL, rmsea = f$RMSEA[["RMSEA"]],
        rmsea_lower = f$RMSEA[["lower"]], rmsea_upper = f$RMSEA[["upper"]],
        tli = f$TLI, rms = f$rms,
        factanal = if (method == "ml") fan$STATISTIC[[1]] else NA)
    }
  }
}

# psych as people call it: its stopping rules are looser.
as_called <- list()
for (name in names(data_sets)) for (rotation in c("oblimin", "promax", "Promax", "varimax")) {
  f <- suppressWarnings(fa(na.omit(data_sets[[name]]), n_factors[[name]],
                           fm = "minres", rotate = rotation))
  as_called[[length(as_called) + 1]] <- list(data = name, rotation = rotation,
    loadings = rounded(plain(f$loadings)),
    Phi = if (is.null(f$Phi)) diag(n_factors[[name]]) else rounded(plain(f$Phi)),
    complexity = rounded(as.vector(f$complexity)),
    ss_loadings = rounded(as.vector(f$Vaccounted[1, ])))
}

adequacy <- lapply(data_sets, function(x) {
  x <- na.omit(x)
  k <- KMO(cor(x))
  b <- cortest.bartlett(cor(x), n = nrow(x))
  list(n_obs = nrow(x), overall = k$MSA, items = as.list(k$MSAi),
       chisq = b$chisq, df = b$df, p = b$p.value)
})

parallel <- list()
for (name in names(data_sets)) {
  set.seed(1)
  x <- na.omit(data_sets[[name]])
  sink(nullfile())
  p <- suppressWarnings(fa.parallel(x, n.iter = 400, SMC = TRUE, plot = FALSE, sim = TRUE,
                                    quant = .95, fa = "both"))
  sink()
  v <- p$values
  p_items <- ncol(x)
  part <- function(prefix) v[, startsWith(colnames(v), prefix), drop = FALSE]
  parallel[[name]] <- list(n_obs = nrow(x), draws = 400,
    n_components = p$ncomp, n_factors = p$nfact,
    principal = p$pc.values, factor = p$fa.values,
    columns = unique(sub("[0-9]+$", "", colnames(v))),
    principal_mean = p$pc.sim, principal_permuted_mean = p$pc.simr,
    factor_mean = p$fa.sim, factor_permuted_mean = p$fa.simr)
}

write_json(list(
    R = R.version.string, psych = as.character(packageVersion("psych")),
    GPArotation = as.character(packageVersion("GPArotation")),
    fits = fits, as_called = as_called, adequacy = adequacy, parallel = parallel),
  file.path(here, "efa.json"), digits = 10, auto_unbox = TRUE, matrix = "rowmajor")
