# Reference values for tests/analysis/test_reliability_retest.py
# Rscript tests/reference/reliability_retest.R   (psych 2.2.9)
# Intraclass correlations: Shrout and Fleiss (1979), and simulated retests.
suppressMessages({library(psych); library(jsonlite)})
here <- "tests/reference"
shrout <- matrix(c(9,2,5,8, 6,1,3,2, 8,4,6,8, 7,1,2,6, 10,5,6,9, 6,2,4,7),
                 ncol = 4, byrow = TRUE)
set.seed(11)
person <- rnorm(60, 3, .8)
retest <- data.frame(first = round(person + rnorm(60, 0, .4), 2),
                     second = round(person + .25 + rnorm(60, 0, .45), 2),
                     third = round(person + .1 + rnorm(60, 0, .5), 2))
retest$second[c(4, 31)] <- NA
retest$third[31] <- NA
write.csv(retest, file.path(here, "reliability_retest.csv"), row.names = FALSE, na = "")
weak <- matrix(round(rnorm(24), 2), ncol = 2)
one <- function(x, level = .95) {
  x <- na.omit(as.matrix(x))
  found <- ICC(x, lmer = FALSE, alpha = 1 - level)
  r <- found$results
  list(n_obs = nrow(x), ratings = unname(x), level = level, type = r$type,
       estimate = r$ICC, F = r$F, df1 = r$df1, df2 = r$df2, p = r$p,
       lower = r[["lower bound"]], upper = r[["upper bound"]],
       ms = unname(found$stats["MS", 1:3]))
}
write_json(list(psych = as.character(packageVersion("psych")),
    R = as.character(getRversion()),
    sets = list(shrout = one(shrout), two = one(retest[1:2]), three = one(retest),
                ninety = one(retest, .90), weak = one(weak))),
  file.path(here, "reliability_retest.json"), digits = 14, auto_unbox = TRUE)
