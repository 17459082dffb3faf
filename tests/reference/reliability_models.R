# Reference values for tests/analysis/test_reliability_models.py
# Rscript tests/reference/reliability_models.R   (lavaan 0.6-14, semTools 0.5-6)
# Reliability of fitted models: correlated factors, second order, bifactor, two groups.
# Standard errors are those of defined parameters. Reads hs1939.csv, sem_bifactor.csv.
suppressMessages({library(lavaan); library(semTools); library(jsonlite)})
here <- "tests/reference"
hs <- read.csv(file.path(here, "hs1939.csv"))
nine <- read.csv(file.path(here, "sem_bifactor.csv"))
quiet <- function(expr) suppressWarnings(suppressMessages(expr))
plain <- function(x) as.list(as.data.frame(unclass(x)))
paren <- function(...) paste0("(", paste(..., sep = "", collapse = " + "), ")")
parts <- list(visual = paste0("x", 1:3), textual = paste0("x", 4:6), speed = paste0("x", 7:9))
defined <- function(fit) {
  p <- parameterEstimates(fit)
  p <- p[p$op == ":=", ]
  list(term = p$lhs, estimate = p$est, se = p$se)
}
loadings <- function(items, label) paste0(label, seq_along(items), "*", items, collapse = " + ")
variances <- function(items) paste0(items, " ~~ t", items, "*", items, collapse = "\n")

# Three factors with a residual covariance; terms of each factor from labels.
factor_terms <- function(name, items) {
  l <- paste0(name, seq_along(items)); t <- paste0("t", items)
  common <- paste0(paren(l), "^2"); square <- paste0(l, "^2")
  error <- if (name == "speed") paste0(paren(t), " + 2*c78") else paren(t)
  paste0(name, "_omega := ", common, " / (", common, " + ", error, ")\n",
    name, "_ave := ", paren(square), " / (", paren(square), " + ", paren(t), ")\n",
    name, "_ave_std := ", paren(square, "/(", square, " + ", t, ")"), "/", length(items), "\n")
}
model3 <- paste0(paste0(names(parts), " =~ ", mapply(loadings, parts, names(parts)),
    collapse = "\n"), "\n", variances(unlist(parts)), "\nx7 ~~ c78*x8\n",
  paste0(mapply(factor_terms, names(parts), parts), collapse = ""))
three <- cfa(model3, hs, std.lv = TRUE)
e <- lavInspect(three, "est"); S <- lavInspect(three, "sampstat")$cov
Sigma <- lavInspect(three, "implied")$cov
truth <- e$lambda %*% e$psi %*% t(e$lambda)
best <- function(T, V) max(Re(eigen(solve(V) %*% T)$values))
single <- sapply(names(parts), function(f) {
  v <- parts[[f]]
  T <- tcrossprod(e$lambda[v, f])
  c(best(T, Sigma[v, v]), best(T, S[v, v]))
})
correlated <- list(n_obs = nobs(three), semtools = plain(quiet(semTools::reliability(three))),
  ave = as.numeric(AVE(three)), maximal3_total = as.numeric(maximalRelia(three)[1]),
  maximal_total = best(truth, Sigma), maximal = single[1, ], maximal3 = single[2, ],
  total = as.numeric(quiet(compRelSEM(three, return.total = TRUE))["total"]),
  defined = defined(three))

# Second order.
l1 <- mapply(loadings, parts, names(parts))
model2 <- paste0(paste0(names(parts), " =~ ", l1, collapse = "\n"),
  "\ng =~ ", loadings(names(parts), "g"), "\n", variances(unlist(parts)), "\n")
sums <- sapply(names(parts), function(f) paren(paste0(f, 1:3)))
g <- paste0("(", paste0("g", 1:3, "*", sums, collapse = " + "), ")^2")
own <- paste0("(", paste0(sums, "^2", collapse = " + "), ")")
err <- paren(paste0("t", unlist(parts)))
model2 <- paste0(model2, "omega_h := ", g, " / (", g, " + ", own, " + ", err, ")\n",
  "omega := (", g, " + ", own, ") / (", g, " + ", own, " + ", err, ")\n")
# Group factors have residual variance 1 (std.lv), so their loadings are the own parts.
second <- cfa(model2, hs, std.lv = TRUE)
second_order <- list(n_obs = nobs(second),
  implied = as.list(quiet(compRelSEM(second, higher = "g", obs.var = FALSE))),
  l2 = as.list(quiet(reliabilityL2(second, "g"))), defined = defined(second))

# Bifactor.
items <- paste0("b", 1:9)
groups <- split(items, rep(1:3, each = 3))
gl <- paste0("g", 1:9); t <- paste0("t", items)
sl <- unlist(lapply(1:3, function(k) paste0("s", k, 1:3)))
G <- paste0(paren(gl), "^2")
Sk <- sapply(1:3, function(k) paste0(paren(paste0("s", k, 1:3)), "^2"))
total <- paste0("(", G, " + ", paste(Sk, collapse = " + "), " + ", paren(t), ")")
v <- paste0("(", gl, "^2 + ", sl, "^2 + ", t, ")")
hg <- paren(gl, "^2/(", v, " - ", gl, "^2)")
bif <- paste0("g =~ ", loadings(items, "g"), "\n",
  paste0("s", 1:3, " =~ ", sapply(1:3, function(k) loadings(groups[[k]], paste0("s", k))),
    collapse = "\n"), "\n", variances(items), "\n",
  "omega := (", G, " + ", paste(Sk, collapse = " + "), ") / ", total, "\n",
  "omega_h := ", G, " / ", total, "\nomega_ratio := omega_h / omega\n",
  "ecv := ", paren(gl, "^2/", v), " / (", paren(gl, "^2/", v), " + ", paren(sl, "^2/", v), ")\n",
  "h := ", hg, " / (1 + ", hg, ")\n",
  paste0(sapply(1:3, function(k) {
    i <- (3 * k - 2):(3 * k)
    gk <- paste0(paren(gl[i]), "^2")
    vk <- paste0("(", gk, " + ", Sk[k], " + ", paren(t[i]), ")")
    paste0("s", k, "_omega_hs := ", Sk[k], " / ", vk, "\n",
      "s", k, "_omega_h := ", gk, " / ", vk)
  }), collapse = "\n"))
bi <- cfa(bif, nine, std.lv = TRUE, orthogonal = TRUE)
bifactor <- list(n_obs = nobs(bi), semtools = plain(quiet(semTools::reliability(bi))),
  implied = as.list(quiet(compRelSEM(bi, obs.var = FALSE))),
  sl = unname(lavInspect(bi, "std")$lambda), defined = defined(bi))

# Two groups.
simple <- paste0(names(parts), " =~ ", sapply(parts, paste, collapse = " + "), collapse = "\n")
schools <- cfa(simple, hs, group = "school")
both <- quiet(semTools::reliability(schools))
write_json(list(lavaan = as.character(packageVersion("lavaan")),
    semTools = as.character(packageVersion("semTools")), R = as.character(getRversion()),
    correlated = correlated, second_order = second_order, bifactor = bifactor,
    schools = list(groups = lavInspect(schools, "group.label"),
      n_obs = unname(lavInspect(schools, "nobs")), semtools = unname(lapply(both, plain)))),
  file.path(here, "reliability_models.json"), digits = 12, auto_unbox = TRUE)
