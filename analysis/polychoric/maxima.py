"""Maxima of many likelihoods at once: Newton's steps, halved until they climb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from analysis.errors import ConvergenceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis.arrays import Float1D, Int1D

#: Correlations are sought up to this size, as lavaan does.
BOUND: Final = 0.999
_START: Final = 0.95
# Newton's error is about the square of its last step.
_SMALL: Final = 1e-6
# Longest step on Fisher's scale: longer ones jump over maxima near 1.
_LONGEST: Final = 0.5
_ROUNDS: Final = 100
# Sums of this relative size are rounding.
_ROUNDING: Final = 1e-13
# Likelihoods that differ by less do not tell correlations apart.
_FLAT: Final = 1e-7
_NEAR: Final = 0.8


def find_maxima(
    likelihood: Callable[[Float1D, Int1D], tuple[Float1D, Float1D, Float1D]],
    start: Float1D,
) -> Float1D:
    """Find the correlations at which likelihoods are largest.

    Parameters
    ----------
    likelihood
        Gives the log-likelihood, its slope, and a negative second derivative (or
        something near it) at correlations for the pairs numbered in the second
        argument.
    start
        Where to begin, shape (m,).

    Returns
    -------
    ndarray
        Shape (m,), within +-.999; at the bound where the likelihood grows up to it, or
        stays as it is.

    Raises
    ------
    ConvergenceError
        If a maximum is not found.

    Notes
    -----
    A step that does not climb is halved: where a table is nearly impossible its slope
    is worthless.
    """
    rho = np.clip(start, -_START, _START)
    active = np.arange(len(rho))
    value, score, bend = likelihood(rho, active)
    step = _steps(rho, score, bend)
    gain = np.abs(score * step)
    for _ in range(_ROUNDS):
        moving = (np.abs(step[active]) > _SMALL) & (gain[active] > _FLAT * _SMALL)
        done = active[~moving]
        rho[done] += step[done]
        active = active[moving]
        if not len(active):
            return _to_bound(likelihood, rho, value)
        tried = rho[active] + step[active]
        found, score, bend = likelihood(tried, active)
        climbs = found >= value[active] - _ROUNDING * np.abs(value[active])
        better = active[climbs]
        rho[better], value[better] = tried[climbs], found[climbs]
        step[better] = _steps(tried[climbs], score[climbs], bend[climbs])
        gain[better] = np.abs(score[climbs] * step[better])
        step[active[~climbs]] /= 2
    raise ConvergenceError(
        f"polychoric: {len(active)} correlations were not found in {_ROUNDS} rounds. "
        "Join rare categories."
    )


def _steps(rho: Float1D, score: Float1D, bend: Float1D) -> Float1D:
    """Take Newton's steps, not too long and not beyond the bound."""
    z = np.arctanh(rho)
    low = np.maximum(np.tanh(z - _LONGEST), -BOUND)
    high = np.minimum(np.tanh(z + _LONGEST), BOUND)
    return np.clip(rho - score / bend, low, high) - rho


def _to_bound(
    likelihood: Callable[[Float1D, Int1D], tuple[Float1D, Float1D, Float1D]],
    rho: Float1D,
    value: Float1D,
) -> Float1D:
    """Move correlations that the data cannot tell from the bound to it."""
    near = np.flatnonzero(np.abs(rho) > _NEAR)
    if len(near):
        bound = np.sign(rho[near]) * BOUND
        flat = likelihood(bound, near)[0] >= value[near] - _FLAT
        rho[near[flat]] = bound[flat]
    return rho
