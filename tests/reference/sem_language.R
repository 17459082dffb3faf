# Reference values for tests/analysis/test_sem_parity_language.py
# Rscript tests/reference/sem_language.R   (lavaan 0.6-14)
# What the language of models offers beside =~ ~ ~~: products of observed predictors,
# blocks of groups, parameters named by their row, max() and min(), nonrecursive paths.
source("tests/reference/sem_case.R")
tables <- list(hs1939 = table_of("hs1939"), sem_missing = table_of("sem_missing"))

product <- "visual =~ x1 + x2 + x3\nvisual ~ x7 + x8 + x7:x8"
mediated <- "x5 ~ b*x1\nx1 ~ a*x2 + x3 + m*x2:x3\nslope := (a + m) * b"
blocks <- paste0("group: 1\nvisual =~ x1 + a*x2 + x3\ntextual =~ x4 + x5 + x6\nx1 ~~ x4\n",
  "group: 2\nvisual =~ x1 + a*x2 + x3\ntextual =~ x4 + 0.9*x5 + x6\nvisual ~~ 0*textual\nx2 ~~ x3")
paths_of_blocks <- paste0("group: 1\nvisual =~ x1 + x2 + x3\nvisual ~ x7 + x8\nx9 ~ visual\n",
  "group: 2\nvisual =~ x1 + x2 + x3\nvisual ~ x7 + x8\nx9 ~ visual + x7")
two <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6"
extremes <- paste0("visual =~ x1 + a*x2 + b*x3 + c*x4\nlow := min(a, b, c)\nhigh := max(a, b)\n",
  "range := high - low")
circle <- paste0(two, "\nvisual ~ textual + x9\ntextual ~ visual + ageyr")
observed_circle <- "x1 ~ x4 + x2 + x3\nx4 ~ x1 + x5 + x6"

specs <- list(
  product_ML = list(product, "hs1939", list(meanstructure = TRUE), "sem"),
  product_MLR = list(product, "hs1939", list(estimator = "MLR"), "sem"),
  product_groups = list(product, "hs1939", list(group = "school"), "sem"),
  product_missing = list(product, "sem_missing", list(missing = "ml"), "sem"),
  product_random = list(product, "sem_missing", list(missing = "ml", fixed.x = FALSE), "sem"),
  product_mediated = list(mediated, "hs1939", list(), "sem"),
  blocks = list(blocks, "hs1939", list(group = "school")),
  blocks_MLR = list(blocks, "hs1939", list(group = "school", estimator = "MLR")),
  blocks_equal = list(gsub("0.9*", "", blocks, fixed = TRUE), "hs1939", list(group = "school", group.equal = "loadings")),
  blocks_paths = list(paths_of_blocks, "hs1939", list(group = "school"), "sem"),
  rows = list(paste0(two, "\n.p2. == .p3.\n.p5. == 2 * .p6."), "hs1939", list()),
  rows_of_groups = list(paste0(two, "\n.p2. == .p25."), "hs1939", list(group = "school")),
  extremes = list(extremes, "hs1939", list()),
  circle = list(circle, "hs1939", list(), "sem"),
  circle_MLM = list(circle, "hs1939", list(estimator = "MLM"), "sem"),
  observed_circle = list(observed_circle, "hs1939", list(), "sem"))
write_cases(cases_of(specs, tables), "sem_language")
