"""`graded_response`: from the answers of one scale to slopes and thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

import numpy as np
import pandas as pd

from analysis.answers import item_codes, require_choice, require_variance
from analysis.errors import AnalysisError, NotIdentifiedError, TooFewError
from analysis.irt.ascent import climb
from analysis.irt.coding import Coding, item_groups, require_few_categories
from analysis.irt.dependence import q3_table
from analysis.irt.fit import GradedResponse
from analysis.irt.item_fit import item_fit_table
from analysis.irt.precision import Information, covariance
from analysis.irt.scores import (
    empirical_reliability,
    expected_a_posteriori,
    marginal_reliability,
    score_table,
)
from analysis.irt.warn import model_warnings

if TYPE_CHECKING:
    from collections.abc import Sequence

_FEWEST_ITEMS: Final = 3
_FEWEST_NODES: Final = 21
_MOST_NODES: Final = 501


def graded_response(
    items: pd.DataFrame,
    *,
    information: Information = "observed",
    n_nodes: int = 61,
    where: str = "graded response model",
) -> GradedResponse:
    """Fit the graded response model of one trait; with two categories, the 2PL.

    Parameters
    ----------
    items
        Keyed answers of one scale, one row per person, missing as NA. Only their order
        counts. Missing answers are left open, which is right if they are missing at
        random; rows without any answer are left out. A code that nobody chose for an
        item is no category of it: `warnings` says so.
    information
        Standard errors from the ``"observed"`` information (second derivatives of the
        marginal likelihood), the ``"crossproduct"`` of people's gradients, or both
        (``"sandwich"``), which holds where the model is only nearly right.
    n_nodes
        Nodes from -6 to 6 over which theta is summed. Their distance is halved until
        the log-likelihood moves by less than 1e-4; the result says how many it took.
    where
        Opens every message.

    Returns
    -------
    GradedResponse
        Theta is standard normal; its sign makes the sum of slopes positive. An item
        with a negative slope is kept, with a warning. Of several maxima the highest
        met from three starts is kept; `warnings` says so.

    Raises
    ------
    TooFewError
        If there are fewer than three items, or not more people than parameters.
    AnalysisError
        If a column is not numeric, holds infinite values, has no answer, does not vary
        or has more than 20 categories.
    ConvergenceError
        If the likelihood has no finite maximum, e.g. two items are identical.
    NotIdentifiedError
        If the answers do not tell all parameters apart, e.g. an item shares no
        respondent with others.

    Notes
    -----
    Samejima (1969); marginal maximum likelihood (Bock & Aitkin 1981), begun with EM
    steps and finished by Newton's with the exact information (Louis 1982). Same
    estimates as ``mirt::mirt(items, 1, "graded", SE = TRUE, SE.type = "Louis")`` with
    a finer `quadpts`, and ``ltm::ltm(items ~ z1)`` for two categories;
    tests/reference/irt.R.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(1)
    >>> theta = rng.normal(size=(900, 1))
    >>> noise = rng.logistic(size=(900, 4))
    >>> answers = np.digitize(1.5 * theta + noise, [-1.5, 0.0, 1.5])
    >>> fit = graded_response(pd.DataFrame(answers, columns=list("abcd")))
    >>> fit.tidy().shape
    (16, 8)
    """
    require_choice("information", information, get_args(Information), where=where)
    _require_nodes(n_nodes, where=where)
    x = item_codes(items, where=where, at_least=_FEWEST_ITEMS)
    names = tuple(str(name) for name in items.columns)
    require_variance(x, names, where=where)
    coding = Coding.of(x)
    _require_shape(coding, len(x), names, where=where)
    maximum = climb(x[coding.used], coding, names, n_nodes, where=where)
    vcov = covariance(maximum, information, names, where=where)
    scores = expected_a_posteriori(maximum.posterior, maximum.grid)
    dependence = q3_table(maximum.items, coding, scores.estimate, names)
    fit = item_fit_table(maximum.items, coding, maximum.grid, names)
    terms = [
        f"{name}.{f'b{k}' if k else 'a'}"
        for name, size in zip(names, coding.sizes, strict=True)
        for k in range(size)
    ]
    return GradedResponse(
        names=names,
        items=maximum.items,
        categories=coding.categories,
        frequencies=coding.frequencies,
        vcov=pd.DataFrame(vcov, index=terms, columns=terms),
        information=information,
        scores=score_table(scores, coding, items.index),
        local_dependence=dependence,
        item_fit=fit,
        log_lik=maximum.posterior.log_likelihood,
        n_obs=coding.n_obs,
        n_complete=int((~np.isnan(x)).all(axis=1).sum()),
        n_dropped=len(x) - coding.n_obs,
        n_nodes=len(maximum.grid.theta),
        iterations=maximum.iterations,
        reliability_marginal=marginal_reliability(maximum.items, maximum.grid),
        reliability_empirical=empirical_reliability(scores, coding),
        warnings=model_warnings(
            maximum,
            coding,
            names,
            x,
            slope_errors=np.sqrt(np.diag(vcov))[np.cumsum([0, *coding.sizes[:-1]])],
            dependence=dependence,
            item_fit=fit,
        ),
    )


def _require_nodes(n_nodes: int, *, where: str) -> None:
    if not isinstance(n_nodes, int) or not _FEWEST_NODES <= n_nodes <= _MOST_NODES:
        raise AnalysisError(
            f"{where}: n_nodes={n_nodes!r}. Give a whole number from "
            f"{_FEWEST_NODES} to {_MOST_NODES}."
        )


def _require_shape(
    coding: Coding, n_rows: int, names: Sequence[str], *, where: str
) -> None:
    require_few_categories(
        coding, names, remedy="use a model for measured variables", where=where
    )
    for part in item_groups(coding, names):
        if len(part) < _FEWEST_ITEMS:
            raise NotIdentifiedError(
                f"{where}: nobody who answered {' or '.join(map(repr, part))} answered "
                "one of the other items, so nothing ties it to their trait. Leave it "
                "out, or ask some people both."
            )
    n_parameters = sum(coding.sizes)
    if coding.n_obs <= n_parameters:
        raise TooFewError(
            f"{where}: {coding.n_obs} of {n_rows} people answered, but {len(names)} "
            f"items have {n_parameters} parameters. Collect more answers, use fewer "
            "items, or join categories."
        )
