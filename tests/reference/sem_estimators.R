# Reference values for tests/analysis/test_sem_parity_estimators.py
# Rscript tests/reference/sem_estimators.R   (lavaan 0.6-14, psychTools 2.2.9)
# Every estimator in one group; writes sem_estimators.json (complete rows),
# sem_structures.json (regressions of factors, bifactor, 25 items), sem_incomplete.json,
# and the tables sem_missing.csv, sem_holes.csv, sem_democracy.csv.
source("tests/reference/sem_case.R")
hs <- table_of("hs1939")

# x5 is missing where x1 is low, x9 where a child is young: missing at random.
missing <- hs[, c("id", "school", "ageyr", "agemo", paste0("x", 1:9))]
age <- missing$ageyr + missing$agemo / 12
missing$x5[missing$x1 <= quantile(missing$x1, .3)] <- NA
missing$x9[age <= quantile(age, .3)] <- NA
missing <- keep_table(missing, "sem_missing")
# The same, with holes in every variable and one empty row.
holes <- missing
for (k in 1:9) holes[seq(k, 301, by = 17 + k), paste0("x", k)] <- NA
holes[100, paste0("x", 1:9)] <- NA
holes <- keep_table(holes, "sem_holes")
democracy <- keep_table(PoliticalDemocracy, "sem_democracy")

tables <- list(hs1939 = hs, sem_missing = missing, sem_holes = holes, sem_democracy = democracy,
  sem_bifactor = table_of("sem_bifactor"), bfi = psychTools::bfi[, c(1:25)])

three <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\nspeed =~ x7 + x8 + x9"
second <- paste0(three, "\ng =~ visual + textual + speed")
bifactor <- paste0("g =~ ", paste0("b", 1:9, collapse = " + "),
  "\ns1 =~ b1 + b2 + b3\ns2 =~ b4 + b5 + b6\ns3 =~ b7 + b8 + b9")
tied <- paste0("visual =~ x1 + a*x2 + a*x3\ntextual =~ x4 + b*x5 + c*x6\nspeed =~ x7 + x8 + d*x9\n",
  "x1 ~~ e*x1\nx2 ~~ e*x2\nx7 ~~ x8\nb + c == 2\nd == a + 0.4\nshare := a / (a + d)")
bollen <- paste0("ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + y2 + y3 + y4\ndem65 =~ y5 + y6 + y7 + y8\n",
  "dem60 ~ ind60\ndem65 ~ ind60 + dem60\n",
  "y1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8")
bollen_equal <- paste0("ind60 =~ x1 + x2 + x3\ndem60 =~ y1 + a*y2 + b*y3 + c*y4\n",
  "dem65 =~ y5 + a*y6 + b*y7 + c*y8\ndem60 ~ p*ind60\ndem65 ~ q*ind60 + r*dem60\n",
  "y1 ~~ y5\ny2 ~~ y4 + y6\ny3 ~~ y7\ny4 ~~ y8\ny6 ~~ y8\nindirect := p*r\ntotal := q + p*r")
big_five <- paste0(c("A", "C", "E", "N", "O"), " =~ ",
  sapply(c("A", "C", "E", "N", "O"), function(f) paste0(f, 1:5, collapse = " + ")), collapse = "\n")

every <- c("ML", "MLM", "MLMV", "MLMVS", "MLR", "MLF", "GLS", "ULS", "WLS", "DWLS", "WLSM", "WLSMV",
  "WLSMVS", "ULSM", "ULSMV", "ULSMVS")
specs <- list()
add <- function(name, ...) specs[[name]] <<- list(...)
for (e in every) {
  add(paste0("hs_", e), three, "hs1939", list(estimator = e))
  add(paste0("hs_means_", e), three, "hs1939", list(estimator = e, meanstructure = TRUE))
  add(paste0("second_order_", e), second, "hs1939", list(estimator = e))
  add(paste0("tied_", e), tied, "hs1939", list(estimator = e))
  add(paste0("bifactor_", e), bifactor, "sem_bifactor", list(estimator = e, orthogonal = TRUE, std.lv = TRUE))
  if (!e %in% c("WLS")) {
    add(paste0("democracy_", e), bollen, "sem_democracy", list(estimator = e), "sem")
    add(paste0("democracy_equal_", e), bollen_equal, "sem_democracy",
      list(estimator = e, meanstructure = TRUE), "sem")
  }
}
for (e in c("ML", "MLR", "MLM", "WLS", "ULSMV"))
  add(paste0("hs_std_lv_", e), three, "hs1939", list(estimator = e, std.lv = TRUE))
for (e in c("ML", "MLM", "MLMV"))
  add(paste0("hs_wishart_", e), three, "hs1939", list(estimator = e, likelihood = "wishart"))
for (e in c("ML", "MLM", "MLMV", "MLR", "GLS"))
  add(paste0("hs_observed_", e), three, "hs1939", list(estimator = e, information = "observed"))
for (e in c("ML", "MLR"))
  add(paste0("hs_expected_", e), three, "hs1939", list(estimator = e, information = "expected"))
add("hs_first_order", three, "hs1939", list(estimator = "ML", information = "first.order"))
add("democracy_observed", bollen, "sem_democracy", list(information = "observed"), "sem")
add("hs_listwise_MLM", three, "sem_missing", list(estimator = "MLM"))
add("hs_listwise_MLR", three, "sem_holes", list(estimator = "MLR"))
for (e in c("ML", "MLR", "MLF")) {
  o <- list(estimator = e, missing = "ml")
  add(paste0("missing_", e), three, "sem_missing", o)
  add(paste0("missing_std_lv_", e), three, "sem_missing", c(o, std.lv = TRUE))
  add(paste0("missing_second_order_", e), second, "sem_missing", o)
  add(paste0("missing_tied_", e), tied, "sem_missing", o)
  add(paste0("holes_", e), three, "sem_holes", o)
}
for (e in c("ML", "MLR"))
  add(paste0("missing_expected_", e), three, "sem_missing", list(estimator = e, missing = "ml", information = "expected"))
add("missing_two_stage", three, "sem_missing", list(missing = "two.stage"))
add("missing_robust_two_stage", three, "sem_missing", list(missing = "robust.two.stage"))
add("holes_two_stage", three, "sem_holes", list(missing = "two.stage"))
add("holes_robust_two_stage", three, "sem_holes", list(missing = "robust.two.stage"))
for (e in c("ML", "MLM", "MLR"))
  add(paste0("bfi_", e), big_five, "bfi", list(estimator = e))
for (e in c("ML", "MLR"))
  add(paste0("bfi_missing_", e), big_five, "bfi", list(estimator = e, missing = "ml"))

cases <- cases_of(specs, tables)
complete <- !grepl("missing_|^holes_", names(cases))
structure <- grepl("^democracy|^bifactor|^bfi", names(cases))
psychTools <- as.character(packageVersion("psychTools"))
write_cases(cases[complete & !structure], "sem_estimators")
write_cases(cases[complete & structure], "sem_structures", psychTools = psychTools)
write_cases(cases[!complete], "sem_incomplete", psychTools = psychTools)
