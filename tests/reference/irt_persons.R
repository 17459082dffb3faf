# Reference values for tests/analysis/test_irt_persons.py
# Rscript tests/reference/irt_persons.R   (base R)
# Maxima of likelihood, weighted likelihood and posterior of the graded response model at
# given parameters, derived numerically from the probabilities of Samejima (1969); and
# manifest monotonicity by its definition, with fisher.test.
library(jsonlite)
here <- "tests/reference"
set.seed(19); n <- 420; theta <- rnorm(n)
answer <- function(a, b) rowSums(outer(a * theta + rlogis(n), a * b, `>`))
x <- data.frame(calm = answer(1.6, c(-1.2, 0, 1.1)), cold = answer(.8, c(-.5, 1.5)),
                late = answer(2.4, .3), away = answer(1.1, c(-2, -.8, .6, 1.9)),
                turned = 3 - answer(1.3, c(-1, .2, 1.4)),
                odd = as.integer(abs(theta + rnorm(n) / 2) > .7))
for (j in 1:4) x[sample(n, 25), j] <- NA
write.csv(x, file.path(here, "irt_persons.csv"), row.names = FALSE, na = "")

items <- list(calm = list(1.5, c(-1.3, .1, 1.2)), cold = list(.7, c(-.6, 1.6)),
              late = list(2.2, .25), away = list(1.2, c(-1.9, -.7, .5, 2)),
              turned = list(-1.4, c(1.3, .2, -1.1)))
chance <- function(it, t) { up <- c(1, plogis(it[[1]] * (t - it[[2]])), 0); -diff(up) }
d1 <- function(f, t, h = 1e-3) (f(t-2*h) - 8*f(t-h) + 8*f(t+h) - f(t+2*h)) / (12*h)
d2 <- function(f, t, h = 2e-3) (-f(t-2*h) + 16*f(t-h) - 30*f(t) + 16*f(t+h) - f(t+2*h)) / (12*h^2)
score <- function(row, method) {
  there <- names(items)[!is.na(row[names(items)])]
  ll <- function(t) sum(sapply(there, function(j) log(chance(items[[j]], t)[row[[j]] + 1])))
  info <- function(t) sum(sapply(there, function(j)
    sum(d1(function(s) chance(items[[j]], s), t)^2 / chance(items[[j]], t))))
  bias <- function(t) sum(sapply(there, function(j) { f <- function(s) chance(items[[j]], s)
    sum(d1(f, t) * d2(f, t) / f(t)) }))
  g <- switch(method, ml = function(t) d1(ll, t), map = function(t) d1(ll, t) - t,
              wle = function(t) d1(ll, t) + bias(t) / (2 * info(t)))
  at <- tryCatch(uniroot(g, c(-6, 6), tol = 1e-11)$root, error = function(e) NA)
  c(at, if (is.na(at)) NA else 1 / sqrt(info(at) + (method == "map")))
}
rows <- 1:60
scores <- lapply(c(ml = "ml", wle = "wle", map = "map"), function(m)
  t(apply(as.matrix(x[rows, names(items)]), 1, score, method = m)))

mono <- function(x, fewest, least = .03) lapply(seq_along(x), function(j) {
  rest <- rowSums(x[-j]); tab <- table(rest); v <- as.integer(names(tab))
  g <- integer(length(v)); k <- 1; size <- 0
  for (i in seq_along(v)) { g[i] <- k; size <- size + tab[i]
    if (size >= fewest) { k <- k + 1; size <- 0 } }
  if (size > 0 && size < fewest) g[g == k] <- k - 1
  group <- g[match(rest, v)]; G <- max(group); falls <- c(); p <- c(1)
  for (s in 1:max(x[[j]])) for (a in 1:(G - 1)) for (b in (a + 1):G) {
    pa <- x[[j]][group == a] >= s; pb <- x[[j]][group == b] >= s
    if (mean(pa) - mean(pb) > least) { falls <- c(falls, mean(pa) - mean(pb))
      m <- matrix(c(sum(pa), sum(!pa), sum(pb), sum(!pb)), 2)
      p <- c(p, fisher.test(m, alternative = "greater")$p.value) } }
  list(n_groups = G, comparisons = max(x[[j]]) * G * (G - 1) / 2, violations = length(falls),
       max_violation = max(0, falls), sum_violations = sum(falls), p_min = min(p))
})
whole <- x[complete.cases(x), ]
checked <- mono(whole, nrow(whole) %/% 5)
write_json(list(R = as.character(getRversion()), scores = scores, n_complete = nrow(whole),
    parameters = unname(items), monotonicity = do.call(rbind, lapply(checked, as.data.frame))),
  file.path(here, "irt_persons.json"), digits = 14, auto_unbox = TRUE, dataframe = "columns", na = "null")
