"""Lavaan model syntax: text to statements.

Read in this order: `source` (the text, and faults that point into it), `tokens`,
`expressions` (for ``:=`` and constraints), `statements` (what a model says), `terms`
(modifiers), `products`, `blocks`, `definitions`, `circles`, `parser`, `checks`.
"""

from analysis.sem.syntax.expressions import (
    Expression,
    Name,
    Number,
    evaluate,
    linear_form,
    names,
)
from analysis.sem.syntax.parser import parse
from analysis.sem.syntax.source import Place, Source, near
from analysis.sem.syntax.statements import (
    Constraint,
    Definition,
    ModelSyntax,
    Modifier,
    Operator,
    Statement,
)

__all__ = [
    "Constraint",
    "Definition",
    "Expression",
    "ModelSyntax",
    "Modifier",
    "Name",
    "Number",
    "Operator",
    "Place",
    "Source",
    "Statement",
    "evaluate",
    "linear_form",
    "names",
    "near",
    "parse",
]
