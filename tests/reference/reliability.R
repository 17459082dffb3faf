# Reference values for tests/analysis/test_items.py and test_reliability.py
# Rscript tests/reference/reliability.R   (psych 2.2.9, lavaan 0.6-14, semTools 0.5-6)
# Reads efa_answers.csv, which efa.R writes.
suppressMessages({library(psych); library(lavaan); library(semTools); library(jsonlite)})
here <- "tests/reference"
answers <- read.csv(file.path(here, "efa_answers.csv"))
answers$q8 <- 6 - answers$q8
data(bfi)
bfi[c("A1", "C4", "C5", "E1", "E2", "O2", "O5")] <-
  7 - bfi[c("A1", "C4", "C5", "E1", "E2", "O2", "O5")]
scales <- list(
  q_first = answers[1:4], q_second = answers[5:8], q_third = answers[9:12],
  q_three = answers[1:3], q_two = answers[9:10],
  A = bfi[1:5], C = bfi[6:10], E = bfi[11:15], N = bfi[16:20], O = bfi[21:25])

one <- function(x) {
  complete <- na.omit(x)
  p <- ncol(x)
  a <- suppressWarnings(psych::alpha(complete, warnings = FALSE))
  pairwise <- suppressWarnings(psych::alpha(x, warnings = FALSE))
  d <- describe(x, type = 3)
  out <- list(n_items = p, n_obs = nrow(complete), n_rows = nrow(x),
    alpha = a$total$raw_alpha, alpha_std = a$total$std.alpha,
    average_r = a$total$average_r,
    feldt = c(a$feldt$lower.ci[[1]], a$feldt$upper.ci[[1]]),
    alpha_pairwise = pairwise$total$raw_alpha, alpha_std_pairwise = pairwise$total$std.alpha,
    r_drop = a$item.stats$r.drop, r_total = a$item.stats$raw.r,
    alpha_drop = if (p > 2) a$alpha.drop$raw_alpha else NULL,
    describe = list(n = d$n, mean = d$mean, sd = d$sd, skew = d$skew,
                    kurtosis = d$kurtosis, min = d$min, max = d$max))
  if (p > 2) {
    v <- paste0("x", 1:p)
    names(complete) <- v
    lambda <- paste0("l", 1:p); theta <- paste0("t", 1:p)
    model <- paste0("f =~ ", paste0("NA*", v, " + ", lambda, "*", v, collapse = " + "),
      "\nf ~~ 1*f\n", paste0(v, " ~~ ", theta, "*", v, collapse = "\n"),
      "\nomega := (", paste(lambda, collapse = "+"), ")^2 / ((",
      paste(lambda, collapse = "+"), ")^2 + ", paste(theta, collapse = "+"), ")",
      "\nlogit := log(omega / (1 - omega))")
    fit <- cfa(model, complete)
    pe <- parameterEstimates(fit)
    rel <- suppressWarnings(suppressMessages(semTools::reliability(fit)))
    minres <- suppressWarnings(suppressMessages(
      fa(cor(complete), 1, fm = "pa", min.err = 1e-12, max.iter = 5000)))
    out$omega <- pe$est[pe$label == "omega"]
    out$omega_se <- pe$se[pe$label == "omega"]
    out$omega_plain <- unname(unlist(pe[pe$label == "omega", c("ci.lower", "ci.upper")]))
    out$omega_logit <- unname(plogis(unlist(pe[pe$label == "logit", c("ci.lower", "ci.upper")])))
    out$omega2 <- rel["omega", "f"]
    out$omega3 <- rel["omega3", "f"]
    sink(nullfile())
    out$omega_minres <- suppressWarnings(suppressMessages(
      psych::omega(complete, nfactors = 1, plot = FALSE)))$omega.tot
    sink()
    out$omega_minres_tight <- 1 - sum(minres$uniquenesses) / sum(cor(complete))
  }
  out
}
write_json(list(psych = as.character(packageVersion("psych")),
    lavaan = as.character(packageVersion("lavaan")),
    semTools = as.character(packageVersion("semTools")),
    scales = lapply(scales, one)),
  file.path(here, "reliability.json"), digits = 12, auto_unbox = TRUE)
