# Reference values for tests/analysis/test_polychoric.py, test_mixed_moments.py and
# test_correlations.py
# Rscript tests/reference/polychoric.R   (10 seconds; lavaan 0.6-14, psych 2.2.9, R 4.2)
# Any model has the same sample moments and gamma. Without a fit lavaan leaves
# predictors out of them.
suppressMessages({library(lavaan); library(psych); library(jsonlite)})
here <- "tests/reference"
data(bfi)
items <- bfi[1:25]
plain <- function(x) { x <- unclass(x); attributes(x) <- NULL; x }
matrix_of <- function(m) { m <- unclass(m); dimnames(m) <- NULL; m }

# Gamma is large: its diagonal and its product with a fixed vector tell any fault.
probe <- function(k) sin(seq_len(k))
moments <- function(fit, group = 1, whole = FALSE) {
  pick <- function(x) if (lavInspect(fit, "ngroups") > 1) x[[group]] else x
  gamma <- matrix_of(lavTech(fit, "gamma")[[group]])
  observed <- pick(lavInspect(fit, "wls.obs"))
  found <- list(n_obs = unname(lavInspect(fit, "nobs")[group]), labels = names(observed),
                observed = plain(observed), gamma_diagonal = diag(gamma),
                gamma_probe = as.vector(gamma %*% probe(ncol(gamma))))
  if (whole) found$gamma <- gamma
  found
}
of_items <- function(data, ordered, exogenous = character(), missing = "listwise",
                     group = NULL) {
  names <- setdiff(names(data), c(exogenous, group))
  model <- paste("f =~", paste(names, collapse = " + "))
  if (length(exogenous)) model <- paste0(model, "\nf ~ ", paste(exogenous, collapse = "+"))
  suppressWarnings(sem(model, data, ordered = ordered, estimator = "WLSMV",
                       missing = missing, group = group,
                       do.fit = length(exogenous) > 0))
}

A <- paste0("A", 1:5)
AC <- c(A, paste0("C", 1:5))
set.seed(7)
gaps <- bfi[c(A, "age", "gender")]
for (name in A) gaps[runif(nrow(gaps)) < .1, name] <- NA
gaps <- gaps[1:900, ]
write.csv(gaps, file.path(here, "polychoric_gaps.csv"), row.names = FALSE, na = "")
binary <- as.data.frame(lapply(bfi[AC], function(x) as.integer(x > 3)))

cases <- list(
  five = list(data = "bfi", items = A, ordered = A, whole = TRUE),
  five_pairwise = list(data = "gaps", items = A, ordered = A, missing = "pairwise"),
  ten = list(data = "bfi", items = AC, ordered = AC),
  ten_pairwise = list(data = "bfi", items = AC, ordered = AC, missing = "pairwise"),
  all = list(data = "bfi", items = names(items), ordered = names(items)),
  all_pairwise = list(data = "bfi", items = names(items), ordered = names(items),
                      missing = "pairwise"),
  binary = list(data = "binary", items = AC, ordered = AC),
  mixed = list(data = "gaps", items = c(A, "age"), ordered = A[c(1, 2, 5)], whole = TRUE),
  mixed_pairwise = list(data = "gaps", items = c(A, "age"), ordered = A[c(1, 2, 5)],
                        missing = "pairwise"),
  given = list(data = "gaps", items = A, ordered = A, exogenous = c("age", "gender")),
  given_one = list(data = "gaps", items = A, ordered = A, exogenous = "gender"),
  given_binary = list(data = "binary", items = A, ordered = A, exogenous = "age"),
  given_mixed = list(data = "gaps", items = A, ordered = A[1:3],
                     exogenous = c("age", "gender"), whole = TRUE),
  given_pairwise = list(data = "gaps", items = A, ordered = A[1:3],
                        exogenous = c("age", "gender"), missing = "pairwise"))
sources <- list(bfi = bfi, gaps = gaps, binary = cbind(binary, age = bfi$age))
mixed <- lapply(cases, function(case) {
  missing <- if (is.null(case$missing)) "listwise" else case$missing
  data <- sources[[case$data]][c(case$items, case$exogenous)]
  fit <- of_items(data, case$ordered, as.character(case$exogenous), missing)
  c(list(data = case$data, items = case$items, ordered = case$ordered,
         exogenous = as.list(case$exogenous), missing = missing),
    moments(fit, whole = isTRUE(case$whole)))
})
two <- of_items(na.omit(bfi[c(A, "gender")]), A, group = "gender")
groups <- lapply(1:2, function(g) c(list(label = lavInspect(two, "group.label")[g]),
                                    moments(two, g)))

# Tables of two items: 2 x 2 with empty cells; correlations near 1; 9 categories;
# rare categories.
simulated <- function(n, rho, cuts_a, cuts_b) {
  x <- rnorm(n); y <- rho * x + sqrt(1 - rho^2) * rnorm(n)
  table(findInterval(x, cuts_a), findInterval(y, cuts_b))
}
set.seed(11)
even <- c(-1.2, -.4, .4, 1.2); nine <- seq(-1.75, 1.75, length.out = 8)
tables <- list(
  empty = matrix(c(40, 35, 0, 25), 2), empty_first = matrix(c(0, 20, 15, 30), 2),
  empty_last = matrix(c(12, 20, 15, 0), 2), empty_low = matrix(c(33, 0, 15, 30), 2),
  independent = matrix(c(20, 40, 10, 20), 2), medians = matrix(c(30, 20, 20, 30), 2),
  close = simulated(2000, .96, even, even), closer = simulated(3000, .99, even, even),
  closest = simulated(5000, .995, nine, nine), negative = simulated(1000, -.97, even, nine),
  nine = simulated(700, .4, nine, nine), rare = simulated(150, .6, c(-2.2, 0, 2.2), even),
  skewed = simulated(400, .5, c(1, 1.5, 2), c(.8, 1.6)),
  two_by_five = simulated(300, .3, .7, even))
pairs <- lapply(tables, function(t) {
  t <- matrix_of(t)
  cells <- expand.grid(a = seq_len(nrow(t)), b = seq_len(ncol(t)))
  x <- cells[rep(seq_len(nrow(cells)), as.vector(t)), ]
  lav <- suppressWarnings(sem("a ~~ b", x, ordered = c("a", "b"), estimator = "WLSMV",
                              do.fit = FALSE))
  gamma <- diag(lavTech(lav, "gamma")[[1]])
  list(table = t, rho = lavInspect(lav, "sampstat")$cov[2, 1],
       thresholds = plain(lavInspect(lav, "sampstat")$th),
       std_error = sqrt(unname(gamma[length(gamma)]) / sum(t)))
})

complete <- na.omit(items)
contradictory <- matrix(c(1, .9, -.2, .3, .9, 1, .5, .2, -.2, .5, 1, .6, .3, .2, .6, 1), 4)
small <- bfi[1:200, A]
correlations <- list(
  spearman = matrix_of(cor(na.omit(small), method = "spearman")),
  spearman_pairwise = matrix_of(cor(small, method = "spearman", use = "pairwise")),
  pearson_se = matrix_of(corr.test(small)$se), pearson_n = matrix_of(corr.test(small)$n),
  contradictory = contradictory,
  smoothed = matrix_of(suppressWarnings(cor.smooth(contradictory, eig.tol = 1e-6))))

write_json(list(
    R = R.version.string, lavaan = as.character(packageVersion("lavaan")),
    psych = as.character(packageVersion("psych")),
    moments = mixed, groups = groups, pairs = pairs, correlations = correlations),
  file.path(here, "polychoric.json"), digits = 10, auto_unbox = TRUE, matrix = "rowmajor")
