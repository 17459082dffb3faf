# Reference values for tests/analysis/test_items_moments.py
# Rscript tests/reference/items_moments.R   (psych 2.2.9)
# Skewness and kurtosis of psych's three types, Mardia's coefficients, category counts.
# Reads reliability_sparse.csv, which reliability_ordinal.R writes.
suppressMessages({library(psych); library(jsonlite)})
here <- "tests/reference"
data(bfi)
hs <- read.csv(file.path(here, "hs1939.csv"))[paste0("x", 1:9)]
sparse <- read.csv(file.path(here, "reliability_sparse.csv"))
sets <- list(A = bfi[1:5], N = bfi[16:20], all = bfi[1:25], hs = hs, sparse = sparse)
one <- function(x) {
  moments <- lapply(1:3, function(type) {
    # Column by column without NA: with them, type 1 divides by all rows.
    d <- do.call(rbind, lapply(x, function(v) describe(na.omit(v), type = type)))
    list(n = d$n, mean = d$mean, sd = d$sd, skew = d$skew, kurtosis = d$kurtosis)
  })
  m <- mardia(na.omit(x), plot = FALSE)
  n <- m$n.obs
  list(n_rows = nrow(x), n_obs = n, moments = moments,
    mardia = list(b1p = m$b1p, b2p = m$b2p, skew = m$skew, small = m$small.skew,
                  kurtosis = m$kurtosis, p_skew = m$p.skew, p_small = m$p.small,
                  p_kurtosis = m$p.kurt),
    counts = if (all(x == round(x), na.rm = TRUE))
      unname(lapply(x, function(v) as.integer(table(factor(v, 1:6))))) else NULL)
}
write_json(list(psych = as.character(packageVersion("psych")),
    R = as.character(getRversion()), sets = lapply(sets, one)),
  file.path(here, "items_moments.json"), digits = 14, auto_unbox = TRUE, null = "null")
