"""Methods and rotations by the names that R, SPSS and Mplus give them."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, TypeAlias, get_args

from analysis.efa.rotations import (
    Bifactor,
    Geomin,
    Named,
    Oblimin,
    Promax,
    Quartimax,
    Target,
    Varimax,
)
from analysis.errors import AnalysisError

if TYPE_CHECKING:
    from collections.abc import Collection

    import pandas as pd

    from analysis.arrays import Float2D
    from analysis.efa.extract import Method
    from analysis.efa.rotations import Rotation

_PRINCIPAL_AXIS: Final = ("pa", "paf", "principal axis", "principal axis factoring")
_LIKELIHOOD: Final = ("ml", "mle", "maximum likelihood")
# Least squares of all residuals leave none on the diagonal, and so are minres.
_LEAST_SQUARES: Final = (
    *("minres", "minimum residual", "uls", "unweighted least squares"),
    *("ols", "ordinary least squares"),
)
_METHODS: Final[dict[str, Method]] = {
    **dict.fromkeys(_PRINCIPAL_AXIS, "pa"),
    **dict.fromkeys(_LIKELIHOOD, "ml"),
    **dict.fromkeys(_LEAST_SQUARES, "minres"),
}
_NAMED: Final[tuple[Named, ...]] = (
    *("oblimin", "promax", "geomin", "varimax", "quartimax", "bifactor", "none"),
)
_ROTATIONS: Final[dict[str, Named | Oblimin | Geomin | Bifactor]] = {
    **{name: name for name in _NAMED},
    **dict.fromkeys(("quartimin", "direct oblimin", "direct quartimin"), Oblimin()),
    **dict.fromkeys(("geominQ", "geomin oblique"), Geomin()),
    **dict.fromkeys(("geominT", "geomin orthogonal"), Geomin(oblique=False)),
    "bifactorT": Bifactor(),
    **dict.fromkeys(("bifactorQ", "biquartimin"), Bifactor(oblique=True)),
    "bi-geomin": Bifactor("geomin", oblique=True),
    "bi-geomin orthogonal": Bifactor("geomin"),
    "unrotated": "none",
}
_TARGETS: Final = {
    **dict.fromkeys(("target", "targetQ", "pstQ", "target oblique"), True),
    **dict.fromkeys(("targetT", "pstT", "target orthogonal"), False),
}
# Those to choose from; the others are second names of these.
_SHOWN: Final = (
    *("oblimin", "quartimin", "promax", "geomin", "geominT", "varimax", "quartimax"),
    *("bifactor", "bifactorQ", "bi-geomin", "target", "targetT", "none"),
)
_Options: TypeAlias = (
    Oblimin | Promax | Geomin | Varimax | Quartimax | Bifactor | Target
)
# Share of letters in common from which on a name may be a slip of the pen.
_NEAR: Final = 0.8


def method_called(name: str) -> Method:
    """Find the method of extraction that goes by a name, in any case.

    Raises
    ------
    AnalysisError
        If there is none; says which there are.
    """
    hint = _component_hint(name)
    return _METHODS[_spelt(name, _METHODS, "method", shown=_METHODS, hint=hint)]


def rotation_called(
    rotation: Rotation | str, target: pd.DataFrame | Float2D | None = None
) -> Rotation:
    """Find the rotation that goes by a name, in any case, and give it its target.

    Raises
    ------
    AnalysisError
        If there is no such rotation, a target is wanted and not there, or the other
        way round.
    """
    if isinstance(rotation, str) or not isinstance(rotation, get_args(_Options)):
        spelt = _spelt(rotation, [*_ROTATIONS, *_TARGETS], "rotation", shown=_SHOWN)
        if spelt in _TARGETS:
            return _with_target(spelt, target, oblique=_TARGETS[spelt])
        rotation = _ROTATIONS[spelt]
    if target is not None:
        called = rotation if isinstance(rotation, str) else rotation.name
        raise AnalysisError(
            f"efa: a target was given, but rotation {called} takes none. Use "
            "rotation='target', or leave target= out."
        )
    return rotation


def _with_target(
    rotation: str, target: pd.DataFrame | Float2D | None, *, oblique: bool
) -> Target:
    if target is None:
        raise AnalysisError(
            f"efa: rotation={rotation!r} needs a target. Pass target=, the expected "
            "loadings, one row an item and one column a factor, with NaN where "
            "anything may come."
        )
    return Target(target, oblique=oblique)


def _spelt(
    name: object,
    known: Collection[str],
    option: str,
    *,
    shown: Collection[str],
    hint: str = "",
) -> str:
    """Find the known name, whatever its case, blanks, hyphens and brackets."""
    plain = {_plain(one): one for one in known}
    if isinstance(name, str) and (key := _plain(name)) in plain:
        return plain[key]
    near = get_close_matches(_plain(str(name)), plain, n=1, cutoff=_NEAR)
    meant = f" Did you mean {plain[near[0]]!r}?" if near else ""
    raise AnalysisError(
        f"efa: {option}={name!r} is unknown.{hint or meant} Choose one of "
        f"{', '.join(shown)}."
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _component_hint(name: object) -> str:
    if str(name).lower() in {"pc", "pca", "principal", "components"}:
        return " Components are no factors; principal axis is 'pa'."
    return ""
