# Reference tables for tests/analysis/test_sem_tables.py
# Rscript tests/reference/sem_tables.R   (lavaan 0.6-14)
# What cfa() and sem() add to a model, and what they fix.
suppressMessages({library(lavaan); library(jsonlite)})
two <- "f =~ x1 + x2 + x3\ng =~ x4 + x5 + x6\n"
three <- paste0(two, "h =~ x7 + x8 + x9\n")
cases <- list(
  list(two), list(two, std = TRUE), list(two, orth = TRUE), list(two, ms = TRUE),
  list(paste0(two, "y ~ f + z")), list(paste0(two, "y ~ f + z"), fx = FALSE),
  list(paste0(three, "g ~ f\nh ~ f\ny ~ f + z")),
  list(paste0(three, "g ~ f\nh ~ f\ny ~ f + z"), orth = TRUE),
  list(paste0(three, "g ~ f\nh ~ f\ny ~ f + z"), std = TRUE, ms = TRUE),
  list(paste0(two, "x1 ~ z\nx2 ~ z\ny ~ z")), list(paste0(two, "x1 ~ x2")),
  list(paste0(two, "k =~ y"), std = TRUE), list(paste0(two, "k =~ y\nk ~ f")),
  list(paste0(three, "s =~ f + g + h")), list(paste0(three, "s =~ f + g + h"), std = TRUE),
  list(paste0(three, "s =~ f + g + h"), orth = TRUE),
  list(paste0(two, "s =~ f + g\ny ~ s\nw ~ s")), list(paste0(two, "s =~ f + g\ny ~ f\nw ~ s")),
  list("f =~ x1\ng =~ f + x2 + x3"), list("f =~ x1 + x2 + x3\ng =~ f"),
  list("f =~ x1 + x2 + x3\ng =~ f", std = TRUE), list("f =~ x1 + x2 + x3\ng =~ x1"),
  list("f =~ a*x1 + a*x2 + a*x3"), list("f =~ NA*x1 + a*x1 + a*x2 + x3\nf ~~ 1*f"),
  list("f =~ x1 + 1*x2 + x3"), list("f =~ 2*x1 + x2 + x3\nf ~~ f", std = TRUE),
  list("f =~ x1 + a*x2 + x3\ng =~ x4 + a*x5 + 2*x6 + a*x6"),
  list("f =~ x1 + x2 + x3\nx1 ~~ x4"), list("f =~ x1 + x2 + x3\nf ~~ z"),
  list("y ~ x + z + w"), list("y ~ x + z + w", fx = FALSE, ms = TRUE),
  list("y ~ x + z + w\nx ~~ x"), list("y ~ x + z + w\nx ~~ x", fx = FALSE),
  list("y ~ x + z\nx ~ 1"), list("y ~ 1 + x"), list("y ~ x\nf =~ x1 + x2 + x3\nf ~~ y"),
  list("y ~ 1\nf =~ x1 + x2 + x3\nf ~ 1"), list("f =~ x1 + x2 + x3\nf ~ 0*1\nx1 ~ NA*1"),
  list("f =~ x1 + x2\nf =~ x3"), list("x1 ~~ x2"), list("y1 + y2 ~ x"),
  list("y1 ~ x\ny2 ~ x + f\nf =~ x1 + x2 + x3"), list(paste0(two, "f ~~ 0*g")),
  list(paste0(two, "f ~~ 0*g\ny ~ f\nw ~ g\ny ~~ 0*w"), ms = TRUE),
  list("f =~ x1 + x2 + x3\ny ~ f\nf ~ y2\nx ~~ z"), list("y ~ x + z\nz ~~ f\nf =~ x1 + x2"),
  list("f =~ x1 + (1/2)*x2 + -1*x3"), list("f =~ x1 + x2 + x3\nx1 ~~ NA*x2 + a*x2"))
tables <- lapply(cases, function(case) {
  on <- function(name, default) if (is.null(case[[name]])) default else case[[name]]
  std <- on("std", FALSE); orth <- on("orth", FALSE); ms <- on("ms", FALSE); fx <- on("fx", TRUE)
  t <- suppressWarnings(lavaanify(case[[1]], meanstructure = ms, int.ov.free = TRUE, int.lv.free = FALSE,
    std.lv = std, orthogonal = orth, fixed.x = fx, auto.fix.first = !std, auto.fix.single = TRUE,
    auto.var = TRUE, auto.cov.lv.x = TRUE, auto.cov.y = TRUE))
  t <- t[t$op != "==", ]
  list(model = case[[1]], std_lv = std, orthogonal = orth, meanstructure = ms, fixed_x = fx,
    rows = paste(t$lhs, t$op, t$rhs), free = t$free > 0, exogenous = t$exo > 0,
    fixed = ifelse(t$free > 0 | t$exo > 0, NA, t$ustart), label = t$label)
})
write_json(list(lavaan = as.character(packageVersion("lavaan")), tables = tables),
  "tests/reference/sem_tables.json", auto_unbox = TRUE, na = "null", digits = NA)
