# Reference values for tests/analysis/test_regression*.py, test_moderation.py,
# test_incremental.py and test_diagnostic.py; writes regression.csv and .json.
# Rscript tests/reference/regression.R
suppressMessages({
  library(sandwich); library(lmtest); library(MASS); library(car); library(pROC)
  library(boot); library(jsonlite)
})
here <- "tests/reference"
set.seed(20261123)
n <- 240
d <- data.frame(couple = rep(seq_len(n / 2), each = 2))
shared <- rep(rnorm(n / 2), each = 2)
d$withdrawal <- round(3 + .6 * shared + .8 * rnorm(n), 3)
d$support <- round(4 + .3 * shared + rnorm(n), 3)
d$age <- sample(20:65, n, replace = TRUE)
d$gender <- sample(c("man", "other", "woman"), n, replace = TRUE, prob = c(.45, .1, .45))
d$satisfaction <- round(5 - .8 * d$withdrawal + .25 * d$support +
  .35 * (d$withdrawal - 3) * (d$support - 4) + .3 * (d$gender == "woman") +
  .4 * shared + rnorm(n, sd = .4 + .25 * abs(d$withdrawal - 3)), 3)
d$commitment <- cut(d$satisfaction + 1.2 * rlogis(n), c(-Inf, 2, 3.4, 4.8, Inf),
  labels = c("low", "some", "much", "full"))
d$parted <- as.integer(-1.6 + .7 * (d$withdrawal - 3) - .3 * (d$support - 4) + rlogis(n) > 0)
d$age[c(5, 77, 140)] <- NA
d$support[c(9, 77)] <- NA
write.csv(d, file.path(here, "regression.csv"), row.names = FALSE)
d$gender <- factor(d$gender)

named <- function(x) {
  x <- sub("(Intercept)", "Intercept", x, fixed = TRUE)
  gsub("gender(other|woman)", "gender[T.\\1]", x)
}
table_of <- function(fit, V, df) {
  ct <- coeftest(fit, vcov. = V, df = df)
  ci <- coefci(fit, vcov. = V, df = df)
  data.frame(term = named(rownames(ct)), estimate = ct[, 1], std_error = ct[, 2],
    statistic = ct[, 3], p_value = ct[, 4], conf_low = ci[, 1], conf_high = ci[, 2])
}
out <- list(versions = lapply(c(sandwich = "sandwich", lmtest = "lmtest", MASS = "MASS",
  car = "car", pROC = "pROC", boot = "boot"), function(p) as.character(packageVersion(p))))
out$versions$R <- as.character(getRversion())

# --- ols -------------------------------------------------------------------------
fit <- lm(satisfaction ~ withdrawal * gender + support + log(age), d)
used <- d[complete.cases(d[, c("satisfaction", "withdrawal", "gender", "support", "age")]), ]
G <- length(unique(used$couple))
kinds <- list()
for (k in c("nonrobust", "HC0", "HC1", "HC2", "HC3")) {
  V <- if (k == "nonrobust") vcov(fit) else vcovHC(fit, k)
  w <- waldtest(fit, vcov = V)
  kinds[[k]] <- list(table = table_of(fit, V, df.residual(fit)), F = w$F[2], p = w$`Pr(>F)`[2],
    df_num = abs(w$Df[2]), df_den = w$Res.Df[1])
}
V <- vcovCL(fit, used$couple)
stopifnot(all.equal(V, vcovCL(fit, used$couple, type = "HC1", cadjust = TRUE)))
b <- coef(fit)[-1]
F <- drop(t(b) %*% solve(V[-1, -1], b)) / length(b)
kinds$cluster <- list(table = table_of(fit, V, G - 1), F = F,
  p = pf(F, length(b), G - 1, lower.tail = FALSE), df_num = length(b), df_den = G - 1)
s <- summary(fit)
z <- used; for (v in c("satisfaction", "withdrawal", "support")) z[[v]] <- drop(scale(z[[v]]))
z$age <- drop(scale(log(z$age)))
std <- lm(satisfaction ~ withdrawal * gender + support + age, z)
std_table <- data.frame(term = named(names(coef(std))), std_all = coef(std))
std_table$term[std_table$term == "age"] <- "log(age)"
plain <- lm(satisfaction ~ withdrawal + gender + support, d)
vf <- vif(plain)
out$ols <- list(formula = "satisfaction ~ withdrawal * gender + support + log(age)",
  n_obs = nobs(fit), n_dropped = nrow(d) - nobs(fit), kinds = kinds, r_squared = s$r.squared,
  adj_r_squared = s$adj.r.squared, sigma = s$sigma, aic = AIC(fit), bic = BIC(fit),
  log_lik = as.numeric(logLik(fit)), std = std_table,
  vif = data.frame(term = rownames(vf), df = vf[, 2], vif = vf[, 1]))
poly <- lm(satisfaction ~ I(withdrawal^2) + scale(support) + withdrawal:support, d)
out$functions <- list(estimate = unname(coef(poly)))
none <- lm(satisfaction ~ 0 + gender + withdrawal, d)
out$no_intercept <- list(r_squared = summary(none)$r.squared,
  adj_r_squared = summary(none)$adj.r.squared, estimate = unname(coef(none)))

# --- hierarchical ----------------------------------------------------------------
m1 <- lm(satisfaction ~ age + gender, used)
m2 <- lm(satisfaction ~ age + gender + withdrawal + support, used)
m3 <- lm(satisfaction ~ age + gender + withdrawal + support + withdrawal:support, used)
m0 <- lm(satisfaction ~ 1, used)
models <- list(m0, m1, m2, m3)
steps <- lapply(2:4, function(i) {
  a <- anova(models[[i - 1]], models[[i]])
  w <- waldtest(models[[i - 1]], models[[i]], vcov = function(x) vcovHC(x, "HC3"))
  r <- summary(models[[i]])$r.squared
  list(r_squared = r, delta = r - summary(models[[i - 1]])$r.squared, f_change = a$F[2],
    df_num = a$Df[2], df_den = a$Res.Df[2], p_change = a$`Pr(>F)`[2], f_robust = w$F[2],
    p_robust = w$`Pr(>F)`[2], aic = AIC(models[[i]]), bic = BIC(models[[i]]))
})
delta <- function(x, i) {
  x <- x[i, ]
  summary(lm(satisfaction ~ age + gender + withdrawal + support, x))$r.squared -
    summary(lm(satisfaction ~ age + gender, x))$r.squared
}
set.seed(1)
bt <- boot(used, delta, R = 4000)
out$hierarchical <- list(n_obs = nrow(used), steps = steps,
  bca = boot.ci(bt, type = "bca")$bca[4:5])

# --- logistic --------------------------------------------------------------------
g <- glm(parted ~ withdrawal + support + gender, binomial, d,
  control = glm.control(epsilon = 1e-14, maxit = 100))
gd <- d[complete.cases(d[, c("parted", "withdrawal", "support", "gender")]), ]
g0 <- glm(parted ~ 1, binomial, gd)
out$logistic <- list(formula = "parted ~ withdrawal + support + gender", n_obs = nobs(g),
  kinds = list(nonrobust = table_of(g, vcov(g), Inf), HC0 = table_of(g, vcovHC(g, "HC0"), Inf),
    HC1 = table_of(g, vcovHC(g, "HC1"), Inf), cluster = table_of(g, vcovCL(g, gd$couple), Inf)),
  odds = unname(exp(cbind(coef(g), confint.default(g)))), log_lik = as.numeric(logLik(g)),
  aic = AIC(g), bic = BIC(g), mcfadden = 1 - as.numeric(logLik(g)) / as.numeric(logLik(g0)),
  auc = as.numeric(auc(gd$parted, fitted(g), quiet = TRUE)))

# --- ordinal ---------------------------------------------------------------------
out$ordinal <- lapply(c(logit = "logistic", probit = "probit"), function(method) {
  o <- polr(commitment ~ withdrawal + support + gender, d, Hess = TRUE, method = method,
    control = list(reltol = 1e-15, maxit = 1000))
  s <- summary(o)$coefficients
  list(term = named(rownames(s)), estimate = unname(s[, 1]), std_error = unname(s[, 2]),
    log_lik = as.numeric(logLik(o)), aic = AIC(o), n_obs = nobs(o))
})

# --- moderation ------------------------------------------------------------------
md <- d[complete.cases(d[, c("satisfaction", "withdrawal", "support", "age")]), ]
md$f <- md$withdrawal - mean(md$withdrawal); md$m <- md$support - mean(md$support)
mo <- lm(satisfaction ~ age + f * m, md)
out$moderation <- lapply(c(HC3 = "HC3", cluster = "cluster"), function(k) {
  V <- if (k == "HC3") vcovHC(mo, "HC3") else vcovCL(mo, md$couple)
  df <- if (k == "HC3") df.residual(mo) else length(unique(md$couple)) - 1
  at <- c(-1, 0, 1) * sd(md$m)
  slope <- coef(mo)["f"] + coef(mo)["f:m"] * at
  se <- sqrt(V["f", "f"] + 2 * at * V["f", "f:m"] + at^2 * V["f:m", "f:m"])
  t2 <- qt(.975, df)^2
  A <- coef(mo)["f:m"]^2 - t2 * V["f:m", "f:m"]
  B <- 2 * (coef(mo)["f"] * coef(mo)["f:m"] - t2 * V["f", "f:m"])
  C <- coef(mo)["f"]^2 - t2 * V["f", "f"]
  roots <- sort((-B + c(-1, 1) * sqrt(B^2 - 4 * A * C)) / (2 * A))
  all_slopes <- coef(mo)["f"] + coef(mo)["f:m"] * md$m
  all_se <- sqrt(V["f", "f"] + 2 * md$m * V["f", "f:m"] + md$m^2 * V["f:m", "f:m"])
  list(interaction = unname(coeftest(mo, V, df = df)["f:m", ]), at = at + mean(md$support),
    slope = unname(slope), std_error = unname(se),
    p_value = unname(2 * pt(-abs(slope / se), df)), bounds = unname(roots + mean(md$support)),
    outside = unname(A > 0), share = mean(abs(all_slopes / all_se) >= sqrt(t2)))
})

# --- incremental -----------------------------------------------------------------
# Leaving one couple out at a time has no randomness: out-of-fold R squared.
left_out <- function(formula, x) {
  e <- t <- numeric(nrow(x))
  for (cp in unique(x$couple)) {
    i <- x$couple == cp
    e[i] <- x$satisfaction[i] - predict(lm(formula, x[!i, ]), x[i, ])
    t[i] <- x$satisfaction[i] - mean(x$satisfaction[!i])
  }
  1 - sum(e^2) / sum(t^2)
}
out$incremental <- list(base = left_out(satisfaction ~ age + gender, used),
  full = left_out(satisfaction ~ age + gender + withdrawal + support, used), n_couples = G)
V <- vcovCL(m2, used$couple); k <- c("withdrawal", "support")
F <- drop(t(coef(m2)[k]) %*% solve(V[k, k], coef(m2)[k])) / 2
out$incremental$F <- F; out$incremental$p <- pf(F, 2, G - 1, lower.tail = FALSE)

# --- diagnostic ------------------------------------------------------------------
out$diagnostic <- lapply(c(withdrawal = "withdrawal", support = "support"), function(s) {
  x <- d[!is.na(d[[s]]), ]
  r <- roc(x$parted, x[[s]], direction = "<", quiet = TRUE)
  ci <- ci.auc(r)
  cut <- if (s == "withdrawal") 3 else 4
  y <- x[[s]] >= cut
  w <- function(h, m) as.numeric(prop.test(sum(h), m, correct = FALSE)$conf.int)
  e <- x$parted == 1
  best <- coords(r, "best", best.method = "youden", ret = c("sensitivity", "specificity"))
  list(auc = as.numeric(ci[2]), low = ci[1], high = ci[3], se = sqrt(var(r)), cut = cut,
    sensitivity = mean(y[e]), sensitivity_ci = w(y[e], sum(e)),
    specificity = mean(!y[!e]), specificity_ci = w(!y[!e], sum(!e)),
    ppv = mean(e[y]), ppv_ci = w(e[y], sum(y)), npv = mean(!e[!y]),
    youden = best$sensitivity[1] + best$specificity[1], n_obs = nrow(x), n_events = sum(e))
})
write_json(out, file.path(here, "regression.json"), digits = 12, auto_unbox = TRUE, pretty = FALSE)
