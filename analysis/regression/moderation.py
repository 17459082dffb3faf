"""Moderation: how the slope of one predictor depends on another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError
from analysis.plots.slopes import johnson_neyman_plot, slopes_plot
from analysis.regression.design import Design, build_design
from analysis.regression.formula import (
    Term,
    check_columns,
    columns_of,
    parse_formula,
    term_label,
)
from analysis.regression.inference import (
    check_conf_level,
    coefficient_table,
    critical_value,
)
from analysis.regression.linear import check_vcov, fit_linear
from analysis.result import format_p, warning_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D
    from analysis.regression.fit import RegressionFit, Vcov

Shape: TypeAlias = Literal["between", "outside", "everywhere", "nowhere", "none"]
GRID = 201
SD_LABELS = ("mean - 1 sd", "mean", "mean + 1 sd")


@dataclass(frozen=True, slots=True, eq=False)
class Moderation:
    """An interaction of two predictors, probed.

    Attributes
    ----------
    fit
        The regression; focal predictor and moderator are centred at their means.
    focal, moderator, outcome
        Names.
    interaction
        One row: ``term estimate std_error statistic p_value conf_low conf_high``.
    slopes
        Slope of the focal predictor at chosen values of the moderator: ``term``,
        ``moderator_value`` (raw units) and the columns of `interaction`.
    bounds
        Johnson-Neyman bounds in raw units of the moderator, lower first; fewer than
        two may exist, none for a moderator with two values.
    shape
        Where the slope differs from zero: ``between`` or ``outside`` the bounds,
        ``everywhere``, ``nowhere``; ``none`` if there is no region to speak of.
    share_significant
        Share of the rows used whose moderator lies there; NaN for ``none``.
    curve
        The slope over the observed range: ``moderator estimate conf_low conf_high
        significant``.
    lines
        Expected outcome over the focal predictor at the values of `slopes`, other
        predictors at their means: ``group x estimate conf_low conf_high``.
    observed
        Moderator of the rows used.
    warnings
        ``what where remedy``.
    """

    fit: RegressionFit
    focal: str
    moderator: str
    outcome: str
    interaction: pd.DataFrame
    slopes: pd.DataFrame
    bounds: tuple[float, ...]
    shape: Shape
    share_significant: float
    curve: pd.DataFrame
    lines: pd.DataFrame
    observed: pd.Series
    warnings: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """List the interaction, then one row per simple slope."""
        return pd.concat([self.interaction, self.slopes], ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """One row: fit, test of the interaction, Johnson-Neyman region."""
        low, high = (*self.bounds, np.nan, np.nan)[:2]
        row = self.interaction.iloc[0]
        return pd.DataFrame(
            [
                {
                    "r_squared": self.fit.measures["r_squared"].iloc[0],
                    "interaction": row["estimate"],
                    "p_value": row["p_value"],
                    "jn_low": low,
                    "jn_high": high,
                    "jn_shape": self.shape,
                    "share_significant": self.share_significant,
                    "conf_level": self.fit.conf_level,
                    "n_obs": self.fit.n_obs,
                    "n_dropped": self.fit.n_dropped,
                    "vcov": self.fit.vcov_kind,
                }
            ]
        )

    def summary(self) -> str:
        """Interaction and region in one sentence."""
        row = self.interaction.iloc[0]
        head = (
            f"{self.focal} x {self.moderator} on {self.outcome}: "
            f"b = {row['estimate']:.3f} [{row['conf_low']:.3f}, "
            f"{row['conf_high']:.3f}], {format_p(float(row['p_value']))}"
        )
        return f"{head}; {self._region()} (n = {self.fit.n_obs})."

    def plot(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw the expected outcome at the chosen values of the moderator."""
        names = {} if labels is None else labels
        moderator = names.get(self.moderator, self.moderator)
        outcome = names.get(self.outcome, self.outcome)
        return slopes_plot(
            self.lines,
            title=f"{outcome} by {names.get(self.focal, self.focal)} and {moderator}",
            n=self.fit.n_obs,
            xlabel=names.get(self.focal, self.focal),
            ylabel=f"expected {outcome} ({self.fit.conf_level:.0%} interval)",
            legend=moderator,
            ax=ax,
        )

    def plot_region(
        self, ax: Axes | None = None, *, labels: Mapping[str, str] | None = None
    ) -> Axes:
        """Draw the slope over the moderator with the Johnson-Neyman region."""
        names = {} if labels is None else labels
        focal = names.get(self.focal, self.focal)
        return johnson_neyman_plot(
            self.curve,
            bounds=self.bounds,
            observed=self.observed,
            title=f"Where the slope of {focal} differs from zero",
            n=self.fit.n_obs,
            xlabel=names.get(self.moderator, self.moderator),
            ylabel=f"slope of {focal} ({self.fit.conf_level:.0%} interval)",
            ax=ax,
        )

    def _region(self) -> str:
        share = f"{self.share_significant:.0%} of the sample"
        bounds = " and ".join(f"{b:.2f}" for b in self.bounds)
        match self.shape:
            case "none":
                return "no Johnson-Neyman region for a moderator with two values"
            case "nowhere":
                return f"the slope of {self.focal} differs from zero nowhere"
            case "everywhere":
                return f"the slope of {self.focal} differs from zero everywhere"
            case _:
                return (
                    f"the slope of {self.focal} differs from zero {self.shape} "
                    f"{self.moderator} = {bounds} ({share})"
                )


def moderation(
    outcome: str,
    focal: str,
    moderator: str,
    data: pd.DataFrame,
    *,
    controls: Sequence[str] = (),
    vcov: Vcov = "HC3",
    cluster: str | None = None,
    conf_level: float = 0.95,
) -> Moderation:
    """Linear regression with the product of two centred predictors, probed.

    Parameters
    ----------
    outcome
        Left-hand side of the formula.
    focal, moderator
        Numeric columns; both are centred at their means in the rows used.
    data
        As in `ols`.
    controls
        Further terms; none may contain `focal` or `moderator`.
    vcov, cluster, conf_level
        As in `ols`; the level also fixes the Johnson-Neyman bounds.

    Returns
    -------
    Moderation
        Simple slopes at the moderator's mean and one standard deviation (divisor
        n - 1) below and above, or at its two values if it has only two.

    Raises
    ------
    AnalysisError
        As `ols`; if focal and moderator are the same or not numeric.

    Notes
    -----
    Slope at m: b1 + b3 m, variance v11 + 2 m v13 + m^2 v33. The bounds solve
    (b1 + b3 m)^2 = t^2 (v11 + 2 m v13 + m^2 v33); Johnson & Neyman (1936), Bauer &
    Curran (2005), not corrected for looking at many values. Same as these formulas
    on ``lm(y ~ I(f - mean(f)) * I(m - mean(m)))`` with ``vcovHC(fit, "HC3")``.
    """
    check_conf_level(conf_level)
    check_vcov(vcov, cluster)
    _check_names(focal, moderator, data)
    f, m = f'center(Q("{focal}"))', f'center(Q("{moderator}"))'
    formula = parse_formula(f"{outcome} ~ {' + '.join([*controls, f'{f} * {m}'])}")
    _check_controls(formula.terms, focal, moderator)
    design = build_design(formula, data, cluster=cluster)
    fit = fit_linear(design, vcov=vcov, cluster=cluster, conf_level=conf_level)
    probe = _Probe(
        estimate=fit.coefficients["estimate"].to_numpy(float),
        vcov=fit.vcov.to_numpy(),
        focal=design.columns.index(f"center({focal})"),
        moderator=design.columns.index(f"center({moderator})"),
        product=design.columns.index(f"center({focal}):center({moderator})"),
        df=fit.df,
        conf_level=conf_level,
    )
    observed = design.frame[moderator]
    centre = float(observed.mean())
    values = _chosen_values(observed)
    two = observed.nunique() == 2  # noqa: PLR2004
    bounds, shape = ((), "none") if two else probe.johnson_neyman()
    significant = probe.significant(observed.to_numpy(float) - centre)
    return Moderation(
        fit=fit,
        focal=focal,
        moderator=moderator,
        outcome=design.formula.outcome.label,
        interaction=_interaction(fit, probe.product),
        slopes=_simple_slopes(probe, values, observed, focal),
        bounds=tuple(bound + centre for bound in bounds),
        shape=shape,
        share_significant=np.nan if two else float(significant.mean()),
        curve=_curve(probe, observed, centre),
        lines=_lines(design, probe, design.frame[focal], values, centre),
        observed=observed,
        warnings=warning_table(
            [
                *fit.warnings.itertuples(index=False, name=None),
                *_warning_rows(bounds, observed - centre, moderator, two=two),
            ]
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Probe:
    """Slope of the focal predictor as a function of the centred moderator."""

    estimate: Float1D
    vcov: Float2D
    focal: int
    moderator: int
    product: int
    df: float
    conf_level: float

    def slope(self, m: Float1D) -> tuple[Float1D, Float1D]:
        """Estimate and standard error at `m`."""
        V, i, j = self.vcov, self.focal, self.product
        variance = V[i, i] + 2 * m * V[i, j] + m**2 * V[j, j]
        return self.estimate[i] + self.estimate[j] * m, np.sqrt(variance)

    def significant(self, m: Float1D) -> np.typing.NDArray[np.bool_]:
        """Whether the slope differs from zero at `m`."""
        slope, error = self.slope(m)
        return np.asarray(
            np.abs(slope) >= critical_value(self.conf_level, self.df) * error
        )

    def johnson_neyman(self) -> tuple[tuple[float, ...], Shape]:
        """Roots of A m^2 + B m + C, which is positive where the slope differs."""
        b, V, i, j = self.estimate, self.vcov, self.focal, self.product
        t2 = critical_value(self.conf_level, self.df) ** 2
        A = b[j] ** 2 - t2 * V[j, j]
        B = 2 * (b[i] * b[j] - t2 * V[i, j])
        C = b[i] ** 2 - t2 * V[i, i]
        inside = B**2 - 4 * A * C
        if inside <= 0 or A == 0:
            return (), "everywhere" if C > 0 else "nowhere"
        # The stable pair of roots: no difference of nearly equal numbers.
        q = -(B + np.copysign(np.sqrt(inside), B)) / 2
        low, high = sorted((q / A, C / q))
        return (float(low), float(high)), "outside" if A > 0 else "between"


def _check_names(focal: str, moderator: str, data: pd.DataFrame) -> None:
    check_columns([focal, moderator], list(data.columns), "moderation")
    if focal == moderator:
        raise AnalysisError(
            f"moderation: {focal!r} is both focal predictor and moderator. "
            "Choose two columns."
        )
    text = [
        name
        for name in (focal, moderator)
        if isinstance(data[name], pd.Series)
        and not pd.api.types.is_numeric_dtype(data[name])
    ]
    if text:
        raise AnalysisError(
            f"moderation: {text} hold no numbers. Code two categories as 0 and 1, or "
            "use ols() with the product of the columns."
        )


def _check_controls(terms: Sequence[Term], focal: str, moderator: str) -> None:
    own = {f"center({focal})", f"center({moderator})"}
    for term in terms:
        variables = {column for factor in term for column in columns_of(factor)}
        labels = {factor.label for factor in term}
        if variables & {focal, moderator} and not labels <= own:
            raise AnalysisError(
                f"moderation: the control {term_label(term)!r} contains the focal "
                "predictor or the moderator, so no single slope remains. "
                "Take it out, or use ols()."
            )


def _chosen_values(observed: pd.Series) -> dict[str, float]:
    seen = sorted(observed.unique())
    if len(seen) == 2:  # noqa: PLR2004
        return {f"{value:g}": float(value) for value in seen}
    centre, spread = float(observed.mean()), float(observed.std())
    points = (centre - spread, centre, centre + spread)
    return {
        f"{point:.2f} ({label})": point
        for label, point in zip(SD_LABELS, points, strict=True)
    }


def _interaction(fit: RegressionFit, product: int) -> pd.DataFrame:
    table = fit.coefficients.iloc[[product]].drop(columns="std_all")
    return table.reset_index(drop=True)


def _simple_slopes(
    probe: _Probe, values: Mapping[str, float], observed: pd.Series, focal: str
) -> pd.DataFrame:
    name = observed.name
    m = np.array(list(values.values())) - float(observed.mean())
    slope, error = probe.slope(m)
    table = coefficient_table(
        [f"{focal} at {name} = {label}" for label in values],
        slope,
        np.diag(error**2),
        df=probe.df,
        conf_level=probe.conf_level,
    )
    table.insert(1, "moderator_value", list(values.values()))
    return table


def _curve(probe: _Probe, observed: pd.Series, centre: float) -> pd.DataFrame:
    grid = np.linspace(observed.min(), observed.max(), GRID)
    slope, error = probe.slope(grid - centre)
    half = critical_value(probe.conf_level, probe.df) * error
    return pd.DataFrame(
        {
            "moderator": grid,
            "estimate": slope,
            "conf_low": slope - half,
            "conf_high": slope + half,
            "significant": probe.significant(grid - centre),
        }
    )


def _lines(
    design: Design,
    probe: _Probe,
    focal: pd.Series,
    values: Mapping[str, float],
    centre: float,
) -> pd.DataFrame:
    """Predict over the focal predictor, from its 5th to its 95th percentile."""
    if focal.nunique() == 2:  # noqa: PLR2004
        x = np.sort(focal.unique())
    else:
        ends = np.quantile(focal, [0.05, 0.95])
        x = np.linspace(float(ends[0]), float(ends[1]), 25)
    parts = []
    for label, value in values.items():
        X = np.tile(design.X.mean(axis=0), (len(x), 1))
        X[:, probe.focal] = x - focal.mean()
        X[:, probe.moderator] = value - centre
        X[:, probe.product] = X[:, probe.focal] * X[:, probe.moderator]
        expected = X @ probe.estimate
        error = np.sqrt(np.einsum("ij,jk,ik->i", X, probe.vcov, X))
        half = critical_value(probe.conf_level, probe.df) * error
        parts.append(
            pd.DataFrame(
                {
                    "group": label,
                    "x": x,
                    "estimate": expected,
                    "conf_low": expected - half,
                    "conf_high": expected + half,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _warning_rows(
    bounds: tuple[float, ...], observed: pd.Series, moderator: str, *, two: bool
) -> list[tuple[str, str, str]]:
    if two:
        what = "two values only: slopes at both, no Johnson-Neyman region"
        return [(what, moderator, "read the two slopes")]
    low, high = float(observed.min()), float(observed.max())
    if bounds and not any(low <= bound <= high for bound in bounds):
        what = "the Johnson-Neyman bounds lie outside the values observed"
        return [(what, moderator, "read share_significant, not the bounds")]
    return []
