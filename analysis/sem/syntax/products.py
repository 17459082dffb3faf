"""Products of observed variables (``x1:x2``) in the right-hand side of a regression."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.sem.syntax.source import Source
    from analysis.sem.syntax.statements import ModelSyntax
    from analysis.sem.syntax.tokens import Token


def factors(name: str) -> tuple[str, ...]:
    """Name the two variables of a product; none for a plain variable."""
    return tuple(name.split(":")) if ":" in name else ()


def join_products(source: Source, tokens: Sequence[Token]) -> tuple[Token, ...]:
    """Read ``x1 : x2`` as one name.

    Raises
    ------
    ModelSyntaxError
        If a colon does not stand between two names.
    """
    out: list[Token] = []
    waiting = list(tokens)
    while waiting:
        token = waiting.pop(0)
        if token.kind != "symbol" or token.text != ":":
            out.append(token)
            continue
        if not (
            out and out[-1].kind == "name" and waiting and waiting[0].kind == "name"
        ):
            raise source.error(
                token.place,
                "':' stands between two variables (x1:x2 is their product) or after "
                "'group'. Delete it, or complete the product",
            )
        if factors(out[-1].text):
            raise source.error(
                token.place,
                "a product of three variables is not offered. Put it into the data "
                "as a column, and name that",
            )
        out[-1] = replace(out[-1], text=f"{out[-1].text}:{waiting.pop(0).text}")
    return tuple(out)


def check_products(model: ModelSyntax) -> None:
    """Refuse products that are not those of two different observed predictors."""
    seen: dict[tuple[int, str, tuple[str, ...]], str] = {}
    for s in model.statements:
        for name in (s.lhs, s.rhs):
            if factors(name) and (name == s.lhs or s.op != "~"):
                raise model.source.error(
                    s.place,
                    f"the product {name} can only predict: it stands on the right of "
                    "'~'. Put it into the data as a column, and name that",
                )
        parts = factors(s.rhs)
        if latent := [n for n in parts if n in model.latent]:
            raise model.source.error(
                s.place,
                f"{s.rhs} is an interaction of a latent variable ({latent[0]}), which "
                "is not offered. Use products of its items as indicators of a factor, "
                "or factor scores",
            )
        if len(set(parts)) == 1:
            raise model.source.error(
                s.place,
                f"{s.rhs} is a square. Put it into the data as a column, and name that",
            )
        key = (s.block, s.lhs, tuple(sorted(parts)))
        if parts and seen.setdefault(key, s.rhs) != s.rhs:
            raise model.source.error(
                s.place, f"{s.rhs} is the same product as {seen[key]}. Delete one"
            )
