"""What each coefficient is: several go by the name of omega."""

from __future__ import annotations

from typing import Final

FORMULAS: Final[dict[str, str]] = {
    "alpha": "Cronbach (1951), covariances",
    "alpha_std": "Cronbach (1951), correlations",
    "spearman_brown": "2r / (1 + r), r of the two items",
    "omega": "McDonald (1999), common / (common + residual) variance of the sum",
    "omega3": "McDonald (1999), common / observed variance of the sum",
    "omega_minres": "McDonald (1999), one minres factor of the correlations",
    "ordinal_alpha": (
        "Zumbo et al. (2007), alpha of the polychoric correlations: "
        "of hypothetical continuous answers, not of the sum of codes"
    ),
    "omega_categorical": (
        "Green and Yang (2009), eq. 21, of the sum of codes; implied correlations"
    ),
    "omega_categorical3": (
        "Green and Yang (2009), eq. 21, of the sum of codes; polychoric correlations"
    ),
    "omega_latent": (
        "McDonald (1999) of the polychoric correlations: "
        "of hypothetical continuous answers, not of the sum of codes"
    ),
    "lambda1": "Guttman (1945), 1 - sum of variances / variance of the sum",
    "lambda2": "Guttman (1945)",
    "lambda3": "Guttman (1945), equals alpha",
    "lambda4": "Guttman (1945), greatest split-half",
    "lambda5": "Guttman (1945)",
    "lambda6": "Guttman (1945), squared multiple correlations",
    "split_half_lowest": "Guttman (1945), worst split-half (Revelle's beta)",
    "split_half_mean": "mean of the splits of the Guttman coefficient 4 cov / variance",
    "split_half_median": (
        "median of the splits of the Guttman coefficient 4 cov / variance"
    ),
    "odd_even": "Guttman coefficient 4 cov / variance of odd and even items",
    "odd_even_spearman_brown": "2r / (1 + r), r of the sums of odd and even items",
    "first_last": "Guttman coefficient 4 cov / variance of first and last items",
    "first_last_spearman_brown": "2r / (1 + r), r of the sums of first and last items",
    "omega2": "Bentler (1972), common / implied variance of the sum",
    "ave": "Fornell and Larcker (1981), sum of squared loadings / sum of variances",
    "ave_std": "Fornell and Larcker (1981), mean squared standardised loading",
    "maximal": "Li (1997), best weighted sum, implied covariances; H of one factor",
    "maximal3": "Li (1997), best weighted sum, observed covariances",
    "omega_total": "McDonald (1999), variance of the sum due to all factors",
    "omega_h": "Zinbarg et al. (2005), variance of the sum due to the general factor",
    "omega_hs": "Reise (2012), variance of the sum due to the group factor alone",
    "omega_ratio": "omega_h / omega: share of the reliable variance that is general",
    "ecv": "Reise (2012), share of the common variance that is general",
    "puc": "Bonifay et al. (2015), share of correlations the general factor explains",
    "h": "Hancock and Mueller (2001), construct replicability",
}
"""Formula and source of each term."""
