"""Which variables are one variable at several occasions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.errors import AnalysisError
from analysis.sem.syntax import near

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Sized

    from analysis.sem.syntax import ModelSyntax

    Occasions = Mapping[str, Sequence[str]]

_LEAST = 2


def require_repeated(model: ModelSyntax, occasions: Occasions) -> None:
    """Refuse occasions that do not describe the model.

    Raises
    ------
    AnalysisError
        If names are not those of the model, stand twice, or are of different number;
        if no factor is repeated, or an item does not measure the repeated factor of
        its occasion. All faults at once.
    """
    if not occasions:
        return
    faults = [*_misspelt(model, occasions), *_uneven(occasions), *_twice(occasions)]
    faults = faults or [*_apart(model, occasions)]
    if faults:
        raise AnalysisError("\n".join(faults))


def _misspelt(model: ModelSyntax, occasions: Occasions) -> Iterator[str]:
    known = (*model.latent, *model.observed)
    for name, names in occasions.items():
        if isinstance(names, str):
            yield (
                f"occasions, {name!r}: expected a list of names, one an occasion, "
                f"found {names!r}. Write e.g. {name!r}: [{names!r}, …]."
            )
            continue
        for k, one in enumerate(names):
            if one not in known:
                yield (
                    f"occasions, {name!r}: {one!r} (occasion {k + 1}) is neither a "
                    f"factor nor an item of the model.{near(str(one), known)} Correct "
                    "the name."
                )


def _uneven(occasions: Occasions) -> Iterator[str]:
    counts = {name: len(names) for name, names in occasions.items()}
    if len(set(counts.values())) > 1:
        spelt = ", ".join(f"{name} {n}" for name, n in counts.items())
        yield (
            f"occasions: variables have different numbers of names ({spelt}). Give "
            "every factor and item one name an occasion."
        )
    elif min(counts.values()) < _LEAST:
        yield (
            "occasions: variables have one name each. Give each one a name an "
            "occasion, at least two."
        )


def _twice(occasions: Occasions) -> Iterator[str]:
    found: dict[str, str] = {}
    for name, names in occasions.items():
        for one in names:
            if one in found:
                other = (
                    f"stands twice under {name!r}"
                    if found[one] == name
                    else f"stands for two variables, {found[one]!r} and {name!r}"
                )
                yield f"occasions: {one!r} {other}. Correct one of them."
            found.setdefault(one, name)


def _apart(model: ModelSyntax, occasions: Occasions) -> Iterator[str]:
    """Factors and items that do not belong together."""
    latent = set(model.latent)
    repeated = {n: names for n, names in occasions.items() if latent & set(names)}
    for name, names in repeated.items():
        if items := [n for n in names if n not in latent]:
            yield (
                f"occasions, {name!r}: {items} are items, the others factors. Name "
                "factors, or items, at all occasions."
            )
    if not repeated:
        yield (
            f"occasions: no factor is among them, only {', '.join(occasions)}. Add the "
            f"factors ({', '.join(model.latent)}) with one name an occasion, e.g. "
            f"{{'factor': {list(model.latent[:2])}}}."
        )
        return
    loadings = {(s.lhs, s.rhs) for s in model.statements if s.op == "=~"}
    for name, names in occasions.items():
        if name in repeated:
            continue
        for k, item in enumerate(names):
            at = [own[k] for own in repeated.values()]
            if not any((factor, item) in loadings for factor in at):
                yield (
                    f"occasions, {name!r}: {item!r} does not measure "
                    f"{' or '.join(at)}, the factor of occasion {k + 1}. Put the names "
                    "in the order of the occasions, or correct the model."
                )


def unrepeated(
    model: ModelSyntax, occasions: Occasions
) -> Iterator[tuple[str, str, str]]:
    """Name items of repeated factors that are not compared between occasions."""
    named = {one for names in occasions.values() for one in names}
    left = [
        s.rhs
        for s in model.statements
        if s.op == "=~" and s.lhs in named and s.rhs not in named
    ]
    if left:
        yield (
            "item not compared",
            ", ".join(dict.fromkeys(left)),
            (
                "It is under no name in occasions=: its loading and intercept are free "
                "at every occasion. Add it, or say why it is not the same item"
            ),
        )


def places(
    occasions: Occasions, categories: Mapping[str, Sized]
) -> dict[str, tuple[str, int]]:
    """Say of each variable which it is, and at which occasion, counted from 0.

    Raises
    ------
    AnalysisError
        If an ordered item has other categories at other occasions.
    """
    found = {
        one: (name, k)
        for name, names in occasions.items()
        for k, one in enumerate(names)
    }
    counts: dict[str, set[int]] = {}
    for one, (name, _) in found.items():
        if one in categories:
            counts.setdefault(name, set()).add(len(categories[one]))
    if odd := {name: sorted(k) for name, k in counts.items() if len(k) > 1}:
        raise AnalysisError(
            f"occasions: items have different numbers of categories at different "
            f"occasions: {odd}. Join categories in the same way at all of them."
        )
    return found
