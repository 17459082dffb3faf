"""Tables as papers print them: fixed decimals, plain words, no missing zeros."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What stands for a value that does not exist.
ABSENT = "–"  # noqa: RUF001 - typography

_HEADINGS: Final = {
    "conf_low": "CI low",
    "conf_high": "CI high",
    "std_error": "SE",
    "p_value": "p",
    "pvalue": "p",
    "p_holm": "p (Holm)",
    "n_obs": "n",
    "chisq": "χ²",
    "rmsea": "RMSEA",
    "srmr": "SRMR",
    "cfi": "CFI",
    "tli": "TLI",
    "aic": "AIC",
    "bic": "BIC",
    "std_all": "std.all",
    "r_squared": "R²",
    "adj_r_squared": "adjusted R²",
    "delta_r_squared": "ΔR²",
    "chisq_diff": "Δχ²",
    "df_diff": "Δdf",
}
_P: Final = {"p_value", "pvalue", "p_holm", "p", "p_diff"}


def present(
    frame: pd.DataFrame,
    *,
    digits: int = 2,
    headings: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Spell a table out for readers.

    Parameters
    ----------
    frame
        Any table; its index is dropped if it only counts rows, and becomes the first
        column otherwise.
    digits
        Decimals of numbers that are not whole; p values have three.
    headings
        Words for columns, beside the usual ones.

    Returns
    -------
    DataFrame
        Text throughout: ``< .001`` for small p, a dash for what does not exist, yes and
        no for truth values. For showing, not for computing.
    """
    if not isinstance(frame.index, pd.RangeIndex):
        counts = list(frame.index) == list(range(len(frame)))
        named = frame.rename_axis(index=str(frame.index.name or " "))
        frame = named.reset_index(drop=counts)
    words = _HEADINGS | dict(headings or {})
    out = {}
    for name in frame.columns:
        plain = str(name).replace("_", " ").strip()
        heading = words.get(str(name), plain)
        free = next(h for h in (heading, plain, str(name), f"{name} ") if h not in out)
        out[free] = _column(frame[name], str(name), digits)
    table = pd.DataFrame(out)
    table.index = pd.Index([""] * len(table))
    return table


def _column(cells: pd.Series[str], name: str, digits: int) -> list[str]:
    if name in _P or name.endswith(("_pvalue", "_p_value")) or name.startswith("p_"):
        return [_p(cell) for cell in cells]
    numeric = pd.api.types.is_float_dtype(cells.dtype)
    whole = numeric and all(float(cell).is_integer() for cell in cells.dropna())
    places = 0 if whole else digits
    return [_cell(cell, places) for cell in cells]


def _absent(cell: object) -> bool:
    return pd.api.types.is_scalar(cell) and bool(pd.isna(cell))  # type: ignore[call-overload]


def _p(cell: object) -> str:
    if _absent(cell):
        return ABSENT
    value = float(str(cell))
    if value < 0.001:  # noqa: PLR2004 - the smallest p that is printed
        return "< .001"
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1.000"


def _cell(cell: object, digits: int) -> str:
    if _absent(cell):
        return ABSENT
    if isinstance(cell, bool | np.bool_):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.{digits}f}" if math.isfinite(cell) else str(cell)
    return str(cell)
