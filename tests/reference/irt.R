# Reference values for tests/analysis/test_irt.py
# Rscript tests/reference/irt.R   (psych for data, numDeriv for derivatives)
# The marginal likelihood of the graded response model written out from Samejima (1969),
# climbed by optim and nlminb; standard errors from numerical second derivatives. R here
# has no IRT package; LSAT6 and LSAT7 are also published (Rizopoulos 2006; mirt manual).
suppressMessages({library(psych); library(numDeriv); library(jsonlite)})
here <- "tests/reference"
theta <- seq(-6, 6, length.out = 61)
prior <- dnorm(theta) / sum(dnorm(theta))

ranks <- function(x) as.data.frame(lapply(x, function(v) match(v, sort(unique(v)))))
cut_up <- function(par, sizes) {
  parts <- split(par, rep(seq_along(sizes), sizes))
  lapply(parts, function(p) list(a = p[1], b = p[-1]))
}
# P(category | theta), one row a category.
chances <- function(item) {
  above <- rbind(1, t(sapply(item$b, function(b) plogis(item$a * (theta - b)))), 0)
  above[-nrow(above), , drop = FALSE] - above[-1, , drop = FALSE]
}
joint <- function(par, x, sizes) {
  out <- matrix(0, nrow(x), length(theta))
  items <- cut_up(par, sizes)
  for (j in seq_along(items)) {
    p <- chances(items[[j]])
    if (any(p <= 0)) return(NULL)
    there <- !is.na(x[[j]])
    out[there, ] <- out[there, ] + log(p[x[[j]][there], , drop = FALSE])
  }
  out
}
people <- function(par, x, sizes) {
  out <- joint(par, x, sizes)
  if (is.null(out)) return(rep(-1e6, nrow(x)))
  top <- apply(out, 1, max)
  log(exp(out - top) %*% prior)[, 1] + top
}
fit <- function(data) {
  x <- ranks(data); x <- x[rowSums(!is.na(x)) > 0, ]
  sizes <- sapply(x, function(v) max(v, na.rm = TRUE))
  key <- do.call(paste, x); first <- !duplicated(key)
  short <- x[first, ]; times <- as.numeric(table(key)[key[first]])
  minus <- function(par) -sum(times * people(par, short, sizes))
  start <- unlist(lapply(x, function(v) {
    p <- cumsum(prop.table(table(v))); c(1, qlogis(p[-length(p)]))
  }))
  best <- optim(start, minus, method = "BFGS", control = list(maxit = 1000, reltol = 1e-12))
  best <- nlminb(best$par, minus, control = list(rel.tol = 1e-14, eval.max = 1e4, iter.max = 1e3))
  # One Newton step removes what the optimiser left.
  par <- best$par - solve(numDeriv::hessian(minus, best$par), numDeriv::grad(minus, best$par))
  V <- solve(numDeriv::hessian(minus, par))
  S <- numDeriv::jacobian(function(p) people(p, short, sizes), par)
  B <- crossprod(S * sqrt(times))
  after <- joint(par, x, sizes); after <- exp(after - apply(after, 1, max))
  after <- t(t(after) * prior); after <- after / rowSums(after)
  eap <- as.vector(after %*% theta); se <- sqrt(as.vector(after %*% theta^2) - eap^2)
  items <- cut_up(par, sizes)
  rest <- sapply(seq_along(items), function(j) {
    it <- items[[j]]
    x[[j]] - 1 - rowSums(sapply(it$b, function(b) plogis(it$a * (eap - b))))
  })
  info <- Reduce(`+`, lapply(items, function(it) {
    slope <- function(t) rbind(0, t(sapply(it$b, function(b) {
      p <- plogis(it$a * (t - b)); it$a * p * (1 - p)})), 0)
    d <- slope(theta); d <- d[-nrow(d), ] - d[-1, ]
    colSums(d^2 / chances(it))
  }))
  list(n_obs = nrow(x), n_patterns = nrow(short), sizes = unname(sizes),
    par = unname(par), se = unname(sqrt(diag(V))), se_crossproduct = sqrt(diag(solve(B))),
    se_sandwich = sqrt(diag(V %*% B %*% V)), log_lik = -minus(par),
    eap = eap[1:40], eap_se = se[1:40], eap_mean = mean(eap),
    empirical = var(eap) * (nrow(x) - 1) / nrow(x) /
      (var(eap) * (nrow(x) - 1) / nrow(x) + mean(se^2)),
    marginal = sum(prior * info / (info + 1)), information = info[c(16, 31, 46)],
    q3 = unname(cor(rest, use = "pairwise.complete.obs")))
}

# S-X2 of the five binary items, from Orlando & Thissen (2000), by enumeration of all
# 32 patterns rather than by recursion; neighbouring sums are joined until both answers
# expect one person.
s_x2 <- function(par, x) {
  grid <- as.matrix(expand.grid(rep(list(1:2), 5)))
  like <- exp(joint(par, as.data.frame(grid), rep(2, 5))) %*% prior
  total <- rowSums(grid) - 5; seen <- rowSums(x) - 5
  sapply(1:5, function(j) {
    E <- sapply(1:4, function(k) sum(like[total == k & grid[, j] == 2]) / sum(like[total == k]))
    N <- sapply(1:4, function(k) sum(seen == k))
    O <- sapply(1:4, function(k) sum(x[[j]][seen == k] == 2))
    expected <- rbind(N * E, N * (1 - E)); found <- rbind(O, N - O)
    while (ncol(expected) > 1 && any(expected < 1)) {
      k <- which(colSums(expected < 1) > 0)[1]
      with <- if (k < ncol(expected)) k + 1 else k - 1
      expected[, with] <- expected[, with] + expected[, k]
      found[, with] <- found[, with] + found[, k]
      expected <- expected[, -k, drop = FALSE]; found <- found[, -k, drop = FALSE]
    }
    c(sum((found - expected)^2 / expected), ncol(expected) - 2)
  })
}
data(bock); data(bfi)
lsat <- list(lsat6 = as.data.frame(lsat6), lsat7 = as.data.frame(lsat7))
N <- bfi[c("N1", "N2", "N3", "N4", "N5")]
A <- bfi[1:600, c("A1", "A2", "A3", "A4", "A5")]
A$A1 <- 7 - A$A1
cases <- c(lapply(lsat, fit), list(neuroticism = fit(N), agreeableness = fit(A)))
for (name in names(lsat))
  cases[[name]]$s_x2 <- s_x2(cases[[name]]$par, ranks(lsat[[name]]))
write_json(list(R = as.character(getRversion()), psych = as.character(packageVersion("psych")),
    numDeriv = as.character(packageVersion("numDeriv")), cases = cases),
  file.path(here, "irt.json"), digits = 12, auto_unbox = TRUE)
