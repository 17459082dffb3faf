# Reference values for tests/analysis/test_sem_parity_ordinal.py
# Rscript tests/reference/sem_ordinal.R   (lavaan 0.6-14, semTools 0.5-6, psychTools 2.2.9)
# Ordered variables; writes sem_ordinal.json (one group), sem_ordinal_wide.json (25 items),
# sem_ordinal_paths.json (numeric and ordered variables, covariates), sem_ordinal_groups.json,
# and the tables sem_categorical.csv, sem_ordinal.csv, sem_couples.csv, sem_nine.csv.
source("tests/reference/sem_case.R")
cut_at <- function(y, at) as.integer(cut(y, c(-Inf, at, Inf)))

bfi <- psychTools::bfi
items <- paste0(rep(c("A", "C", "E", "N", "O"), each = 5), 1:5)
binary <- bfi; binary[items] <- lapply(bfi[items], function(x) as.numeric(x > 3))
complete <- bfi[complete.cases(bfi[items]), ]
categorical <- keep_table(semTools::datCat, "sem_categorical")

# Factors, ordered and numeric items, covariates, ordered and numeric outcomes.
set.seed(20271); n <- 420
z1 <- rnorm(n); z2 <- rbinom(n, 1, .4); team <- sample(c("red", "blue"), n, TRUE, c(.6, .4))
f <- .4 * z1 - .5 * z2 + rnorm(n); g <- .5 * f + .3 * z1 + rnorm(n, 0, .8)
m <- .5 * f + .3 * z1 + rnorm(n, 0, .8)
mixed <- data.frame(
  a1 = cut_at(.9 * f + rnorm(n, 0, .7), c(-1.2, -.3, .5, 1.3)), a2 = cut_at(.8 * f + rnorm(n, 0, .7), c(-1, 0, .6, 1.5)),
  a3 = cut_at(.7 * f + rnorm(n, 0, .8), c(-.8, .1, .9)), a4 = cut_at(.8 * f + rnorm(n, 0, .9), c(-.2, .8)),
  b1 = cut_at(.9 * g + rnorm(n, 0, .6), .2), b2 = cut_at(.8 * g + rnorm(n, 0, .7), c(-.5, .7)),
  c1 = round(3 + g + rnorm(n, 0, .7), 3), c2 = round(-1 + .7 * g + rnorm(n, 0, .8), 3),
  m = cut_at(m, c(-.7, .2, 1)), o = cut_at(.5 * m + .4 * g + .2 * z1 + rnorm(n, 0, .8), c(-.6, .3, 1.2)),
  y = round(10 + .6 * m + .3 * z1 - .4 * z2 + rnorm(n), 3), z1 = round(z1, 3), z2 = z2, team = team)
mixed$z3 <- round(.3 * z1 + rnorm(n, 2, .8), 2)
mixed <- keep_table(mixed, "sem_ordinal")
gaps <- mixed
for (k in seq_along(gaps)[1:11]) gaps[seq(3 * k, n, by = 19 + 2 * k), k] <- NA
gaps <- keep_table(gaps, "sem_ordinal_gaps")

# Couples who both answer four items; few say 4 or 5, and partners' items share residuals.
set.seed(20272); n <- 240
hers <- rnorm(n); his <- .5 * hers + rnorm(n, 0, .87)
couples <- data.frame(row.names = 1:n)
for (k in 1:4) {
  shared <- rnorm(n, 0, .4)
  couples[[paste0("w", k)]] <- cut_at(c(.9, .8, .7, .8)[k] * hers + shared + rnorm(n, 0, .6), c(.2, .9, 1.5, 2))
  couples[[paste0("m", k)]] <- cut_at(c(.8, .8, .7, .9)[k] * his + shared + rnorm(n, 0, .6), c(.1, .9, 1.5, 2.1))
}
couples <- keep_table(couples, "sem_couples")

# Nine-point answers.
set.seed(20273); n <- 350
trait <- rnorm(n)
nine <- as.data.frame(lapply(setNames(1:5, paste0("q", 1:5)), function(k)
  pmin(pmax(round(5.5 + c(1.6, 1.4, 1.2, 1.5, 1)[k] * trait + rnorm(n, 0, 1.3)), 1), 9)))
nine <- keep_table(nine, "sem_nine")

tables <- list(bfi = bfi, bfi_complete = complete, bfi_binary = binary, sem_categorical = categorical, sem_ordinal = mixed,
  sem_ordinal_gaps = gaps, sem_couples = couples, sem_nine = nine)

two <- "A =~ A1 + A2 + A3 + A4 + A5\nN =~ N1 + N2 + N3 + N4 + N5"
five <- paste0(c("A", "C", "E", "N", "O"), " =~ ", sapply(c("A", "C", "E", "N", "O"),
  function(k) paste0(k, 1:5, collapse = " + ")), collapse = "\n")
few <- "A =~ A1 + A2 + A3 + A4\nN =~ N1 + N2 + N3\nE =~ E1 + E2 + E3"
every <- c("WLS", "DWLS", "WLSM", "WLSMV", "WLSMVS", "ULS", "ULSM", "ULSMV")
ordinal <- function(...) list(ordered = TRUE, ...)
specs <- list()
add <- function(name, ...) specs[[name]] <<- list(...)

for (e in every) {
  add(paste0("ten_", e), two, "bfi", ordinal(estimator = e))
  add(paste0("ten_theta_", e), two, "bfi", ordinal(estimator = e, parameterization = "theta"))
  add(paste0("binary_", e), two, "bfi_binary", ordinal(estimator = e))
}
for (e in c("WLS", "WLSMV", "ULSMV")) {
  add(paste0("ten_std_lv_", e), two, "bfi", ordinal(estimator = e, std.lv = TRUE))
  add(paste0("ten_pairwise_", e), two, "bfi", ordinal(estimator = e, missing = "pairwise"))
}
add("ten_complete", two, "bfi_complete", ordinal())
add("binary_theta_WLSMV", two, "bfi_binary", ordinal(parameterization = "theta", std.lv = TRUE))
add("binary_pairwise_WLSMV", two, "bfi_binary", ordinal(missing = "pairwise"))
add("second_order", paste0(few, "\ng =~ A + N + E"), "bfi", ordinal())
add("second_order_theta", paste0(few, "\ng =~ A + N + E"), "bfi", ordinal(parameterization = "theta", std.lv = TRUE))
add("bifactor", paste0("g =~ ", paste(c(paste0("N", 1:5), paste0("C", 1:5)), collapse = " + "),
  "\nn =~ N1 + N2 + N3\nc =~ C1 + C2 + C3 + C4 + C5"), "bfi", ordinal(orthogonal = TRUE, std.lv = TRUE))
add("residuals", paste0(two, "\nN1 ~~ N2\nA2 ~~ r*A3\nN3 ~~ r*N5"), "bfi", ordinal())
add("residuals_theta", paste0(two, "\nN1 ~~ N2\nA2 ~~ r*A3\nN3 ~~ r*N5"), "bfi", ordinal(parameterization = "theta"))
add("equal_loadings", "A =~ NA*A1 + A2 + a*A3 + b*A4 + b*A5\nN =~ N1 + n*N2 + n*N3 + N4 + N5\nA ~~ 1*A\na == b + 0.1\nratio := a / n",
  "bfi", ordinal(estimator = "WLSMV"))
add("thresholds", paste0(two, "\nA4 | t1 + s*t2 + t3 + t4 + t5\nA5 | a*t1 + s*t2\nN1 | b*t1 + 0.3*t3\nN4 | c*t1\nspread := b - a\nc == b - 0.2"),
  "bfi", ordinal())
add("thresholds_theta", paste0(two, "\nA4 | s*t2\nA5 | s*t2\nN1 | 0*t1\nN1 ~ NA*1\nN2 | 0*t1\nN2 ~ NA*1"), "bfi",
  ordinal(parameterization = "theta"))
add("scales", paste0(two, "\nA1 ~*~ 0.5*A1\nN1 ~*~ 2*N1"), "bfi", ordinal())
add("categorical", "f1 =~ u1 + u2 + u3 + u4\nf2 =~ u5 + u6 + u7 + u8", "sem_categorical", ordinal())
partners <- "W =~ w1 + w2 + w3 + w4\nM =~ m1 + m2 + m3 + m4\nw1 ~~ m1\nw2 ~~ m2\nw3 ~~ m3\nw4 ~~ m4"
equal <- "W =~ w1 + a*w2 + b*w3 + c*w4\nM =~ m1 + a*m2 + b*m3 + c*m4\nw1 ~~ m1\nw2 ~~ m2\nw3 ~~ m3\nw4 ~~ m4\nW ~~ v*W\nM ~~ v*M"
for (e in c("WLSMV", "ULSMV", "WLS")) {
  add(paste0("couples_", e), partners, "sem_couples", ordinal(estimator = e))
  add(paste0("nine_", e), paste("q =~", paste0("q", 1:5, collapse = " + ")), "sem_nine", ordinal(estimator = e))
}
add("couples_theta", equal, "sem_couples", ordinal(parameterization = "theta"))
write_cases(cases_of(specs, tables), "sem_ordinal")

specs <- list()
for (e in c("WLSMV", "WLSM", "ULSMV", "DWLS")) add(paste0("bfi_", e), five, "bfi", ordinal(estimator = e))
add("bfi_theta", five, "bfi", ordinal(parameterization = "theta"))
add("bfi_std_lv", five, "bfi", ordinal(std.lv = TRUE))
add("bfi_pairwise", five, "bfi", ordinal(missing = "pairwise"))
write_cases(cases_of(specs, tables), "sem_ordinal_wide")

specs <- list()
named <- c(paste0("a", 1:4), "b1", "b2")
both <- "f =~ a1 + a2 + a3 + a4\ng =~ b1 + b2 + c1 + c2"
for (e in every) {
  add(paste0("mixed_", e), both, "sem_ordinal", list(estimator = e, ordered = named))
}
for (e in c("WLSMV", "WLS", "ULSMV")) {
  add(paste0("mixed_theta_", e), both, "sem_ordinal", list(estimator = e, ordered = named, parameterization = "theta"))
  add(paste0("mixed_std_lv_", e), both, "sem_ordinal", list(estimator = e, ordered = named, std.lv = TRUE))
  add(paste0("mixed_gaps_", e), both, "sem_ordinal_gaps", list(estimator = e, ordered = named, missing = "pairwise"))
  add(paste0("mixed_listwise_", e), both, "sem_ordinal_gaps", list(estimator = e, ordered = named))
}
outcomes <- c(named, "m", "o")
latent <- paste0(both, "\ng ~ b*f\no ~ c*g + d*f\ny ~ g\nindirect := b*c\ntotal := d + b*c")
covariates <- paste0(both, "\nf ~ z1 + z2\ng ~ f + z1\no ~ g + z2")
mimic <- paste0(both, "\nf ~ z1 + z2\ng ~ z1 + z2\na3 ~ z2\nc1 ~ z1")
observed <- "m ~ a*z1 + z2\no ~ b*m + c*z1\nindirect := a*b"
numeric_end <- "m ~ a*z1 + z2\ny ~ b*m + c*z1 + z2\nindirect := a*b"
regression <- "o ~ z1 + z2"
two_outcomes <- "o ~ z1 + z2\ny ~ z1 + z2\nm ~ z1 + z2"
structural <- list(latent = latent, covariates = covariates, mimic = mimic, observed = observed,
  numeric_end = numeric_end, regression = regression, two_outcomes = two_outcomes)
for (s in names(structural)) {
  names_of <- intersect(outcomes, unlist(strsplit(structural[[s]], "[^a-z0-9]+")))
  if (s %in% c("observed", "numeric_end", "two_outcomes", "regression")) names_of <- setdiff(names_of, named)
  o <- list(ordered = names_of)
  add(paste0(s, "_WLSMV"), structural[[s]], "sem_ordinal", o, "sem")
  add(paste0(s, "_theta"), structural[[s]], "sem_ordinal", c(o, parameterization = "theta"), "sem")
  # Mean and variance of a binary covariate determine each other, which lavaan does not see.
  metric <- gsub("z2", "z3", structural[[s]])
  if (s %in% c("covariates", "mimic"))
    add(paste0(s, "_joint"), metric, "sem_ordinal", c(o, conditional.x = FALSE), "sem")
  if (s == "covariates")
    add(paste0(s, "_random"), metric, "sem_ordinal", c(o, fixed.x = FALSE, conditional.x = FALSE), "sem")
  if (s %in% c("covariates", "mimic", "latent", "observed")) {
    add(paste0(s, "_ULSMV"), structural[[s]], "sem_ordinal", c(o, estimator = "ULSMV"), "sem")
    add(paste0(s, "_WLS"), structural[[s]], "sem_ordinal", c(o, estimator = "WLS"), "sem")
    add(paste0(s, "_gaps"), structural[[s]], "sem_ordinal_gaps", c(o, missing = "pairwise"), "sem")
    add(paste0(s, "_groups"), structural[[s]], "sem_ordinal", c(o, group = "team"), "sem")
  }
}
add("mimic_DWLS", mimic, "sem_ordinal", list(ordered = named, estimator = "DWLS"), "sem")
add("latent_std_lv", latent, "sem_ordinal", list(ordered = c(named, "o"), std.lv = TRUE), "sem")
add("covariates_std_lv", covariates, "sem_ordinal", list(ordered = c(named, "o"), std.lv = TRUE), "sem")
write_cases(cases_of(specs, tables), "sem_ordinal_paths")

specs <- list()
short <- "f1 =~ u1 + u2 + u3 + u4\nf2 =~ u5 + u6 + u7 + u8"
loadings <- "f1 =~ u1 + c(a2, a2)*u2 + c(a3, a3)*u3 + c(a4, a4)*u4\nf2 =~ u5 + c(a6, a6)*u6 + c(a7, a7)*u7 + c(a8, a8)*u8"
held <- paste0("u", 1:8, " | ", sapply(1:8, function(k) paste0("c(t", k, 1:4, ", t", k, 1:4, ")*t", 1:4, collapse = " + ")), collapse = "\n")
linked <- paste(loadings, held, "f1 ~ c(0, NA)*1\nf2 ~ c(0, NA)*1", sep = "\n")
delta <- paste(linked, paste0("u", 1:8, " ~*~ c(1, NA)*u", 1:8, collapse = "\n"), sep = "\n")
theta <- paste(linked, paste0("u", 1:8, " ~~ c(1, NA)*u", 1:8, collapse = "\n"), sep = "\n")
for (e in c("WLSMV", "WLSM", "WLS", "DWLS", "ULSMV", "ULSM")) {
  add(paste0("configural_", e), short, "sem_categorical", ordinal(estimator = e, group = "g"))
  add(paste0("linked_delta_", e), delta, "sem_categorical", ordinal(estimator = e, group = "g"))
}
add("configural_theta", short, "sem_categorical", ordinal(parameterization = "theta", group = "g"))
add("linked_theta", theta, "sem_categorical", ordinal(parameterization = "theta", group = "g"))
add("linked_theta_ULSMV", theta, "sem_categorical", ordinal(parameterization = "theta", group = "g", estimator = "ULSMV"))
add("loadings", loadings, "sem_categorical", ordinal(group = "g"))
add("strict_delta", linked, "sem_categorical", ordinal(group = "g"))
add("gender", two, "bfi", ordinal(group = "gender"))
add("gender_pairwise", two, "bfi", ordinal(group = "gender", missing = "pairwise"))
add("gender_loadings", two, "bfi", ordinal(group = "gender", group.equal = "loadings"))
add("gender_binary", two, "bfi_binary", ordinal(group = "gender", group.equal = "loadings", parameterization = "theta"))
add("gender_by_hand", "N =~ c(1, 1)*N1 + c(a, a)*N2 + c(b1, b2)*N3 + N4 + N5\nN1 | c(s, s)*t1 + c(u1, u2)*t2\nd := b1 - b2\nu1 == u2 - 0.1",
  "bfi", ordinal(group = "gender", missing = "pairwise"))
add("mixed_groups", both, "sem_ordinal", list(ordered = named, group = "team"))
add("mixed_groups_equal", both, "sem_ordinal", list(ordered = named, group = "team", group.equal = "loadings", estimator = "ULSMV"))
write_cases(cases_of(specs, tables), "sem_ordinal_groups")
