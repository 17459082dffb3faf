# One task of tests/benchmarks/measurement.py:
#   Rscript tests/benchmarks/measurement.R TASK data.csv MODEL
# prints "elapsed cpu" of the task itself, reading data and loading packages left out.
suppressMessages({library(lavaan); library(psych); library(semTools)})
args <- commandArgs(trailingOnly = TRUE)
d <- read.csv(args[2])
model <- if (length(args) > 2) gsub(";", "\n", args[3], fixed = TRUE) else ""
items <- setdiff(names(d), "group")
tasks <- list(
  polychoric = function() lavCor(d[items], ordered = items),
  wlsmv = function() fitMeasures(cfa(model, d, ordered = items)),
  wlsmv_pairwise = function() fitMeasures(cfa(model, d, ordered = items, missing = "pairwise")),
  mlr = function() fitMeasures(cfa(model, d, estimator = "MLR")),
  mlr_fiml = function() fitMeasures(cfa(model, d, estimator = "MLR", missing = "ml")),
  ladder = function() {
    steps <- list(character(0), "thresholds", c("thresholds", "loadings"),
                  c("thresholds", "loadings", "intercepts"))
    fits <- lapply(steps, function(equal) {
      syntax <- measEq.syntax(model, data = d, ordered = items, group = "group",
        parameterization = "theta", ID.fac = "std.lv", ID.cat = "Wu", group.equal = equal)
      cfa(as.character(syntax), d, ordered = items, group = "group", parameterization = "theta")
    })
    do.call(lavTestLRT, fits)
  },
  parallel = function() fa.parallel(d[items], fa = "pc", cor = "poly", n.iter = 10, plot = FALSE)
)
gc(verbose = FALSE)
t <- system.time(invisible(capture.output(suppressWarnings(suppressMessages(tasks[[args[1]]]())))))
own <- t[["user.self"]] + t[["sys.self"]]
cat(sprintf("RESULT %.4f %.4f\n", t[["elapsed"]], own + max(0, t[["user.child"]], na.rm = TRUE)))
