# Reference values for tests/analysis/test_retain_rules.py
# Rscript tests/reference/retain.R   (a minute; psych 2.2.9, lavaan 0.6-14, R 4.2)
# Reads efa_answers.csv, which efa.R makes. MAP by squares is psych's; fourth powers, EKC
# and the hull are written out here from the papers, on psych's and R's own estimates.
suppressMessages({library(psych); library(lavaan); library(jsonlite)})
here <- "tests/reference"
data(bfi)
answers <- list(bfi = na.omit(bfi[1:25]),
                answers = na.omit(read.csv(file.path(here, "efa_answers.csv"))))
polychoric_of <- function(x) {
  m <- lavCor(x, ordered = names(x), output = "cor")
  matrix(as.numeric(m), ncol(x))
}
correlate <- list(pearson = function(x) unname(cor(x)), polychoric = polychoric_of)

fourth_powers <- function(R) {
  p <- ncol(R)
  e <- eigen(R)
  sapply(0:(p - 2), function(m) {
    left <- R
    if (m > 0) {
      A <- e$vectors[, 1:m, drop = FALSE] %*% diag(sqrt(e$values[1:m]), m)
      left <- R - A %*% t(A)
    }
    partial <- cov2cor(left)
    mean(partial[row(partial) != col(partial)]^4)
  })
}
reference_eigenvalues <- function(values, n) {
  p <- length(values)
  sapply(seq_len(p), function(j) {
    before <- if (j > 1) sum(values[1:(j - 1)]) else 0
    max((p - before) / (p - j + 1) * (1 + sqrt(p / n))^2, 1)
  })
}
caf <- function(R, k) {
  left <- R
  if (k > 0) {
    f <- suppressWarnings(fa(R, k, fm = "pa", rotate = "none", min.err = 1e-11,
                             max.iter = 10000))
    A <- unclass(f$loadings)
    left <- R - A %*% t(A)
    diag(left) <- 1
  }
  1 - KMO(left)$MSA
}
cfi <- function(R, k, n) {
  if (k == 0) return(0)
  p <- ncol(R)
  f <- factanal(covmat = R, factors = k, n.obs = n, rotation = "none",
                control = list(opt = list(factr = 10, maxit = 5000), nstart = 4))
  A <- unclass(f$loadings)
  Sigma <- A %*% t(A) + diag(f$uniquenesses)
  F <- log(det(Sigma)) - log(det(R)) + sum(diag(solve(Sigma, R))) - p
  chisq <- F * (n - 1 - (2 * p + 5) / 6 - 2 * k / 3)
  null <- -log(det(R)) * (n - 1 - (2 * p + 5) / 6)
  df <- ((p - k)^2 - (p + k)) / 2
  1 - (chisq - df) / (null - p * (p - 1) / 2)
}

rules <- list()
for (kind in names(correlate)) for (name in names(answers)) {
  x <- answers[[name]]
  R <- correlate[[kind]](x)
  n <- nrow(x)
  values <- eigen(R)$values
  most <- if (name == "bfi") 6 else 4
  rules[[length(rules) + 1]] <- list(kind = kind, data = name, n_obs = n,
    eigenvalues = values,
    map = vss(R, n = 8, n.obs = n, plot = FALSE)$map,
    map_fourth = fourth_powers(R),
    ekc = reference_eigenvalues(values, n),
    kaiser = sum(values > 1),
    caf = sapply(0:most, function(k) caf(R, k)),
    cfi = sapply(0:most, function(k) cfi(R, k, n)))
}

# Eigenvalues of polychoric correlations of shuffled answers.
set.seed(3)
x <- answers$answers
draws <- 150
shuffled <- t(sapply(seq_len(draws), function(i) {
  y <- as.data.frame(lapply(x, sample))
  eigen(polychoric_of(y))$values
}))

write_json(list(
    R = R.version.string, psych = as.character(packageVersion("psych")),
    lavaan = as.character(packageVersion("lavaan")), rules = rules,
    shuffled = list(data = "answers", draws = draws, mean = colMeans(shuffled),
                    sd = apply(shuffled, 2, sd))),
  file.path(here, "retain.json"), digits = 10, auto_unbox = TRUE)
