"""Regressions: scale scores and covariates in, frozen results out.

Reading order: formula -> rows, values -> columns, alias -> design -> inference,
collinearity -> fit; then one module a method: linear, blocks, logistic, ordinal,
moderation, incremental, and sign -> predictive -> diagnostic. `separation` and
`moments` hold what two of them share.
"""

from analysis.regression.blocks import HierarchicalFit, hierarchical
from analysis.regression.diagnostic import Diagnostic, diagnostic
from analysis.regression.fit import RegressionFit
from analysis.regression.incremental import Incremental, incremental
from analysis.regression.linear import ols
from analysis.regression.logistic import logistic
from analysis.regression.moderation import Moderation, moderation
from analysis.regression.ordinal import ordinal

__all__ = [
    "Diagnostic",
    "HierarchicalFit",
    "Incremental",
    "Moderation",
    "RegressionFit",
    "diagnostic",
    "hierarchical",
    "incremental",
    "logistic",
    "moderation",
    "ols",
    "ordinal",
]
