# Reference values for tests/analysis/test_sem_minima.py
# Rscript tests/reference/sem_minima.R   (lavaan 0.6-14)
# A bifactor model of answers that have no general factor: two of its minima differ in
# which of the three factors the general one absorbs. Writes sem_minima.csv, simulated
# here, and sem_minima.json.
source("tests/reference/sem_case.R")
set.seed(20271)
n <- 250
A <- rnorm(n); B <- rnorm(n); C <- .5 * B + sqrt(.75) * rnorm(n)
b <- rnorm(n); c <- rnorm(n)
x <- data.frame(row.names = 1:n)
for (k in 1:4) x[[paste0("a", k)]] <- .75 * A + .1 * C + rnorm(n, 0, .6)
for (k in 1:4) x[[paste0("b", k)]] <- .75 * B + c(.4, .4, 0, -.3)[k] * b + rnorm(n, 0, .5)
for (k in 1:4) x[[paste0("c", k)]] <- .75 * C + c(.3, .5, 0, -.2)[k] * c + rnorm(n, 0, .5)
x <- keep_table(round(x, 2), "sem_minima")

of <- function(letter) paste0(letter, 1:4, collapse = " + ")
model <- paste0("g =~ ", of("a"), " + ", of("b"), " + ", of("c"),
  "\nA =~ ", of("a"), "\nB =~ ", of("b"), "\nC =~ ", of("c"))
found <- fit_fine(model, x, list(std.lv = TRUE, orthogonal = TRUE))
e <- parameterEstimates(found$fit)
e <- e[e$op == "=~", ]
write(toJSON(list(lavaan = as.character(packageVersion("lavaan")), model = model,
  chisq = digits12(fitMeasures(found$fit, "chisq")), lhs = e$lhs, rhs = e$rhs,
  est = digits12(e$est), se = digits12(e$se)), auto_unbox = TRUE, digits = NA),
  file.path(here, "sem_minima.json"))
