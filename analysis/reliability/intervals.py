"""Intervals of coefficients between 0 and 1, and derivatives by differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import f as f_distribution
from scipy.stats import norm

from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.arrays import Float1D, Float2D

NAN = float("nan")
# Step of the differences, relative to the parameter: the cube root of the precision.
STEP = float(np.finfo(np.float64).eps ** (1 / 3))


def check_level(level: float, *, where: str) -> None:
    """Refuse what is not a confidence level between 0 and 1."""
    if not 0 < level < 1:
        raise AnalysisError(
            f"{where}: conf_level is {level}. Give a level between 0 and 1, e.g. 0.95."
        )


def feldt(alpha: float, n_items: int, n_obs: int, level: float) -> tuple[float, float]:
    """Interval of coefficient alpha.

    Notes
    -----
    Feldt (1965): (1 - alpha) / (1 - alpha-hat) is F with n - 1 and (n - 1)(k - 1)
    degrees of freedom, for items of equal covariances. Same as
    ``psych::alpha.ci`` and ``psych::alpha()$feldt``.
    """
    df = (n_obs - 1, (n_obs - 1) * (n_items - 1))
    tail = (1 - level) / 2
    low = 1 - (1 - alpha) * f_distribution.ppf(1 - tail, *df)
    high = 1 - (1 - alpha) * f_distribution.ppf(tail, *df)
    return float(low), float(high)


def logit_interval(estimate: float, se: float, level: float) -> tuple[float, float]:
    """Interval on the logit scale, so that it stays between 0 and 1.

    Both ends are NaN when the estimate is not between 0 and 1 or has no error.

    Notes
    -----
    Raykov and Marcoulides (2011); Kelley and Pornprasertmanit (2016), eq. 19.
    """
    if not 0 < estimate < 1 or not np.isfinite(se):
        return NAN, NAN
    centre = np.log(estimate / (1 - estimate))
    half = norm.ppf((1 + level) / 2) * se / (estimate * (1 - estimate))
    low, high = 1 / (1 + np.exp(-(centre + np.array([-half, half]))))
    return float(low), float(high)


def delta_errors(
    function: Callable[[Float1D], Float1D], theta: Float1D, vcov: Float2D
) -> Float1D:
    """Give functions of estimates standard errors by the delta method.

    Parameters
    ----------
    function
        Maps theta, shape (n_free,), to values, shape (n_values,).
    theta
        The estimates.
    vcov
        Their covariance matrix, shape (n_free, n_free).

    Returns
    -------
    ndarray
        Shape (n_values,). Slopes are central differences, whose error is about 1e-10
        of the value.
    """
    slopes = []
    # In units of the estimate or its error, so that no unit of the data is too small.
    sizes = np.maximum(np.abs(theta), np.sqrt(np.maximum(np.diag(vcov), 0.0)))
    for k, size in enumerate(sizes):
        step = np.zeros_like(theta)
        step[k] = STEP * (size or 1.0)
        slopes.append((function(theta + step) - function(theta - step)) / (2 * step[k]))
    J = np.column_stack(slopes)
    variance = np.einsum("ik,kl,il->i", J, vcov, J)
    errors: Float1D = np.sqrt(np.where(variance > 0, variance, np.nan))
    return errors
