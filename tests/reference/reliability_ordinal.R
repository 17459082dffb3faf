# Reference values for tests/analysis/test_reliability_ordinal.py
# Rscript tests/reference/reliability_ordinal.R   (lavaan 0.6-14, semTools 0.5-6)
# Categorical omega of one and two factors; standard errors by the delta method with
# numeric slopes. Also simulates reliability_sparse.csv and reliability_nine.csv.
suppressMessages({library(lavaan); library(semTools); library(psych); library(jsonlite)})
here <- "tests/reference"
set.seed(7)
simulate <- function(n, loadings, cuts) {
  f <- rnorm(n)
  as.data.frame(sapply(seq_along(loadings), function(j) {
    y <- loadings[j] * f + sqrt(1 - loadings[j]^2) * rnorm(n)
    findInterval(y, cuts + .15 * (j - 3)) + 1L
  }))
}
sparse <- simulate(260, c(.8, .7, .75, .6, .5, .65), c(.4, .9, 1.3, 1.7, 2.1))
names(sparse) <- paste0("s", 1:6)
nine <- simulate(300, c(.85, .7, .6, .75), c(-1.6, -1.1, -.7, -.3, .1, .5, .9, 1.4))
names(nine) <- paste0("n", 1:4)
write.csv(sparse, file.path(here, "reliability_sparse.csv"), row.names = FALSE)
write.csv(nine, file.path(here, "reliability_nine.csv"), row.names = FALSE)
data(bfi)
bfi[c("A1", "E1", "E2")] <- 7 - bfi[c("A1", "E1", "E2")]

# Green and Yang (2009), eq. 21, from their paper.
sums <- function(R, cuts) {
  total <- 0
  for (i in seq_along(cuts)) for (j in seq_along(cuts)) {
    g <- expand.grid(a = cuts[[i]], b = cuts[[j]])
    both <- if (i == j && R[i, j] == 1) pnorm(pmin(g$a, g$b)) else
      pbivnorm::pbivnorm(g$a, g$b, rho = R[i, j])
    total <- total + sum(both - pnorm(g$a) * pnorm(g$b))
  }
  total
}
green_yang <- function(common, R, cuts) sums(common, cuts) / sums(R, cuts)
# Of a one-factor model at a vector of loadings and thresholds (delta, std.lv).
at <- function(par, p, lengths) {
  lambda <- par[1:p]
  cuts <- split(par[-(1:p)], rep(1:p, lengths))
  common <- tcrossprod(lambda); R <- common; diag(R) <- 1
  c(green_yang(common, R, cuts), sum(lambda)^2 / sum(R))
}
one <- function(x) {
  n_rows <- nrow(x); x <- na.omit(x); p <- ncol(x)
  model <- paste("f =~", paste(names(x), collapse = " + "))
  fit <- cfa(model, x, ordered = TRUE, estimator = "WLSMV", std.lv = TRUE)
  e <- lavInspect(fit, "est")
  lambda <- unname(e$lambda[, 1])
  lengths <- sapply(x, function(v) length(unique(v)) - 1)
  par <- c(lambda, e$tau[, 1])
  V <- vcov(fit)[seq_along(par), seq_along(par)]
  J <- sapply(seq_along(par), function(k) {
    h <- replace(numeric(length(par)), k, 1e-4)
    (8 * (at(par + h, p, lengths) - at(par - h, p, lengths)) -
      (at(par + 2 * h, p, lengths) - at(par - 2 * h, p, lengths))) / (12 * 1e-4)
  })
  rel <- suppressWarnings(suppressMessages(semTools::reliability(fit)))
  relf <- function(...) as.numeric(suppressWarnings(compRelSEM(fit, ...)))
  list(n_rows = n_rows, n_obs = nrow(x), items = names(x), lambda = lambda,
    thresholds = unname(split(unname(e$tau[, 1]), rep(1:p, lengths))),
    R = unname(unclass(lavInspect(fit, "sampstat")$cov)[1:p, 1:p]),
    alpha_ord = rel["alpha.ord", "f"], omega = rel["omega", "f"], omega3 = rel["omega3", "f"],
    ave = rel["avevar", "f"], latent = relf(ord.scale = FALSE, obs.var = FALSE),
    latent3 = relf(ord.scale = FALSE), comp = relf(), comp_implied = relf(obs.var = FALSE),
    own = at(par, p, lengths), se = sqrt(diag(J %*% V %*% t(J))))
}
both <- na.omit(bfi[c(11:15, 16:20)])
two <- cfa("E =~ E1 + E2 + E3 + E4 + E5\nN =~ N1 + N2 + N3 + N4 + N5", both,
           ordered = TRUE, estimator = "WLSMV", std.lv = TRUE)
rel2 <- suppressWarnings(suppressMessages(semTools::reliability(two)))
lat2 <- suppressWarnings(compRelSEM(two, ord.scale = FALSE, obs.var = FALSE))
# Two groups, and a Schmid-Leiman solution of polychoric correlations.
bfi[c("C4", "C5")] <- 7 - bfi[c("C4", "C5")]
men <- na.omit(bfi[c(16:20, 26)])
groups <- cfa("N =~ N1 + N2 + N3 + N4 + N5", men, ordered = paste0("N", 1:5),
              estimator = "WLSMV", group = "gender", std.lv = TRUE)
relg <- suppressWarnings(suppressMessages(semTools::reliability(groups)))
# Equal thresholds and loadings (Wu and Estabrook, 2016): latent responses differ in
# mean and variance, so that thresholds are standardised by hand.
equal <- suppressWarnings(measEq.syntax(configural.model = "N =~ N1 + N2 + N3 + N4 + N5",
  data = men, ordered = paste0("N", 1:5), parameterization = "theta", ID.fac = "std.lv",
  ID.cat = "Wu.Estabrook.2016", group = "gender", estimator = "WLSMV",
  group.equal = c("thresholds", "loadings"), return.fit = TRUE))
by_hand <- lapply(lavInspect(equal, "est"), function(e) {
  Sigma <- e$lambda %*% e$psi %*% t(e$lambda) + e$theta
  sd <- sqrt(diag(Sigma))
  mean <- (e$nu + e$lambda %*% e$alpha)[, 1]
  cuts <- split(e$tau[, 1], rep(1:5, each = 5))
  cuts <- Map(function(t, m, s) (t - m) / s, cuts, mean, sd)
  common <- unclass(e$lambda %*% e$psi %*% t(e$lambda)) / tcrossprod(sd)
  R <- unclass(Sigma) / tcrossprod(sd); diag(R) <- 1
  green_yang(common, R, cuts)
})
ACE <- na.omit(bfi[1:15])
second <- cfa(paste0("A =~ A1 + A2 + A3 + A4 + A5\nC =~ C1 + C2 + C3 + C4 + C5\n",
  "E =~ E1 + E2 + E3 + E4 + E5\ng =~ A + C + E"), ACE, ordered = TRUE, estimator = "WLSMV")
higher <- suppressWarnings(compRelSEM(second, higher = "g", ord.scale = FALSE,
                                      obs.var = FALSE))
sink(nullfile())
sl <- suppressWarnings(suppressMessages(psych::omega(
  unclass(lavCor(ACE, ordered = names(ACE))), nfactors = 3, flip = FALSE, plot = FALSE)))
sink()
write_json(list(lavaan = as.character(packageVersion("lavaan")),
    semTools = as.character(packageVersion("semTools")),
    pbivnorm = as.character(packageVersion("pbivnorm")), R = as.character(getRversion()),
    scales = list(A = one(bfi[1:5]), N = one(bfi[16:20]), sparse = one(sparse),
                  nine = one(nine)),
    two = list(n_obs = nrow(both), omega = unname(rel2["omega", ]),
      omega3 = unname(rel2["omega3", ]), latent = as.numeric(lat2),
      ave = unname(rel2["avevar", ])),
    groups = list(label = lavInspect(groups, "group.label"), n_obs = nobs(groups),
      omega = unname(sapply(relg, function(r) r["omega", "N"])),
      omega3 = unname(sapply(relg, function(r) r["omega3", "N"])),
      equal = unname(unlist(by_hand))),
    second = as.list(higher),
    schmid = list(n_obs = nrow(ACE), omega_h = sl$omega_h, omega = sl$omega.tot,
      ecv = unname(sl$ECV))),
  file.path(here, "reliability_ordinal.json"), digits = 12, auto_unbox = TRUE)
