"""Model formulas: text in, terms out; nothing in the text is ever run as code.

The text may come from the parameters of a report, so the language is closed:
names of columns, ``+ - * : ^ ( )``, ``1`` and ``0``, and the functions of
`FUNCTIONS`. Everything else is refused with the place marked.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from analysis.errors import AnalysisError, ModelSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FUNCTIONS = ("C", "I", "Q", "np.log", "log", "center", "scale", "standardize")
MAX_LENGTH = 5_000
MAX_TERMS = 400
MAX_DEPTH = 40
MAX_POWER = 6

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<name>[^\W\d]\w*(?:\.\w+)*)
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<op>\*\*|[-+*:^()~])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Name:
    """A column of the data."""

    column: str


@dataclass(frozen=True, slots=True)
class Number:
    """A constant inside a function."""

    value: float


@dataclass(frozen=True, slots=True)
class Call:
    """One of `FUNCTIONS` applied to an expression."""

    function: str
    argument: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic inside a function; `operator` is one of ``+ - * ^``."""

    operator: str
    left: Expression
    right: Expression


Expression: TypeAlias = Name | Number | Call | Binary


@dataclass(frozen=True, slots=True)
class Factor:
    """What stands between the operators of a formula: a column or a call."""

    label: str
    expression: Expression


Term: TypeAlias = tuple[Factor, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula.

    Attributes
    ----------
    text
        As given.
    outcome
        Left-hand side.
    terms
        Right-hand side without the intercept: main effects first, then products
        of two, and so on, each group in the order written (as in R).
    intercept
        Whether there is one.
    """

    text: str
    outcome: Factor
    terms: tuple[Term, ...]
    intercept: bool

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns needed, the outcome's first, each once."""
        factors = [self.outcome, *(f for term in self.terms for f in term)]
        return tuple(dict.fromkeys(c for f in factors for c in columns_of(f)))


def columns_of(factor: Factor) -> tuple[str, ...]:
    """Name the columns that `factor` reads."""
    return tuple(dict.fromkeys(_columns(factor.expression)))


def term_label(term: Term) -> str:
    """Write a term as in a table: its factors joined by a colon."""
    return ":".join(factor.label for factor in term)


def parse_formula(text: str) -> Formula:
    """Parse ``outcome ~ terms``.

    Parameters
    ----------
    text
        For example ``"satisfaction ~ withdrawal * age + C(wave)"``. ``a * b`` is
        ``a + b + a:b``; ``(a + b + c)^2`` all main effects and products of two;
        ``- a`` takes a term away; ``- 1`` or ``+ 0`` the intercept. Numbers are
        computed with only inside a function: ``I(age ^ 2)``. A name that is no
        identifier is written ``Q("name of column")``.

    Returns
    -------
    Formula
        Terms in R's order.

    Raises
    ------
    ModelSyntaxError
        With the place marked, if the text is not in the language above.

    Notes
    -----
    Same terms in the same order as ``terms(formula)`` in R.
    """
    if not isinstance(text, str) or len(text) > MAX_LENGTH:
        message = (
            f"formula: expected text of at most {MAX_LENGTH} characters. "
            "Write it as 'outcome ~ predictor + predictor'."
        )
        raise ModelSyntaxError(message)
    return _Parser(text).formula()


def check_columns(wanted: Iterable[str], present: Sequence[str], where: str) -> None:
    """Refuse columns that `present` does not have, naming similar ones.

    Raises
    ------
    AnalysisError
        Naming every unknown column at once.
    """
    unknown = [name for name in dict.fromkeys(wanted) if name not in present]
    if not unknown:
        return
    parts = []
    for name in unknown:
        near = difflib.get_close_matches(name, [str(c) for c in present], n=3)
        parts.append(f"{name!r}" + (f" (similar: {', '.join(near)})" if near else ""))
    raise AnalysisError(
        f"{where}: the data have no column {', '.join(parts)}. "
        "Correct the name or add the column."
    )


def _columns(expression: Expression) -> list[str]:
    match expression:
        case Name(column):
            return [column]
        case Number():
            return []
        case Call(_, argument):
            return _columns(argument)
        case Binary(_, left, right):
            return _columns(left) + _columns(right)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            raise _fault(text, start, f"{text[start]!r} is not allowed here")
        kind = match.lastgroup
        found.append(_Token(kind, match.group(kind), match.start(kind)))
        position = match.end()
    found.append(_Token("end", "", end))
    return found


def _fault(text: str, position: int, what: str) -> ModelSyntaxError:
    marked = f"{text[:position]}>>>{text[position:]}"
    return ModelSyntaxError(
        f"formula: {what} (at >>>): {marked!r}. Use names of columns, + - * : ^ ( ), "
        f"1 or 0, and the functions {', '.join(FUNCTIONS)}."
    )


def _product(left: Iterable[Term], right: Iterable[Term]) -> list[Term]:
    right = list(right)
    return _unique(tuple(dict.fromkeys((*a, *b))) for a in left for b in right)


def _unique(terms: Iterable[Term]) -> list[Term]:
    """Each set of factors once, in the order of its first appearance."""
    seen: dict[frozenset[Factor], Term] = {}
    for term in terms:
        seen.setdefault(frozenset(term), term)
    return list(seen.values())


def _without(terms: Iterable[Term], gone: Iterable[Term]) -> list[Term]:
    away = {frozenset(term) for term in gone}
    return [term for term in terms if frozenset(term) not in away]


class _Parser:
    """Recursive descent over the tokens; the empty term is the intercept."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0
        for before, after in pairwise(self.tokens):
            if before.kind == "name" and after.text == "(":
                self._check_function(before)

    def _check_function(self, token: _Token) -> None:
        if token.text not in FUNCTIONS:
            raise self._error(token, f"unknown function {token.text!r}")

    def _error(self, token: _Token, what: str) -> ModelSyntaxError:
        return _fault(self.text, token.start, what)

    @property
    def now(self) -> _Token:
        return self.tokens[self.at]

    def _take(self, *texts: str) -> bool:
        if self.now.kind == "op" and self.now.text in texts:
            self.at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            found = repr(self.now.text) if self.now.text else "the end"
            raise self._error(self.now, f"expected {text!r}, found {found}")

    def _deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error(self.now, "more parentheses than can be meant")

    def formula(self) -> Formula:
        outcome = self._factor()
        self._expect("~")
        terms = self._sum(top=True)
        if self.now.kind != "end":
            raise self._error(self.now, f"unexpected {self.now.text!r}")
        slopes = sorted(_without(terms, [()]), key=len)
        intercept = () in terms
        if not slopes and not intercept:
            raise self._error(self.tokens[-1], "no predictor and no intercept")
        return Formula(self.text.strip(), outcome, tuple(slopes), intercept)

    def _sum(self, *, top: bool) -> list[Term]:
        """Terms joined by + and -; ``0`` and ``1`` switch the intercept."""
        terms: list[Term] = [()] if top else []
        plus = self._take("+") or not self._take("-")
        while True:
            added = self._zero_or_terms(top=top)
            if added is None:
                added, plus = [()], not plus
            terms = _unique([*terms, *added]) if plus else _without(terms, added)
            if len(terms) > MAX_TERMS:
                raise self._error(self.now, f"more than {MAX_TERMS} terms")
            if self._take("+"):
                plus = True
            elif self._take("-"):
                plus = False
            else:
                return terms

    def _zero_or_terms(self, *, top: bool) -> list[Term] | None:
        """Read one summand; None stands for ``0``."""
        token = self.now
        if token.kind != "number":
            return self._crossed()
        if token.text not in {"0", "1"} or not top:
            raise self._error(token, f"{token.text!r} cannot be a term")
        self.at += 1
        if self.now.text in {"*", ":", "^", "**"}:
            raise self._error(self.now, "the intercept cannot be multiplied")
        return None if token.text == "0" else [()]

    def _crossed(self) -> list[Term]:
        terms = self._interaction()
        while self._take("*"):
            other = self._interaction()
            terms = _unique([*terms, *other, *_product(terms, other)])
            self._limit(terms)
        return terms

    def _limit(self, terms: list[Term]) -> None:
        if len(terms) > MAX_TERMS:
            raise self._error(self.now, f"more than {MAX_TERMS} terms")

    def _interaction(self) -> list[Term]:
        terms = self._powered()
        while self._take(":"):
            terms = _product(terms, self._powered())
            self._limit(terms)
        return terms

    def _powered(self) -> list[Term]:
        terms = self._primary()
        while self._take("^", "**"):
            token = self.now
            self.at += 1
            if not token.text.isdigit() or not 1 <= int(token.text) <= MAX_POWER:
                what = f"a power must be a whole number from 1 to {MAX_POWER}"
                raise self._error(token, what)
            first = terms
            for _ in range(int(token.text) - 1):
                terms = _unique([*terms, *_product(terms, first)])
                self._limit(terms)
        return terms

    def _primary(self) -> list[Term]:
        if self._take("("):
            self._deeper()
            terms = self._sum(top=False)
            self._expect(")")
            self.depth -= 1
            return terms
        return [(self._factor(),)]

    def _factor(self) -> Factor:
        expression = self._atom(inside=False)
        return Factor(_label(expression), expression)

    def _atom(self, *, inside: bool) -> Expression:
        token = self.now
        if token.kind == "number" and inside:
            self.at += 1
            return Number(float(token.text))
        if inside and self._take("("):
            self._deeper()
            expression = self._arithmetic()
            self._expect(")")
            self.depth -= 1
            return expression
        if token.kind != "name":
            found = repr(token.text) if token.text else "the end"
            raise self._error(token, f"expected the name of a column, found {found}")
        self.at += 1
        if self.now.text == "(" and self.now.kind == "op":
            return self._call(token.text)
        return Name(token.text)

    def _call(self, function: str) -> Expression:
        self._expect("(")
        self._deeper()
        expression: Expression
        if function == "Q":
            if self.now.kind != "text":
                raise self._error(self.now, 'Q needs a quoted name: Q("name")')
            expression = Name(self.now.text[1:-1])
            self.at += 1
        elif function == "C":
            start = self.now
            argument = self._atom(inside=True)
            if not isinstance(argument, Name):
                raise self._error(start, "C needs the name of one column")
            expression = Call(function, argument)
        else:
            name = "log" if function == "np.log" else function
            expression = Call(name, self._arithmetic())
        self._expect(")")
        self.depth -= 1
        return expression

    def _arithmetic(self) -> Expression:
        if self._take("-"):
            left: Expression = Binary("-", Number(0.0), self._times())
        else:
            left = self._times()
        while self.now.text in {"+", "-"}:
            operator = self.now.text
            self.at += 1
            left = Binary(operator, left, self._times())
        return left

    def _times(self) -> Expression:
        left = self._raised()
        while self._take("*"):
            left = Binary("*", left, self._raised())
        return left

    def _raised(self) -> Expression:
        left = self._atom(inside=True)
        while self._take("^", "**"):
            left = Binary("^", left, self._atom(inside=True))
        return left


def _label(expression: Expression) -> str:
    match expression:
        case Name(column):
            return column
        case Number(value):
            return f"{value:g}"
        case Call(function, argument):
            return f"{function}({_label(argument)})"
        case Binary(operator, left, right):
            return f"{_grouped(left)} {operator} {_grouped(right)}"


def _grouped(expression: Expression) -> str:
    label = _label(expression)
    return f"({label})" if isinstance(expression, Binary) else label
