"""A fitted graded response model: tables, a sentence, figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.answers import require_choice
from analysis.errors import AnalysisError
from analysis.irt import curves
from analysis.irt.precision import Information, location_weights
from analysis.plots.irt import (
    plot_categories,
    plot_category_bands,
    plot_information,
    plot_locations,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from analysis.arrays import Float1D, Float2D, Int1D

_Z: Final = float(norm.ppf(0.975))
_THETA: Final = np.linspace(-4, 4, 161)
# The logistic curve nearest to the normal one.
_NORMAL_TO_LOGISTIC: Final = 1.702
_WHERE: Final = "graded response model"


@dataclass(frozen=True, slots=True, eq=False)
class GradedResponse:
    """Graded response model of one scale: ``logit P(answer >= k) = a (theta - b_k)``.

    Theta is standard normal among the people asked.

    Attributes
    ----------
    names
        The items, in order.
    items
        Slope and intercepts of each.
    categories
        The codes that occur for each item, from low to high.
    frequencies
        How many people chose each of them.
    vcov
        Covariance of slopes and thresholds, labelled ``item.a``, ``item.b1``, ….
    information
        Where standard errors come from: ``"observed"``, ``"crossproduct"``,
        ``"sandwich"``.
    scores
        One row per row of the data, same index: `estimate` (expected a posteriori),
        `std_error` (posterior standard deviation), `n_answered`.
    local_dependence
        Q3 of each pair, largest first.
    item_fit
        S-X2 of each item.
    log_lik
        Marginal log-likelihood.
    n_obs
        People with at least one answer.
    n_complete
        People with every answer.
    n_dropped
        People without any.
    n_nodes
        Nodes over which theta was summed.
    iterations
        Steps to the maximum.
    reliability_marginal
        Mean of I / (I + 1) in a normal population that answers every item.
    reliability_empirical
        Variance of the scores over itself plus their mean error variance.
    warnings
        What needs a second look: what, where, remedy.
    """

    names: tuple[str, ...]
    items: tuple[curves.Item, ...]
    categories: tuple[Float1D, ...]
    frequencies: tuple[Int1D, ...]
    vcov: pd.DataFrame
    information: Information
    scores: pd.DataFrame
    local_dependence: pd.DataFrame
    item_fit: pd.DataFrame
    log_lik: float
    n_obs: int
    n_complete: int
    n_dropped: int
    n_nodes: int
    iterations: int
    reliability_marginal: float
    reliability_empirical: float
    warnings: pd.DataFrame

    @property
    def n_parameters(self) -> int:
        """Number of slopes and thresholds."""
        return len(self.vcov)

    @property
    def slopes(self) -> Float1D:
        """Slope of each item, shape (n_items,)."""
        return np.array([item.slope for item in self.items])

    def tidy(self) -> pd.DataFrame:
        """One row per slope (``a``) and threshold (``b1`` …), with 95 % intervals.

        `category` is the code that half of the people at b choose or pass; `n` counts
        the answers to the item.
        """
        estimate = np.concatenate(
            [np.append(item.slope, item.thresholds) for item in self.items]
        )
        std_error = np.sqrt(np.diag(self.vcov.to_numpy()))
        keys = [
            (name, f"b{k}" if k else "a", code if k else np.nan, int(count.sum()))
            for name, codes, count in zip(
                self.names, self.categories, self.frequencies, strict=True
            )
            for k, code in enumerate(codes)
        ]
        table = pd.DataFrame(keys, columns=["item", "term", "category", "n"])
        table = table.assign(**_interval(estimate, std_error))
        return table[[c for c in table if c != "n"] + ["n"]]

    def glance(self) -> pd.DataFrame:
        """One row: sizes, likelihood, reliability, the largest dependence."""
        k, q3 = self.n_parameters, self.local_dependence
        return pd.DataFrame(
            {
                "n_items": [len(self.names)],
                "n_obs": [self.n_obs],
                "n_complete": [self.n_complete],
                "n_dropped": [self.n_dropped],
                "n_parameters": [k],
                "log_lik": [self.log_lik],
                "aic": [2 * k - 2 * self.log_lik],
                "bic": [k * np.log(self.n_obs) - 2 * self.log_lik],
                "reliability_marginal": [self.reliability_marginal],
                "reliability_empirical": [self.reliability_empirical],
                "q3_mean": [float(q3["q3"].mean())],
                "q3_max": [float(q3["q3"].max())],
                "information": [self.information],
                "n_nodes": [self.n_nodes],
                "iterations": [self.iterations],
            }
        )

    def item_table(self) -> pd.DataFrame:
        """One row per item: slope, loading, location, information, fit, worst Q3.

        `loading` is the slope as a standardised loading (slope / 1.702 =
        loading / sqrt(1 - loading^2)); `information_max` the highest information, at
        `information_at`.
        """
        curve = self.information_curve()
        grid = curve.set_index("theta")[list(self.names)]
        normal = self.slopes / _NORMAL_TO_LOGISTIC
        worst = [self._worst(name) for name in self.names]
        return pd.DataFrame(
            {
                "item": list(self.names),
                "n": [int(count.sum()) for count in self.frequencies],
                "n_categories": [len(codes) for codes in self.categories],
                "a": self.slopes,
                "loading": normal / np.sqrt(1 + normal**2),
                "location": self.locations()["estimate"].to_numpy(),
                "information_max": grid.max().to_numpy(),
                "information_at": grid.idxmax().to_numpy(),
                "s_x2": self.item_fit["statistic"],
                "df": self.item_fit["df"],
                "p_value": self.item_fit["p_value"],
                "p_holm": self.item_fit["p_holm"],
                "q3_max": worst,
            }
        )

    def _worst(self, name: str) -> float:
        table = self.local_dependence
        mine = (table["item_a"] == name) | (table["item_b"] == name)
        return float(table.loc[mine, "q3"].max())

    def locations(self) -> pd.DataFrame:
        """Where each item stands on the trait: the mean of its thresholds.

        Returns
        -------
        DataFrame
            ``item estimate std_error conf_low conf_high n``, in the order of items;
            standard errors by the delta method.

        Notes
        -----
        Ali, Chang & Anderson (2015), location index LI-mean. Items that lost a category
        are averaged over fewer thresholds; `warnings` names them.
        """
        L = self._location_weights()
        table = pd.DataFrame({"item": list(self.names)})
        spread = np.sqrt(np.diag(L @ self.vcov.to_numpy() @ L.T))
        table = table.assign(**_interval(self._locations(), spread))
        return table.assign(n=[int(count.sum()) for count in self.frequencies])

    def location_steps(self, order: Sequence[str]) -> pd.DataFrame:
        """How far each item of a claimed order stands above the one before it.

        Parameters
        ----------
        order
            Items from the lowest to the highest claimed location, at least two.

        Returns
        -------
        DataFrame
            ``lower upper estimate std_error statistic p_value conf_low conf_high``, one
            row per neighbours; a negative estimate speaks against the order. Standard
            errors take the covariance of both locations into account; p is two-sided
            and not corrected for the number of steps.

        Raises
        ------
        AnalysisError
            If a name is no item of the model, comes twice, or there are not two.
        """
        unknown = [name for name in order if name not in self.names]
        if isinstance(order, str) or unknown or len(set(order)) < max(2, len(order)):
            raise AnalysisError(
                f"{_WHERE}: order={order!r} is not an order of its items. Name at "
                f"least two of {', '.join(self.names)}, each once."
            )
        at = [self.names.index(name) for name in order]
        L = np.diff(self._location_weights()[at], axis=0)
        estimate = np.diff(self._locations()[at])
        std_error = np.sqrt(np.diag(L @ self.vcov.to_numpy() @ L.T))
        statistic = estimate / std_error
        table = pd.DataFrame(
            {"lower": list(order[:-1]), "upper": list(order[1:])}
        ).assign(**_interval(estimate, std_error))
        table.insert(4, "statistic", statistic)
        table.insert(5, "p_value", 2 * norm.sf(np.abs(statistic)))
        return table

    def _locations(self) -> Float1D:
        return np.array([item.thresholds.mean() for item in self.items])

    def _location_weights(self) -> Float2D:
        return location_weights([len(codes) for codes in self.categories])

    def information_curve(self, theta: Float1D | None = None) -> pd.DataFrame:
        """Information of each item and of the test.

        Parameters
        ----------
        theta
            Where; 161 values from -4 to 4 without it.

        Returns
        -------
        DataFrame
            ``theta``, one column an item, ``test`` (their sum), ``std_error``
            (1 / sqrt(test)) and ``reliability`` (test / (test + 1)).
        """
        at = _THETA if theta is None else _values(theta)
        each = {
            name: curves.information(item, at)
            for name, item in zip(self.names, self.items, strict=True)
        }
        test = np.sum(list(each.values()), axis=0)
        totals = {
            "test": test,
            "std_error": 1 / np.sqrt(test),
            "reliability": test / (test + 1),
        }
        if clash := [name for name in self.names if name in {"theta", *totals}]:
            raise AnalysisError(
                f"{_WHERE}: an item is named {clash[0]!r}, as is a column of this "
                "table. Rename the item."
            )
        return pd.DataFrame({"theta": at, **each, **totals})

    def category_curves(self, theta: Float1D | None = None) -> pd.DataFrame:
        """Probability of each category: ``item category theta probability``."""
        at = _THETA if theta is None else _values(theta)
        parts = [
            pd.DataFrame(
                {"item": name, "category": code, "theta": at, "probability": chance}
            )
            for name, item, codes in zip(
                self.names, self.items, self.categories, strict=True
            )
            for code, chance in zip(
                codes, np.exp(curves.log_probability(item, at)), strict=True
            )
        ]
        return pd.concat(parts, ignore_index=True)

    def summary(self) -> str:
        """Describe the model in a sentence."""
        a = self.slopes
        where = self._locations()
        low, high = int(where.argmin()), int(where.argmax())
        binary = all(len(codes) == len("01") for codes in self.categories)
        model = "Two-parameter logistic model" if binary else "Graded response model"
        count = len(self.warnings)
        warned = f"; {count} warning{'s' * (count > 1)}" if count else ""
        return (
            f"{model} of {len(self.names)} items (n = {self.n_obs}): slopes from "
            f"{a.min():.2f} to {a.max():.2f}, locations from {where[low]:.2f} "
            f"({self.names[low]}) to {where[high]:.2f} ({self.names[high]}), marginal "
            f"reliability {self.reliability_marginal:.2f}, largest Q3 "
            f"{self.local_dependence['q3'].max():.2f} (marginal maximum likelihood, "
            f"log-likelihood {self.log_lik:.2f}; standard errors: {self.information} "
            f"information{warned})"
        )

    def plot(
        self,
        ax: Axes | None = None,
        *,
        show: Literal["information", "categories", "locations"] = "information",
        item: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Axes:
        """Draw the model.

        Parameters
        ----------
        ax
            Where to draw; a new figure without it.
        show
            ``"information"`` of the test and its items; ``"categories"``: the likeliest
            answer along the trait, item by item, or the curves of one item;
            ``"locations"`` of items with 95 % intervals, lowest first.
        item
            The item whose curves to draw.
        labels
            Words for items.
        """
        require_choice(
            "show", show, ("information", "categories", "locations"), where=_WHERE
        )
        if item is not None and (item not in self.names or show != "categories"):
            raise AnalysisError(
                f"{_WHERE}: item={item!r} cannot be drawn. Choose show='categories' "
                f"and one of {', '.join(self.names)}."
            )
        words = {} if labels is None else labels
        if show == "information":
            return plot_information(
                self.information_curve(), n=self.n_obs, labels=words, ax=ax
            )
        if show == "locations":
            return plot_locations(self.locations(), n=self.n_obs, labels=words, ax=ax)
        curve = self.category_curves()
        if item is None:
            return plot_category_bands(curve, n=self.n_obs, labels=words, ax=ax)
        n = int(self.frequencies[self.names.index(item)].sum())
        mine = curve[curve["item"] == item]
        return plot_categories(mine, title=words.get(item, item), n=n, ax=ax)


def _values(theta: Float1D) -> Float1D:
    at = np.atleast_1d(np.asarray(theta, dtype=np.float64))
    if at.ndim != 1 or not np.isfinite(at).all():
        raise AnalysisError(
            f"{_WHERE}: theta={theta!r} is not a row of numbers. Give finite values."
        )
    return at


def _interval(estimate: Float1D, std_error: Float1D) -> dict[str, Float1D]:
    return {
        "estimate": estimate,
        "std_error": std_error,
        "conf_low": estimate - _Z * std_error,
        "conf_high": estimate + _Z * std_error,
    }
