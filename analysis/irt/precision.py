"""Standard errors of slopes and thresholds, and what follows from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.linalg import LinAlgError, block_diag, cho_factor, cho_solve

from analysis.errors import NotIdentifiedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.arrays import Float2D
    from analysis.irt.ascent import Maximum
    from analysis.irt.curves import Item

#: Where standard errors come from.
Information = Literal["observed", "crossproduct", "sandwich"]


def covariance(
    maximum: Maximum, information: Information, names: Sequence[str], *, where: str
) -> Float2D:
    """Covariance of slopes and thresholds, shape (n_parameters, n_parameters).

    Parameters
    ----------
    maximum
        Where the likelihood is highest.
    information
        ``"observed"``: second derivatives of the marginal likelihood;
        ``"crossproduct"`` of people's gradients; ``"sandwich"``: of both, which holds
        where the model is only nearly right (White 1982).
    names
        Items, for messages.
    where
        Opens every message.

    Raises
    ------
    NotIdentifiedError
        If the information cannot be inverted.

    Notes
    -----
    Thresholds are ``b = -intercept / slope``: delta method.
    """
    bread = maximum.information
    try:
        if information == "crossproduct":
            inverse = _inverse(maximum.crossproduct)
        else:
            inverse = _inverse(bread)
    except LinAlgError as error:
        flat = [
            name
            for name, item in zip(names, maximum.items, strict=True)
            if abs(item.slope) < 0.05  # noqa: PLR2004 - hardly a slope
        ]
        hint = f" (slopes near zero: {', '.join(flat)})" if flat else ""
        raise NotIdentifiedError(
            f"{where}: the answers do not tell all parameters apart{hint}. Leave out "
            "items that do not belong to the scale, or join rare categories."
        ) from error
    if information == "sandwich":
        inverse = inverse @ maximum.crossproduct @ inverse
    J = block_diag(*[_to_thresholds(item) for item in maximum.items])
    found: Float2D = J @ inverse @ J.T
    return found


def _inverse(information: Float2D) -> Float2D:
    scale = 1 / np.sqrt(np.diag(information))
    scaled = information * np.outer(scale, scale)
    factor = cho_factor(scaled)
    found: Float2D = cho_solve(factor, np.eye(len(scale))) * np.outer(scale, scale)
    return found


def _to_thresholds(item: Item) -> Float2D:
    J = np.eye(item.n_categories)
    J[1:, 0] = -item.thresholds / item.slope
    J[1:, 1:] = -np.eye(item.n_categories - 1) / item.slope
    return J


def location_weights(sizes: Sequence[int]) -> Float2D:
    """Weights that average each item's thresholds, shape (n_items, n_parameters)."""
    rows = [
        np.concatenate([[0.0], np.full(size - 1, 1 / (size - 1))]) for size in sizes
    ]
    found: Float2D = block_diag(*rows)
    return found
