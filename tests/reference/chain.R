# What psych and lavaan say of psych::bfi, for tests/reports/test_real_data.py.
# Rscript tests/reference/chain.R

suppressPackageStartupMessages({
  library(psych)
  library(lavaan)
  library(sandwich)
  library(lmtest)
  library(jsonlite)
})

answers <- psych::bfi
keys <- list(
  agreeable = c("-A1", "A2", "A3", "A4", "A5"),
  conscientious = c("C1", "C2", "C3", "-C4", "-C5"),
  extraverted = c("-E1", "-E2", "E3", "E4", "E5"),
  neurotic = c("N1", "N2", "N3", "N4", "N5"),
  open = c("O1", "-O2", "O3", "O4", "-O5")
)
keyed <- answers
for (name in c("A1", "C4", "C5", "E1", "E2", "O2", "O5")) {
  keyed[[name]] <- 7 - keyed[[name]]
}

scale_of <- function(key) {
  items <- keyed[, sub("-", "", key)]
  found <- psych::alpha(na.omit(items), check.keys = FALSE)
  list(
    n_complete = sum(complete.cases(items)),
    alpha = found$total$raw_alpha,
    r_drop = setNames(as.list(found$item.stats$r.drop), tolower(names(items))),
    mean = as.list(setNames(colMeans(items, na.rm = TRUE), tolower(names(items))))
  )
}

# Scores: mean of at least three answers, as the instrument says.
score <- function(key) {
  items <- keyed[, sub("-", "", key)]
  ifelse(rowSums(!is.na(items)) >= 3, rowMeans(items, na.rm = TRUE), NA)
}
scores <- as.data.frame(lapply(keys, score))

model <- paste(
  sapply(names(keys), function(name) {
    paste(name, "=~", paste(sub("-", "", keys[[name]]), collapse = " + "))
  }),
  collapse = "\n"
)
fit <- lavaan::cfa(model, data = keyed)
measures <- c("chisq", "df", "cfi", "tli", "rmsea", "srmr", "aic", "bic", "ntotal")

complete <- na.omit(cbind(scores, age = answers$age))
z <- as.data.frame(scale(complete))
linear <- lm(neurotic ~ age + agreeable + conscientious + extraverted + open, z)
robust <- lmtest::coeftest(linear, vcov. = sandwich::vcovHC(linear, type = "HC3"))
sex <- na.omit(cbind(scores, woman = answers$gender == 2))
sex[, names(keys)] <- scale(sex[, names(keys)])
logit <- glm(
  woman ~ agreeable + conscientious + extraverted + neurotic + open,
  family = binomial, data = sex
)

kmo <- psych::KMO(cor(na.omit(keyed[, 1:25])))
out <- list(
  versions = list(
    R = paste(R.version$major, R.version$minor, sep = "."),
    psych = as.character(packageVersion("psych")),
    lavaan = as.character(packageVersion("lavaan")),
    sandwich = as.character(packageVersion("sandwich"))
  ),
  scales = lapply(keys, scale_of),
  scores = lapply(scores, function(x) {
    list(n = sum(!is.na(x)), mean = mean(x, na.rm = TRUE), sd = sd(x, na.rm = TRUE))
  }),
  kmo = kmo$MSA,
  cfa = as.list(fitMeasures(fit, measures)),
  linear = list(
    n = nobs(linear),
    r_squared = summary(linear)$r.squared,
    estimate = as.list(coef(linear)),
    std_error = as.list(setNames(robust[, 2], rownames(robust)))
  ),
  logistic = list(
    n = nobs(logit),
    estimate = as.list(coef(logit)),
    std_error = as.list(sqrt(diag(vcov(logit))))
  )
)
writeLines(
  toJSON(out, auto_unbox = TRUE, digits = 10, pretty = TRUE),
  "tests/reference/chain.json"
)
