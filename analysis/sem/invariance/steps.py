"""The steps of invariance: what becomes equal, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from analysis.errors import AnalysisError
from analysis.sem.syntax import near

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analysis.sem.partable import Equal

StepName: TypeAlias = Literal[
    "configural",
    "thresholds",
    "loadings",
    "intercepts",
    "residuals",
    "means",
]
#: Names that papers use for the steps of numeric items.
ALIASES: Final[dict[str, StepName]] = {
    "metric": "loadings",
    "weak": "loadings",
    "scalar": "intercepts",
    "strong": "intercepts",
    "strict": "residuals",
}
_NUMERIC: Final[tuple[StepName, ...]] = (
    "configural",
    "loadings",
    "intercepts",
    "residuals",
)
_ORDINAL: Final[tuple[StepName, ...]] = (
    "configural",
    "thresholds",
    "loadings",
    "intercepts",
    "residuals",
)
_WORDS: Final[dict[str, str]] = {
    "configural": "same structure",
    "thresholds": "equal thresholds",
    "loadings": "equal loadings",
    "intercepts": "equal intercepts",
    "residuals": "equal residual variances",
    "means": "equal latent means",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder.

    Attributes
    ----------
    name
        What becomes equal.
    equal
        Everything that is equal from here on.
    """

    name: StepName
    equal: tuple[Equal, ...]

    @property
    def words(self) -> str:
        """What becomes equal, for readers."""
        return _WORDS[self.name]


def ladder_steps(
    names: Sequence[str] | None,
    categories: Mapping[str, int],
    *,
    theta: bool = True,
) -> tuple[Step, ...]:
    """Arrange the steps.

    Parameters
    ----------
    names
        Steps asked for; ``metric``, ``scalar`` and ``strict`` are understood. By
        default configural, loadings, intercepts, residuals; with ordered variables
        thresholds come first (Wu & Estabrook 2016).
    categories
        Number of categories of each ordered variable.
    theta
        Whether residual variances of ordered variables are parameters; in the delta
        parameterisation they follow from the others, and there is no such step.

    Raises
    ------
    AnalysisError
        If a step is unknown, out of order or makes no sense for the variables.
    """
    ordinal = bool(categories)
    order = _ORDINAL if ordinal else _NUMERIC
    order = (*order, "means")
    wanted: Sequence[str] = order[:-1]
    if isinstance(names, str):
        names = (names,)
    if names is not None:
        wanted = tuple(ALIASES.get(n, n) for n in names)
    if ordinal and not theta and "residuals" in wanted:
        if names is not None:
            raise AnalysisError(
                "invariance, steps: residual variances of ordered variables are no "
                "parameters with parameterization='delta', so 'residuals' would "
                "restrict nothing. Use parameterization='theta', or leave the step out."
            )
        wanted = tuple(n for n in wanted if n != "residuals")
    if stray := [n for n in wanted if n not in get_args(StepName)]:
        raise AnalysisError(
            f"invariance, steps: {stray} are unknown."
            f"{near(stray[0], (*order, *ALIASES))} Choose from "
            f"{', '.join((*order, *ALIASES))}."
        )
    if "thresholds" in wanted and not ordinal:
        raise AnalysisError(
            "invariance, steps: 'thresholds' need ordered variables. Name them in "
            "ordered=, or leave the step out."
        )
    places = [list(order).index(n) for n in wanted]  # type: ignore[arg-type]
    if places != sorted(set(places)):
        raise AnalysisError(
            f"invariance, steps: {list(names or wanted)} are not in order. Each step "
            f"keeps what came before: {', '.join(n for n in order if n in wanted)}."
        )
    if all(k <= 2 for k in categories.values()) and ordinal and names is None:  # noqa: PLR2004
        # One threshold cannot be told from location and scale on its own.
        wanted = tuple(n for n in wanted if n not in {"thresholds", "loadings"})
    return tuple(Step(n, _equal(n, order)) for n in wanted)  # type: ignore[arg-type]


def _equal(name: StepName, order: Sequence[str]) -> tuple[Equal, ...]:
    upto = order[1 : order.index(name) + 1]
    return tuple(upto)  # type: ignore[arg-type]
