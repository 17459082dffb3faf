"""Equality of parameters across groups and occasions: lavaan's ``group.equal``."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.sem.partable.table import Parameter

Equal: TypeAlias = Literal[
    "loadings",
    "intercepts",
    "thresholds",
    "residuals",
    "residual_covariances",
    "means",
    "lv_variances",
    "lv_covariances",
    "regressions",
]


def equate(
    rows: tuple[Parameter, ...],
    latent: tuple[str, ...],
    equal: tuple[Equal, ...],
    occasions: Mapping[str, tuple[str, int]],
) -> tuple[Parameter, ...]:
    """Tie free, unlabelled parameters of the kinds in `equal` across groups.

    Also across occasions, where `occasions` says which variables are one.
    """
    if not equal:
        return rows

    def shared(row: Parameter) -> tuple[str, str, str]:
        a, op, b = row.key
        known = [occasions.get(name, (name, 0))[0] for name in (a, b)]
        within = len({occasions.get(n, (n, 0))[1] for n in (a, b) if n in occasions})
        # A covariance between occasions has no counterpart within one.
        return (known[0], op, known[1]) if within < 2 else (a, op, b)  # noqa: PLR2004

    candidates = [_kind(row, latent) in equal and _open(row) for row in rows]
    pairs = list(zip(rows, candidates, strict=True))
    counts = Counter(shared(row) for row, candidate in pairs if candidate)
    return tuple(
        replace(row, tie="".join(shared(row)))
        if candidate and counts[shared(row)] > 1
        else row
        for row, candidate in pairs
    )


def _open(row: Parameter) -> bool:
    return row.fixed is None and not row.label


def _kind(row: Parameter, latent: tuple[str, ...]) -> Equal | None:
    """Which kind of parameter a row is; None for scaling factors."""
    if row.op == "~*~":
        return None
    plain: dict[str, Equal] = {"=~": "loadings", "~": "regressions", "|": "thresholds"}
    if row.op in plain:
        return plain[row.op]
    inner = row.lhs in latent and row.rhs in {"", *latent}
    if row.op == "~1":
        return "means" if inner else "intercepts"
    if row.lhs == row.rhs:
        return "lv_variances" if inner else "residuals"
    return "lv_covariances" if inner else "residual_covariances"
