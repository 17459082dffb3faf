# Reference values for tests/analysis/test_dyads.py; writes dyads.csv and .json.
# Rscript tests/reference/dyads.R
suppressMessages({library(sandwich); library(lmtest); library(jsonlite)})
here <- "tests/reference"
set.seed(1123)
G <- 90
u <- rnorm(G); v <- rnorm(G)
d <- data.frame(couple = rep(sprintf("c%03d", seq_len(G)), each = 2),
  role = rep(c("follower", "leader"), G))
d$withdrawal <- round(2.5 + .5 * rep(u, each = 2) + .8 * rnorm(2 * G), 3)
other <- d$withdrawal[rep(c(2, 1), G) + 2 * rep(0:(G - 1), each = 2)]
d$length <- rep(sample(1:25, G, replace = TRUE), each = 2)
leader <- d$role == "leader"
d$satisfaction <- round(5 - ifelse(leader, .7, .4) * d$withdrawal -
  ifelse(leader, .3, .2) * other + .02 * d$length + .5 * rep(v, each = 2) + .7 * rnorm(2 * G), 3)
d$satisfaction[c(11, 50)] <- NA
d <- d[-c(4, 101, 160), ]
d <- d[sample(nrow(d)), ]
write.csv(d, file.path(here, "dyads.csv"), row.names = FALSE)

d <- d[complete.cases(d), ]
d <- d[d$couple %in% names(which(table(d$couple) == 2)), ]
d <- d[order(d$couple, d$role), ]
d$partner <- d$withdrawal[seq_len(nrow(d)) + c(1, -1)]
d$actor <- d$withdrawal
G <- length(unique(d$couple))
table_of <- function(fit) {
  V <- vcovCL(fit, d$couple, type = "HC1")
  ct <- coeftest(fit, V, df = G - 1); ci <- coefci(fit, vcov. = V, df = G - 1)
  data.frame(term = rownames(ct), estimate = ct[, 1], std_error = ct[, 2], statistic = ct[, 3],
    p_value = ct[, 4], conf_low = ci[, 1], conf_high = ci[, 2])
}
pooled <- lm(satisfaction ~ actor + partner + length, d)
roles <- lm(satisfaction ~ 0 + role + role:actor + role:partner + length, d)
V <- vcovCL(roles, d$couple, type = "HC1")
equal <- function(rows) {
  C <- matrix(0, length(rows), length(coef(roles)), dimnames = list(NULL, names(coef(roles))))
  for (i in seq_along(rows)) C[i, paste0("role", c("follower", "leader"), ":", rows[i])] <- c(1, -1)
  F <- drop(t(C %*% coef(roles)) %*% solve(C %*% V %*% t(C), C %*% coef(roles))) / nrow(C)
  c(F, pf(F, nrow(C), G - 1, lower.tail = FALSE))
}
# Fieller's set: the ratios r at which |partner - r actor| is within t standard errors.
Vp <- vcovCL(pooled, d$couple, type = "HC1"); b <- coef(pooled); t <- qt(.975, G - 1)
inside <- function(r) (b["partner"] - r * b["actor"])^2 -
  t^2 * (Vp["partner", "partner"] - 2 * r * Vp["actor", "partner"] + r^2 * Vp["actor", "actor"])
k <- unname(b["partner"] / b["actor"])
root <- function(a, b) uniroot(inside, c(a, b), tol = 1e-13)$root
first <- d$role == "follower"
both <- function(x) cor(c(x[first], x[!first]), c(x[!first], x[first]))
out <- list(versions = list(R = as.character(getRversion()), sandwich = as.character(packageVersion("sandwich")),
  lmtest = as.character(packageVersion("lmtest"))), n_couples = G, pooled = table_of(pooled),
  roles = table_of(roles), actor = equal("actor"), partner = equal("partner"),
  joint = equal(c("actor", "partner")), k = c(k, root(k - 5, k), root(k, k + 5)),
  icc = c(both(d$satisfaction), both(d$withdrawal)),
  pearson = c(cor(d$satisfaction[first], d$satisfaction[!first]), cor(d$withdrawal[first], d$withdrawal[!first])))
write_json(out, file.path(here, "dyads.json"), digits = 12, auto_unbox = TRUE, pretty = FALSE)
